//! The table of a plan that lists its cases: one line an iteration.

use core::fmt;

use abi::worker::SCALE_SHIFT;

use super::row::Row;
use crate::clock::Clock;

/// The iterations of all cases, in the order in which they ran.
#[derive(Clone, Copy, Debug)]
pub struct CaseTable<'a> {
    /// The iterations.
    pub rows: &'a [Row],
    /// Turns cycles into milliseconds.
    pub clock: &'a Clock,
}

impl fmt::Display for CaseTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  {:>4}  {:>4}  {:>7}  {:>12}  {:>13}  {:>12}  {:>8}  checked",
            "case", "iter", "workers", "makespan ms", "scaled cycles", "answer", "speed-up"
        )?;
        let first = self.rows.iter().find(|row| row.makespan > 0).map_or(0, |row| row.makespan);
        self.rows.iter().try_for_each(|row| write_row(f, row, first, self.clock))
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
