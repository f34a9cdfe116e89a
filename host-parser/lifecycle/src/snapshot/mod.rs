//! Snapshot and restore: a machine that is up is stopped and saved to a file by its VMM, and loaded from it, once or several
//! times at the same moment. What must survive is held and checked by the guest itself (`hold` and `check`, `abi::command`), and
//! compared from outside; each check has a control that spoils what it looks at.
//!
//! A snapshot holds the machine's place in the chain of nonces: every clone takes the next command, and must answer it for
//! itself.

mod check;
mod life;
mod outcome;
mod session;
mod text;

pub use outcome::{Check, Control, SnapshotResults, SnapshotRow, Verdict};
pub use session::{SNAPSHOT, SnapshotSpec, run};
pub use text::page as snapshot_page;
