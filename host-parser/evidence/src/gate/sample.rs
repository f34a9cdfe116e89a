//! The times of one iteration: a sample, and those of its workers.

use std::num::NonZeroU64;
use std::sync::Arc;

use abi::wire::Hex64;
use abi::worker::SCALE_SHIFT;
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::exclusion::Exclusion;
use super::measurement::Cycles;

/// What a sample's time measures.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// From the first worker's start to the last worker's end. The warp test found the clocks in step.
    Makespan,
    /// The longest worker's own time. The clocks were not shown to be in step.
    LongestWorker,
}

impl Basis {
    /// The word for it in results.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Makespan => "makespan",
            Self::LongestWorker => "longest-worker",
        }
    }
}

/// One iteration of one case. What follows from other fields is not kept: a log may have hundreds of thousands.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The case, named by how many workers it has.
    pub case: u16,
    /// The iteration, from 0.
    pub iteration: u16,
    /// Why its iteration is excluded. Only a boot with several iterations has this; if the host disturbs a boot's only
    /// iteration, the run does not pass or its round is excluded.
    pub excluded: Option<Box<Exclusion>>,
    /// Whether workers shared a core: then the time shows what SMT gives, not how cores scale. `false` if unknown.
    pub smt: bool,
    /// Its time; `basis` says which.
    pub cycles: Cycles,
    /// Which time `cycles` is.
    pub basis: Basis,
    /// Its workers, by number.
    pub workers: Box<[WorkerSample]>,
}

/// One worker of a sample.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WorkerSample {
    /// The worker's number, from 0.
    pub worker: u16,
    /// The CPU it ran on.
    pub cpu: u16,
    /// Cycles from the common start to its first clock reading.
    pub skew: Cycles,
    /// Cycles of its timed region.
    pub cycles: Cycles,
    /// Interrupts on its CPU in its timed region: 0, unless the system is Linux.
    pub irqs: u16,
    /// The pace check just before: how often its CPU read the TSC in half a millisecond, with the same work between any two
    /// readings.
    pub reads_before: u32,
    /// The pace check just after.
    pub reads_after: u32,
    /// The longest time between two readings of either check, in cycles: before and after. At most 2^32 - 1, which is
    /// longer than any check's window.
    pub gaps: [u32; 2],
    /// The clock of its CPU while it ran it, in kHz, by APERF and MPERF; `None` if that is not known.
    pub effective_khz: Option<NonZeroU64>,
    /// What it was to do, and did. Boots of one plan have it once.
    pub task: Arc<Task>,
}

/// What a worker was given, and what it returned.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Task {
    /// Its parameters.
    pub params: [u64; 4],
    /// Its answer, equal to the reference's.
    pub answer: u64,
    /// Its count of work, equal to the reference's.
    pub work: u64,
    /// Its digest, equal to the reference's.
    pub digest: Hex64,
}

impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Sample", 10)?;
        fields.serialize_field("case", &self.case)?;
        fields.serialize_field("iteration", &self.iteration)?;
        fields.serialize_field("set_aside", &self.excluded)?;
        fields.serialize_field("smt", &self.smt)?;
        fields.serialize_field("cycles", &self.cycles)?;
        fields.serialize_field("basis", &self.basis)?;
        fields.serialize_field("makespan", &self.makespan())?;
        fields.serialize_field("longest", &self.longest())?;
        fields.serialize_field("start_spread", &self.start_spread())?;
        fields.serialize_field("workers", &self.workers)?;
        fields.end()
    }
}

impl Serialize for WorkerSample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Task { params, answer, work, digest } = &*self.task;
        let optional = usize::from(self.effective_khz.is_some());
        let mut fields = serializer.serialize_struct("WorkerSample", 12 + optional)?;
        fields.serialize_field("worker", &self.worker)?;
        fields.serialize_field("cpu", &self.cpu)?;
        fields.serialize_field("params", params)?;
        fields.serialize_field("skew", &self.skew)?;
        fields.serialize_field("cycles", &self.cycles)?;
        fields.serialize_field("scaled", &self.scaled())?;
        fields.serialize_field("irqs", &self.irqs)?;
        fields.serialize_field("reads_before", &self.reads_before)?;
        fields.serialize_field("reads_after", &self.reads_after)?;
        if let Some(khz) = self.effective_khz {
            fields.serialize_field("effective_khz", &khz)?;
        }
        fields.serialize_field("answer", answer)?;
        fields.serialize_field("work", work)?;
        fields.serialize_field("digest", digest)?;
        fields.end()
    }
}

impl WorkerSample {
    /// Its cycles in the unit of published tables, shifted right by 20; at most 2^32 - 1.
    #[must_use]
    pub fn scaled(&self) -> u32 {
        u32::try_from(self.cycles.0 >> SCALE_SHIFT).unwrap_or(u32::MAX)
    }
}

impl Sample {
    /// From the first worker's start to the last worker's end, even if the clocks were not in step.
    #[must_use]
    pub fn makespan(&self) -> Cycles {
        let ends = self.workers.iter().map(|worker| worker.skew.0.saturating_add(worker.cycles.0));
        let starts = self.workers.iter().map(|worker| worker.skew.0);
        Cycles(ends.max().unwrap_or(0) - starts.min().unwrap_or(0))
    }

    /// The longest worker's own time.
    #[must_use]
    pub fn longest(&self) -> Cycles {
        self.workers.iter().map(|worker| worker.cycles).max().unwrap_or_default()
    }

    /// From the first worker's start to the last worker's start.
    #[must_use]
    pub fn start_spread(&self) -> Cycles {
        let starts = || self.workers.iter().map(|worker| worker.skew.0);
        Cycles(starts().max().unwrap_or(0) - starts().min().unwrap_or(0))
    }

    /// How long it took for who waited for it. The longest worker's own time leaves out how long that worker waited for its
    /// start, and what excludes an iteration may be just that.
    #[must_use]
    pub fn experienced(&self) -> Cycles {
        if self.excluded.is_none() || self.basis == Basis::Makespan {
            return self.cycles;
        }
        let waited = self.workers.iter().map(|worker| worker.skew.0.saturating_add(worker.cycles.0));
        waited.max().map_or(self.cycles, |waited| Cycles(waited.max(self.cycles.0)))
    }

    /// The mean number of readings in the pace checks of its workers' CPUs; `None` if a check has none.
    #[must_use]
    pub fn pace(&self) -> Option<f64> {
        let checks = self.workers.iter().flat_map(|worker| [worker.reads_before, worker.reads_after]);
        let readings: Vec<f64> = checks.map(f64::from).collect();
        let all = !readings.is_empty() && readings.iter().all(|&readings| readings > 0.0);
        all.then(|| readings.iter().sum::<f64>() / readings.len() as f64)
    }
}
