//! A boot's records by kind.

use abi::wire::{Message, Record};

use super::facts::At;
use crate::transcript::Located;

/// A boot's records by kind, without a copy of them.
#[derive(Debug)]
pub(super) struct ByKind<'b> {
    records: &'b [Located],
    /// The records' places, by kind and in order.
    places: Vec<usize>,
    /// Where each kind begins in `places`; last, where all end.
    begins: [usize; KINDS + 1],
}

/// How many kinds of records there are.
const KINDS: usize = Record::SPECS.len();

impl Default for ByKind<'_> {
    fn default() -> Self {
        Self { records: &[], places: Vec::new(), begins: [0; KINDS + 1] }
    }
}

impl<'b> ByKind<'b> {
    /// Sorts by counting.
    pub fn of(records: &'b [Located]) -> Self {
        let mut begins = [0; KINDS + 1];
        for located in records {
            begins[located.envelope.record.place() + 1] += 1;
        }
        for kind in 0..KINDS {
            begins[kind + 1] += begins[kind];
        }
        let (mut next, mut places) = (begins, vec![0; records.len()]);
        for (place, located) in records.iter().enumerate() {
            let next = &mut next[located.envelope.record.place()];
            places[*next] = place;
            *next += 1;
        }
        Self { records, places, begins }
    }

    /// All records, in order.
    pub const fn all(&self) -> &'b [Located] {
        self.records
    }

    /// The records of a kind, in order.
    pub fn of_kind<T: Message<List = Record>>(&self) -> impl DoubleEndedIterator<Item = At<T>> {
        let places = &self.places[self.begins[T::PLACE]..self.begins[T::PLACE + 1]];
        let records = places.iter().map(|&place| &self.records[place]);
        records.filter_map(|located| Some(At { line: located.line, is: T::of(&located.envelope.record)? }))
    }

    /// Whether the record at this place is the first of its kind.
    pub fn is_first(&self, place: usize, record: &Record) -> bool {
        self.places.get(self.begins[record.place()]) == Some(&place)
    }
}
