//! Why the rows of two systems may not be compared: one documented type.

use std::fmt;

use serde::{Serialize, Serializer};

/// Why nothing is compared.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refusal {
    /// The kind of thing that differs.
    pub reason: NotComparable,
    /// The particulars, with both values.
    pub detail: String,
}

/// Declares the reasons.
macro_rules! reasons {
    ($($name:ident = $code:literal, $subject:literal, $meaning:literal;)*) => {
        /// Why the rows of two systems may not be compared. docs/COMPARING.md has the table. If several things
        /// differ, the first in this order is the reason.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum NotComparable {
            $(#[doc = $meaning] $name,)*
        }

        impl NotComparable {
            /// All of them, in their order.
            pub const ALL: [Self; [$(Self::$name,)*].len()] = [$(Self::$name,)*];

            /// The word for it, which stays the same.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What has to be the same, in a word or two.
            #[must_use]
            pub const fn subject(self) -> &'static str {
                match self { $(Self::$name => $subject,)* }
            }

            /// What it means, in a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

reasons! {
    System = "not-comparable-system", "system",
        "A log calls itself another system than the row that it stands in.";
    Blob = "not-comparable-blob", "program",
        "The workers' programs are not the same bytes.";
    Parameters = "not-comparable-parameters", "workload",
        "The workload or the whole that its parts make up differs: the workers were not given the same to do.";
    Authority = "not-comparable-authority", "authority",
        "The workers were not allowed the same syscalls.";
    Plan = "not-comparable-plan", "plan",
        "The plans differ in something: splits, deadlines, the answers expected.";
    Iterations = "not-comparable-iterations", "iterations",
        "A case ran more often in one run than in another.";
    Clock = "not-comparable-clock", "TSC kHz",
        "The cycles are not of one clock: its frequencies are further apart than `tsc-disagree` allows.";
    HostCpus = "not-comparable-host-cpus", "host CPUs",
        "The host CPUs in force differ, or are not known.";
    Accelerator = "not-comparable-accelerator", "accelerator",
        "The VMM was given another accelerator.";
    CpuModel = "not-comparable-cpu-model", "CPU model",
        "The VMM was given another model of CPU, or the guest saw another by CPUID.";
    Vcpus = "not-comparable-vcpus", "vCPUs",
        "The VMM was given another number or arrangement of CPUs, or another number came up.";
    Memory = "not-comparable-memory", "memory",
        "The VMM was given another size of memory.";
    Qemu = "not-comparable-qemu", "other QEMU options",
        "The VMM's program or another of its options differs; only what is booted, and the devices to boot it from, may.";
}

impl fmt::Display for NotComparable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl Serialize for NotComparable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}
