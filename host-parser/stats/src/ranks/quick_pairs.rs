//! The quick ranks of pairs: scored as in [`super::quick`], and held against what swapping the sides within rounds gives.
//!
//! Which side of a round ran first is shuffled by the schedule. Where there is no difference each pair might therefore as
//! well have been the other way round, and of all 2^n ways to swap pairs the one seen is as likely as any. That is so
//! whatever the host did to single rounds, and all orders of both sides' times being alike is not: where each round has
//! one quick side, pairs put more of the scores on one side by chance than independent rounds do. (Fisher, The Design of
//! Experiments, 1935, section 21: the randomisation test of pairs; here of scores in place of values.)
//!
//! Equal values share the scores of their places, so that a swap changes nothing but who has which.

use super::{EXACT, Shift};
use crate::distribution::normal_cdf;
use crate::summary::count;

/// The shift from `a` to `b`, of which each is a pair with its counterpart: but for it, sides of a pair can be swapped.
/// `None` if there is none.
pub(crate) fn quick_pairs(a: &[f64], b: &[f64], level: f64) -> Option<Shift> {
    let mut shifts: Vec<f64> = a.iter().flat_map(|a| b.iter().map(move |b| b - a)).collect();
    shifts.sort_unstable_by(f64::total_cmp);
    let last = shifts.len().checked_sub(1)?;
    let pairs = Pairs::new(a, b);
    let error = (1.0 - level) / 2.0;
    let at = |place: usize| match place {
        0 => pairs.at(shifts[0] - 1.0),
        place if place > last => pairs.at(shifts[last] + 1.0),
        place => pairs.at(f64::midpoint(shifts[place - 1], shifts[place])),
    };
    // A shift changes the scores that pairs have between them, and with these the distribution: how sure the test is
    // need not fall steadily towards the middle. So the outermost places that it does not refuse are looked for from
    // outside, in steps where there are too many of them, and with the last refused place in the interval.
    let step = shifts.len().div_ceil(EXACT * EXACT);
    let outermost = |place: &dyn Fn(usize) -> usize, tail: fn(&Leads) -> f64| {
        let mut refused = Leads::default();
        (0..=last + 1).step_by(step).find(|&inwards| {
            let leads = at(place(inwards));
            // Most shifts are among what does not score.
            let known = leads == refused;
            let accepted = !known && tail(&leads) > error;
            refused = leads;
            accepted
        })
    };
    let from = outermost(&|inwards| inwards, Leads::a_is_quick);
    let back = outermost(&|inwards| last + 1 - inwards, Leads::a_is_slow);
    let (from, to) = (from.unwrap_or(last), last + 1 - back.unwrap_or(last));
    let (even, uneven) = (
        super::partition_point(last + 2, |place| at(place).lead() > 0),
        super::partition_point(last + 2, |place| at(place).lead() >= 0),
    );
    let before = |place: usize| shifts[place.clamp(1, last + 1) - 1];
    // Where even the outermost place is not refused, there are too few pairs for the level.
    let errors = [at(0).a_is_quick(), at(last + 1).a_is_slow()].map(|least| least.max(error));
    let enough = errors.iter().all(|&least| least <= error);
    let still = pairs.at(0.0);
    Some(Shift {
        estimate: f64::midpoint(before(even), before(uneven)),
        low: shifts[from.saturating_sub(step)],
        high: shifts[(to + step - 1).min(last)],
        level: if enough { level } else { (1.0 - errors[0] - errors[1]).max(0.0) },
        p_value: (2.0 * still.a_is_quick().min(still.a_is_slow())).min(1.0),
    })
}

/// Pairs, each side in order, with the number of its pair.
struct Pairs {
    a: Vec<(f64, usize)>,
    b: Vec<(f64, usize)>,
}

/// By how much each pair's A scores more than its B, in halves.
#[derive(Default, PartialEq)]
struct Leads(Vec<isize>);

impl Pairs {
    fn new(a: &[f64], b: &[f64]) -> Self {
        let sorted = |side: &[f64]| {
            let mut side: Vec<(f64, usize)> = side.iter().copied().zip(0..).collect();
            side.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
            side
        };
        Self { a: sorted(a), b: sorted(b) }
    }

