//! The boot configuration in force: the command line, else the ramdisk's file, else what suits this machine.

use core::fmt;

use abi::config::{self, After, Config, ConfigError, Serial};
use abi::ramdisk;
use abi::wire::Text;
use abi::wire::record::{Config as ConfigRecord, ConfigIgnored, ConfigSource};

use crate::console::{self, Listeners};

/// How long a machine with a screen and no serial port stays up by default, in milliseconds: long enough to read the
/// screen.
const SCREEN_LINGER_MS: u32 = 600_000;

/// How a machine ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// Off.
    Poweroff,
    /// A reset.
    Reboot,
    /// It stays up for a while, then off.
    Linger {
        /// For how long.
        ms: u32,
    },
    /// It takes commands, and then off.
    Stay {
        /// How long it waits for one.
        ms: u32,
    },
}

impl Ending {
    /// As one word, which can be kept in an atomic.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        match self {
            Self::Poweroff => 0,
            Self::Reboot => 1,
            Self::Linger { ms } => (ms as u64) << 8 | 2,
            Self::Stay { ms } => (ms as u64) << 8 | 3,
        }
    }

    /// What [`Ending::to_bits`] made.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "32 bits were put there")]
    pub const fn from_bits(bits: u64) -> Self {
        match bits & 0xff {
            1 => Self::Reboot,
            2 => Self::Linger { ms: (bits >> 8) as u32 },
            3 => Self::Stay { ms: (bits >> 8) as u32 },
            _ => Self::Poweroff,
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, ms) = match *self {
            Self::Poweroff => return f.write_str("poweroff"),
            Self::Reboot => return f.write_str("reboot"),
            Self::Linger { ms } => ("linger", ms),
            Self::Stay { ms } => ("stay", ms),
        };
        write!(f, "{word}:{}", ms / 1000)?;
        if ms.is_multiple_of(1000) { Ok(()) } else { write!(f, ".{:03}", ms % 1000) }
    }
}

/// The configuration, with the text that it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'a> {
    file: (&'a [u8], Config),
    line: (&'a [u8], Config),
}

impl<'a> Settings<'a> {
    /// Reads the ramdisk's file, if there is one, and the command line.
    #[must_use]
    pub fn read(archive: &'a [u8], command_line: &'a [u8]) -> Self {
        let file = ramdisk::find(archive, "", ramdisk::CONFIG).ok().flatten().unwrap_or_default();
        Self { file: (file, silent_read(file)), line: (command_line, silent_read(command_line)) }
    }

    fn config(&self) -> Config {
        self.line.1.or(self.file.1)
    }

    /// The serial port, if one was named.
    #[must_use]
    pub fn serial(&self) -> Option<Serial> {
        self.config().serial
    }

    /// Whether the screen is used.
    #[must_use]
    pub fn display(&self) -> bool {
        self.config().display.unwrap_or(true)
    }

    /// How the machine ends, given the plan's linger time and the devices that are attached.
    #[must_use]
    pub fn ending(&self, planned_linger_ms: u32, listeners: &Listeners) -> Ending {
        match self.config().after {
            Some(After::Poweroff) => Ending::Poweroff,
            Some(After::Reboot) => Ending::Reboot,
            Some(After::Linger(seconds)) => Ending::Linger { ms: seconds.saturating_mul(1000) },
            Some(After::Stay(seconds)) => Ending::Stay { ms: seconds.saturating_mul(1000) },
            None if planned_linger_ms > 0 => Ending::Linger { ms: planned_linger_ms },
            None if listeners.has_screen && !listeners.has_serial => Ending::Linger { ms: SCREEN_LINGER_MS },
            None => Ending::Poweroff,
        }
    }

    /// Reports the configuration in force, and each word that was ignored, except those of Linux's that a VMM adds to the
    /// command line on its own: they would be a warning in each log that no one can act on. `port_answers`: whether the serial port that
    /// was named answers.
    pub fn report(&self, ending: Ending, listeners: &Listeners, port_answers: bool) {
        let mut ignored = 0_u16;
        for (from, text) in [(ConfigSource::File, self.file.0), (ConfigSource::CommandLine, self.line.0)] {
            let _ = Config::read(text, |error| {
                let ConfigError { line, word, expected } = error;
                if from == ConfigSource::CommandLine && config::is_vmms(word) {
                    return;
                }
                let word = Text::new(if word.is_empty() { "?" } else { word });
                report_ignored(from, line, word, expected);
                ignored = ignored.saturating_add(1);
            });
        }
        if let (Some(Serial::Uart(uart)), false) = (self.serial(), port_answers) {
            let from =
                if self.line.1.serial.is_some() { ConfigSource::CommandLine } else { ConfigSource::File };
            let word = Text::format(format_args!("serial={}", uart.registers));
            report_ignored(from, 0, word, "no such port answers");
            ignored = ignored.saturating_add(1);
        }
        console::record(ConfigRecord {
            serial: listeners.serial,
            after: Text::format(format_args!("{ending}")),
            display: listeners.has_screen,
            ignored,
        });
    }
}

/// Reads a configuration. Its errors are reported later, when there is a console.
fn silent_read(text: &[u8]) -> Config {
    Config::read(text, |_| {})
}

fn report_ignored(from: ConfigSource, line: u16, word: Text<64>, expected: &str) {
    console::record(ConfigIgnored { from, line, word });
    console::text(format_args!("  boot configuration ({from}, line {line}): {expected}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listeners(has_serial: bool, has_screen: bool) -> Listeners {
        Listeners { serial: Text::new("com1"), has_serial, has_screen }
    }

    fn ending(line: &str, planned_linger_ms: u32, listeners: &Listeners) -> Ending {
        Settings::read(&[], line.as_bytes()).ending(planned_linger_ms, listeners)
    }

    #[test]
    fn the_command_line_wins_over_the_file_and_both_over_the_plan() {
        let read = |text: &'static str| (text.as_bytes(), Config::read(text.as_bytes(), |_| {}));
        let settings = Settings { file: read("after=poweroff display=off"), line: read("after=reboot") };
        assert_eq!(settings.ending(5, &listeners(true, true)), Ending::Reboot);
        assert!(!settings.display());
        assert_eq!(ending("after=linger:3", 5, &listeners(true, true)), Ending::Linger { ms: 3000 });
        assert_eq!(ending("", 5, &listeners(true, true)), Ending::Linger { ms: 5 });
        assert_eq!(ending("after=never", 0, &listeners(true, true)), Ending::Poweroff);
    }

    #[test]
    fn a_machine_with_only_a_screen_stays_up() {
        assert_eq!(ending("", 0, &listeners(false, true)), Ending::Linger { ms: SCREEN_LINGER_MS });
        assert_eq!(ending("after=poweroff", 0, &listeners(false, true)), Ending::Poweroff);
        assert_eq!(ending("", 0, &listeners(false, false)), Ending::Poweroff);
    }

    #[test]
    fn an_ending_prints_as_it_is_set() {
        use alloc::string::ToString;

        assert_eq!(Ending::Linger { ms: 600_000 }.to_string(), "linger:600");
        assert_eq!(Ending::Linger { ms: 1_050 }.to_string(), "linger:1.050");
        assert_eq!(Ending::Reboot.to_string(), "reboot");
    }

    #[test]
    fn an_ending_is_kept_as_a_word() {
        for ending in
            [Ending::Poweroff, Ending::Reboot, Ending::Linger { ms: 0 }, Ending::Linger { ms: u32::MAX }]
        {
            assert_eq!(Ending::from_bits(ending.to_bits()), ending);
        }
    }
}
