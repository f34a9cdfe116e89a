//! The table of a sweep: one line a case.

use core::fmt;

use abi::sweep::{self, SweepCase};
use abi::worker::SCALE_SHIFT;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::row::Row;
use crate::clock::Clock;

/// Median times, and speed-ups paired by iteration.
#[derive(Clone, Copy, Debug)]
pub struct ScalingTable<'a> {
    /// The iterations of all cases.
    pub rows: &'a [Row],
    /// Turns cycles into milliseconds.
    pub clock: &'a Clock,
    /// Cores among the CPUs that are online.
    pub cores: u16,
    /// CPUs that are online.
    pub online: u16,
}

impl ScalingTable<'_> {
    /// The rows of a case that have a time, in the order in which they ran.
    fn timed(&self, case: u16) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| row.case == case && row.makespan > 0)
    }

    /// The speed-ups of a case over one worker in the same iteration, in thousandths: no floating point here. The host
    /// tool pairs them alike.
    fn speed_ups(&self, case: u16) -> Vec<u64> {
        self.timed(case).filter_map(|row| self.speed_up(row)).collect()
    }

    fn speed_up(&self, row: &Row) -> Option<u64> {
        let base = self.timed(1).find(|base| base.iteration == row.iteration)?;
        u64::try_from(u128::from(base.makespan) * 1000 / u128::from(row.makespan)).ok()
    }

    fn write_case(&self, f: &mut fmt::Formatter<'_>, case: SweepCase) -> fmt::Result {
        let all = self.rows.iter().filter(|row| row.case == case.workers);
        let checked = if all.clone().all(|row| row.verified) { "ok" } else { "NOT OK" };
        let mut times: Vec<u64> = self.timed(case.workers).map(|row| row.makespan).collect();
        write!(f, "  {:>10}  {:>4}/{:<4}  ", case.to_string(), times.len(), all.count())?;
        let medians = median(&mut times).zip(median(&mut self.speed_ups(case.workers)));
        let Some((time, speed_up)) = medians else {
            return writeln!(f, "{:>12}  {:>13}  {:>9}  {:>8}  {checked}", "-", "-", "-", "-");
        };
        let us = self.clock.micros(time);
        let efficiency_per_mille = speed_up / u64::from(case.workers);
        writeln!(
            f,
            "{:>8}.{:03}  {:>13}  {:>4}.{:03}x  {:>6}.{}  {checked}",
            us / 1000,
            us % 1000,
            time >> SCALE_SHIFT,
            speed_up / 1000,
            speed_up % 1000,
            efficiency_per_mille / 10,
            efficiency_per_mille % 10
        )
    }
}

impl fmt::Display for ScalingTable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "  {:>10}  {:>9}  {:>12}  {:>13}  {:>9}  {:>8}  checked",
            "case", "timed/run", "median ms", "scaled cycles", "speed-up", "effic. %"
        )?;
        sweep::cases(self.cores, self.online).try_for_each(|case| self.write_case(f, case))?;
        if self.online > self.cores {
            writeln!(f, "  -smt: workers share cores; not core scaling")?;
        }
        Ok(())
    }
}

/// The median; for an even number of values, the mean of the two in the middle. `None` if there are none.
fn median(values: &mut [u64]) -> Option<u64> {
    values.sort_unstable();
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(lower + (upper - lower) / 2)
}

#[cfg(test)]
mod tests {
    use abi::wire::record::TscSource;

    use super::*;
    use crate::clock::Choice;

    fn row(case: u16, iteration: u16, makespan: u64) -> Row {
        Row { case, iteration, done: case, start_tsc: 1, makespan, answer: 9, verified: makespan > 0 }
    }

    #[test]
    fn has_a_row_for_each_case_with_speed_ups_paired_by_iteration() {
        let source = TscSource::Hpet;
        let clock = Clock::of(&Choice { source, khz: 1_000_000, sources: 1, spread_ppm: 0 });
        let rows = [
            row(1, 0, 80 << 20),
            row(4, 0, 40 << 20),
            row(2, 0, 40 << 20),
            row(2, 1, 50 << 20),
            row(4, 1, 0),
            row(1, 1, 110 << 20),
        ];
        let table = ScalingTable { rows: &rows, clock: &clock, cores: 2, online: 4 }.to_string();
        let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[1], ["smp1", "2/2", "99.614", "95", "1.000x", "100.0", "ok"]);
        assert_eq!(lines[2], ["smp2", "2/2", "47.185", "45", "2.100x", "105.0", "ok"]);
        assert_eq!(lines[3], ["smp4-smt", "1/2", "41.943", "40", "2.000x", "50.0", "NOT", "OK"]);
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn the_median_of_none_is_none() {
        assert_eq!(median(&mut []), None);
        assert_eq!(median(&mut [4, 2]), Some(3));
        assert_eq!(median(&mut [u64::MAX, u64::MAX]), Some(u64::MAX));
    }
}
