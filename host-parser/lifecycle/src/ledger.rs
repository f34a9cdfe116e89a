//! The ledger of a session: a chain of lines in lifecycle.jsonl, each with the SHA-256 of the one before it. The first
//! commits to the manifest, the machines and the seed of their order, and the challenge of every cycle follows from it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use abi::Digest;
use abi::wire::Hex64;
use evidence::challenge;
use evidence::gate::{HostEvidence, RunExpectation};
use experiment::manifest::LifeRow;
use results::seal::{ChainError, read_links};
use results::{Environment, Tool};
use serde::{Deserialize, Serialize};

use crate::subject::Subject;

/// The version of the ledger's form.
pub const FORM: u32 = 2;
/// The ledger's file.
pub const LEDGER: &str = "lifecycle.jsonl";
/// The file of the results.
pub const RESULTS: &str = "lifecycle.json";
/// The file with the times of every cycle.
pub const SAMPLES: &str = "lifecycle.csv";
/// The folder of the cycles' own folders.
pub(crate) const CYCLES: &str = "cycles";
/// The name of a cycle's log in its folder.
pub(crate) const LOG: &str = "serial.log";

/// What a line records.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Entry {
    /// The first line.
    Lifecycle(Box<Commitment>),
    /// A cycle that was made.
    Cycle(Box<CycleEntry>),
    /// The last line.
    End(End),
}

/// What a session commits itself to before its first cycle.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Commitment {
    /// [`FORM`].
    pub form: u32,
    /// 128 random bits in hexadecimal.
    pub session: String,
    /// When the session began, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// What records it.
    pub tool: Tool,
    /// SHA-256 of the tool's executable; `None` if it could not be read.
    pub executable_sha256: Option<Digest>,
    /// The manifest's path.
    pub manifest: String,
    /// SHA-256 of the manifest's bytes.
    pub manifest_sha256: Digest,
    /// How many rounds.
    pub rounds: u32,
    /// The seed of the order of the turns.
    pub seed: u64,
    /// The machines, and what lives on each.
    pub targets: Vec<Target>,
    /// How many of the first target are started at once.
    pub bursts: Vec<u16>,
    /// The machines of the manifest that this session leaves out, and why.
    pub left_out: Vec<String>,
    /// Whether every machine that is not empty is sent a command; not in form 1.
    #[serde(default)]
    pub exec: bool,
    /// Where, and with which files.
    pub environment: Environment,
}

/// A machine and what lives on it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    /// The machine's name.
    pub machine: String,
    /// Its CPUs.
    pub cpus: u16,
    /// What lives on it.
    pub subject: Subject,
}

/// One machine's life, and all that the host observed of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CycleEntry {
    /// Its number: its place in the order in which machines were started, from 0.
    pub cycle: u32,
    /// Its turn, from 0. The cycles of a turn live at the same time.
    pub turn: u32,
    /// Its round, from 0.
    pub round: u32,
    /// How many machines its turn starts at once; `None` if it lives alone.
    pub at_once: Option<u16>,
    /// The machine and what lives on it, by its place in the commitment.
    pub target: usize,
    /// SHA-256 of its log, as the gate judged it; `None` of an empty machine.
    pub log_sha256: Option<Digest>,
    /// The challenge of its plan; `None` of an empty machine.
    pub challenge: Option<Hex64>,
    /// The exact command.
    pub command: Vec<String>,
    /// When it was started, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// When its steps were over.
    pub times: Times,
    /// What ended it otherwise than by its deletion, in words; `None` if it was deleted, and ended when it was asked to.
    pub ended_otherwise: Option<String>,
    /// What was left of it.
    pub left: Vec<String>,
    /// The VMM's resident memory when it was asked to end, in KiB; `None` if it could not be read.
    pub rss_kib: Option<u64>,
    /// What the gate was given to expect; `None` of an empty machine.
    pub expected: Option<RunExpectation>,
    /// What the host observed.
    pub evidence: HostEvidence,
    /// The command that it was sent; `None` if it was sent none.
    #[serde(default)]
    pub exec: Option<ExecEntry>,
}

