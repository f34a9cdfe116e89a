//! A boot configuration: each word is either understood or reported, as in a plain reading, and the kernel can reach
//! the ports that it understands. And its file, as the host edits it: the kernel finds the settings that the host
//! reports.

mod plain;

use abi::config::{Config, FILE_BYTES, Registers, Serial};
use experiment::boot_config::BootConfig;
use kernel::boot::command_line::{CommandLine, MAX_BYTES};
use kernel::settings::Settings;

pub(crate) fn check(data: &[u8]) {
    let mut named = 0;
    let config = Config::read(data, |error| {
        assert!(error.line > 0 && !error.expected.is_empty());
        named += 1;
    });
    if let Some(Serial::Uart(uart)) = config.serial {
        assert!(uart.baud.is_some_and(|baud| baud > 1 && 115_200 % baud == 0));
        match uart.registers {
            Registers::Port(port) => assert!((0x100..=0xfff8).contains(&port)),
            Registers::Memory { address, stride, wide } => {
                assert!(address != 0 && address % u64::from(stride) == 0 && wide == (stride >= 4));
                assert_eq!(address / 4096, (address + 7 * u64::from(stride) + 3 * u64::from(wide)) / 4096);
            }
        }
        // The kernel would accept the value that it prints in a record.
        let word = format!("serial={}", uart.registers);
        let again = Config::read(word.as_bytes(), |error| panic!("{error}"));
        assert!(matches!(again.serial, Some(Serial::Uart(other)) if other.registers == uart.registers));
    }
    assert_eq!((config, named), plain::read(data));
    on_the_command_line(data);
    in_a_file(data);
}

/// A command line is copied whole up to its zero byte, or up to a blank. It wins over a file.
fn on_the_command_line(data: &[u8]) {
    let line = CommandLine::copy(data);
    let text = data.split(|&byte| byte == 0).next().unwrap_or_default();
    assert!(text.starts_with(line.bytes()) && line.bytes().len() <= MAX_BYTES);
    let next = text.get(line.bytes().len());
    assert!(next.is_none_or(|byte| line.bytes().is_empty() || byte.is_ascii_whitespace()), "half a word");
    assert_eq!(next.is_some(), text.len() > MAX_BYTES);
    let config = plain::read(line.bytes()).0;
    let settings = Settings::read(&[], line.bytes());
    assert_eq!((settings.serial(), settings.display()), (config.serial, config.display.unwrap_or(true)));
}

/// A file stays byte for byte the same, except for blanks at its end; a setting replaces the one of its key and no
/// other.
fn in_a_file(data: &[u8]) {
    let data = &data[..data.len().min(FILE_BYTES)];
    let Ok(mut file) = BootConfig::read(data) else {
        let text = data.split(|&byte| byte == 0).next().unwrap_or_default();
        return assert!(std::str::from_utf8(text).is_err());
    };
    let before = plain::read(data).0;
    assert_eq!(plain::read(&file.file()).0, before, "as it was");
    // Setting the first word again leaves the others as they were.
    let Some(word) = file.words().next().map(str::to_owned) else {
        return assert_eq!(before, Config::default());
    };
    if file.set(&word).is_ok() {
        let after = plain::read(&file.file()).0;
        let alone = plain::read(word.as_bytes()).0;
        let kept = match word.split_once('=').expect("it was set").0 {
            "serial" => Config { serial: None, ..before },
            "after" => Config { after: None, ..before },
            _ => Config { display: None, ..before },
        };
        assert_eq!(after, alone.or(kept), "{word}");
        assert!(word.ends_with('=') || file.words().any(|other| other == word));
    }
}
