//! The file's text: comments for a person with an editor, then the settings, then blank lines.

use abi::config::{Config, FILE_BYTES, KEYS};

/// The text of a new file.
const TEMPLATE: &str = "\
# Assay's boot configuration: docs/HARDWARE.md. Edit in place: 1024 bytes must
# stay 1024 bytes. Words KEY=VALUE; # begins a comment.
#   serial=com1|com2|port:0x3f8|mmio:0xADDR[,stride:N]|none  [,baud:N]
#   after=poweroff|reboot|linger:SECONDS
#   display=on|off
";

/// The padding is blank lines, so that a hex editor shows the free space.
const LINE_BYTES: usize = 64;

/// A boot configuration. The kernel accepts every setting made here; other content of the file is kept as it was.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BootConfig {
    text: String,
}

/// Why a file cannot be read or a setting cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigTextError {
    /// The kernel would ignore the word.
    #[error("{word:?}: expected {expected}")]
    Word {
        /// The word.
        word: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// The file is too small.
    #[error("the configuration needs {bytes} bytes, but its file has {FILE_BYTES}: remove comments")]
    TooLong {
        /// How many bytes it needs.
        bytes: usize,
    },
    /// The file is not text.
    #[error("the configuration's file is not UTF-8")]
    NotText,
}

impl Default for BootConfig {
    fn default() -> Self {
        Self { text: TEMPLATE.to_owned() }
    }
}

impl BootConfig {
    /// Reads `file` up to its padding.
    ///
    /// # Errors
    /// The file is not UTF-8.
    pub fn read(file: &[u8]) -> Result<Self, ConfigTextError> {
        let end = file.iter().position(|&byte| byte == 0).unwrap_or(file.len());
        let text = std::str::from_utf8(&file[..end]).map_err(|_| ConfigTextError::NotText)?;
        // Here and below, only the kernel's blanks are blanks. Other Unicode blanks are part of a word.
        let text = text.trim_ascii_end();
        let newline = if text.is_empty() || text.len() >= FILE_BYTES { "" } else { "\n" };
        Ok(Self { text: format!("{text}{newline}") })
    }

    /// Makes one setting, `KEY=VALUE`, and removes earlier settings of the key. `KEY=` only removes them.
    ///
    /// # Errors
    /// The kernel would ignore the word, or the file has no room for it. Nothing has changed then.
    pub fn set(&mut self, word: &str) -> Result<(), ConfigTextError> {
        let refuse = |expected| ConfigTextError::Word { word: word.to_owned(), expected };
        let (key, value) = word.split_once('=').ok_or_else(|| refuse("KEY=VALUE"))?;
        let is_one_word = !word.contains(|c: char| c.is_whitespace() || c == '#' || c == '\0');
        if !is_one_word {
            return Err(refuse("one word"));
        }
        if !KEYS.contains(&key) {
            return Err(refuse("serial=, after= or display="));
        }
        if !value.is_empty() {
            let mut wrong = None;
            let _ = Config::read(word.as_bytes(), |error| wrong = Some(error.expected));
            if let Some(expected) = wrong {
                return Err(refuse(expected));
            }
        }
        let mut text = self.without(key);
        if !value.is_empty() {
            text += word;
            text.push('\n');
        }
        if text.len() > FILE_BYTES {
            return Err(ConfigTextError::TooLong { bytes: text.len() });
        }
        self.text = text;
        Ok(())
    }

    /// The settings, in order.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.text.lines().flat_map(|line| code(line).split_ascii_whitespace())
    }

    /// The file: the text, padded with blank lines.
    #[must_use]
    pub fn file(&self) -> [u8; FILE_BYTES] {
        let mut file = [b' '; FILE_BYTES];
        file[..self.text.len()].copy_from_slice(self.text.as_bytes());
        for at in (LINE_BYTES - 1..FILE_BYTES).step_by(LINE_BYTES).filter(|&at| at >= self.text.len()) {
            file[at] = b'\n';
        }
        file
    }

    /// The text without the settings of `key`, and without lines that had nothing else.
    fn without(&self, key: &str) -> String {
        let of_key = |word: &&str| word.split_once('=').is_some_and(|(name, _)| name == key);
        let mut text = String::new();
        for line in self.text.lines() {
            let code = code(line);
            if !code.split_ascii_whitespace().any(|word| of_key(&word)) {
                text.extend([line, "\n"]);
                continue;
            }
            let rest: Vec<_> = code.split_ascii_whitespace().filter(|word| !of_key(word)).collect();
            let comment = &line[code.len()..];
            if !rest.is_empty() || !comment.is_empty() {
                text += rest.join(" ").as_str();
                text += if rest.is_empty() || comment.is_empty() { "" } else { " " };
                text.extend([comment, "\n"]);
            }
        }
        text
    }
}

