//! The quality of the method on times with a known distribution.

use super::*;

/// Times around 1e9, nearly normal, with the relative `deviation`. `drift` is the relative change from one round to the next.
fn times(random: &mut SplitMix64, rounds: usize, deviation: f64, slower: f64, drift: f64) -> Vec<f64> {
    let mut unit = || (random.draw() >> 11) as f64 / (1_u64 << 53) as f64;
    // Twelve uniform numbers less their mean: nearly normal, with a deviation of 1.
    let mut normal = || (0..12).map(|_| unit()).sum::<f64>() - 6.0;
    (0..rounds)
        .map(|round| 1e9 * (1.0 + slower) * (1.0 + deviation * normal()) * (1.0 + drift * round as f64))
        .collect()
}

fn recorded(deviation: f64, drift: f64) -> Recorded {
    let mut random = SplitMix64::new(11);
    let mut side = |slower| times(&mut random, 45, deviation, slower, drift);
    Recorded { same: [side(0.0), side(0.0)], slowed: vec![(5, side(0.05)), (10, side(0.1))] }
}

fn rates(quality: &Quality, percent: u16, design: Design, drawn: Drawn) -> Vec<f64> {
    let wanted = |row: &&Row| (row.percent, row.design, row.drawn) == (percent, design, drawn);
    quality.rows.iter().filter(wanted).filter(|row| row.rounds == 15).map(|row| row.rate.rate).collect()
}

#[test]
fn a_quiet_host_reaches_the_goals() {
    let quality = Quality::of(&recorded(0.004, 0.0), 60, 1);
    assert_eq!(quality.reached(), Some(true), "{:?}", quality.goals);
    assert_eq!(quality.recorded, 45);
    for row in &quality.rows {
        assert_eq!(row.verdicts.all(), row.rate.trials);
    }
}

#[test]
fn a_noisy_host_finds_nothing_and_says_so() {
    let quality = Quality::of(&recorded(0.2, 0.0), 40, 1);
    assert_eq!(quality.reached(), Some(false));
    let found = rates(&quality, 5, Design::Unpaired, Drawn::Once);
    assert!(found.iter().all(|&rate| rate < 0.5), "{found:?}");
}

#[test]
fn drift_is_noticed_between_sessions_and_cancels_in_pairs() {
    // 45 % from the first round to the last, and next to no noise.
    let quality = Quality::of(&recorded(0.002, 0.01), 40, 1);
    assert_eq!(rates(&quality, 0, Design::Unpaired, Drawn::InARow), [0.0]);
    assert_eq!(rates(&quality, 5, Design::Unpaired, Drawn::InARow), [0.0]);
    for drawn in Drawn::ALL {
        assert!(rates(&quality, 0, Design::Paired, drawn).iter().all(|&rate| rate <= 0.01));
        assert!(rates(&quality, 5, Design::Paired, drawn).iter().all(|&rate| rate == 1.0));
    }
    let reached: Vec<Option<bool>> = quality.goals.iter().map(|goal| goal.reached).collect();
    assert_eq!(reached, [Some(false), Some(true)]);
}

/// The signed-rank test's null distribution has steps: with 15 rounds its level is 2 * 137 / 2^15, just below 1 %. With this
/// much noise no alarm fails for too small an effect, so that the rate of alarms must be that level.
#[test]
fn tossed_sides_raise_as_many_alarms_as_the_test_has_by_its_own_distribution() {
    let recorded = recorded(0.3, 0.0);
    let spec = DrawSpec { drawn: Drawn::Once, design: Design::Paired, recorded: 45, rounds: 15, toss: true };
    let sides = [[&recorded.same[0][..], &recorded.same[1][..]]];
    let row = row(0, spec, 6000, &sides, &mut SplitMix64::new(2)).expect("tried");
    let Rate { interval, .. } = row.rate;
    let exact = 2.0 * 137.0 / f64::from(1 << 15);
    assert!(interval.low <= exact && exact <= interval.high, "{row:?}, not {exact}");
}

#[test]
fn the_seed_decides_and_too_few_rounds_are_no_trial() {
    let mut few = recorded(0.01, 0.0);
    for side in few.same.iter_mut().chain(few.slowed.iter_mut().map(|(_, side)| side)) {
        side.truncate(10);
    }
    let quality = Quality::of(&few, 40, 1);
    assert_eq!(quality, Quality::of(&few, 40, 1));
    assert!(quality.rows.iter().all(|row| (row.rounds, row.design) == (7, Design::Paired)));
    assert_eq!((quality.goals[0].found, quality.reached()), (None, None));
}

