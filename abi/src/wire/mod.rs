//! The serial protocol: records, one ASCII line each, that a guest prints and the host tool reads.
//!
//! A line is an envelope (tag, sequence number, time, checksum) around one [`Record`]. [`mod@line`] holds the
//! envelope's form, [`record`] lists the records, [`value`] says how each type of field is written, and [`stream`]
//! numbers lines and sums them up for the final `end` record. One definition formats and parses; docs/PROTOCOL.md is
//! tested against it.
//!
//! There is exactly one way to write a record: whatever [`decode`] accepts, [`encode`] gives back byte for byte.

mod label;
pub mod line;
pub(crate) mod message;
pub mod record;
#[cfg(feature = "serde")]
mod serialize;
pub mod stream;
pub mod value;
mod words;

pub use label::{Label, Text};
pub use line::{Envelope, Line, LineError, MAX_LINE_BYTES, Timestamp, decode, encode, is_tagged};
pub(crate) use message::messages;
pub use message::{FieldError, FieldSpec, Message, MessageSpec};
pub use record::Record;
pub use stream::{StreamDigest, StreamWriter};
pub use value::{Hex64, Value};
