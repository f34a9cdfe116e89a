//! The envelope: tag, sequence number, time, record, checksum.

use core::fmt;

use super::crc::crc32;
use super::message::take;
use super::value::{Value, read_hex};
use super::{FieldError, Record};

/// The tag at the beginning of every record line. The number is the version of the protocol.
pub const TAG: &str = "ASSAY1";

/// The length of the longest line without its line ending. Asserted below for every record.
pub const MAX_LINE_BYTES: usize = 240;

/// Seconds since the first instruction of the kernel, in microseconds; unknown until the TSC frequency is known.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Timestamp {
    micros: Option<u64>,
}

impl Timestamp {
    /// The time before there is a clock. Its text is `-`.
    pub const UNKNOWN: Self = Self { micros: None };

    /// `micros` microseconds; unknown past 2^32 seconds, which no run reaches.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self { micros: if micros / 1_000_000 > u32::MAX as u64 { None } else { Some(micros) } }
    }

    /// The time in microseconds, if it is known.
    #[must_use]
    pub const fn micros(self) -> Option<u64> {
        self.micros
    }
}

impl Value for Timestamp {
    const MAX_LEN: usize = 17;
    const SHAPE: &'static str = "seconds with 6 decimals, or `-`";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        match self.micros {
            Some(micros) => write!(out, "{}.{:06}", micros / 1_000_000, micros % 1_000_000),
            None => out.write_char('-'),
        }
    }

    fn read(text: &[u8]) -> Option<Self> {
        if text == b"-" {
            return Some(Self::UNKNOWN);
        }
        let (seconds, fraction) = text.split_last_chunk::<7>()?;
        let micros = fraction.strip_prefix(b".").filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        let micros = micros.iter().fold(0, |micros, digit| micros * 10 + u64::from(digit - b'0'));
        Some(Self::from_micros(u64::from(u32::read(seconds)?) * 1_000_000 + micros))
    }
}

/// A record and its place in the stream.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Envelope {
    /// The number of the line, from 0, without a gap.
    pub seq: u32,
    /// The time at which it was printed.
    pub ts: Timestamp,
    /// The record.
    pub record: Record,
}

/// An error in a tagged line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LineError {
    /// Longer than any record.
    TooLong,
    /// A byte that is not printable ASCII.
    NotAscii,
    /// A tag of another protocol version.
    Version,
    /// `seq=`, `ts=`, `ev=` or `crc=` is missing or out of place.
    Envelope,
    /// The checksum is not that of the line.
    Checksum,
    /// The checksum matches, but this version does not know the record.
    Record(FieldError),
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {MAX_LINE_BYTES} bytes"),
            Self::NotAscii => f.write_str("holds a byte that is not printable ASCII"),
            Self::Version => write!(f, "not of protocol {TAG}"),
            Self::Envelope => f.write_str("not `seq= ts= ev= ... crc=`"),
            Self::Checksum => f.write_str("checksum does not match"),
            Self::Record(error) => write!(f, "checksum matches, but {error}"),
        }
    }
}

/// One line, without its line ending.
#[derive(Clone, Copy)]
pub struct Line {
    bytes: [u8; MAX_LINE_BYTES],
    len: usize,
}

impl Line {
    /// The line's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// The line as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.len..self.len + text.len()).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.len += text.len();
        Ok(())
    }
}

const CRC_FIELD: &str = "crc=";
/// The bytes of a line after its text: a space and the checksum.
pub(crate) const TAIL_BYTES: usize = 1 + CRC_FIELD.len() + 8;

/// The most bytes that the envelope of the record `name` takes.
const fn envelope_max_len(name: &str) -> usize {
    let seq = " seq=".len() + <u32 as Value>::MAX_LEN;
    let ts = " ts=".len() + Timestamp::MAX_LEN;
    TAG.len() + seq + ts + " ev=".len() + name.len() + " ".len() + CRC_FIELD.len() + 8
}

const _: () = {
    let mut i = 0;
    while i < Record::SPECS.len() {
        let spec = &Record::SPECS[i];
        assert!(envelope_max_len(spec.name) + spec.max_len <= MAX_LINE_BYTES, "a record can be too long");
        i += 1;
    }
};

