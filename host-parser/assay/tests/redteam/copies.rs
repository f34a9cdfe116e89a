//! One boot given as several, one program of two sizes, and a sweep that does not say that it is one.

use abi::wire::{Hex64, Record};
use abi::worker::SCALE_SHIFT;

use crate::attack::{Attack, judge, repel};
use crate::boots::{ROUNDS, boot, rounds, short};
use crate::guest::Guest;
use crate::script::Script;

/// Seven rounds that are all the first one, under other nonces, each changed by its round.
fn of_one_boot(guest: fn(u16, u16) -> Guest, change: fn(u64, &mut Record)) -> Vec<Vec<u8>> {
    let boots = (0..u64::from(ROUNDS)).flat_map(|round| [(round, 1), (round, 2)]);
    let logs = boots.map(|(round, case)| {
        let renamed = Script::of(&guest(0, case).log()).edit(|record| {
            if let Record::Start(start) = record {
                start.nonce = Hex64(round << 8 | u64::from(case));
            }
        });
        renamed.edit(|record| change(round, record)).log()
    });
    vec![logs.collect::<Vec<_>>().concat()]
}

/// All clocks later by so many hours as the round's number.
fn later(round: u64, record: &mut Record) {
    let cycles = round * 3_600 * 2_100_000_000;
    match record {
        Record::CaseBegin(begin) => begin.start_tsc += cycles,
        Record::Mark(mark) => {
            (mark.tsc, mark.count) = (mark.tsc + cycles, mark.count + round * 360_000_000_000)
        }
        _ => {}
    }
}

/// Every worker's time is longer by a constant.
fn longer(round: u64, record: &mut Record) {
    let cycles = round * 200_000;
    match record {
        Record::Worker(worker) => {
            worker.cycles += cycles;
            worker.scaled = u32::try_from(worker.cycles >> SCALE_SHIFT).unwrap();
        }
        Record::Region(region) => region.returned += cycles,
        Record::CaseEnd(end) => end.makespan += cycles,
        _ => {}
    }
}

#[test]
fn one_boot_is_one_boot_however_often_it_is_given() {
    let attack = |name, logs| Attack { name, logs, options: &[], code: 5, says: &["readings-repeated"] };
    repel(&[
        attack("one boot seven times", || of_one_boot(boot, |_, _| ())),
        attack("and at other times of the day", || of_one_boot(boot, later)),
        attack("of twenty iterations", || of_one_boot(short, |_, _| ())),
        attack("of twenty iterations, each longer by a constant", || of_one_boot(short, longer)),
    ]);
}

#[test]
fn one_program_has_one_size() {
    let of_two = |bytes: fn(u16) -> u32| {
        rounds(boot, move |case, script| {
            script.edit(|record| {
                if let Record::Blob(blob) = record {
                    blob.bytes = bytes(case);
                }
            })
        })
    };
    judge(&of_two(|case| 9_640 + u32::from(case)), &[]).expect_exit(5).expect_answer(&["blob-mismatch"]);
    for bytes in [|_| 1, |_| u32::MAX] {
        judge(&of_two(bytes), &[]).expect_exit(5).expect_answer(&["inconsistent-record"]);
    }
}

#[test]
fn a_sweep_without_its_record_is_missed() {
    let sweep = Guest { nonce: 3, ..Guest::sweeping(4, 2) };
    let whole = Script::of(&sweep.log());
    let lost = whole.clone().without(|record| matches!(record, Record::Sweep(_)));
    let manifest = ["--json"];
    assert!(!judge(&[whole.log()], &manifest).out.contains("evidence-missing"));
    judge(&[lost.log()], &manifest).expect_answer(&["evidence-missing", "no `sweep` record"]);
}
