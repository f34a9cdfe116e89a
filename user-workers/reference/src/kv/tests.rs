//! The reference against the program's own maps.

use super::*;
use crate::digest::program as digest;
use store::{Map, load, run};

// The very files that the programs are built from.
#[path = "../../../programs/src/kv/btree.rs"]
mod btree;
#[path = "../../../programs/src/kv/hash.rs"]
mod hash;
#[allow(dead_code, reason = "the program uses more of it")]
#[path = "../../../programs/src/kv/store.rs"]
mod store;

fn by_worker<M: Map + Default>([first, end, records, updates]: [u64; 4], challenge: u64) -> Expectation {
    let of_store = |store| {
        let mut map = M::default();
        load(&mut map, store, records);
        let tally = run(&mut map, store, records, updates);
        Expectation { answer: tally.reads, work: tally.operations, digest: bind(tally.read, challenge) }
    };
    (first..end).map(of_store).sum()
}

#[test]
fn agrees_with_both_of_the_workers_maps() {
    for task in [[0, 1, 1, 128], [0, 3, 100, 128], [5, 7, 1000, 0], [9, 10, 5000, 13], [1, 2, 77, 256]] {
        let expected = expectation(task, 9);
        assert_eq!(by_worker::<btree::BTree>(task, 9), expected, "{task:?}");
        assert_eq!(by_worker::<hash::Hash>(task, 9), expected, "{task:?}");
    }
}

#[test]
fn mixes_are_of_reads_and_updates_as_named() {
    let of = |updates| expectation([0, 10, 1000, updates], 0);
    assert_eq!(of(0).answer, 20_000);
    assert!((9_500..10_500).contains(&of(128).answer));
    assert_eq!(of(256).answer, 0);
}

#[test]
fn some_records_are_popular() {
    let mut random = SplitMix64::new(1);
    let mut counts = [0; 1000];
    (0..10_000).for_each(|_| counts[popular(&mut random, 1000)] += 1);
    counts.sort_unstable();
    assert!(counts[999] > 500 && counts[..500].iter().sum::<i32>() < 1500, "{counts:?}");
}
