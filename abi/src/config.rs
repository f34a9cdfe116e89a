//! The boot configuration: the settings for one machine. They change where the kernel prints and how it ends, never
//! what it measures.
//!
//! The text comes from the file [`crate::ramdisk::CONFIG`] of the ramdisk, which can be edited in place on a USB stick,
//! and from the command line of a VMM, which takes precedence. It consists of `KEY=VALUE` words with white space
//! between them; `#` begins a comment up to the end of the line:
//!
//! ```text
//! serial=com1|com2|com3|com4[,baud:N]     these PC ports, at N baud (115200)
//! serial=port:0x3f8[,baud:N]              a UART at an I/O port
//! serial=mmio:0xADDR[,stride:N][,baud:N]  a UART in memory, its registers N bytes apart (1); read and written by 4
//!                                         bytes if N is 4 or more, else by one
//! serial=none                             no serial port
//! after=poweroff|reboot|linger:SECONDS    what follows the last record; linger: stay, repeat the table, power off
//! after=stay:SECONDS                      stay for commands ([`crate::command`]); power off if none comes for so long
//! display=on|off                          text on the screen too
//! ```
//!
//! Numbers are decimal, or hexadecimal after `0x`. A word that is not understood is ignored and reported; its setting
//! keeps the default.

use core::fmt;

/// The length of the configuration file. Blanks pad it: an edit in place has room and changes no length.
pub const FILE_BYTES: usize = 1024;

/// The longest time to linger or to stay, in seconds: its milliseconds fit into 32 bits.
pub const MAX_LINGER_S: u32 = 4_000_000;

/// The default baud rate.
pub const DEFAULT_BAUD: u32 = 115_200;
/// The highest baud rate of a 16550 with a clock of 1.8432 MHz.
const MAX_BAUD: u32 = 115_200;

/// The I/O ports of COM1 to COM4.
const COM_PORTS: [(&str, u16); 4] = [("com1", 0x3f8), ("com2", 0x2f8), ("com3", 0x3e8), ("com4", 0x2e8)];

/// Every key.
pub const KEYS: [&str; 3] = ["serial", "after", "display"];

/// Words for Linux that a VMM puts on the command line without being asked, or if it was given none; a value may follow.
/// Firecracker has all of them, QEMU's microvm `virtio_mmio.device`. They are no settings that anyone made for this kernel,
/// so they are not reported as ignored. Every other word may be a mistake of the person who wrote it, and is.
const VMM_WORDS: [&str; 14] = [
    "8250.nr_uarts",
    "i8042.dumbkbd",
    "i8042.noaux",
    "i8042.nomux",
    "i8042.nopnp",
    "nomodule",
    "panic",
    "pci",
    "reboot",
    "ro",
    "root",
    "rw",
    "swiotlb",
    "virtio_mmio.device",
];

/// Whether a word of a command line is one that a VMM adds for Linux.
#[must_use]
pub fn is_vmms(word: &str) -> bool {
    VMM_WORDS.contains(&word.split_once('=').map_or(word, |(key, _)| key))
}

/// The eight registers of a UART.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Registers {
    /// I/O ports, from this one on.
    Port(u16),
    /// Memory.
    Memory {
        /// The physical address of the first.
        address: u64,
        /// Their distance in bytes: a power of two up to 16.
        stride: u8,
        /// Whether an access has 4 bytes, not one.
        wide: bool,
    },
}

/// A UART and its settings.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Uart {
    /// Its registers.
    pub registers: Registers,
    /// Its baud rate; `None` keeps that of the firmware.
    pub baud: Option<u32>,
}

impl Uart {
    /// COM1.
    pub const COM1: Self = Self { registers: Registers::Port(0x3f8), baud: Some(DEFAULT_BAUD) };
}

/// The value of `serial`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Serial {
    /// No serial port.
    None,
    /// This port and no other.
    Uart(Uart),
}

/// The action after the last record.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum After {
    /// Power off.
    Poweroff,
    /// Reset.
    Reboot,
    /// Stay up for this many seconds and repeat the table, then power off.
    Linger(u32),
    /// Take commands; power off if none is taken for this many seconds.
    Stay(u32),
}

/// The settings; `None` for one that was not made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Config {
    /// The serial port for records.
    pub serial: Option<Serial>,
    /// The action after the last record.
    pub after: Option<After>,
    /// Whether text is printed on the screen too.
    pub display: Option<bool>,
}

/// A word that was ignored.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ConfigError<'a> {
    /// Its line, from 1.
    pub line: u16,
    /// The word; empty if it is not UTF-8.
    pub word: &'a str,
    /// What was expected instead.
    pub expected: &'static str,
}

impl fmt::Display for ConfigError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {:?}: expected {}", self.line, self.word, self.expected)
    }
}

