//! Gastwirth's test in pairs: values score as in [`super::gastwirth`], and the chance model is a swap of A and B within
//! each round (Fisher, The Design of Experiments, 1935, section 21: the randomisation test of pairs; here with scores in
//! place of values).
//!
//! The schedule shuffles which side of a round runs first. If there is no difference, each pair could as well have come out
//! the other way round, and all 2^n ways to swap pairs are equally likely. That holds whatever the host did to single
//! rounds. That all orders of A's and B's times are equally likely does not hold: if one side of each round is fast, whole
//! pairs carry the score, and chance puts more of it on one side than it would with independent rounds.
//!
//! Equal values share the scores of their places, so that a swap only changes who has which score.

use super::null::{EXACT, tossed_sum_at_most};
use super::{Shift, below_gap, pairwise_shifts, partition_point, within_gap};

/// The shift from `a` to `b` by the faster half of all values; `a[n]` and `b[n]` are a pair. `None` if there is no pair.
pub(crate) fn gastwirth_paired(a: &[f64], b: &[f64], level: f64) -> Option<Shift> {
    let shifts = pairwise_shifts(a, b);
    let last = shifts.len().checked_sub(1)?;
    let pairs = Pairs::new(a, b);
    let error = (1.0 - level) / 2.0;
    let leads_in = |gap: usize| pairs.leads(within_gap(&shifts, gap));
    // Here the p-value does not change steadily from gap to gap, because a shift changes the scores within pairs and so the
    // null distribution. The search therefore goes from outside inwards to the first gap that is not refused. With many
    // shifts it goes in steps, and the interval then includes the last refused gap.
    let step = shifts.len().div_ceil(EXACT * EXACT);
    let from_below = first_accepted(last, step, error, leads_in, Leads::p_at_least);
    let from_above = first_accepted(last, step, error, |gap| leads_in(last + 1 - gap), Leads::p_at_most);
    let (from, to) = (from_below.unwrap_or(last), last + 1 - from_above.unwrap_or(last));
    let first_even = partition_point(last + 2, |gap| leads_in(gap).sum() > 0);
    let first_below = partition_point(last + 2, |gap| leads_in(gap).sum() >= 0);
    // With too few pairs for the level, even the outermost gaps are not refused.
    let least_errors = [leads_in(0).p_at_least(), leads_in(last + 1).p_at_most()];
    let enough = least_errors.iter().all(|&least| least <= error);
    let reached = 1.0 - least_errors.map(|least| least.max(error)).iter().sum::<f64>();
    let unshifted = pairs.leads(0.0);
    Some(Shift {
        estimate: f64::midpoint(below_gap(&shifts, first_even), below_gap(&shifts, first_below)),
        low: shifts[from.saturating_sub(step)],
        high: shifts[(to + step - 1).min(last)],
        level: if enough { level } else { reached.max(0.0) },
        p_value: (2.0 * unshifted.p_at_least().min(unshifted.p_at_most())).min(1.0),
    })
}

/// The first gap from 0 to `last` + 1, in steps, that the test does not refuse. `None` if it refuses all.
fn first_accepted(
    last: usize,
    step: usize,
    error: f64,
    leads_in: impl Fn(usize) -> Leads,
    p_value: impl Fn(&Leads) -> f64,
) -> Option<usize> {
    // Most shifts are between values that do not score and leave the leads as they are, and those need no second test.
    let mut refused = Leads::default();
    for gap in (0..=last + 1).step_by(step) {
        let leads = leads_in(gap);
        if leads != refused && p_value(&leads) > error {
            return Some(gap);
        }
        refused = leads;
    }
    None
}

/// Two samples in pairs.
struct Pairs {
    /// A's values in ascending order, each with the number of its pair.
    a: Vec<(f64, usize)>,
    /// B's values likewise.
    b: Vec<(f64, usize)>,
}

/// For each pair, how much more A scores than B, in half points.
#[derive(Default, PartialEq)]
struct Leads(Vec<isize>);

impl Pairs {
    fn new(a: &[f64], b: &[f64]) -> Self {
        Self { a: numbered_ascending(a), b: numbered_ascending(b) }
    }

    /// The leads with B shifted back by `shift`.
    fn leads(&self, shift: f64) -> Leads {
        let (mut a, mut b) = (&self.a[..], &self.b[..]);
        let mut leads = vec![0; a.len()];
        // Half of all values score: as many as there are pairs. The next place scores as many points as places are left.
        let mut places_left = leads.len();
        while places_left > 0 {
            let next_b = b.first().map_or(f64::INFINITY, |of| of.0 - shift);
            let value = a.first().map_or(next_b, |of| of.0.min(next_b));
            let equal_in_a = a.iter().take_while(|of| of.0 <= value).count();
            let equal_in_b = b.iter().take_while(|of| of.0 - shift <= value).count();
            let equal = equal_in_a + equal_in_b;
            let scoring = equal.min(places_left);
            // In half points, the sum of the scores from `places_left` downwards. The remainder of the division is dropped.
            let half_points = scoring * (2 * places_left + 1 - scoring);
            let each = (half_points / equal).cast_signed();
            a[..equal_in_a].iter().for_each(|&(_, pair)| leads[pair] += each);
            b[..equal_in_b].iter().for_each(|&(_, pair)| leads[pair] -= each);
            (a, b) = (&a[equal_in_a..], &b[equal_in_b..]);
            places_left -= scoring;
        }
        Leads(leads)
    }
}

