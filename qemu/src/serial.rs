//! The guest's serial port: every byte goes to the log as it arrives, every complete line to the caller.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::QemuError;
use crate::lines::Lines;

/// The longest piece of a line handed over, in bytes.
const MAX_LINE_BYTES: usize = 4096;

/// The log of one run.
#[derive(Debug)]
pub(crate) struct SerialLog {
    path: PathBuf,
    file: File,
    lines: Lines,
    written_bytes: u64,
    limit_bytes: u64,
}

/// What became of a chunk.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// It is in the log.
    All,
    /// The guest has printed more than it may; the log is full to the limit.
    ToTheLimit,
}

impl SerialLog {
    /// Creates or empties the log.
    pub(crate) fn create(path: &Path, limit_bytes: u64) -> Result<Self, QemuError> {
        let file =
            File::create(path).map_err(|source| QemuError::SerialLog { path: path.to_owned(), source })?;
        let lines = Lines::new(MAX_LINE_BYTES);
        Ok(Self { path: path.to_owned(), file, lines, written_bytes: 0, limit_bytes })
    }

    /// Writes the next bytes through to the file, then hands over the lines they complete.
    pub(crate) fn accept(&mut self, bytes: &[u8], each: &mut dyn FnMut(&[u8])) -> Result<Kept, QemuError> {
        let room = usize::try_from(self.limit_bytes - self.written_bytes).unwrap_or(usize::MAX);
        let kept = &bytes[..bytes.len().min(room)];
        self.file.write_all(kept).map_err(|source| self.failed(source))?;
        self.written_bytes += kept.len() as u64;
        self.lines.feed(kept, each);
        Ok(if kept.len() == bytes.len() { Kept::All } else { Kept::ToTheLimit })
    }

    /// Whether a line has begun and not ended.
    pub(crate) const fn is_within_line(&self) -> bool {
        self.lines.is_within_line()
    }

    /// Hands over a last line that was cut off.
    pub(crate) fn finish(&mut self, each: &mut dyn FnMut(&[u8])) {
        self.lines.finish(each);
    }

    pub(crate) fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    fn failed(&self, source: io::Error) -> QemuError {
        QemuError::SerialLog { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_every_byte_and_cuts_lines() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("serial.log");
        let mut log = SerialLog::create(&path, 100).unwrap();
        let mut lines = Vec::new();
        let mut each = |line: &[u8]| lines.push(line.to_vec());
        for chunk in [b"one\r\n\xfftw".as_slice(), b"o\nthr"] {
            assert_eq!(log.accept(chunk, &mut each).unwrap(), Kept::All);
        }
        log.finish(&mut each);
        assert_eq!(std::fs::read(&path).unwrap(), b"one\r\n\xfftwo\nthr");
        assert_eq!(lines, [b"one".as_slice(), b"\xfftwo", b"thr"]);
    }

    #[test]
    fn fills_the_log_to_its_limit_and_no_further() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("serial.log");
        let mut log = SerialLog::create(&path, 4).unwrap();
        assert_eq!(log.accept(b"abcd", &mut |_| {}).unwrap(), Kept::All);
        assert_eq!(log.accept(b"e", &mut |_| {}).unwrap(), Kept::ToTheLimit);
        assert_eq!((log.written_bytes(), std::fs::read(&path).unwrap()), (4, b"abcd".to_vec()));
    }

    #[test]
    fn names_the_file_when_the_disk_is_full() {
        let mut log = SerialLog::create(Path::new("/dev/full"), 100).unwrap();
        let message = log.accept(b"x", &mut |_| {}).unwrap_err().to_string();
        assert!(message.starts_with("/dev/full: cannot write the serial log: "), "{message}");
    }

    #[test]
    fn names_the_file_when_it_cannot_be_created() {
        let message = SerialLog::create(Path::new("/no/such/serial.log"), 1).unwrap_err().to_string();
        assert!(message.starts_with("/no/such/serial.log: "), "{message}");
    }
}
