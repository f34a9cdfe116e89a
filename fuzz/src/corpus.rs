//! The corpus: the inputs that each target is tried with.
//!
//! There are two sources. Seeds are made by code (`src/seeds.rs`). Everything else was found by the fuzzer or written
//! by hand, and is kept in `corpus/TARGET.txt`, one input a line:
//!
//! ```text
//! half-a-record "\x02\x10ASSAY1 seq="
//! "\x03\0\0"
//! ```
//!
//! A name says what an input shows; inputs that the fuzzer found have none. Named inputs come first, by name; then the
//! rest, by length. One set of inputs therefore has one text.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::seeds::seeds;

/// An input.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Input {
    /// What the input shows. `None` if the fuzzer found it and it has no name yet.
    pub name: Option<String>,
    /// The argument of the target.
    pub bytes: Vec<u8>,
}

/// The inputs that one target keeps besides its seeds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Archive {
    inputs: Vec<Input>,
}

/// Every input of a target: its seeds, then those of its archive. Each has a name, which is also a file name.
///
/// # Errors
/// If the archive cannot be read.
pub fn inputs(target: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut inputs: Vec<_> =
        seeds(target).into_iter().map(|(name, bytes)| (format!("seed-{name}"), bytes)).collect();
    for (line, input) in (1..).zip(Archive::load(target)?.inputs) {
        inputs.push((input.name.unwrap_or_else(|| format!("line-{line}")), input.bytes));
    }
    Ok(inputs)
}

impl Archive {
    /// The file that holds the archive of `target`.
    #[must_use]
    pub fn path(target: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target).with_extension("txt")
    }

    /// Reads the archive of `target`; a target without one has an empty archive.
    ///
    /// # Errors
    /// If the file cannot be read, or a line is not an input.
    pub fn load(target: &str) -> io::Result<Self> {
        let path = Self::path(target);
        match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            read => read.and_then(|text| Self::parse(&text)).map_err(|error| at(&path, &error)),
        }
    }

    /// Writes the archive of `target`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, target: &str) -> io::Result<()> {
        let path = Self::path(target);
        fs::write(&path, self.text()).map_err(|error| at(&path, &error))
    }

    /// Adds an input. Returns false, and changes nothing, if its bytes are there already.
    pub fn add(&mut self, name: Option<&str>, bytes: Vec<u8>) -> bool {
        if self.inputs.iter().any(|input| input.bytes == bytes) {
            return false;
        }
        self.inputs.push(Input { name: name.map(str::to_owned), bytes });
        self.inputs.sort_by(|a, b| order(a).cmp(&order(b)));
        true
    }

    /// The inputs, in the order of the file.
    #[must_use]
    pub fn inputs(&self) -> &[Input] {
        &self.inputs
    }

    /// The archive as its file has it.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for input in &self.inputs {
            if let Some(name) = &input.name {
                text += name;
                text.push(' ');
            }
            quote(&input.bytes, &mut text);
            text.push('\n');
        }
        text
    }

    /// Reads the text of an archive.
    ///
    /// # Errors
    /// If a line is not an input; the error has its number.
    pub fn parse(text: &str) -> io::Result<Self> {
        let inputs = (1..).zip(text.lines()).map(|(number, line)| {
            input_of(line).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, format!("line {number} is not [NAME] \"BYTES\""))
            })
        });
        Ok(Self { inputs: inputs.collect::<io::Result<_>>()? })
    }
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Named before unnamed, and short before long.
fn order(input: &Input) -> (bool, &Option<String>, usize, &[u8]) {
    (input.name.is_none(), &input.name, input.bytes.len(), &input.bytes)
}

/// Whether `name` can stand in an archive, and as a file name.
#[must_use]
pub fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn input_of(line: &str) -> Option<Input> {
    let (head, quoted) = line.strip_suffix('"')?.split_once('"')?;
    let name = match head {
        "" => None,
        _ => Some(head.strip_suffix(' ').filter(|name| is_name(name))?.to_owned()),
    };
    Some(Input { name, bytes: unquote(quoted)? })
}

/// Appends `bytes` to `text` as a string with the escapes of Rust.
fn quote(bytes: &[u8], text: &mut String) {
    text.push('"');
    for &byte in bytes {
        match byte {
            0 => text.push_str("\\0"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            b'\t' => text.push_str("\\t"),
            b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => write!(text, "\\x{byte:02x}").expect("a String takes all"),
        }
    }
    text.push('"');
}

/// The bytes of a string between its quotes; `None` if [`quote`] does not write it that way.
fn unquote(quoted: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(quoted.len());
    let mut rest = quoted.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, length) = match (byte, after.first()) {
            (b'\\', Some(b'0')) => (0, 2),
            (b'\\', Some(b'n')) => (b'\n', 2),
            (b'\\', Some(b'r')) => (b'\r', 2),
            (b'\\', Some(b't')) => (b'\t', 2),
            (b'\\', Some(&escaped @ (b'"' | b'\\'))) => (escaped, 2),
            (b'\\', Some(b'x')) => {
                let digits = std::str::from_utf8(after.get(1..3)?).ok()?;
                (u8::from_str_radix(digits, 16).ok()?, 4)
            }
            (b' '..=b'~', _) if !b"\"\\".contains(&byte) => (byte, 1),
            _ => return None,
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_written_back() {
        let all: Vec<u8> = (0..=255).collect();
        let mut archive = Archive::default();
        assert!(archive.add(Some("all"), all.clone()));
        assert!(archive.add(None, Vec::new()));
        assert!(!archive.add(None, all.clone()), "the same bytes under another name");
        let text = archive.text();
        assert_eq!(text.lines().count(), 2);
        assert_eq!(Archive::parse(&text).expect("an archive"), archive);
        assert_eq!(archive.inputs()[0].bytes, all);
    }

    #[test]
    fn the_text_does_not_depend_on_the_order_of_adding() {
        let inputs = [(None, "bb"), (Some("z"), "1"), (None, "a"), (Some("b"), "2")];
        let (mut forwards, mut backwards) = (Archive::default(), Archive::default());
        for (name, bytes) in inputs {
            assert!(forwards.add(name, bytes.into()));
        }
        for (name, bytes) in inputs.into_iter().rev() {
            assert!(backwards.add(name, bytes.into()));
        }
        assert_eq!(forwards.text(), "b \"2\"\nz \"1\"\n\"a\"\n\"bb\"\n");
        assert_eq!(backwards, forwards);
    }

    #[test]
    fn a_line_that_is_no_input_is_refused_by_its_number() {
        for bad in
            ["x", "\"", "\"a", "a b \"c\"", "a\"b\"", " \"a\"", r#""\q""#, r#""\x1""#, r#""a"b""#, "\"é\""]
        {
            let error = Archive::parse(&format!("\"\"\n{bad}\n")).expect_err(bad);
            assert!(error.to_string().starts_with("line 2 "), "{error}");
        }
    }
}
