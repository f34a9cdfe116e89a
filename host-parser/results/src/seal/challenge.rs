//! Challenges: the number that a run's plan gives its guest to answer. Each follows from the commitment and from all runs
//! before it, so that no run can be made in advance, dropped, or moved.

use abi::Digest;
use abi::wire::Hex64;

use super::chain::BEFORE_FIRST;

/// The challenge of the first run of the session whose first line has this SHA-256.
#[must_use]
pub fn first_challenge(commitment: Digest) -> Hex64 {
    of(&commitment.0)
}

/// The challenge of run `run`, where the run before it had the challenge `before` and a log whose `end` record has
/// `end_digest`: the first 8 bytes of SHA-256 over both and the run's number, the numbers big-endian. Zeros stand for the
/// digest of a log without an `end` record.
#[must_use]
pub fn next_challenge(before: Hex64, end_digest: Option<Digest>, run: u32) -> Hex64 {
    let mut bytes = before.0.to_be_bytes().to_vec();
    bytes.extend(end_digest.unwrap_or(BEFORE_FIRST).0);
    bytes.extend(run.to_be_bytes());
    of(&bytes)
}

fn of(bytes: &[u8]) -> Hex64 {
    let digest = Digest::of(bytes).0;
    let first = digest.first_chunk().expect("a SHA-256 has 32 bytes");
    Hex64(u64::from_be_bytes(*first))
}