fn numbered_ascending(values: &[f64]) -> Vec<(f64, usize)> {
    let mut numbered: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    numbered.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    numbered
}

impl Leads {
    /// How much more A scores than B in all pairs.
    fn sum(&self) -> isize {
        self.0.iter().sum()
    }

    /// The probability that a random swap of pairs gives A its score or more: that the leads which it takes from A are no
    /// more than those which B has now.
    fn p_at_least(&self) -> f64 {
        self.p_of_leads_at_most(self.0.iter().map(|lead| (-lead).max(0).unsigned_abs()).sum())
    }

    /// The probability that a random swap of pairs gives A its score or less.
    fn p_at_most(&self) -> f64 {
        self.p_of_leads_at_most(self.0.iter().map(|lead| lead.max(&0).unsigned_abs()).sum())
    }

    /// The probability that the leads of the pairs whose fair coins show heads add up to `most` or less.
    fn p_of_leads_at_most(&self, most: usize) -> f64 {
        let sizes: Vec<usize> = self.0.iter().map(|lead| lead.unsigned_abs()).collect();
        // Without equal values every lead is a whole point, which is two half points.
        tossed_sum_at_most(&sizes, 2, most)
    }
}

#[cfg(test)]
mod tests {
    use abi::random::SplitMix64;