#[test]
fn with_fewer_than_45_recorded_rounds_the_goals_are_not_known() {
    let mut few = recorded(0.004, 0.0);
    for side in few.same.iter_mut().chain(few.slowed.iter_mut().map(|(_, side)| side)) {
        side.truncate(44);
    }
    let quality = Quality::of(&few, 20, 1);
    assert_eq!(quality.goals[1].found, Some(1.0));
    assert_eq!((quality.goals[1].reached, quality.reached()), (None, None));
}

#[test]
fn real_experiments_share_no_round() {
    let one = recorded(0.004, 0.0);
    let rows = real_experiments(&[&one, &one]);
    let of = |design, percent, against| {
        let wanted = |row: &&RealRow| (row.design, row.percent, row.against) == (design, percent, against);
        rows.iter().find(wanted).map(|row| (row.rate.hits, row.rate.trials))
    };
    // 45 rounds are three of 15 in pairs, and one of two sessions.
    assert_eq!(of(Design::Paired, 0, "a1"), Some((0, 6)));
    assert_eq!(of(Design::Paired, 0, "a2"), None);
    assert_eq!((of(Design::Paired, 5, "a1"), of(Design::Paired, 5, "a2")), (Some((6, 6)), Some((6, 6))));
    assert_eq!(of(Design::Unpaired, 10, "a2"), Some((2, 2)));
    // Two sessions one after the other, while the host drifts by 1 % from round to round: no verdict rather than an alarm.
    let drifting = real_experiments(&[&recorded(0.002, 0.01)]);
    let alarms =
        |design| drifting.iter().find(|row| (row.design, row.percent) == (design, 0)).expect("tried");
    assert_eq!((alarms(Design::Unpaired).rate.hits, alarms(Design::Paired).rate.hits), (0, 0));
    let mut few = one;
    few.same.iter_mut().for_each(|side| side.truncate(14));
    assert_eq!(real_experiments(&[&few]).len(), 0);
}

/// The part of `trials` experiments that find B slower by `slower`; if that is 0, the part that raises a false alarm. Each
/// experiment has 15 new rounds a side, and the host slows every fifth time of each side by up to as much again.
fn experiments(trials: usize, design: Design, deviation: f64, slower: f64) -> f64 {
    let mut random = SplitMix64::new(23);
    let mut side = |slower| {
        let mut times: Vec<f64> = times(&mut random, 15, deviation, slower, 0.0);
        for time in &mut times {
            if random.below(5) == 0 {
                *time *= 1.0 + (random.draw() >> 11) as f64 / (1_u64 << 53) as f64;
            }
        }
        (0..).zip(times).collect::<Vec<(u32, f64)>>()
    };
    let says = |verdict: Difference| match slower > 0.0 {
        true => verdict == Difference::Slower,
        false => matches!(verdict, Difference::Slower | Difference::Faster),
    };
    let said = (0..trials).filter(|_| {
        let (a, b) = (side(0.0), side(slower));
        compare(design, &a, &b).is_some_and(|comparison| says(comparison.verdict))
    });
    said.count() as f64 / trials as f64
}

/// How quiet a host must be: one line of the table in docs/STATISTICS.md.
#[test]
fn the_goals_are_reached_if_rounds_vary_by_one_percent_and_every_fifth_is_disturbed() {
    for design in [Design::Unpaired, Design::Paired] {
        let alarms = experiments(1000, design, 0.01, 0.0);
        let found = experiments(1000, design, 0.01, 0.05);
        assert!(alarms <= Goal::FALSE_ALARMS && found >= Goal::FOUND, "{design:?}: {alarms}, {found}");
    }
}

#[test]
#[ignore = "prints the table of docs/STATISTICS.md; takes a minute in the release profile"]
fn prints_how_quiet_a_host_must_be() {
    for design in [Design::Unpaired, Design::Paired] {
        for deviation in [0.005, 0.01, 0.02, 0.03, 0.04, 0.06] {
            let rate = |slower| 100.0 * experiments(4000, design, deviation, slower);
            let (alarms, two, five, ten) = (rate(0.0), rate(0.02), rate(0.05), rate(0.1));
            println!("{design:?} {deviation}: {alarms:.2} {two:.1} {five:.1} {ten:.1}");
        }
    }
}
