//! How often the verdict by pace is right, on hosts whose clock varies and with a B that lowers its own clock.

use abi::random::SplitMix64;
use serde::Serialize;

use super::host::normal;
use super::{Goal, Tally};
use crate::{Design, Measure, Thresholds, compare_by_pace};

/// What B does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Slowed {
    /// The part by which B lowers its own clock.
    pub clock: f64,
    /// The part by which B's work is more.
    pub work: f64,
}

/// The verdicts on one host.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PacedRow {
    /// How the sides are compared.
    pub design: Design,
    /// The deviation of the clock from boot to boot.
    pub clock: f64,
    /// What B does.
    pub slowed: Slowed,
    /// How often the clock was left out altogether.
    pub by_pace: usize,
    /// The verdicts.
    pub verdicts: Tally,
}

/// How much a boot's work varies, and how much its pace checks do.
const VARIES: [f64; 2] = [0.012, 0.003];

/// What B does in the rows of the published table.
const TRIED: [[f64; 2]; 6] = [[0.0, 0.0], [0.02, 0.0], [0.03, 0.0], [0.05, 0.0], [0.0, 0.02], [0.0, 0.05]];

/// Makes `trials` comparisons of 15 rounds for each row. The same seed gives the same rounds.
#[must_use]
pub fn paced(trials: usize, seed: u64) -> Vec<PacedRow> {
    let mut rows = Vec::new();
    for design in [Design::Paired, Design::Unpaired] {
        for deviation in [0.003, 0.01, 0.03] {
            for [clock, work] in TRIED {
                rows.push(row(design, deviation, Slowed { clock, work }, trials, seed));
            }
        }
    }
    rows
}

fn row(design: Design, clock: f64, slowed: Slowed, trials: usize, seed: u64) -> PacedRow {
    let mut random = SplitMix64::new(seed);
    let mut row = PacedRow { design, clock, slowed, by_pace: 0, verdicts: Tally::default() };
    for _ in 0..trials {
        let a = Boots::play(clock, Slowed { clock: 0.0, work: 0.0 }, &mut random);
        let b = Boots::play(clock, slowed, &mut random);
        let (measure, compared) = compare_by_pace(
            Thresholds::default(),
            design,
            [&a.times, &b.times],
            [&a.by_pace, &b.by_pace],
            [&a.paces, &b.paces],
        )
        .expect("there are rounds");
        row.by_pace += usize::from(measure == Measure::Pace);
        row.verdicts.add(compared.verdict);
    }
    row
}

/// The boots of one side.
#[derive(Default)]
struct Boots {
    times: Vec<(u32, f64)>,
    paces: Vec<(u32, f64)>,
    by_pace: Vec<(u32, f64)>,
}

impl Boots {
    fn play(deviation: f64, slowed: Slowed, random: &mut SplitMix64) -> Self {
        let [work_varies, pace_varies] = VARIES;
        let mut boots = Self::default();
        for round in (0..).take(Goal::ROUNDS) {
            let clock = deviation * normal(random) + (1.0 - slowed.clock).ln();
            let work = work_varies * normal(random).abs() + slowed.work.ln_1p();
            let time = 1e9 * (work - clock).exp();
            let pace = 12_000.0 * (clock + pace_varies * normal(random)).exp();
            boots.times.push((round, time));
            boots.paces.push((round, pace));
            boots.by_pace.push((round, time * pace));
        }
        boots
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A B that lowers its own clock by 3 % or 5 % is slower, and must not be called alike because its pace is.
    #[test]
    fn a_side_that_lowers_the_clock_is_not_called_alike() {
        for row in paced(400, 3) {
            let Tally { slower, faster, no_difference, .. } = row.verdicts;
            if row.slowed.clock >= 0.02 || row.slowed.work >= 0.02 {
                assert!(no_difference <= 4, "{row:?}");
            } else {
                assert!(slower + faster <= 8, "{row:?}");
            }
        }
    }

    #[test]
    fn more_work_is_found_on_a_clock_that_varies() {
        let rows = paced(200, 3);
        let of = |clock: f64, work: f64| {
            let wanted = |row: &&PacedRow| (row.clock, row.slowed.work) == (clock, work);
            rows.iter().find(wanted).expect("tried").verdicts.slower
        };
        assert!(of(0.03, 0.05) >= 190 && of(0.01, 0.05) >= 190, "{rows:?}");
    }

    #[test]
    #[ignore = "prints the table of docs/COMPARING.md"]
    fn prints_the_verdicts_by_pace() {
        println!(
            "clock varies, B's clock lower, B's work more: by pace, slower, faster, no difference (in %)"
        );
        for row in paced(2500, 3) {
            let Tally { slower, faster, no_difference, .. } = row.verdicts;
            let [by_pace, slower, faster, alike] = [row.by_pace, slower, faster, no_difference]
                .map(|count| format!("{:.1}", count as f64 / 25.0));
            let Slowed { clock, work } = row.slowed;
            println!("{:?} {} {clock} {work}: {by_pace} {slower} {faster} {alike}", row.design, row.clock);
        }
    }
}
