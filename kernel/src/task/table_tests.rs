//! The table against a list of what was granted and closed.

use std::rc::Rc;
use std::vec::Vec;

use abi::object::{HANDLES, Handle, HandleRight, Kind, Rights, Status};
use proptest::prelude::*;

use super::{Object, Slot, Table};

/// An object with a number, of two kinds.
#[derive(Clone, Debug)]
struct Thing {
    number: u32,
    kind: Kind,
    revoked: Rc<core::cell::Cell<bool>>,
}

impl Thing {
    fn new(number: u32, kind: Kind) -> Self {
        Self { number, kind, revoked: Rc::default() }
    }
}

impl Object for Thing {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn is_revoked(&self) -> bool {
        self.revoked.get()
    }
}

const ENDPOINT: u8 = Kind::Endpoint as u8;
const MEMORY: u8 = Kind::Memory as u8;

fn all() -> Rights {
    Rights::from_bits(u64::MAX)
}

fn number(table: &Table<Thing>, handle: Handle, kind: u8) -> Result<u32, Status> {
    table.find(handle, kind).map(|(thing, _)| thing.number)
}

#[test]
fn each_reason_for_a_refusal_is_its_own_and_comes_in_order() {
    let mut table = Table::default();
    let handle = table.insert(Thing::new(7, Kind::Endpoint), Rights::NONE).unwrap();
    assert_eq!(handle, Handle::new(0, 1));
    assert_eq!(number(&table, handle, ENDPOINT), Ok(7));
    assert_eq!(number(&table, handle, MEMORY), Err(Status::Kind));
    assert_eq!(number(&table, Handle::new(0, 2), MEMORY), Err(Status::Generation));
    assert_eq!(number(&table, Handle::new(0, 0), MEMORY), Err(Status::Generation));
    assert_eq!(number(&table, Handle::new(32, 1), MEMORY), Err(Status::Index));
    // A slot that was never used, under the generation that it has.
    assert_eq!(number(&table, Handle::new(1, 0), ENDPOINT), Err(Status::Generation));
    // Bits above the generation.
    assert_eq!(number(&table, Handle(handle.0 | 1 << 40), ENDPOINT), Err(Status::Generation));
    assert_eq!(table.copy(handle, ENDPOINT, all()), Err(Status::Right));
}

#[test]
fn a_copy_has_no_right_that_its_origin_lacks() {
    let mut table = Table::default();
    let rights = Rights::NONE.with(HandleRight::Copy).with(HandleRight::Call);
    let handle = table.insert(Thing::new(1, Kind::Endpoint), rights).unwrap();
    let copy = table.copy(handle, ENDPOINT, all()).unwrap();
    assert_eq!(table.find(copy, ENDPOINT).map(|(_, rights)| rights), Ok(rights));
    let narrow = table.copy(handle, ENDPOINT, Rights::NONE.with(HandleRight::Call)).unwrap();
    assert_eq!(table.copy(narrow, ENDPOINT, all()), Err(Status::Right));
    // A copy outlives its origin.
    assert_eq!(table.close(handle, ENDPOINT).map(|(thing, _)| thing.number), Ok(1));
    assert_eq!(number(&table, copy, ENDPOINT), Ok(1));
}

#[test]
fn a_revoked_object_has_no_good_handle_but_each_can_be_closed() {
    let mut table = Table::default();
    let thing = Thing::new(1, Kind::Endpoint);
    let handles = [0; 2].map(|_| table.insert(thing.clone(), all()).unwrap());
    thing.revoked.set(true);
    for handle in handles {
        assert_eq!(number(&table, handle, ENDPOINT), Err(Status::Generation));
        assert_eq!(table.copy(handle, ENDPOINT, all()), Err(Status::Generation));
    }
    assert_eq!(table.used(), 2);
    assert!(handles.into_iter().all(|handle| table.close(handle, ENDPOINT).is_ok()));
    assert_eq!(table.used(), 0);
}

#[test]
fn a_slot_whose_generations_are_used_up_is_retired() {
    let mut table = Table::default();
    table.slots[0] = Slot::new(u32::MAX - 1, None, Rights::NONE);
    let last = table.insert(Thing::new(1, Kind::Endpoint), all()).unwrap();
    assert_eq!(last, Handle::new(0, u32::MAX));
    assert!(table.close(last, ENDPOINT).is_ok());
    assert_eq!(table.insert(Thing::new(2, Kind::Endpoint), all()), Ok(Handle::new(1, 1)));
    assert_eq!(number(&table, last, ENDPOINT), Err(Status::Generation));
    // 31 slots are left.
    let more = (0..HANDLES).map_while(|_| table.insert(Thing::new(3, Kind::Memory), all()).ok()).count();
    assert_eq!(more, HANDLES - 2);
    assert_eq!(table.insert(Thing::new(4, Kind::Memory), all()), Err(Status::Full));
}