/// A command that a machine was sent after its boot, and what is to be found in the answer.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExecEntry {
    /// The challenge of its plan ([`crate::exec::challenge`]).
    pub challenge: Hex64,
    /// What the gate was given to expect.
    pub expected: RunExpectation,
    /// What the host observed from the command on.
    pub evidence: HostEvidence,
}

/// When the steps of a cycle were over, in microseconds from the VMM's start, by the host's monotonic clock.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Times {
    /// From the start of its turn to the VMM's start.
    pub begun_us: u64,
    /// Its vCPUs ran.
    pub running_us: Option<u64>,
    /// The end of its first record had arrived.
    pub first_record_us: Option<u64>,
    /// The end of its first worker's record had arrived.
    pub ready_us: Option<u64>,
    /// Its `end` record had arrived.
    pub end_us: Option<u64>,
    /// The command was sent; not in form 1.
    #[serde(default)]
    pub sent_us: Option<u64>,
    /// The end of the first worker's record of its answer had arrived; not in form 1.
    #[serde(default)]
    pub answered_us: Option<u64>,
    /// The `end` record of its answer had arrived; not in form 1.
    #[serde(default)]
    pub answer_end_us: Option<u64>,
    /// The VMM was asked to end.
    pub asked_us: Option<u64>,
    /// The VMM's process was waited for.
    pub gone_us: u64,
}

/// How a session ended.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    /// Why not all was done; `None` if it was.
    pub incomplete: Option<String>,
    /// SHA-256 of each file of results, by its name.
    pub files: BTreeMap<String, Digest>,
}

impl Times {
    /// How long a step took; `None` if it was not reached.
    #[must_use]
    pub fn of(&self, row: LifeRow) -> Option<u64> {
        match row {
            LifeRow::Provision => self.running_us,
            LifeRow::FirstRecord => self.first_record_us,
            LifeRow::Ready => self.ready_us,
            LifeRow::Exec => self.answered_us?.checked_sub(self.sent_us?),
            LifeRow::Delete => self.gone_us.checked_sub(self.asked_us?),
            LifeRow::Cycle => Some(self.gone_us),
        }
    }

    /// Whether every step that was reached follows the one before it.
    ///
    /// The first record may come before QEMU's answer to `cont` is read: both are on the way at once.
    #[must_use]
    pub fn are_in_order(&self) -> bool {
        let ran = [self.running_us, self.asked_us, Some(self.gone_us)];
        let printed = [
            self.first_record_us,
            self.ready_us,
            self.end_us,
            self.sent_us,
            self.answered_us,
            self.answer_end_us,
            self.asked_us,
            Some(self.gone_us),
        ];
        ran.iter().flatten().is_sorted() && printed.iter().flatten().is_sorted()
    }
}

/// A session's ledger.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    /// The first line.
    pub commitment: Commitment,
    /// SHA-256 of the first line.
    pub commitment_sha256: Digest,
    /// The cycles, in the order in which they were started.
    pub cycles: Vec<CycleEntry>,
    /// The last line; `None` if the session was killed, or still runs.
    pub end: Option<End>,
    /// SHA-256 of the last line.
    pub head: Digest,
}

/// Why a folder is no session of this kind.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The ledger cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Its lines do not follow from each other.
    #[error("{}: {source}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        source: ChainError,
    },
}

impl Ledger {
    /// Reads the ledger of the session in `folder`.
    ///
    /// # Errors
    /// There is none, or its lines do not follow from each other.
    pub fn read(folder: &Path) -> Result<Self, LedgerError> {
        let path = folder.join(LEDGER);
        let bytes = fs::read(&path).map_err(|source| LedgerError::Read { path: path.clone(), source })?;
        Self::parse(&bytes).map_err(|source| LedgerError::Broken { path, source })
    }

