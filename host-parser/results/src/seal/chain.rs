//! The hash chain, read back: every line follows from the one before.

use abi::Digest;

use super::entry::{Commitment, End, Entry, FORM};
use super::links::{BEFORE_FIRST, ChainError, read_links};

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

impl Chain {
    /// Reads a chain. What follows the last line feed is passed over: a session that is killed may leave part of a line.
    ///
    /// # Errors
    /// The first line that does not follow from the one before it, or is out of place.
    pub fn read(bytes: &[u8]) -> Result<Self, ChainError> {
        let (mut first, mut entries, mut end) = (None, Vec::new(), None);
        let mut commitment_sha256 = BEFORE_FIRST;
        let head = read_links(bytes, |_, entry, digest| {
            if end.is_some() {
                return Err("follows the end".to_owned());
            }
            match (entry, first.is_some()) {
                (Entry::Session(commitment), false) => {
                    if commitment.form > FORM {
                        let found = commitment.form;
                        return Err(format!("form: expected at most {FORM}, found {found}"));
                    }
                    commitment_sha256 = digest;
                    first = Some(*commitment);
                }
                (Entry::Session(_), true) => return Err("is a second first line".to_owned()),
                (_, false) => return Err("is no first line: it commits to nothing".to_owned()),
                (Entry::End(last), true) => end = Some(last),
                (entry, true) => entries.push(entry),
            }
            Ok(())
        })?;
        let Some(commitment) = first else {
            return Err(ChainError { line: 1, detail: "is missing: the file has no whole line".to_owned() });
        };
        Ok(Self { commitment, commitment_sha256, entries, end, head })
    }
}