#[derive(Clone, Debug)]
enum Step {
    Insert(Kind),
    Close(usize),
    Copy(usize, u32),
    Revoke(usize),
    Probe(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let kind = prop_oneof![Just(Kind::Endpoint), Just(Kind::Memory)];
    let step = prop_oneof![
        3 => kind.prop_map(Step::Insert),
        3 => any::<usize>().prop_map(Step::Close),
        2 => (any::<usize>(), any::<u32>()).prop_map(|(which, rights)| Step::Copy(which, rights)),
        1 => any::<usize>().prop_map(Step::Revoke),
        1 => any::<u64>().prop_map(Step::Probe),
        2 => (0_u64..40, 0_u64..6).prop_map(|(index, generation)| Step::Probe(generation << 8 | index)),
    ];
    prop::collection::vec(step, 1..200)
}

#[test]
fn a_table_that_is_cleared_passes_each_object_with_its_rights_and_voids_all_handles() {
    let mut table = Table::default();
    let call = Rights::NONE.with(HandleRight::Call);
    let handles = [(1, all()), (2, call), (3, Rights::NONE)]
        .map(|(number, rights)| table.insert(Thing::new(number, Kind::Endpoint), rights).unwrap());
    table.close(handles[0], ENDPOINT).unwrap();
    let mut seen = Vec::new();
    table.clear(|thing, rights| seen.push((thing.number, rights)));
    assert_eq!((seen, table.used()), ([(2, call), (3, Rights::NONE)].to_vec(), 0));
    assert!(handles.into_iter().all(|handle| number(&table, handle, ENDPOINT) == Err(Status::Generation)));
}

proptest! {
    #[test]
    fn only_a_handle_that_was_granted_and_not_closed_names_its_object(steps in steps()) {
        let mut table = Table::default();
        // Handles that were granted, with their objects; `None` once closed.
        let mut granted: Vec<(Handle, Option<Thing>, Rights)> = Vec::new();
        let mut next = 0;
        for step in steps {
            let live = granted.iter().filter(|(_, thing, _)| thing.is_some()).count();
            match step {
                Step::Insert(kind) => {
                    next += 1;
                    let thing = Thing::new(next, kind);
                    match table.insert(thing.clone(), all()) {
                        Ok(handle) => granted.push((handle, Some(thing), all())),
                        Err(status) => prop_assert_eq!((status, live), (Status::Full, HANDLES)),
                    }
                }
                Step::Close(which) if !granted.is_empty() => {
                    let which = which % granted.len();
                    let (handle, thing, _) = &mut granted[which];
                    let kind = thing.as_ref().map_or(ENDPOINT, |thing| thing.kind as u8);
                    prop_assert_eq!(table.close(*handle, kind).is_ok(), thing.take().is_some());
                }
                Step::Copy(which, bits) if !granted.is_empty() => {
                    let (handle, thing, own) = granted[which % granted.len()].clone();
                    let kind = thing.as_ref().map_or(ENDPOINT, |thing| thing.kind as u8);
                    let rights = Rights::from_bits(bits.into());
                    let good = thing.filter(|thing| !thing.is_revoked());
                    match table.copy(handle, kind, rights) {
                        Ok(copy) => {
                            prop_assert!(good.is_some() && own.has(HandleRight::Copy));
                            granted.push((copy, good, own.and(rights)));
                        }
                        Err(Status::Full) => prop_assert_eq!(live, HANDLES),
                        Err(Status::Right) => prop_assert!(good.is_some() && !own.has(HandleRight::Copy)),
                        Err(status) => prop_assert_eq!((status, good.is_some()), (Status::Generation, false)),
                    }
                }
                Step::Revoke(which) if !granted.is_empty() => {
                    let which = which % granted.len();
                    if let Some(thing) = &granted[which].1 {
                        thing.revoked.set(true);
                    }
                }
                Step::Probe(word) => {
                    let known = granted.iter().any(|(handle, thing, _)| {
                        handle.0 == word && thing.as_ref().is_some_and(|thing| !thing.is_revoked())
                    });
                    let found = [ENDPOINT, MEMORY].map(|kind| table.find(Handle(word), kind).is_ok());
                    prop_assert_eq!(found[0] ^ found[1], known);
                }
                _ => {}
            }
            prop_assert_eq!(table.used(), granted.iter().filter(|(_, thing, _)| thing.is_some()).count());
            for (handle, thing, rights) in &granted {
                let found = thing.as_ref().filter(|thing| !thing.is_revoked());
                let kind = thing.as_ref().map_or(ENDPOINT, |thing| thing.kind as u8);
                let named = table.find(*handle, kind).map(|(thing, rights)| (thing.number, rights));
                prop_assert_eq!(named.ok(), found.map(|thing| (thing.number, *rights)));
            }
        }
    }
}
