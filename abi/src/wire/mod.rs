//! The serial protocol: a guest prints records, one ASCII line each, and the host tool reads them.
//!
//! A line is an envelope (tag, sequence number, time, checksum) around one [`Record`]. [`mod@line`] defines the
//! envelope, [`record`] lists the records, [`value`] defines the text of each type of field, and [`stream`] numbers the
//! lines and digests them for the final `end` record. One definition writes and parses; docs/PROTOCOL.md is tested
//! against it.
//!
//! Every record has exactly one form: [`encode`] gives back byte for byte every line that [`decode`] accepts.

mod crc;
pub(crate) mod label;
pub mod line;
pub(crate) mod message;
pub mod record;
#[cfg(feature = "schema")]
mod schema;
#[cfg(feature = "serde")]
mod serialize;
pub mod stream;
pub mod value;
mod words;

pub use label::{Label, Text};
pub use line::{Envelope, Line, LineError, MAX_LINE_BYTES, Timestamp, decode, decode_by, encode, is_tagged};
pub(crate) use message::messages;
pub use message::{FieldError, FieldSpec, Message, MessageSpec};
pub use record::Record;
pub use stream::{StreamDigest, StreamWriter};
pub use value::{Hex64, Value};
