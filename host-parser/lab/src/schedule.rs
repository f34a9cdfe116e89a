//! The order of the runs: every round has every item (a case of a row) once, shuffled anew, so that drift on the host
//! (heat, a neighbour) does not fall on one item.

use std::time::{SystemTime, UNIX_EPOCH};

use abi::random::SplitMix64;

/// One run to be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Slot<T> {
    /// The round, from 0.
    pub round: u32,
    /// What is run.
    pub item: T,
}

/// The order for `rounds` rounds of items in groups: the groups in an order of their own in each round, and the items of a
/// group one after the other, in an order of theirs. The same seed gives the same order, on every machine.
pub fn schedule<T: Clone>(groups: &[Vec<T>], rounds: u16, seed: u64) -> Vec<Slot<T>> {
    let mut random = SplitMix64::new(seed);
    let round = |round| {
        let mut order = groups.to_vec();
        random.shuffle(&mut order);
        order.iter_mut().for_each(|group| random.shuffle(group));
        order.into_iter().flatten().map(move |item| Slot { round, item })
    };
    (0..u32::from(rounds)).flat_map(round).collect()
}

/// A seed taken from the clock.
pub fn clock_seed() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() ^ u64::from(since.subsec_nanos()) << 32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(items: [u16; 3]) -> [Vec<u16>; 3] {
        items.map(|item| vec![item])
    }

    #[test]
    fn what_is_in_a_group_is_side_by_side_in_either_order() {
        let order = schedule(&[vec!['a', 'A'], vec!['b', 'B'], vec!['c', 'C']], 60, 5);
        let pairs: Vec<[char; 2]> = order.chunks(2).map(|pair| [pair[0].item, pair[1].item]).collect();
        assert!(pairs.iter().all(|[one, other]| one.eq_ignore_ascii_case(other) && one != other));
        let capital_first = pairs.iter().filter(|pair| pair[0].is_ascii_uppercase()).count();
        assert!((60..=120).contains(&capital_first), "{capital_first} of 180");
        let first = pairs.iter().step_by(3).filter(|pair| pair[0].eq_ignore_ascii_case(&'a')).count();
        assert!((8..=32).contains(&first), "{first} of 60");
    }

    #[test]
    fn every_round_has_every_item_once() {
        let order = schedule(&each([1, 2, 4]), 50, 7);
        for (round, slots) in (0..).zip(order.chunks(3)) {
            let mut items: Vec<u16> = slots.iter().map(|slot| slot.item).collect();
            items.sort_unstable();
            assert_eq!(items, [1, 2, 4]);
            assert!(slots.iter().all(|slot| slot.round == round));
        }
    }

    #[test]
    fn the_seed_decides_and_no_item_is_always_first() {
        let items = each([1, 2, 4]);
        assert_eq!(schedule(&items, 20, 7), schedule(&items, 20, 7));
        assert_ne!(schedule(&items, 20, 7), schedule(&items, 20, 8));
        let order = schedule(&items, 60, 1);
        for item in [1, 2, 4] {
            let first = order.chunks(3).filter(|slots| slots[0].item == item).count();
            assert!((8..=32).contains(&first), "item {item} is first {first} times of 60");
        }
    }
}
