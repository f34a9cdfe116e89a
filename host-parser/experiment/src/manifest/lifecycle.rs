//! What a manifest asks for of a machine's life: on which machines, how many at once, and how long each step may take.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Manifest;
use super::profile::MachineProfile;

/// The most machines that are started at once.
pub const MOST_AT_ONCE: u16 = 64;

/// The fewest cycles from which a gate is judged.
pub const MIN_GATED_CYCLES: usize = 30;

/// Declares the steps of a machine's life.
macro_rules! steps {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal;)*) => {
        /// A step of a machine's life, which is a row of the results. Each begins when the VMM is started, but for `exec` and
        /// `delete`.
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum LifeRow {
            $($(#[doc = $doc])+ $name,)*
        }

        impl LifeRow {
            /// All of them, in their order.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its word in manifests and results.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// What it is, in a sentence; Markdown.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => concat!($($doc),+),)* }
            }
        }
    };
}

steps! {
    /// To its vCPUs running: QEMU's answer to `cont`; under another VMM, its vCPUs' threads found.
    Provision = "provision";
    /// To the end of the guest's first record.
    FirstRecord = "first-record";
    /// To the end of the first worker's record, in a log that the gate then finds right.
    Ready = "ready";
    /// From a command sent to the machine, which is up, to the end of the first worker's record in its answer, in a log that
    /// the gate then finds right. QEMU only.
    Exec = "exec";
    /// From the request to end, which follows the last `end` record, to the VMM's process waited for.
    Delete = "delete";
    /// To the VMM's process waited for, with everything between.
    Cycle = "cycle";
}

impl fmt::Display for LifeRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Which of a row's cycles a gate is about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantile {
    /// Half of the cycles took at most this long.
    Median,
    /// 95 of 100 did.
    P95,
    /// 99 of 100 did.
    P99,
    /// All did.
    Max,
}

impl Quantile {
    /// Its word in manifests and results.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Median => "median",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::Max => "max",
        }
    }
}

/// A machine whose life is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LifeMachine {
    /// What it is.
    pub profile: MachineProfile,
    /// Its CPUs.
    pub cpus: u16,
}

impl fmt::Display for LifeMachine {
    /// Its name: `q35-direct-1-128`: type, boot, CPUs, MiB.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let MachineProfile { machine_type, boot, memory_mib } = self.profile;
        write!(f, "{}-{}-{}-{memory_mib}", machine_type.name(), boot.word(), self.cpus)
    }
}

/// How long a step may take on our kernel.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LifeGate {
    /// The step.
    pub row: LifeRow,
    /// Of which cycles.
    pub of: Quantile,
    /// How long it may take, in milliseconds.
    pub at_most_ms: u32,
    /// The machine; `None` for all of them.
    pub machine: Option<LifeMachine>,
}

impl LifeGate {
    /// Its name, by which it fails: `ready p95 <= 1200 ms`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {} <= {} ms", self.row, self.of.word(), self.at_most_ms)
    }
}

/// What is measured of the life of machines.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lifecycle {
    /// The machines. The first is the one of which several are started at once.
    pub machines: Vec<LifeMachine>,
    /// How many are started at once; each of them once a round.
    pub bursts: Vec<u16>,
    /// The gates.
    pub gates: Vec<LifeGate>,
}

impl Manifest {
    /// The same experiment on one machine of a lifecycle: one case, with as many workers as it has CPUs.
    #[must_use]
    pub fn on(&self, machine: LifeMachine) -> Self {
        let mut of_one = self.clone();
        of_one.checked.machine = machine.profile;
        of_one.checked.cases = vec![machine.cpus];
        of_one
    }
}
