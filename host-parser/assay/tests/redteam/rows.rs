//! Logs of several systems, machines, plans or programs as one, and answers of another challenge.

use abi::Digest;
use abi::wire::record::{SecondClock, SecondSource, SystemName};
use abi::wire::{Hex64, Record, Text};

use crate::attack::{Attack, judge, repel};
use crate::boots::{boot, edited, rounds};
use crate::guest::Guest;

fn of_two(change: fn(&mut Record)) -> Vec<Vec<u8>> {
    rounds(boot, |case, script| if case == 2 { script.edit(change) } else { script })
}

/// Each answers its own challenge and says that it was given the other.
fn replayed() -> Vec<Vec<u8>> {
    edited(|_, record| {
        if let Record::Challenge(challenge) = record {
            challenge.value = Hex64(challenge.value.0 ^ 1);
        }
    })
}

fn large_sieve() -> Vec<Vec<u8>> {
    edited(|_, record| {
        if let Record::Split(split) = record {
            // The end of the last share.
            split.p1 = if split.p1 == 300_000 { u64::from(u32::MAX) } else { split.p1 };
        }
    })
}

#[test]
fn no_speed_up_is_made_of_two_rows() {
    type Change = fn(&mut Record);
    let differ: [(&str, Change); 5] = [
        ("system", |record| {
            if let Record::System(system) = record {
                system.name = SystemName::Native;
            }
        }),
        ("system", |record| {
            if let Record::System(system) = record {
                system.name = SystemName::Linux;
            }
        }),
        ("machine", |record| {
            if let Record::Brand(brand) = record {
                brand.name = Text::new("Another CPU");
            }
        }),
        ("second clock", |record| match record {
            Record::SecondClock(clock) => {
                *clock = SecondClock { source: SecondSource::None, hz: 0, bits: 0, independent: false };
            }
            Record::Mark(mark) => mark.count = 0,
            _ => {}
        }),
        ("program", |record| {
            if let Record::Blob(blob) = record {
                blob.sha256 = Digest([0; 32]);
            }
        }),
    ];
    for (subject, change) in differ {
        let said = judge(&of_two(change), &[]);
        assert!(said.out.contains("2 ROWS") && said.out.contains(subject), "{subject}:\n{}", said.out);
        assert!(!said.out.contains("HOLDS"), "{subject}:\n{}", said.out);
        assert_ne!(said.code, Some(0), "{subject}:\n{}", said.out);
    }
}

#[test]
fn what_is_not_the_same_work_is_refused() {
    let attack = |name, logs, options, code, says| Attack { name, logs, options, code, says };
    let zeros: &[&str] = &["--program", "1111111111111111111111111111111111111111111111111111111111111111"];
    repel(&[
        attack("answers of another challenge", replayed, &[], 4, &["verifier-mismatch"]),
        attack(
            "23: not the program that was asked for",
            || rounds(boot, |_, s| s),
            zeros,
            5,
            &["blob-mismatch"],
        ),
        attack("30: a sieve of 2^32", large_sieve, &[], 6, &["workload-unknown"]),
        attack(
            "one log twice",
            || [rounds(boot, |_, s| s), rounds(boot, |_, s| s)].concat(),
            &[],
            5,
            &["nonce-reused"],
        ),
    ]);
}

/// 23: an unknown program is named as not known.
#[test]
fn a_program_that_was_not_asked_for_is_not_known() {
    judge(&rounds(boot, |_, script| script), &[]).expect_answer(&["NOT KNOWN", "--program"]);
}

#[test]
fn a_smaller_whole_is_another_experiment() {
    let whole = |case: u16| [2, 300_000 - 20 * u64::from(case - 1), 0, 0];
    let boots = rounds(|round, case| Guest { whole: whole(case), ..boot(round, case) }, |_, script| script);
    judge(&boots, &[])
        .expect_exit(7)
        .expect_message(&["is a log of smp-process-scale (primes [2, 299980, 0, 0])"]);
}
