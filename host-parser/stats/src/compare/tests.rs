//! Verdicts on times that leave no doubt.

use proptest::prelude::*;

use super::*;

/// Fifteen rounds within 1.4 % of `centre`, in an order that depends on `stride`.
fn rounds(centre: f64, stride: u32) -> Vec<(u32, f64)> {
    let off = |round: u32| (f64::from(round * stride % 15) - 7.0) * 0.002;
    (0..15).map(|round| (round, centre * (1.0 + off(round)))).collect()
}

#[test]
fn finds_five_percent_and_says_which_way() {
    for design in [Design::Paired, Design::Unpaired] {
        let (a, b) = (rounds(1e9, 4), rounds(1.05e9, 7));
        let found = compare(design, &a, &b).expect("rounds");
        assert_eq!(found.verdict, Difference::Slower, "{found:?}");
        assert!((found.ratio - 1.05).abs() < 0.01, "{found:?}");
        assert_eq!(compare(design, &b, &a).expect("rounds").verdict, Difference::Faster);
    }
}

#[test]
fn the_more_cases_the_surer_each_must_be() {
    assert_eq!((level_for(0), level_for(1)), (COMPARISON_LEVEL, COMPARISON_LEVEL));
    assert!((level_for(4) - 0.9975).abs() < 1e-12);
    // Nine pairs of which all are slower: p is 2 / 2^9 by each test, enough for one case and not for two.
    let a = &rounds(1e9, 4)[..9];
    let b: Vec<_> = a.iter().map(|&(round, time)| (round, time * 1.5)).collect();
    let verdict = |cases| compare_at(level_for(cases), Design::Paired, a, &b).expect("rounds").verdict;
    assert_eq!((verdict(1), verdict(2)), (Difference::Slower, Difference::Inconclusive));
}

#[test]
fn a_sure_but_small_difference_is_none() {
    let a = rounds(1e9, 4);
    let b: Vec<_> = a.iter().map(|&(round, time)| (round, time * 1.004)).collect();
    let found = compare(Design::Paired, &a, &b).expect("rounds");
    assert!(found.p_value < 0.001);
    assert_eq!(found.verdict, Difference::NoDifference);
}

#[test]
fn one_wild_round_does_not_decide() {
    let (a, mut b) = (rounds(1e9, 4), rounds(1e9, 7));
    b[3].1 *= 10.0;
    let found = compare(Design::Paired, &a, &b).expect("rounds");
    assert_ne!(found.verdict, Difference::Slower, "{found:?}");
}

#[test]
fn alike_in_the_fast_half_only_is_not_alike() {
    // Two rounds in five of B are slower by 30 %, the others as fast as A's. The host may cause that, or the program in some
    // boots: there is no verdict either way.
    let side = |stride: u32, late: f64| -> Vec<(u32, f64)> {
        let host = |round: u32| if round % 5 < 2 { late } else { 1.0 };
        (0..15).map(|r| (r, 1e9 * host(r) * (1.0 + f64::from(r * stride % 15) * 0.0004))).collect()
    };
    let (a, b) = (side(4, 1.0), side(7, 1.3));
    for design in [Design::Unpaired, Design::Paired] {
        let found = compare(design, &a, &b).expect("rounds");
        assert_eq!((found.verdict, found.only_quick_alike), (Difference::Inconclusive, true), "{found:?}");
    }
    // If both sides have as many of them, the host causes them, and the sides are alike.
    let found = compare(Design::Unpaired, &side(4, 1.0), &side(7, 1.0)).expect("rounds");
    assert_eq!((found.verdict, found.only_quick_alike), (Difference::NoDifference, false), "{found:?}");
    let slower: Vec<_> = b.iter().map(|&(round, time)| (round, time * 1.02)).collect();
    let found = compare(Design::Unpaired, &a, &slower).expect("rounds");
    assert_eq!(found.verdict, Difference::Slower, "{found:?}");
}

#[test]
fn pairs_see_through_drift_and_through_spikes() {
    let deviation = |round: u32, stride: u32| f64::from(round * stride % 15) * 0.0005;
    let side = |slower: f64, stride: u32, host: &dyn Fn(u32) -> f64| -> Vec<(u32, f64)> {
        (0..15).map(|r| (r, 1e9 * slower * (1.0 + deviation(r, stride)) * host(r))).collect()
    };
    // The host slows by 45 % from the first round to the last: only the signed ranks find the difference.
    let drift = |round: u32| 1.0 + 0.03 * f64::from(round);
    let found = compare(Design::Paired, &side(1.0, 4, &drift), &side(1.05, 7, &drift)).expect("rounds");
    assert_eq!((found.verdict, found.test), (Difference::Slower, RankTest::SignedRank), "{found:?}");
    // It slows one side of every fifth round by half: only Gastwirth's test finds the difference.
    let of_a = |round: u32| if round % 5 == 1 { 1.5 } else { 1.0 };
    let of_b = |round: u32| if round % 5 == 3 { 1.5 } else { 1.0 };
    let found = compare(Design::Paired, &side(1.0, 4, &of_a), &side(1.05, 7, &of_b)).expect("rounds");
    assert_eq!((found.verdict, found.test), (Difference::Slower, RankTest::Gastwirth), "{found:?}");
    assert_eq!((found.interval.level * 1e3).floor(), 995.0);
}

#[test]
fn few_or_noisy_rounds_are_inconclusive() {
    let few = compare(Design::Paired, &rounds(1e9, 4)[..5], &rounds(2e9, 7)[..5]).expect("rounds");
    assert_eq!(few.verdict, Difference::Inconclusive);
    let noisy: Vec<_> = (0..15).map(|i| (i, 1e9 * (1.0 + 0.1 * f64::from(i * 7 % 15)))).collect();
    let found = compare(Design::Unpaired, &rounds(1.7e9, 4), &noisy).expect("rounds");
    assert_eq!(found.verdict, Difference::Inconclusive, "{found:?}");
}

