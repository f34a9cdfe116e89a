//! The life of machines, measured: a VMM is started, its vCPUs run, the guest prints its first record, a worker's answer
//! is there, the machine is deleted, and nothing of it is left.
//!
//! Owns a session of such cycles: what is started and in which order (`session`), one cycle (`cycle`) with what must not be
//! left of it (`leftovers`), the sealed ledger (`ledger`), and what follows from that (`outcome`, `verify`). A time comes from
//! the host's monotonic clock and counts only if the gate of `evidence` finds the guest's log right: every cycle does the
//! same work under a challenge of its own. Refuses a figure of a cycle that failed: it is listed with its reason.
//!
//! Results are made from the ledger alone, by the same code when a session ends and when it is verified.
#![forbid(unsafe_code)]

mod compare;
mod cycle;
mod exec;
mod figures;
mod html;
mod judge;
mod ledger;
mod leftovers;
mod outcome;
mod session;
mod snapshot;
mod subject;
mod text;
mod verify;

pub use compare::Paired;
pub use figures::Figures;
pub use html::document;
pub use ledger::{FORM, LEDGER, LedgerError, RESULTS, SAMPLES};
pub use outcome::{
    BurstRow, Compared, Conclusion, Failure, GateResult, GateVerdict, LifeResults, Row, RowKey,
};
pub use session::{LifeSession, LifeSpec, Made};
pub use snapshot::{
    Check, Control, SNAPSHOT, SnapshotResults, SnapshotRow, SnapshotSpec, Verdict, run as run_snapshots,
    snapshot_page,
};
pub use subject::Subject;
pub use text::page;
pub use verify::{Verified, is_lifecycle, verify};