    /// The scores where B is shifted back by so much.
    fn at(&self, shift: f64) -> Leads {
        let (mut a, mut b) = (&self.a[..], &self.b[..]);
        let mut leads = vec![0; a.len()];
        // As many values score as there are pairs: half of all.
        let mut places_left = leads.len();
        while places_left > 0 {
            let next_b = b.first().map_or(f64::INFINITY, |of| of.0 - shift);
            let value = a.first().map_or(next_b, |of| of.0.min(next_b));
            let of_a = a.iter().take_while(|of| of.0 <= value).count();
            let of_b = b.iter().take_while(|of| of.0 - shift <= value).count();
            // The last of the scoring places is worth 1, or two halves. What does not divide is lost to all who are equal.
            let scoring = (of_a + of_b).min(places_left);
            let together = scoring * (2 * places_left + 1 - scoring);
            let each = (together / (of_a + of_b)).cast_signed();
            a[..of_a].iter().for_each(|&(_, pair)| leads[pair] += each);
            b[..of_b].iter().for_each(|&(_, pair)| leads[pair] -= each);
            (a, b) = (&a[of_a..], &b[of_b..]);
            places_left -= scoring;
        }
        Leads(leads)
    }
}

impl Leads {
    /// By how much A scores more than B.
    fn lead(&self) -> isize {
        self.0.iter().sum()
    }

    /// How probable it is that A scores as much or more: that the pairs which a swap would make A's come to no more than
    /// those that are B's.
    fn a_is_quick(&self) -> f64 {
        self.chance_of_at_most(self.0.iter().map(|lead| (-lead).max(0).unsigned_abs()).sum())
    }

    /// How probable it is that A scores as little or less.
    fn a_is_slow(&self) -> f64 {
        self.chance_of_at_most(self.0.iter().map(|lead| lead.max(&0).unsigned_abs()).sum())
    }

