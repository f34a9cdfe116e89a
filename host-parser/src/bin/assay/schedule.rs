//! The order of the runs: every round has every case once, in an order of its own, so that whatever drifts on the
//! host (heat, a neighbour) does not fall on one case.

/// One run to be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Slot {
    /// The round, from 0.
    pub round: u32,
    /// The case.
    pub case: u16,
}

/// The order for `rounds` rounds of `cases`. The same seed gives the same order, on every machine.
pub fn schedule(cases: &[u16], rounds: u16, seed: u64) -> Vec<Slot> {
    let mut random = SplitMix(seed);
    let round = |round| {
        let mut order = cases.to_vec();
        random.shuffle(&mut order);
        order.into_iter().map(move |case| Slot { round, case })
    };
    (0..u32::from(rounds)).flat_map(round).collect()
}

/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014). Seven lines that
/// stay the same for ever: a generator crate's next version may order differently, and the seed is a record.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Fisher and Yates's shuffle. The remainder's bias is below 2^-50 for any number of cases there can be.
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.next() % (last as u64 + 1)).unwrap_or(last);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_has_every_case_once() {
        let order = schedule(&[1, 2, 4], 50, 7);
        for (round, slots) in (0..).zip(order.chunks(3)) {
            let mut cases: Vec<u16> = slots.iter().map(|slot| slot.case).collect();
            cases.sort_unstable();
            assert_eq!(cases, [1, 2, 4]);
            assert!(slots.iter().all(|slot| slot.round == round));
        }
    }

    #[test]
    fn the_seed_decides_and_no_case_is_always_first() {
        assert_eq!(schedule(&[1, 2, 4], 20, 7), schedule(&[1, 2, 4], 20, 7));
        assert_ne!(schedule(&[1, 2, 4], 20, 7), schedule(&[1, 2, 4], 20, 8));
        let order = schedule(&[1, 2, 4], 60, 1);
        for case in [1, 2, 4] {
            let first = order.chunks(3).filter(|slots| slots[0].case == case).count();
            assert!((8..=32).contains(&first), "case {case} is first {first} times of 60");
        }
    }
}
