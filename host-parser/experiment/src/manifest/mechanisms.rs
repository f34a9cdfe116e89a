//! What a manifest asks for of a kernel's mechanisms.

use abi::Digest;
use abi::plan::{self, HandleGrant, KernelObject, Plan, PlanErrorKind, PlanLine};
use abi::series::Shortened;
use abi::wire::Label;

pub use workloads::TASKS;

/// The memory of each task alone, in MiB: samples, and what it touches.
const MEMORY_MIB: u32 = 1;
/// The memory that the tasks of a row share, in KiB: what they agree on, and the largest transfer.
const SHARED_KIB: u32 = 4 + 1024;

/// The rows of the mechanisms, and the authority profile of their tasks.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Mechanisms {
    /// The rows to measure.
    pub rows: Shortened,
    /// The rows that do one operation less than they report.
    pub short: Shortened,
    /// Whether every sample is printed.
    pub samples: bool,
    /// The objects.
    pub objects: Vec<KernelObject>,
    /// The handles of all tasks.
    pub grants: Vec<HandleGrant>,
}

/// The manifest has no such rows, for lack of this table.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the manifest has no table {0}")]
pub struct NoRows(pub(super) &'static str);

impl Mechanisms {
    /// The plan's line for them, for tasks with this program.
    pub(crate) fn line(&self, program: Label, sha256: Digest) -> PlanLine {
        let Self { rows, short, samples, .. } = *self;
        let (memory_mib, shared_kib) = (MEMORY_MIB, SHARED_KIB);
        plan::Mechanisms { program, sha256, memory_mib, shared_kib, rows, short, samples }.into()
    }

    /// The plan's lines of the profile.
    pub(crate) fn profile(&self) -> impl Iterator<Item = PlanLine> {
        let objects = self.objects.iter().map(|&object| PlanLine::from(object));
        objects.chain(self.grants.iter().map(|&grant| PlanLine::from(grant)))
    }

    /// Why a kernel would refuse the profile, if it would.
    pub(super) fn problem(&self) -> Option<PlanErrorKind> {
        let mut text = format!("{}\n", plan::HEADER);
        let name = Label::new(TASKS)?;
        let head = plan::Head { experiment: name, linger_ms: 0, challenge: abi::wire::Hex64(0) };
        let none = Digest([0; 32]);
        let workload = plan::Workload { name, sha256: none, authority: abi::syscall::Authority::NONE };
        let control = plan::Control { kind: abi::control::ControlKind::None, target: 0 };
        let rows = if self.rows == Shortened::None { Shortened::All } else { self.rows };
        let first: [PlanLine; 4] =
            [head.into(), workload.into(), control.into(), Self { rows, ..self.clone() }.line(name, none)];
        for line in first.into_iter().chain(self.profile()) {
            plan::write_line(&mut text, &line).ok()?;
        }
        // All that such a plan lacks is its cases.
        Plan::parse(text.as_bytes())
            .err()
            .map(|error| error.kind)
            .filter(|&kind| kind != PlanErrorKind::NoCase)
    }
}
