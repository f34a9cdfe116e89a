//! The chain of challenges: each run's challenge follows from the run before it.
//!
//! A session begins with a challenge that follows from what it commits itself to. The challenge of each further run
//! follows from the challenge of the run before, the digest with which that run's log ended, and its own number. So a run
//! that was left out, repeated, put elsewhere or chosen among several breaks the chain, and the logs alone show it.

use std::collections::HashMap;

use abi::Digest;
use abi::digest::Hasher;

use crate::transcript::Boot;

/// The challenge of the first run of a session that commits itself to `commitment`: the first 8 bytes of its SHA-256,
/// big-endian.
#[must_use]
pub fn first(commitment: Digest) -> u64 {
    number(Digest::of(&commitment.0))
}

/// The challenge of run `run`, from 1: the first 8 bytes, big-endian, of the SHA-256 of the `previous` challenge, the
/// digest `ended` of the run that had it, and `run`, each big-endian.
#[must_use]
pub fn next(previous: u64, ended: Digest, run: u32) -> u64 {
    let mut hasher = Hasher::default();
    hasher.update(&previous.to_be_bytes());
    hasher.update(&ended.0);
    hasher.update(&run.to_be_bytes());
    number(hasher.digest())
}

/// The digest by which the chain goes on after a run with this log: that of its `end` record; if the run had not exactly
/// one whole boot, SHA-256 of the log.
#[must_use]
pub fn ended(boots: &[Boot], log: &[u8]) -> Digest {
    match boots {
        [boot] if boot.defects.is_empty() => boot.end().map_or_else(|| Digest::of(log), |end| end.digest),
        _ => Digest::of(log),
    }
}

/// One run as the chain sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Link {
    /// The run's number in the session, from 0.
    pub run: u32,
    /// The challenge of its plan.
    pub challenge: u64,
    /// The digest by which the chain goes on after it ([`ended`]).
    pub ended: Digest,
}

/// Where a chain breaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Break {
    /// The place of the run in the list, from 0.
    pub at: usize,
    /// The challenge that was due.
    pub due: u64,
    /// The challenge that the run has.
    pub found: u64,
    /// The place of an earlier run with the same challenge: its log was given again, or its answers were.
    pub same_as: Option<usize>,
}

/// The first run whose challenge does not follow from the run before it; `None` if all do. The runs are in the order in
/// which they were made, and numbered from 0 without gaps. `begin` is the challenge of the first run, if it is known
/// ([`first`]); else the first run's own is taken.
#[must_use]
pub fn first_break(begin: Option<u64>, links: &[Link]) -> Option<Break> {
    let mut due = begin.or_else(|| links.first().map(|link| link.challenge))?;
    let mut seen = HashMap::new();
    for (at, (link, number)) in links.iter().zip(0_u32..).enumerate() {
        let Link { run, challenge, ended } = *link;
        if challenge != due || run != number {
            return Some(Break { at, due, found: challenge, same_as: seen.get(&challenge).copied() });
        }
        seen.insert(challenge, at);
        due = next(challenge, ended, number.saturating_add(1));
    }
    None
}

fn number(Digest(bytes): Digest) -> u64 {
    bytes.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use test_support::guest::Guest;

    use super::*;
    use crate::transcript::Transcript;

    #[test]
    fn depends_on_everything_before_it() {
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let all =
            [first(one), first(other), next(1, one, 1), next(2, one, 1), next(1, other, 1), next(1, one, 2)];
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
    }

    /// Held against `head -c 32 /dev/zero | sha256sum`, and the same of 44 bytes.
    #[test]
    fn is_the_documented_hash() {
        assert_eq!(first(Digest([0; 32])), 0x6668_7aad_f862_bd77);
        assert_eq!(next(0, Digest([0; 32]), 0), 0x8575_9b38_11ff_7dc4);
    }

    /// A session of five runs.
    fn chain() -> Vec<Link> {
        let mut challenge = first(Digest::of(b"session"));
        let links = (0..5).map(|run| {
            let link = Link { run, challenge, ended: Digest::of(&run.to_be_bytes()) };
            challenge = next(challenge, link.ended, run + 1);
            link
        });
        links.collect()
    }

    #[test]
    fn a_chain_holds_only_as_it_was_made() {
        let begin = Some(first(Digest::of(b"session")));
        assert_eq!(first_break(begin, &chain()), None);
        assert_eq!(first_break(None, &chain()[..2]), None);
        assert_eq!(first_break(begin, &[]), None);
        let broken = |change: fn(&mut Vec<Link>)| {
            let mut links = chain();
            change(&mut links);
            first_break(begin, &links).map(|found| (found.at, found.same_as))
        };
        assert_eq!(broken(|links| links.retain(|link| link.run != 0)), Some((0, None)));
        assert_eq!(broken(|links| links.retain(|link| link.run != 2)), Some((2, None)));
        assert_eq!(broken(|links| links.swap(1, 2)), Some((1, None)));
        assert_eq!(broken(|links| links.insert(3, links[1])), Some((3, Some(1))));
        assert_eq!(broken(|links| links[1].ended.0[0] ^= 1), Some((2, None)));
        assert_eq!(broken(|links| links[1].run = 2), Some((1, None)));
    }

    #[test]
    fn goes_on_from_the_end_of_a_whole_log_and_else_from_its_bytes() {
        let log = Guest::of(1).log();
        let transcript = Transcript::read(&log);
        let end = transcript.boots[0].end().map(|end| end.digest);
        assert_eq!(Some(ended(&transcript.boots, &log)), end);
        let cut = &log[..log.len() / 2];
        assert_eq!(ended(&Transcript::read(cut).boots, cut), Digest::of(cut));
        assert_eq!(ended(&[], b"nothing"), Digest::of(b"nothing"));
    }
}
