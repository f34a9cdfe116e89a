//! The rows of the mechanisms, as a guest prints them.

use abi::Digest;
use abi::object::{HandleRight, Kind, Rights};
use abi::series::{SeriesRow, Shortened};
use abi::stub::Op;
use abi::task::TaskName;
use abi::wire::record::{
    MechanismCounts, MechanismGrant, MechanismNote, MechanismObject, MechanismProgram, MechanismRows,
    MechanismStub,
};
use abi::wire::{Label, Record, Text};

use crate::platform::{N, SAMPLES, series};

/// The SHA-256 of the program of the tasks.
pub const PROGRAM: Digest = Digest([0xc5; 32]);

/// The operations of this guest in no sample.
const OUTSIDE: u64 = 17;

/// The records of one row, `null_enter`, of which the client and the kernel counted the same.
///
/// # Panics
/// Never: the words are labels.
#[must_use]
pub fn records(short: Shortened) -> Vec<Record> {
    let label = |word| Label::new(word).expect("a label");
    let (program, name) = (label("primitives"), label("door"));
    let done = N * SAMPLES.len() as u64;
    let mut records: Vec<Record> = vec![
        MechanismProgram { name: program, bytes: 30_976, sha256: PROGRAM }.into(),
        MechanismRows { program, rows: Shortened::One(SeriesRow::NullEnter), short }.into(),
        MechanismObject { name, kind: Kind::Endpoint, bytes: 0 }.into(),
    ];
    let rights = Rights::NONE.with(HandleRight::Call);
    records.push(MechanismGrant { task: TaskName::Client, slot: 0, object: name, rights, badge: 7 }.into());
    let code = Text::new("0f05c3");
    records.extend(Op::ALL.iter().map(|&op| Record::from(MechanismStub { op, part: 0, code })));
    records.extend(series(0, SeriesRow::NullEnter, 0, N, &SAMPLES, done));
    let kernel = Some(done + OUTSIDE);
    records.push(MechanismCounts { id: 0, outside: OUTSIDE, client: done, partner: None, kernel }.into());
    records.push(MechanismNote { scenes: 1, took_ms: 90 }.into());
    records
}