    fn parse(bytes: &[u8]) -> Result<Self, ChainError> {
        let (mut first, mut cycles, mut end) = (None, Vec::new(), None);
        let head = read_links(bytes, |_, entry, digest| {
            match (entry, first.is_some(), end.is_some()) {
                (_, _, true) => return Err("follows the end".to_owned()),
                (Entry::Lifecycle(commitment), false, _) if commitment.form <= FORM => {
                    first = Some((*commitment, digest));
                }
                (Entry::Lifecycle(commitment), false, _) => {
                    return Err(format!("form: expected at most {FORM}, found {}", commitment.form));
                }
                (_, false, _) => return Err("is no first line: it commits to nothing".to_owned()),
                (Entry::Lifecycle(_), true, _) => return Err("is a second first line".to_owned()),
                (Entry::Cycle(cycle), true, _) => cycles.push(*cycle),
                (Entry::End(last), true, _) => end = Some(last),
            }
            Ok(())
        })?;
        let Some((commitment, commitment_sha256)) = first else {
            return Err(ChainError { line: 1, detail: "is missing: the file has no whole line".to_owned() });
        };
        Ok(Self { commitment, commitment_sha256, cycles, end, head })
    }
}

/// The challenges of a session's cycles: each follows from the last cycle of the turn before, and from its own number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Challenges {
    /// The challenge from which the next follow.
    from: u64,
    /// The digest with which the log of the cycle that had it ended; `None` before the first.
    ended: Option<Digest>,
}

impl Challenges {
    /// Those of a session with this commitment.
    pub fn new(commitment: Digest) -> Self {
        Self { from: challenge::first(commitment), ended: None }
    }

    /// That of a cycle of the next turn.
    pub fn of(self, cycle: u32) -> u64 {
        self.ended.map_or_else(
            || challenge::next(self.from, Digest([0; 32]), cycle),
            |ended| challenge::next(self.from, ended, cycle),
        )
    }

    /// After a turn whose last cycle with a log had this challenge, and a log that ended so ([`challenge::ended`]).
    pub fn go_on(&mut self, challenge: u64, ended: Digest) {
        *self = Self { from: challenge, ended: Some(ended) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_counts_from_the_start_and_the_deletion_from_the_request() {
        let times = Times { running_us: Some(5), asked_us: Some(70), gone_us: 90, ..Times::default() };
        assert_eq!(times.of(LifeRow::Exec), None);
        let times = Times { sent_us: Some(30), answered_us: Some(37), ..times };
        assert_eq!(times.of(LifeRow::Exec), Some(7));
        assert_eq!(times.of(LifeRow::Provision), Some(5));
        assert_eq!(times.of(LifeRow::Ready), None);
        assert_eq!(times.of(LifeRow::Delete), Some(20));
        assert_eq!(times.of(LifeRow::Cycle), Some(90));
    }

    #[test]
    fn notices_a_step_before_the_one_that_it_follows() {
        let whole = Times {
            begun_us: 0,
            running_us: Some(40),
            first_record_us: Some(39),
            ready_us: Some(50),
            end_us: Some(60),
            sent_us: Some(60),
            answered_us: Some(61),
            answer_end_us: Some(61),
            asked_us: Some(61),
            gone_us: 70,
        };
        assert!(whole.are_in_order());
        assert!(!Times { ready_us: Some(38), ..whole }.are_in_order());
        assert!(!Times { asked_us: Some(59), ..whole }.are_in_order());
        assert!(!Times { sent_us: Some(59), ..whole }.are_in_order());
        assert!(!Times { answered_us: Some(62), ..whole }.are_in_order());
        assert!(!Times { gone_us: 60, ..whole }.are_in_order());
    }

    #[test]
    fn cycles_of_a_turn_have_different_challenges_and_depend_on_the_turn_before() {
        let mut challenges = Challenges::new(Digest::of(b"session"));
        let (one, two) = (challenges.of(0), challenges.of(1));
        assert_ne!(one, two);
        let before = challenges.of(2);
        challenges.go_on(two, Digest::of(b"log"));
        assert_ne!(challenges.of(2), before);
        assert_ne!(Challenges::new(Digest::of(b"other")).of(0), one);
    }
}