    use super::*;
    use crate::ranks::gastwirth;
    use crate::summary::count;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} is not {b}");
    }

    fn p_value(a: &[f64], b: &[f64]) -> f64 {
        let leads = Pairs::new(a, b).leads(0.0);
        (2.0 * leads.p_at_least().min(leads.p_at_most())).min(1.0)
    }

    /// The sides with those pairs swapped whose bit in `way` is set.
    fn swapped(a: &[f64], b: &[f64], way: usize) -> (Vec<f64>, Vec<f64>) {
        let swap = |(pair, (&a, &b)): (usize, (&f64, &f64))| {
            if way & 1_usize << pair != 0_usize { (b, a) } else { (a, b) }
        };
        (0_usize..).zip(a.iter().zip(b)).map(swap).unzip::<_, _, Vec<f64>, Vec<f64>>()
    }

    /// The part of all ways to swap pairs whose p-value is at most `p`.
    fn size(a: &[f64], b: &[f64], p: f64) -> f64 {
        let ways = 1_usize << a.len();
        let refused = |way: &usize| {
            let (a, b) = swapped(a, b, *way);
            p_value(&a, &b) <= p + 1e-12
        };
        count((0..ways).filter(refused).count()) / count(ways)
    }

    #[test]
    fn small_distributions_are_those_counted_by_hand() {
        // Both of A are quicker: scores of 2 and 1 to 0 and 0. One of four ways is as good for A, one as bad.
        let leads = Pairs::new(&[1.0, 2.0], &[3.0, 4.0]).leads(0.0);
        assert_eq!((&leads.0[..], leads.p_at_least(), leads.p_at_most()), (&[4, 2][..], 0.25, 1.0));
        // A has the quickest, B the next: leads of 2 and -1, and of +-3 and +-1 the second best of four.
        let leads = Pairs::new(&[1.0, 4.0], &[3.0, 2.0]).leads(0.0);
        assert_eq!((&leads.0[..], leads.p_at_least(), leads.p_at_most()), (&[4, -2][..], 0.5, 0.75));
        // Three equal ones share 2 + 1: 1 each.
        assert_eq!(Pairs::new(&[1.0, 1.0], &[1.0, 9.0]).leads(0.0).0, [0, 2]);
        // Of two equal ones one scores 1; each has the half.
        assert_eq!(Pairs::new(&[1.0, 5.0], &[2.0, 2.0]).leads(0.0).0, [3, -1]);
    }

    #[test]
    fn one_fast_side_in_each_round_raises_no_more_alarms_than_the_level() {
        // Every round has one side at 1 s and another that the host kept for half as long again.
        let quick: Vec<f64> = (0..15).map(|round| 1.0 + f64::from(round * 7 % 15) * 1e-3).collect();
        let slow: Vec<f64> = (0..15).map(|round| 1.5 + f64::from(round * 4 % 15) * 1e-3).collect();
        let size = size(&quick, &slow, 0.005);
        assert!(size <= 0.005 && size > 0.004, "{size}");
        // By all orders of both sides several times as many ways would have been alarms.
        let mut random = SplitMix64::new(3);
        let mut alarm = || {
            let (a, b) = swapped(&quick, &slow, random.below(1 << 15));
            gastwirth(&a, &b, 0.995).expect("values").p_value <= 0.005
        };
        let alarms = (0..4000).filter(|_| alarm()).count();
        assert!(alarms > 60, "{alarms}");
    }

    #[test]
    fn no_values_raise_more_alarms_than_the_level() {
        let mut random = SplitMix64::new(9);
        for coarse in [1_usize, 40, 1 << 20] {
            let mut value = || {
                let late = if random.below(4) == 0 { 3.0 } else { 0.0 };
                count(random.below(coarse) + 1) / count(coarse) + late
            };
            let (a, b): (Vec<f64>, Vec<f64>) = (0..11).map(|_| (value(), value())).unzip();
            for p in [0.005, 0.01, 0.05, 0.2] {
                assert!(size(&a, &b, p) <= p, "{coarse}, {p}");
            }
        }
    }

    #[test]
    fn pairs_decide_while_the_host_drifts() {
        // 1 % from one round to the next, and B slower by 2 %: next to nothing among all rounds.
        let side = |slower: f64, stride: u32| -> Vec<f64> {
            (0..15)
                .map(|round| slower + 0.01 * f64::from(round) + 1e-4 * f64::from(round * stride % 15))
                .collect()
        };
        let (a, b) = (side(0.0, 4), side(0.02, 7));
        assert!(p_value(&a, &b) < 0.01, "{}", p_value(&a, &b));
        assert!(gastwirth(&a, &b, 0.99).expect("values").p_value > 0.1);
    }

    #[test]
    fn estimates_the_shift_and_brackets_it() {
        let a: Vec<f64> = (0..15).map(|i| f64::from(i * 7 % 15) * 0.01).collect();
        let b: Vec<f64> = (0..15).map(|i| 1.0 + f64::from(i * 4 % 15) * 0.01).collect();
        let shift = gastwirth_paired(&a, &b, 0.99).expect("values");
        close(shift.estimate, 1.0, 1e-9);
        assert!(shift.low > 0.9 && shift.low < 1.0 && shift.high > 1.0 && shift.high < 1.1, "{shift:?}");
        assert_eq!(shift.level, 0.99);
        close(shift.p_value, 2.0 / f64::from(1 << 15), 1e-12);
        let back = gastwirth_paired(&b, &a, 0.99).expect("values");
        close(back.estimate, -shift.estimate, 1e-12);
        close(back.low, -shift.high, 1e-12);
        close(back.high, -shift.low, 1e-12);
        assert_eq!(back.p_value, shift.p_value);
        assert_eq!(gastwirth_paired(&[], &[], 0.99), None);
    }

    #[test]
    fn no_shift_outside_of_the_interval_would_be_accepted() {
        let mut random = SplitMix64::new(4);
        let mut value = || count(random.below(1 << 20)) / count(1 << 20);
        let (a, b): (Vec<f64>, Vec<f64>) = (0..12).map(|_| (value(), value())).unzip();
        let shift = gastwirth_paired(&a, &b, 0.98).expect("values");
        for step in 0..2000 {
            let at = -1.0 + f64::from(step) / 1000.0;
            let leads = Pairs::new(&a, &b).leads(at);
            let refused = leads.p_at_least() <= 0.01 || leads.p_at_most() <= 0.01;
            assert!(refused || (shift.low..=shift.high).contains(&at), "{at}: {shift:?}");
        }
    }

    #[test]
    fn the_normal_takes_over_where_it_is_as_good() {
        let side = |n: u32, stride: u32, base: f64| -> Vec<f64> {
            (0..n).map(|i| base + f64::from(i * stride % n) * 1e-3).collect()
        };
        let exactly = p_value(&side(50, 7, 0.0), &side(50, 11, 4e-3));
        let beyond = p_value(&side(51, 7, 0.0), &side(51, 11, 4e-3));
        close(exactly, beyond, 0.05);
        let many = gastwirth_paired(&side(120, 7, 0.0), &side(120, 11, 1.0), 0.99).expect("values");
        assert!(many.low <= 1.0 && many.high >= 1.0 && many.high - many.low < 0.1, "{many:?}");
    }

    #[test]
    fn equal_times_count_against_a_shift() {
        let shift = gastwirth_paired(&[3.0; 9], &[3.0; 9], 0.99).expect("values");
        assert_eq!((shift.estimate, shift.low, shift.high, shift.p_value), (0.0, 0.0, 0.0, 1.0));
    }

    #[test]
    fn few_values_have_the_whole_range_at_a_lower_level() {
        let shift = gastwirth_paired(&[1.0, 2.0], &[1.5, 4.0], 0.99).expect("values");
        assert_eq!((shift.low, shift.high, shift.level), (-0.5, 3.0, 0.5));
    }
}
