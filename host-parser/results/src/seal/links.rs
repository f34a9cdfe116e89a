//! A file of lines, each of which has the SHA-256 of the one before it: what is written stays, and no line can be changed,
//! moved or left out but at the end. A line is a JSON object; what it records is its caller's.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use abi::Digest;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::WriteError;

/// What stands for the line before the first.
pub const BEFORE_FIRST: Digest = Digest([0; 32]);

/// A line.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Line<E> {
    /// Its number, from 0.
    n: u64,
    /// SHA-256 of the line before it, without its line feed; zeros in the first line.
    prev: Digest,
    /// What it records.
    entry: E,
}

/// Why a file is no chain.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}: {detail}")]
pub struct ChainError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub detail: String,
}

/// Writes a chain.
#[derive(Debug)]
pub struct LinkWriter {
    path: PathBuf,
    file: File,
    /// The number of the next line.
    n: u64,
    head: Digest,
}

impl LinkWriter {
    /// Begins a chain in a file that must not be there.
    ///
    /// # Errors
    /// The file cannot be created.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let file = OpenOptions::new().append(true).create_new(true).open(path);
        let file = file.map_err(|source| WriteError { path: path.to_owned(), source })?;
        Ok(Self { path: path.to_owned(), file, n: 0, head: BEFORE_FIRST })
    }

    /// SHA-256 of the last line.
    #[must_use]
    pub const fn head(&self) -> Digest {
        self.head
    }

    /// Appends entries: all of them are in the file, and on the disk, before it returns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn append<E: Serialize>(&mut self, entries: impl IntoIterator<Item = E>) -> Result<(), WriteError> {
        let mut lines = Vec::new();
        for entry in entries {
            let line = Line { n: self.n, prev: self.head, entry };
            let text = serde_json::to_vec(&line).map_err(|error| self.failed_by(error.into()))?;
            self.head = Digest::of(&text);
            self.n += 1;
            lines.extend(text);
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        written.map_err(|source| self.failed_by(source))
    }

    fn failed_by(&self, source: io::Error) -> WriteError {
        WriteError { path: self.path.clone(), source }
    }
}

/// Reads a chain, gives each entry to `take` with its place from 0 and the SHA-256 of its line, and returns that of the last
/// line. What follows the last line feed is passed over: what is killed may leave part of a line.
///
/// # Errors
/// The first line that does not follow from the one before it, or that `take` refuses, with its reason.
pub fn read_links<E: DeserializeOwned>(
    bytes: &[u8],
    mut take: impl FnMut(usize, E, Digest) -> Result<(), String>,
) -> Result<Digest, ChainError> {
    let last = bytes.iter().rposition(|&byte| byte == b'\n');
    let lines = last.into_iter().flat_map(|last| bytes[..last].split(|&byte| byte == b'\n')).enumerate();
    let mut head = BEFORE_FIRST;
    for (at, bytes) in lines {
        let wrong = |detail: String| ChainError { line: at + 1, detail };
        let line: Line<E> = serde_json::from_slice(bytes)
            .map_err(|error| wrong(format!("not readable as a line of the chain: {error}")))?;
        if line.n != at as u64 {
            return Err(wrong(format!("has number {}, expected {at}: a line is missing or moved", line.n)));
        }
        if line.prev != head {
            return Err(wrong(format!("expects {} before it, found {head}: a line was changed", line.prev)));
        }
        head = Digest::of(bytes);
        take(at, line.entry, head).map_err(wrong)?;
    }
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chain");
        let mut writer = LinkWriter::create(&path).unwrap();
        writer.append(["one", "two"]).unwrap();
        writer.append(["three"]).unwrap();
        assert!(LinkWriter::create(&path).is_err(), "a chain is never begun again");
        std::fs::read(&path).unwrap()
    }

    fn read(bytes: &[u8]) -> Result<Vec<String>, ChainError> {
        let mut entries = Vec::new();
        read_links(bytes, |_, entry: String, _| {
            entries.push(entry);
            Ok(())
        })
        .map(|_| entries)
    }

    #[test]
    fn reads_what_was_written_up_to_the_last_whole_line() {
        let chain = chain();
        assert_eq!(read(&chain).unwrap(), ["one", "two", "three"]);
        assert_eq!(read(&chain[..chain.len() - 1]).unwrap(), ["one", "two"]);
        assert!(read(b"").unwrap().is_empty());
    }

    #[test]
    fn refuses_a_line_that_was_changed_moved_or_left_out() {
        let text = String::from_utf8(chain()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let of = |lines: &[&str]| read((lines.join("\n") + "\n").as_bytes()).map_err(|error| error.line);
        assert_eq!(of(&[lines[0], lines[2]]), Err(2));
        assert_eq!(of(&[lines[1], lines[0]]), Err(1));
        assert_eq!(of(&[&lines[0].replace("one", "ane"), lines[1]]), Err(2));
        assert_eq!(of(&[&lines[0].replace("{", "{\"more\":1,")]), Err(1));
    }

    #[test]
    fn names_the_line_that_its_reader_refuses() {
        let refused =
            read_links(&chain(), |at, _: String, _| if at == 1 { Err("no".into()) } else { Ok(()) });
        assert_eq!(refused, Err(ChainError { line: 2, detail: "no".to_owned() }));
    }
}