/// What docs/STATISTICS.md says: 9, 10, 11 and 11 in pairs, and 10 in each of two sessions.
#[test]
fn the_more_cases_the_more_rounds_it_takes() {
    let least = |design, cases| {
        (1..20).find(|&rounds| {
            let (a, b) = (&rounds_of(1.0)[..rounds], &rounds_of(2.0)[..rounds]);
            compare_at(level_for(cases), design, a, b).expect("rounds").verdict == Difference::Slower
        })
    };
    let of = |design| [1, 2, 3, 4].map(|cases| least(design, cases).expect("enough"));
    assert_eq!(of(Design::Paired), [9, 10, 11, 11]);
    assert_eq!(of(Design::Unpaired), [10; 4]);
}

fn rounds_of(times: f64) -> Vec<(u32, f64)> {
    rounds(1e9 * times, 4)
        .into_iter()
        .chain(rounds(1e9 * times, 7).into_iter().map(|(r, t)| (15 + r, t)))
        .collect()
}

#[test]
fn few_rounds_of_one_side_are_inconclusive_however_many_the_other_has() {
    let (few, many) = (&rounds(1e9, 4)[..9], rounds(2e9, 7));
    let found = compare(Design::Unpaired, few, &many).expect("rounds");
    assert!(found.p_value <= 0.01, "{found:?}");
    assert_eq!(
        (found.verdict, found.held_back),
        (Difference::Inconclusive, Some(HeldBack::DependenceUnknown))
    );
    let found = compare(Design::Unpaired, &rounds(1e9, 4)[..10], &many).expect("rounds");
    assert_eq!(found.verdict, Difference::Slower);
}

#[test]
fn two_sessions_whose_rounds_drift_have_no_verdict() {
    let drift = |from: u32| -> Vec<(u32, f64)> {
        (0..15).map(|r| (r, 1e9 * (1.0 + 0.01 * f64::from(from + r)))).collect()
    };
    let found = compare(Design::Unpaired, &drift(0), &drift(15)).expect("rounds");
    assert!(found.p_value <= 0.01, "{found:?}");
    assert_eq!((found.verdict, found.held_back), (Difference::Inconclusive, Some(HeldBack::DependentRounds)));
}

#[test]
fn two_sessions_need_proof_that_the_host_was_alike() {
    let found = compare(Design::Unpaired, &rounds(1e9, 4), &rounds(1.05e9, 7)).expect("rounds");
    assert_eq!(found.on_host(None).held_back, Some(HeldBack::HostUnknown));
    let shift = |low, high, alike| HostShift { interval: Interval { level: 0.99, low, high }, alike };
    let alike = found.on_host(Some(&shift(0.999, 1.002, true)));
    assert_eq!((alike.verdict, alike.held_back), (Difference::Slower, None));
    assert!(alike.interval.low < found.interval.low && alike.interval.high > found.interval.high);
    let apart = found.on_host(Some(&shift(0.98, 1.002, false)));
    assert_eq!((apart.verdict, apart.held_back), (Difference::Inconclusive, Some(HeldBack::HostNotAlike)));
    // A difference that the probes' own interval could explain is none.
    let small = compare(Design::Unpaired, &rounds(1e9, 4), &rounds(1.018e9, 7)).expect("rounds");
    let widened = small.on_host(Some(&shift(0.99, 1.0149, true)));
    assert_eq!((small.verdict, widened.verdict), (Difference::Slower, Difference::Inconclusive));
}

#[test]
fn rounds_without_a_partner_do_not_count() {
    let a = [(0, 1.0), (1, 1.0), (3, 1.0)];
    let b = [(3, 2.0), (1, 2.0), (2, 9.0)];
    let found = compare(Design::Paired, &a, &b).expect("two rounds");
    assert_eq!((found.rounds_a, found.rounds_b), (2, 2));
    assert!((found.ratio - 2.0).abs() < 1e-12);
    assert_eq!(compare(Design::Paired, &a, &[(7, 1.0)]), None);
    assert_eq!(compare(Design::Unpaired, &a, &[(0, 0.0)]), None);
}

fn side() -> impl Strategy<Value = Vec<(u32, f64)>> {
    let times = prop::collection::vec(0.5_f64..2.0, 1..20);
    times.prop_map(|times| (0..).zip(times).collect())
}

proptest! {
    #[test]
    fn swapping_the_sides_inverts_the_verdict(a in side(), b in side(), paired: bool) {
        let design = if paired { Design::Paired } else { Design::Unpaired };
        let there = compare(design, &a, &b).expect("rounds");
        let back = compare(design, &b, &a).expect("rounds");
        let inverted = match there.verdict {
            Difference::Slower => Difference::Faster,
            Difference::Faster => Difference::Slower,
            other => other,
        };
        prop_assert_eq!(back.verdict, inverted);
        prop_assert!((there.ratio * back.ratio - 1.0).abs() < 1e-9);
        prop_assert!((there.interval.low * back.interval.high - 1.0).abs() < 1e-9);
        prop_assert_eq!(there.p_value, back.p_value);
    }

    #[test]
    fn the_unit_of_time_does_not_matter(a in side(), b in side(), unit in 1.0_f64..1e9) {
        let scaled = |side: &[(u32, f64)]| side.iter().map(|&(r, t)| (r, t * unit)).collect::<Vec<_>>();
        let one = compare(Design::Unpaired, &a, &b).expect("rounds");
        let other = compare(Design::Unpaired, &scaled(&a), &scaled(&b)).expect("rounds");
        prop_assert!((one.ratio - other.ratio).abs() < 1e-6);
    }
}