    /// How probable it is that the leads of the pairs whose fair coins show heads come to `most` or less.
    fn chance_of_at_most(&self, most: usize) -> f64 {
        let leads = self.0.iter().map(|lead| lead.unsigned_abs());
        if self.0.len() > EXACT {
            let mean = leads.clone().map(count).sum::<f64>() / 2.0;
            let deviation = leads.map(|lead| count(lead * lead)).sum::<f64>().sqrt() / 2.0;
            // Leads are whole scores, which are two halves: one for the continuity correction.
            let from_mean = count(most) + 1.0 - mean;
            return if deviation > 0.0 { normal_cdf((from_mean / deviation).clamp(-5.9, 5.9)) } else { 1.0 };
        }
        // In how many ways each sum comes about: at most 2^EXACT, which is exact.
        let mut ways = vec![0.0; most + 1];
        ways[0] = 1.0;
        for lead in leads {
            for sum in (lead..=most).rev() {
                ways[sum] += ways[sum - lead];
            }
        }
        ways.iter().sum::<f64>() / 2.0_f64.powi(i32::try_from(self.0.len()).unwrap_or(i32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use abi::random::SplitMix64;

    use super::*;
    use crate::ranks::quick_ranks;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} is not {b}");
    }

    fn p_value(a: &[f64], b: &[f64]) -> f64 {
        let leads = Pairs::new(a, b).at(0.0);
        (2.0 * leads.a_is_quick().min(leads.a_is_slow())).min(1.0)
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
        let leads = Pairs::new(&[1.0, 2.0], &[3.0, 4.0]).at(0.0);
        assert_eq!((&leads.0[..], leads.a_is_quick(), leads.a_is_slow()), (&[4, 2][..], 0.25, 1.0));
        // A has the quickest, B the next: leads of 2 and -1, and of +-3 and +-1 the second best of four.
        let leads = Pairs::new(&[1.0, 4.0], &[3.0, 2.0]).at(0.0);
        assert_eq!((&leads.0[..], leads.a_is_quick(), leads.a_is_slow()), (&[4, -2][..], 0.5, 0.75));
        // Three equal ones share 2 + 1: 1 each.
        assert_eq!(Pairs::new(&[1.0, 1.0], &[1.0, 9.0]).at(0.0).0, [0, 2]);
        // Of two equal ones one scores 1; each has the half.
        assert_eq!(Pairs::new(&[1.0, 5.0], &[2.0, 2.0]).at(0.0).0, [3, -1]);
    }

    #[test]
    fn one_quick_side_in_each_round_raises_no_more_alarms_than_it_may() {
        // Every round has one side at 1 s and another that the host kept for half as long again.
        let quick: Vec<f64> = (0..15).map(|round| 1.0 + f64::from(round * 7 % 15) * 1e-3).collect();
        let slow: Vec<f64> = (0..15).map(|round| 1.5 + f64::from(round * 4 % 15) * 1e-3).collect();
        let size = size(&quick, &slow, 0.005);
        assert!(size <= 0.005 && size > 0.004, "{size}");
        // By all orders of both sides several times as many ways would have been alarms.
        let mut random = SplitMix64::new(3);
        let mut alarm = || {
            let (a, b) = swapped(&quick, &slow, random.below(1 << 15));
            quick_ranks(&a, &b, 0.995).expect("values").p_value <= 0.005
        };
        let alarms = (0..4000).filter(|_| alarm()).count();
        assert!(alarms > 60, "{alarms}");
    }

    #[test]
    fn whatever_the_values_no_more_ways_are_alarms_than_may_be() {
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
    fn pairs_tell_where_the_host_drifts() {
        // 1 % from one round to the next, and B slower by 2 %: next to nothing among all rounds.
        let side = |slower: f64, stride: u32| -> Vec<f64> {
            (0..15)
                .map(|round| slower + 0.01 * f64::from(round) + 1e-4 * f64::from(round * stride % 15))
                .collect()
        };
        let (a, b) = (side(0.0, 4), side(0.02, 7));
        assert!(p_value(&a, &b) < 0.01, "{}", p_value(&a, &b));
        assert!(quick_ranks(&a, &b, 0.99).expect("values").p_value > 0.1);
    }

    #[test]
    fn estimates_the_shift_and_brackets_it() {
        let a: Vec<f64> = (0..15).map(|i| f64::from(i * 7 % 15) * 0.01).collect();
        let b: Vec<f64> = (0..15).map(|i| 1.0 + f64::from(i * 4 % 15) * 0.01).collect();
        let shift = quick_pairs(&a, &b, 0.99).expect("values");
        close(shift.estimate, 1.0, 1e-9);
        assert!(shift.low > 0.9 && shift.low < 1.0 && shift.high > 1.0 && shift.high < 1.1, "{shift:?}");
        assert_eq!(shift.level, 0.99);
        close(shift.p_value, 2.0 / f64::from(1 << 15), 1e-12);
        let back = quick_pairs(&b, &a, 0.99).expect("values");
        close(back.estimate, -shift.estimate, 1e-12);
        close(back.low, -shift.high, 1e-12);
        close(back.high, -shift.low, 1e-12);
        assert_eq!(back.p_value, shift.p_value);
        assert_eq!(quick_pairs(&[], &[], 0.99), None);
    }

    #[test]
    fn no_shift_outside_of_the_interval_would_be_accepted() {
        let mut random = SplitMix64::new(4);
        let mut value = || count(random.below(1 << 20)) / count(1 << 20);
        let (a, b): (Vec<f64>, Vec<f64>) = (0..12).map(|_| (value(), value())).unzip();
        let shift = quick_pairs(&a, &b, 0.98).expect("values");
        for step in 0..2000 {
            let at = -1.0 + f64::from(step) / 1000.0;
            let leads = Pairs::new(&a, &b).at(at);
            let refused = leads.a_is_quick() <= 0.01 || leads.a_is_slow() <= 0.01;
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
        let many = quick_pairs(&side(120, 7, 0.0), &side(120, 11, 1.0), 0.99).expect("values");
        assert!(many.low <= 1.0 && many.high >= 1.0 && many.high - many.low < 0.1, "{many:?}");
    }

    #[test]
    fn what_is_equal_speaks_against_a_shift() {
        let shift = quick_pairs(&[3.0; 9], &[3.0; 9], 0.99).expect("values");
        assert_eq!((shift.estimate, shift.low, shift.high, shift.p_value), (0.0, 0.0, 0.0, 1.0));
    }

    #[test]
    fn few_values_have_the_whole_range_at_a_lower_level() {
        let shift = quick_pairs(&[1.0, 2.0], &[1.5, 4.0], 0.99).expect("values");
        assert_eq!((shift.low, shift.high, shift.level), (-0.5, 3.0, 0.5));
    }
}
