//! What a person reads at the end of a run: one short table.

mod cases;
mod row;
mod scaling;

use core::fmt;

use abi::plan::Plan;

use crate::clock::Clock;
use cases::CaseTable;
use scaling::ScalingTable;

pub use row::Row;

/// The table of a run.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// What was run.
    pub plan: &'a Plan<'a>,
    /// Its iterations.
    pub rows: &'a [Row],
    /// Turns cycles into milliseconds.
    pub clock: &'a Clock,
    /// Cores among the CPUs that are online, as far as the topology distinguishes them.
    pub cores: u16,
    /// CPUs that are online.
    pub online: u16,
    /// CPUs that the machine lists.
    pub listed: u16,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plan, rows, clock, cores, online, listed } = *self;
        let (name, workload, mhz) = (plan.head.experiment, plan.workload.name, clock.khz() / 1000);
        let source = clock.source;
        write!(
            f,
            "\n  {name}, workload {workload}: {online} of {listed} CPUs up, TSC {mhz} MHz by {source}\n\n"
        )?;
        if plan.sweep().is_some() {
            writeln!(f, "{}", ScalingTable { rows, clock, cores, online })
        } else {
            writeln!(f, "{}", CaseTable { rows, clock })
        }
    }
}
