//! The hash chain, read back: every line follows from the one before.

use abi::Digest;

use super::entry::{Commitment, End, Entry, FORM, Line};

/// What stands for the line before the first.
pub(super) const BEFORE_FIRST: Digest = Digest([0; 32]);

/// A chain whose every line follows from the one before.
#[derive(Clone, Debug)]
pub struct Chain {
    /// The first line.
    pub commitment: Commitment,
    /// SHA-256 of the first line: the session's identity.
    pub commitment_sha256: Digest,
    /// The other lines, without the end.
    pub entries: Vec<Entry>,
    /// The last line; `None` if the session was killed, or still runs.
    pub end: Option<End>,
    /// SHA-256 of the last line: it stands for the whole chain.
    pub head: Digest,
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

impl Chain {
    /// Reads a chain. What follows the last line feed is passed over: a session that is killed may leave part of a line.
    ///
    /// # Errors
    /// The first line that does not follow from the one before it, or is out of place.
    pub fn read(bytes: &[u8]) -> Result<Self, ChainError> {
        let last = bytes.iter().rposition(|&byte| byte == b'\n');
        let lines = last.into_iter().flat_map(|last| bytes[..last].split(|&byte| byte == b'\n')).enumerate();
        let (mut first, mut entries, mut end) = (None, Vec::new(), None);
        let mut head = BEFORE_FIRST;
        let mut commitment_sha256 = BEFORE_FIRST;
        for (at, bytes) in lines {
            let wrong = |detail: String| ChainError { line: at + 1, detail };
            let line: Line = serde_json::from_slice(bytes)
                .map_err(|error| wrong(format!("not readable as a line of the chain: {error}")))?;
            if line.n != at as u64 {
                return Err(wrong(format!(
                    "has number {}, expected {at}: a line is missing or moved",
                    line.n
                )));
            }
            if line.prev != head {
                return Err(wrong(format!(
                    "expects {} before it, found {head}: a line was changed",
                    line.prev
                )));
            }
            if end.is_some() {
                return Err(wrong("follows the end".to_owned()));
            }
            head = Digest::of(bytes);
            match (line.entry, first.is_some()) {
                (Entry::Session(commitment), false) => {
                    if commitment.form > FORM {
                        let found = commitment.form;
                        return Err(wrong(format!("form: expected at most {FORM}, found {found}")));
                    }
                    commitment_sha256 = head;
                    first = Some(*commitment);
                }
                (Entry::Session(_), true) => return Err(wrong("is a second first line".to_owned())),
                (_, false) => return Err(wrong("is no first line: it commits to nothing".to_owned())),
                (Entry::End(last), true) => end = Some(last),
                (entry, true) => entries.push(entry),
            }
        }
        let Some(commitment) = first else {
            return Err(ChainError { line: 1, detail: "is missing: the file has no whole line".to_owned() });
        };
        Ok(Self { commitment, commitment_sha256, entries, end, head })
    }
}
