//! What a person sees last: one short table.

use core::fmt;

use abi::plan::Plan;
use abi::worker::SCALE_SHIFT;

use super::scaling::Scaling;
use crate::clock::Clock;

/// One iteration of a case.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The case, named by its workers.
    pub case: u16,
    /// Which iteration.
    pub iteration: u16,
    /// Workers that are done.
    pub done: u16,
    /// The TSC value at which all were to start; 0 where that was not settled.
    pub start_tsc: u64,
    /// Last end less first start, in cycles; 0 where not all are done.
    pub makespan: u64,
    /// The sum of the workers' answers.
    pub answer: u64,
    /// Every worker answered what the plan expects.
    pub verified: bool,
}

/// The table of a run.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// What was run.
    pub plan: &'a Plan<'a>,
    /// Its iterations.
    pub rows: &'a [Row],
    /// What makes milliseconds of cycles.
    pub clock: &'a Clock,
    /// Cores among the CPUs that are up, as far as they are told apart.
    pub cores: u16,
    /// CPUs that are up.
    pub online: usize,
    /// CPUs that there are.
    pub listed: usize,
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
            let online = u16::try_from(online).unwrap_or(u16::MAX);
            return writeln!(f, "{}", Scaling { rows, clock, cores, online });
        }
        writeln!(
            f,
            "  {:>4}  {:>4}  {:>7}  {:>12}  {:>13}  {:>12}  {:>8}  checked",
            "case", "iter", "workers", "makespan ms", "scaled cycles", "answer", "speed-up"
        )?;
        let first = rows.iter().find(|row| row.makespan > 0).map_or(0, |row| row.makespan);
        rows.iter().try_for_each(|row| write_row(f, row, first, clock))?;
        writeln!(f)
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, row: &Row, first: u64, clock: &Clock) -> fmt::Result {
    let checked = if row.verified { "ok" } else { "NOT OK" };
    write!(f, "  {:>4}  {:>4}  {:>3}/{:<3}  ", row.case, row.iteration, row.done, row.case)?;
    if row.makespan == 0 {
        return writeln!(f, "{:>12}  {:>13}  {:>12}  {:>8}  {checked}", "-", "-", row.answer, "-");
    }
    let us = clock.micros(row.makespan);
    // Hundredths, without floating point.
    let speed_up = u128::from(first) * 100 / u128::from(row.makespan);
    writeln!(
        f,
        "{:>8}.{:03}  {:>13}  {:>12}  {:>4}.{:02}x  {checked}",
        us / 1000,
        us % 1000,
        row.makespan >> SCALE_SHIFT,
        row.answer,
        speed_up / 100,
        speed_up % 100
    )
}