/// A line up to its comment.
fn code(line: &str) -> &str {
    line.split('#').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use abi::config::{After, Serial, Uart};

    use super::*;

    fn read_by_the_kernel(config: &BootConfig) -> Config {
        Config::read(&config.file(), |error| panic!("{error}"))
    }

    #[test]
    fn a_new_file_sets_nothing() {
        let config = BootConfig::default();
        assert_eq!(read_by_the_kernel(&config), Config::default());
        assert_eq!(config.words().count(), 0);
        assert_eq!(BootConfig::read(&config.file()).unwrap(), config);
    }

    #[test]
    fn sets_changes_and_takes_away() {
        let mut config = BootConfig::default();
        config.set("serial=com1").unwrap();
        config.set("after=linger:60").unwrap();
        config.set("serial=none").unwrap();
        let read = read_by_the_kernel(&config);
        assert_eq!((read.serial, read.after), (Some(Serial::None), Some(After::Linger(60))));
        assert_eq!(config.words().collect::<Vec<_>>(), ["after=linger:60", "serial=none"]);
        config.set("serial=").unwrap();
        config.set("after=").unwrap();
        assert_eq!(config, BootConfig::default());
    }

    #[test]
    fn keeps_what_a_person_wrote() {
        let mut config = BootConfig::read(b"serial=com2 after=reboot # my box\n\n\n   ").unwrap();
        config.set("serial=com1").unwrap();
        assert_eq!(config.text, "after=reboot # my box\nserial=com1\n");
        assert_eq!(read_by_the_kernel(&config).serial, Some(Serial::Uart(Uart::COM1)));
        config.set("after=").unwrap();
        assert_eq!(config.text, "# my box\nserial=com1\n");
    }

    #[test]
    fn words_are_those_that_the_kernel_reads() {
        // Blanks to Unicode, and none to the kernel.
        for blank in ["\u{a0}", "\u{2003}", "\u{b}"] {
            let text = format!("after=reboot{blank}x display=off");
            let mut config = BootConfig::read(text.as_bytes()).unwrap();
            assert!(config.words().eq([format!("after=reboot{blank}x").as_str(), "display=off"]));
            config.set("display=on").unwrap();
            let read = Config::read(&config.file(), |_| {});
            assert_eq!((read.after, read.display), (None, Some(true)), "{blank:?}");
        }
    }

    #[test]
    fn a_file_that_is_full_is_kept() {
        let full = [b'#'; FILE_BYTES];
        let mut config = BootConfig::read(&full).unwrap();
        assert_eq!(config.file(), full);
        assert!(matches!(config.set("display=on"), Err(ConfigTextError::TooLong { .. })));
    }

    #[test]
    fn refuses_what_the_kernel_would_pass_over() {
        let before = BootConfig::default();
        for (word, says) in [
            ("serial", "expected KEY=VALUE"),
            ("seriel=com1", "expected serial=, after= or display="),
            ("serial=com9", "expected serial=com1 to com4"),
            ("display=on after=reboot", "expected one word"),
            ("after=reboot#", "expected one word"),
        ] {
            let mut config = before.clone();
            let error = config.set(word).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
            assert_eq!(config, before);
        }
        assert!(matches!(BootConfig::read(b"\xff"), Err(ConfigTextError::NotText)));
    }

    #[test]
    fn refuses_what_does_not_fit() {
        let mut config = BootConfig { text: format!("#{}\n", "x".repeat(FILE_BYTES - 20)) };
        config.set("display=on").unwrap();
        let error = config.set("after=linger:60").unwrap_err();
        assert!(matches!(error, ConfigTextError::TooLong { bytes } if bytes > FILE_BYTES));
        assert_eq!(BootConfig::read(&config.file()).unwrap(), config);
    }
}
