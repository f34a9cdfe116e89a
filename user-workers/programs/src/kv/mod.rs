//! `kv-btree`, `kv-hash`: reads and updates of records in maps. The program chooses the map.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

pub mod btree;
pub mod hash;
mod store;

use alloc::vec::Vec;

use abi::worker::Phase;

use crate::worker::digest;
use crate::worker::digest::bind;
use crate::worker::heap::Heap;
use crate::worker::runtime::{Call, Outcome};
use crate::worker::space::Space;
use crate::worker::state::State;
use store::{Map, Tally, load, run};

/// The stores of a program, and one that only the warm-up uses, since updates change a store.
pub struct Stores<M> {
    stores: Vec<M>,
    practice: M,
}

/// The number of the store of the warm-up, and its records.
const PRACTICE: u64 = u32::MAX as u64;
const PRACTICE_RECORDS: u64 = 64;

/// The parameters of the warm-up call. Its store is its own.
pub fn warm_up([_, _, records, updates]: [u64; 4]) -> [u64; 4] {
    [PRACTICE, PRACTICE + 1, records.min(PRACTICE_RECORDS), updates]
}

/// Loads the stores.
pub fn prepare<M: Map + Default>(state: &State<Stores<M>>, heap: &Heap, call: &Call, space: &mut Space<'_>) {
    heap.give(space.memory);
    let [first, end, records, _] = call.params;
    let loaded = |store, records| {
        let mut map = M::default();
        load(&mut map, store, records);
        map
    };
    let stores = (first..end).map(|store| loaded(store, records)).collect();
    state.set(Stores { stores, practice: loaded(PRACTICE, records.min(PRACTICE_RECORDS)) });
}

/// Makes the operations, one store after the other.
pub fn work<M: Map>(state: &State<Stores<M>>, call: &Call, space: &mut Space<'_>) -> Outcome {
    let [first, end, records, updates] = call.params;
    let warm_up = space.phase == Phase::WarmUp;
    let tally = state.with(|Stores { stores, practice }| {
        let stores = if warm_up { core::slice::from_mut(practice) } else { &mut stores[..] };
        let runs = (first..end).zip(stores).map(|(store, map)| run(map, store, records, updates));
        runs.fold(Tally::default(), Tally::with)
    });
    Outcome { answer: tally.reads, work: tally.operations, digest: bind(tally.read, call.challenge) }
}
