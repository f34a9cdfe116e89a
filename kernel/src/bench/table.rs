//! What a person sees last: one short table.

use abi::plan::Plan;
use abi::worker::SCALE_SHIFT;

use crate::clock::Clock;
use crate::console;
use crate::smp::PerCpu;

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

/// Prints the table.
pub fn print(plan: &Plan<'_>, rows: &[Row], clock: &Clock) {
    let online = PerCpu::online().count();
    let (listed, mhz) = (PerCpu::all().len(), clock.khz() / 1000);
    console::text(format_args!(
        "\n  {}, workload {}: {online} of {listed} CPUs up, TSC {mhz} MHz by {}\n\n",
        plan.head.experiment, plan.workload.name, clock.source
    ));
    console::text(format_args!(
        "  {:>4}  {:>4}  {:>7}  {:>12}  {:>13}  {:>12}  {:>8}  {}\n",
        "case", "iter", "workers", "makespan ms", "scaled cycles", "answer", "speed-up", "checked"
    ));
    let first = rows.iter().find(|row| row.makespan > 0).map_or(0, |row| row.makespan);
    for row in rows {
        print_row(row, first, clock);
    }
    console::text(format_args!("\n"));
}

fn print_row(row: &Row, first: u64, clock: &Clock) {
    let checked = if row.verified { "ok" } else { "NOT OK" };
    console::text(format_args!("  {:>4}  {:>4}  {:>3}/{:<3}  ", row.case, row.iteration, row.done, row.case));
    if row.makespan == 0 {
        console::text(format_args!("{:>12}  {:>13}  {:>12}  {:>8}  {checked}\n", "-", "-", row.answer, "-"));
        return;
    }
    let us = clock.micros(row.makespan);
    // Hundredths, without floating point.
    let speed_up = u128::from(first) * 100 / u128::from(row.makespan);
    console::text(format_args!(
        "{:>8}.{:03}  {:>13}  {:>12}  {:>4}.{:02}x  {checked}\n",
        us / 1000,
        us % 1000,
        row.makespan >> SCALE_SHIFT,
        row.answer,
        speed_up / 100,
        speed_up % 100
    ));
}