impl Config {
    /// Reads a text up to its end or its first zero byte. Passes each word that is not understood to `ignored`.
    #[must_use]
    pub fn read<'a>(text: &'a [u8], mut ignored: impl FnMut(ConfigError<'a>)) -> Self {
        let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
        let mut config = Self::default();
        for (line, bytes) in (1..=u16::MAX).zip(text[..end].split(|&byte| byte == b'\n')) {
            let code = bytes.split(|&byte| byte == b'#').next().unwrap_or_default();
            for word in code.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()) {
                let word = core::str::from_utf8(word);
                let set = word.map_err(|_| "UTF-8").and_then(|word| config.set(word));
                if let Err(expected) = set {
                    ignored(ConfigError { line, word: word.unwrap_or_default(), expected });
                }
            }
        }
        config
    }

    /// These settings, and those that only `other` makes.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            serial: self.serial.or(other.serial),
            after: self.after.or(other.after),
            display: self.display.or(other.display),
        }
    }

    /// Applies one word. The error is what was expected instead.
    fn set(&mut self, word: &str) -> Result<(), &'static str> {
        let (key, value) = word.split_once('=').ok_or("KEY=VALUE")?;
        match key {
            "serial" => once(&mut self.serial, serial(value)?),
            "after" => once(&mut self.after, after(value)?),
            "display" => once(&mut self.display, display(value)?),
            _ => Err("serial=, after= or display="),
        }
    }
}

/// Sets a slot that is not set yet.
fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), &'static str> {
    match slot {
        Some(_) => Err("each key once; the first holds"),
        None => {
            *slot = Some(value);
            Ok(())
        }
    }
}

fn serial(value: &str) -> Result<Serial, &'static str> {
    const SHAPE: &str = "serial=com1 to com4, port:N, mmio:N[,stride:N] or none, with [,baud:N]";
    let mut parts = value.split(',');
    let place = parts.next().ok_or(SHAPE)?;
    if value == "none" {
        return Ok(Serial::None);
    }
    let (mut baud, mut stride) = (None, None);
    for option in parts {
        match option.split_once(':') {
            Some(("baud", n)) => {
                let rate = number(n).and_then(|n| u32::try_from(n).ok()).filter(|&n| has_divisor(n));
                once(&mut baud, rate.ok_or("a baud rate that divides 115200")?)?;
            }
            Some(("stride", n)) => {
                let bytes = number(n).filter(|&n| matches!(n, 1 | 2 | 4 | 8 | 16));
                let bytes = bytes.and_then(|n| u8::try_from(n).ok());
                once(&mut stride, bytes.ok_or("a stride of 1, 2, 4, 8 or 16 bytes")?)?;
            }
            _ => return Err(SHAPE),
        }
    }
    let com = COM_PORTS.iter().find(|(name, _)| *name == place);
    let registers = match (com, place.split_once(':')) {
        (Some(&(_, port)), _) => Registers::Port(port),
        (None, Some(("port", n))) => {
            let port = number(n).and_then(|n| u16::try_from(n).ok()).filter(|&n| is_port(n));
            Registers::Port(port.ok_or("a port from 0x100 to 0xfff8")?)
        }
        (None, Some(("mmio", n))) => {
            let stride = stride.take().unwrap_or(1);
            let address = number(n).filter(|&address| is_address(address, stride));
            let address = address.ok_or("an address in a page, a multiple of the stride, below 2^52")?;
            Registers::Memory { address, stride, wide: stride >= 4 }
        }
        _ => return Err(SHAPE),
    };
    if stride.is_some() {
        return Err("a stride with mmio only");
    }
    Ok(Serial::Uart(Uart { registers, baud: baud.or(Some(DEFAULT_BAUD)) }))
}

/// Whether a UART can be at this port: not among the ports of the chipset, and with room for eight registers.
const fn is_port(port: u16) -> bool {
    port >= 0x100 && port <= 0xfff8
}

/// Whether a UART can be at this address: it has at most 52 bits, and all eight registers are in one page, which the
/// kernel maps.
#[must_use]
pub const fn is_address(address: u64, stride: u8) -> bool {
    let last = address % 4096 + 7 * stride as u64;
    address != 0 && address < 1 << 52 && address.is_multiple_of(stride as u64) && last + 4 <= 4096
}

/// Whether a 16550 has a divisor for this rate.
const fn has_divisor(baud: u32) -> bool {
    baud >= 2 && baud <= MAX_BAUD && MAX_BAUD.is_multiple_of(baud)
}

fn after(value: &str) -> Result<After, &'static str> {
    const SHAPE: &str = "after=poweroff, reboot, linger:SECONDS or stay:SECONDS, at most 4000000";
    let seconds =
        |n| number(n).and_then(|n| u32::try_from(n).ok()).filter(|&n| n <= MAX_LINGER_S).ok_or(SHAPE);
    match (value, value.split_once(':')) {
        ("poweroff", _) => Ok(After::Poweroff),
        ("reboot", _) => Ok(After::Reboot),
        (_, Some(("linger", n))) => Ok(After::Linger(seconds(n)?)),
        (_, Some(("stay", n))) => Ok(After::Stay(seconds(n)?)),
        _ => Err(SHAPE),
    }
}

fn display(value: &str) -> Result<bool, &'static str> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("display=on or off"),
    }
}

/// A number: decimal, or hexadecimal after `0x`.
fn number(text: &str) -> Option<u64> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    u64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))
}

/// The form in a configuration, without the baud rate.
impl fmt::Display for Registers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Port(port) => match COM_PORTS.iter().find(|&&(_, com)| com == port) {
                Some((name, _)) => f.write_str(name),
                None => write!(f, "port:{port:#x}"),
            },
            Self::Memory { address, stride, .. } => write!(f, "mmio:{address:#x},stride:{stride}"),
        }
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
