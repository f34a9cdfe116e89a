//! Stamps, starts and iterations at times at which they cannot have been.

use abi::wire::Record;
use abi::wire::record::Moment;

use crate::attack::{Attack, repel};
use crate::boots::{boot, edited, rounds, short};
use crate::guest::Guest;

/// Moves every stamp from the first record for which `here` is true.
fn moved(micros: i64, here: fn(&Record) -> bool) -> Vec<Vec<u8>> {
    rounds(boot, |_, script| script.later(micros, here))
}

/// Puts the second iteration where the first is.
fn overlapping() -> Vec<Vec<u8>> {
    rounds(
        |round, case| Guest { iterations: 2, ..short(round, case) },
        |_, script| {
            let mut first = None;
            let script = script.edit(|record| match record {
                Record::CaseBegin(begin) if begin.iter == 0 => first = Some(begin.start_tsc),
                Record::CaseBegin(begin) => begin.start_tsc = first.unwrap(),
                _ => {}
            });
            let mut marks = Vec::new();
            script.edit(|record| match record {
                Record::Mark(mark) if mark.iter == 0 => marks.push((mark.tsc, mark.count)),
                Record::Mark(mark) => (mark.tsc, mark.count) = marks.remove(0),
                _ => {}
            })
        },
    )
}

fn start_at(tsc: u64) -> impl Fn(&mut Record) {
    move |record| {
        if let Record::CaseBegin(begin) = record {
            begin.start_tsc = tsc;
        }
    }
}

#[test]
fn nothing_happens_when_it_cannot_have() {
    let attack = |name, logs, code, says| Attack { name, logs, options: &[], code, says };
    repel(&[
        attack("11: the start is 0", || edited(|_, record| start_at(0)(record)), 5, &["inconsistent-record"]),
        attack(
            "11: the start is 2^64 - 1",
            || edited(|_, record| start_at(u64::MAX)(record)),
            5,
            &["inconsistent-record"],
        ),
        attack(
            "11: the start is a second later",
            || {
                edited(|_, record| {
                    if let Record::CaseBegin(begin) = record {
                        begin.start_tsc += 2_100_000_000;
                    }
                })
            },
            5,
            &["inconsistent-record"],
        ),
        attack(
            "12: the end is stamped before the start",
            || moved(-10_000_000, |record| matches!(record, Record::End(_))),
            5,
            &["inconsistent-record"],
        ),
        attack(
            "12: stamps run backwards after the first worker",
            || moved(-10_000_000, |record| matches!(record, Record::Worker(_))),
            5,
            &["inconsistent-record"],
        ),
        attack(
            "12: the first case is ready before the clock",
            || moved(-1_000_000, |record| matches!(record, Record::CaseReady(_))),
            5,
            &["inconsistent-record"],
        ),
        attack("13: iterations overlap", overlapping, 5, &["inconsistent-record"]),
        attack(
            "marks in another order",
            || {
                edited(|_, record| {
                    if let Record::Mark(mark) = record {
                        mark.moment = match mark.moment {
                            Moment::Ready => Moment::Warm,
                            Moment::Warm => Moment::Ready,
                            moment @ (Moment::Back | Moment::Done) => moment,
                        };
                    }
                })
            },
            5,
            &["inconsistent-record"],
        ),
    ]);
}
