//! A plain reading of a boot configuration, word by word: for each key the first valid word counts.

use abi::config::{After, Config, DEFAULT_BAUD, Registers, Serial, Uart};

/// The settings in `text`, and how many of its words set nothing.
pub(super) fn read(text: &[u8]) -> (Config, usize) {
    let (mut config, mut passed_over) = (Config::default(), 0);
    let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
    for line in text.split(|&byte| byte == b'\n').take(usize::from(u16::MAX)) {
        let code = &line[..line.iter().position(|&byte| byte == b'#').unwrap_or(line.len())];
        for word in code.split(|byte| b" \t\r\x0c".contains(byte)).filter(|word| !word.is_empty()) {
            if std::str::from_utf8(word).ok().and_then(|word| set(&mut config, word)).is_none() {
                passed_over += 1;
            }
        }
    }
    (config, passed_over)
}

fn set(config: &mut Config, word: &str) -> Option<()> {
    let (key, value) = word.split_once('=')?;
    match key {
        "serial" if config.serial.is_none() => config.serial = Some(serial(value)?),
        "after" if config.after.is_none() => config.after = Some(after(value)?),
        "display" if config.display.is_none() => {
            config.display = Some(["off", "on"].iter().position(|word| *word == value)? == 1);
        }
        _ => return None,
    }
    Some(())
}

fn after(value: &str) -> Option<After> {
    match value {
        "poweroff" => Some(After::Poweroff),
        "reboot" => Some(After::Reboot),
        _ => {
            let (word, seconds) = value.split_once(':')?;
            let seconds = number(seconds).filter(|&seconds| seconds <= 4_000_000)?;
            let seconds = u32::try_from(seconds).ok()?;
            match word {
                "linger" => Some(After::Linger(seconds)),
                "stay" => Some(After::Stay(seconds)),
                _ => None,
            }
        }
    }
}

fn serial(value: &str) -> Option<Serial> {
    if value == "none" {
        return Some(Serial::None);
    }
    let (place, options) = value.split_once(',').unwrap_or((value, ""));
    let (mut baud, mut stride) = (None, None);
    for option in options.split(',').filter(|_| value.contains(',')) {
        let (name, n) = option.split_once(':')?;
        let n = number(n)?;
        let slot = match name {
            "baud" if (2..=115_200).contains(&n) && 115_200 % n == 0 => &mut baud,
            "stride" if [1, 2, 4, 8, 16].contains(&n) => &mut stride,
            _ => return None,
        };
        if slot.replace(n).is_some() {
            return None;
        }
    }
    let ports = [("com1", 0x3f8), ("com2", 0x2f8), ("com3", 0x3e8), ("com4", 0x2e8)];
    let com = ports.iter().find(|(name, _)| *name == place).map(|&(_, port)| port);
    let registers = match place.strip_prefix("mmio:") {
        Some(address) => {
            let (address, stride) = (number(address)?, stride.unwrap_or(1));
            let last = address % 4096 + 7 * stride;
            let fits = address != 0 && address < 1 << 52 && address % stride == 0 && last + 4 <= 4096;
            let (stride, wide) = (u8::try_from(stride).ok().filter(|_| fits)?, stride >= 4);
            Registers::Memory { address, stride, wide }
        }
        None if stride.is_some() => return None,
        None => {
            let port = com.or_else(|| number(place.strip_prefix("port:")?))?;
            Registers::Port(u16::try_from(port).ok().filter(|port| (0x100..=0xfff8).contains(port))?)
        }
    };
    let baud = baud.map_or(Some(DEFAULT_BAUD), |baud| u32::try_from(baud).ok());
    Some(Serial::Uart(Uart { registers, baud }))
}

/// A number made of digits only.
fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u64::from_str_radix(digits, 16).ok()
        }
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    }
}
