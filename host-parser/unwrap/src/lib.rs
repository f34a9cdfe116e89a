//! What collectors put around a serial log, undone.
//!
//! People have logs from `docker logs`, `journalctl -o json`, a cloud's API, a compressed bucket, a terminal that was 80
//! columns wide. Every record has a checksum, so undoing is safe: a line is changed only if a record with the right
//! checksum comes out, and all other bytes stay as they are. Prefixes (kernel time, syslog, CRI, `grep -n`) need nothing:
//! a record is found anywhere in its line.
//!
//! [`open`] is a reader over a reader, which holds a few lines at a time; [`Undone`] says what it had to do. A document that
//! is one JSON value or one piece of base64 is held as a whole, up to [`LIMIT`].
#![forbid(unsafe_code)]

mod compressed;
mod document;
mod json_lines;
mod lines;
mod peek;
mod undone;
mod utf16;

use std::io::{self, Read};
use std::sync::Arc;

pub use undone::{Form, Undone};

use peek::Peek;

/// The longest document, in bytes, that is undone as a whole: JSON of a cloud's API, base64. EC2 keeps 64 KiB of a console,
/// GCE 1 MiB.
pub const LIMIT: u64 = 64 << 20;

/// How many bytes decide what a log is wrapped in.
const HEAD: usize = 64 << 10;

/// A log without what was put around it.
pub struct Unwrapped {
    reader: Box<dyn Read + Send>,
    undone: Arc<Undone>,
}

impl Unwrapped {
    /// What was undone so far; all of it at the end of the log.
    #[must_use]
    pub fn undone(&self) -> Arc<Undone> {
        Arc::clone(&self.undone)
    }
}

impl Read for Unwrapped {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// A log without what was put around it.
///
/// # Errors
/// It cannot be read, or a document that must be held as a whole is longer than [`LIMIT`].
pub fn open(log: impl Read + Send + 'static) -> io::Result<Unwrapped> {
    let undone = Arc::new(Undone::default());
    let mut reader: Box<dyn Read + Send> = Box::new(log);
    // Several can be around each other: a gzip file of a JSON document of base64.
    for _ in 0..4 {
        let mut peek = Peek::new(reader, HEAD)?;
        let Some(form) = form(peek.head()) else {
            reader = Box::new(peek);
            break;
        };
        undone.note(form);
        reader = match form {
            Form::Gzip | Form::Xz => compressed::reader(form, peek),
            Form::Utf16 => Box::new(utf16::Utf16::new(&mut peek)?.over(peek)),
            Form::DockerJson | Form::JournalJson | Form::JsonLines => {
                Box::new(json_lines::JsonLines::new(peek))
            }
            Form::Ec2Json | Form::GceJson | Form::JsonDocument => {
                Box::new(io::Cursor::new(document::json(peek)?))
            }
            Form::Base64 => Box::new(io::Cursor::new(document::base64(peek)?)),
            Form::Wrapped | Form::Trailing | Form::Escapes => unreachable!("forms of lines"),
        };
    }
    Ok(Unwrapped { reader: Box::new(lines::Lines::new(reader, Arc::clone(&undone))), undone })
}

/// What a log whose first bytes these are is wrapped in as a whole.
fn form(head: &[u8]) -> Option<Form> {
    compressed::form(head)
        .or_else(|| utf16::form(head))
        .or_else(|| json_lines::form(head))
        .or_else(|| document::form(head))
}