/// Writes a record as a line.
///
/// # Panics
/// Never: the assertion above shows at compile time that every record fits.
#[must_use]
pub fn encode(envelope: &Envelope) -> Line {
    let mut line = Line { bytes: [0; MAX_LINE_BYTES], len: 0 };
    write_line(envelope, &mut line).expect("every record fits, by the assertion above");
    line
}

fn write_line(envelope: &Envelope, line: &mut Line) -> fmt::Result {
    use fmt::Write as _;
    write!(line, "{TAG} seq={} ts=", envelope.seq)?;
    envelope.ts.write(line)?;
    write!(line, " ev={}", envelope.record.name())?;
    envelope.record.write_fields(line)?;
    line.write_str(" ")?;
    let crc = crc32(line.as_bytes());
    write!(line, "{CRC_FIELD}{crc:08x}")
}

/// Ends a line of any length, which ends in a space so far, with its checksum.
pub(crate) fn write_checksum<S: fmt::Write + AsRef<[u8]>>(line: &mut S) -> fmt::Result {
    let crc = crc32(line.as_ref());
    write!(line, "{CRC_FIELD}{crc:08x}")
}

/// Whether a line claims to be a record: whether a tag of any version is anywhere in it. A tag in the middle of a line
/// is left if the end of another line was lost.
#[must_use]
pub fn is_tagged(line: &[u8]) -> bool {
    line.windows(8).any(|w| {
        w.starts_with(b"ASSAY") && w[5].is_ascii_digit() && (w[6..] == *b" s" || w[6].is_ascii_digit())
    })
}

/// Reads a line, without its line ending.
///
/// # Errors
/// [`LineError`] for any line that [`encode`] does not write.
pub fn decode(line: &[u8]) -> Result<Envelope, LineError> {
    if line.len() > MAX_LINE_BYTES {
        return Err(LineError::TooLong);
    }
    decode_by(line, Record::parse)
}

/// The same with a reader of the record's text, its name and its fields, which must give what [`Record::parse`] gives: one
/// who has read the same text before need not read it again.
///
/// # Errors
/// Those of [`decode`].
pub fn decode_by(
    line: &[u8],
    record: impl FnOnce(&[u8]) -> Result<Record, FieldError>,
) -> Result<Envelope, LineError> {
    if line.len() > MAX_LINE_BYTES {
        return Err(LineError::TooLong);
    }
    // What is read is ASCII: all of it is keys and values. So only what is not read need be looked at again.
    read(line, record).map_err(|error| if is_printable(line) { error } else { LineError::NotAscii })
}

/// Whether all bytes are printable ASCII. Without an early exit, so that the compiler compares many bytes at once.
fn is_printable(line: &[u8]) -> bool {
    line.iter().fold(true, |all, byte| all & matches!(byte, b' '..=b'~'))
}

/// Reads a line that may have any bytes.
fn read(
    line: &[u8],
    record: impl FnOnce(&[u8]) -> Result<Record, FieldError>,
) -> Result<Envelope, LineError> {
    let (seq, ts, text) = read_envelope(line)?;
    Ok(Envelope { seq, ts, record: record(text).map_err(LineError::Record)? })
}

/// Reads the envelope of a line of any length. Returns its number, its time and its text: a name and fields.
pub(crate) fn read_envelope(line: &[u8]) -> Result<(u32, Timestamp, &[u8]), LineError> {
    // `ASSAY12` begins with our tag too.
    let ours = line.strip_prefix(TAG.as_bytes()).filter(|rest| !rest.first().is_some_and(u8::is_ascii_digit));
    let (body, crc) = ours.ok_or(LineError::Version)?.split_last_chunk().ok_or(LineError::Envelope)?;
    let crc = checksum(crc).ok_or(LineError::Envelope)?;
    if crc32(&line[..TAG.len() + body.len()]) != crc {
        return Err(LineError::Checksum);
    }
    let mut rest = body.strip_suffix(b" ").ok_or(LineError::Envelope)?;
    let seq = take(&mut rest, "seq").map_err(|_| LineError::Envelope)?;
    let ts = take(&mut rest, "ts").map_err(|_| LineError::Envelope)?;
    let text = rest.strip_prefix(b" ev=").ok_or(LineError::Envelope)?;
    Ok((seq, ts, text))
}

/// The checksum in the last field of a line.
fn checksum(field: &[u8; CRC_FIELD.len() + 8]) -> Option<u32> {
    u32::try_from(read_hex::<8>(field.strip_prefix(CRC_FIELD.as_bytes())?)?).ok()
}
