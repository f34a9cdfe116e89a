//! The file for a guest's trace. QEMU does not bound its log, and a guest in an endless series of exceptions would fill
//! the disk. While the guest runs, a FIFO takes the file's place; the beginning and the end of its bytes are kept.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, mkfifoat};

use crate::QemuError;

/// How much of the beginning is kept: enough for a kernel's first exception and some hundred events before it.
const HEAD_BYTES: usize = 1 << 20;
/// How much of the end is kept.
const TAIL_BYTES: usize = 3 << 20;

/// The log of one run.
#[derive(Debug)]
pub(crate) struct TraceLog {
    path: PathBuf,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    left_out_bytes: u64,
}

impl TraceLog {
    /// Replaces the log by a FIFO, and returns the FIFO's read end. A file of that name is removed.
    pub(crate) fn create(path: &Path) -> Result<(Self, File), QemuError> {
        let log = Self { path: path.to_owned(), head: Vec::new(), tail: VecDeque::new(), left_out_bytes: 0 };
        let made = remove(path).and_then(|()| {
            mkfifoat(CWD, path, Mode::RUSR | Mode::WUSR)?;
            // An open FIFO that blocks would wait for QEMU, which may end before it opens its log.
            let flags = OFlags::NONBLOCK.bits().cast_signed();
            OpenOptions::new().read(true).custom_flags(flags).open(path)
        });
        let reader = made.map_err(|source| log.failed("make a FIFO for", source))?;
        Ok((log, reader))
    }

    /// Takes the next bytes.
    pub(crate) fn accept(&mut self, bytes: &[u8]) {
        let (head, tail) = bytes.split_at(bytes.len().min(HEAD_BYTES - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(tail);
        let excess = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..excess);
        self.left_out_bytes += excess as u64;
    }

    /// Replaces the FIFO by a file with the bytes that were kept.
    pub(crate) fn finish(self) -> Result<(), QemuError> {
        let write = || {
            remove(&self.path)?;
            let mut file = File::create(&self.path)?;
            file.write_all(&self.head)?;
            if self.left_out_bytes > 0 {
                write!(file, "\n[{} bytes are left out here]\n", self.left_out_bytes)?;
            }
            let (first, second) = self.tail.as_slices();
            file.write_all(first)?;
            file.write_all(second)
        };
        write().map_err(|source| self.failed("write", source))
    }

    fn failed(&self, doing: &'static str, source: io::Error) -> QemuError {
        QemuError::TraceLog { path: self.path.clone(), doing, source }
    }
}

impl Drop for TraceLog {
    /// Removes the FIFO: without a writer it would block every reader.
    fn drop(&mut self) {
        use std::os::unix::fs::FileTypeExt;
        if fs::symlink_metadata(&self.path).is_ok_and(|file| file.file_type().is_fifo()) {
            let _ = remove(&self.path);
        }
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_beginning_and_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.txt");
        let (mut log, _reader) = TraceLog::create(&path).unwrap();
        log.accept(b"first\n");
        for _ in 0..300 {
            log.accept(&[b'x'; 64 << 10]);
        }
        log.accept(b"last\n");
        log.finish().unwrap();
        let kept = fs::read(&path).unwrap();
        let left_out = 6 + 300 * (64 << 10) + 5 - HEAD_BYTES - TAIL_BYTES;
        let gap = format!("\n[{left_out} bytes are left out here]\n");
        assert_eq!(kept.len(), HEAD_BYTES + TAIL_BYTES + gap.len());
        assert!(kept.starts_with(b"first\n") && kept.ends_with(b"last\n"));
        assert!(kept[HEAD_BYTES..].starts_with(gap.as_bytes()));
    }

    #[test]
    fn leaves_nothing_out_of_a_short_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.txt");
        fs::write(&path, "of another run").unwrap();
        let (mut log, _reader) = TraceLog::create(&path).unwrap();
        log.accept(b"Triple fault\n");
        log.finish().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"Triple fault\n");
    }

    #[test]
    fn leaves_no_fifo_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace.txt");
        drop(TraceLog::create(&path).unwrap());
        assert!(!path.exists());
    }

    #[test]
    fn names_the_file_that_cannot_be_made() {
        let error = TraceLog::create(Path::new("/no/such/trace.txt")).unwrap_err().to_string();
        assert!(error.starts_with("/no/such/trace.txt: cannot make a FIFO for the trace: "), "{error}");
    }
}
