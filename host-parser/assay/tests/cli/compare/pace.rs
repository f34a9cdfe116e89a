//! Sides whose CPUs' clock moves with what else runs on the host.

use super::compare;
use super::sessions::{Played, Sessions, steady};

/// How quick the host's clock is in a round, in per mille: up to 9 % off, in no order.
fn clock(round: u32) -> u64 {
    1_000 - u64::from(round * 11 % 19) * 5
}

/// The time of what is steady by a clock that moves, in the cycles of one that does not.
fn moved(round: u32) -> u64 {
    steady(round) / 20 * 1_000 / clock(round)
}

/// Another order of rounds, and 5 % more.
fn moved_and_slower(round: u32) -> u64 {
    steady(round * 4 + 3) / 20 * 105 / 100 * 1_000 / clock(round * 3 + 5)
}

const NOTE: &str = "case 1: compared by the pace of the CPUs beside each iteration";

/// A side of boots with so many iterations.
fn side(cycles: fn(u32) -> u64, pace: fn(u32) -> u64, iterations: u16) -> Played {
    Played { cycles, pace, iterations, cases: vec![1], ..Played::default() }
}

#[test]
fn what_the_clock_does_is_taken_out_where_iterations_show_it() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &side(moved, clock, 6));
    let b = sessions.play("b", &side(moved_and_slower, |round| clock(round * 3 + 5), 6));
    compare(&a, &b, &[]).expect_exit(1).expect_answer(&["SLOWER", "1.05", NOTE]);
    let same = sessions.play("same", &side(|round| moved(round * 2 + 1), |round| clock(round * 2 + 1), 6));
    compare(&a, &same, &[]).expect_exit(0).expect_answer(&["NO DIFFERENCE", NOTE]);
    // One iteration has two looks of half a millisecond, which say nothing of all that is between them.
    let (a, b) = (
        sessions.play("a-1", &side(moved, clock, 1)),
        sessions.play("b-1", &side(moved_and_slower, |round| clock(round * 3 + 5), 1)),
    );
    let said = compare(&a, &b, &[]);
    assert!(!said.out.contains(NOTE), "{}", said.out);
}

#[test]
fn a_side_that_is_slow_because_its_cpus_are_is_slow() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &side(|round| steady(round) / 20, |_| 1_000, 6));
    let b = sessions.play("b", &side(|round| steady(round * 4 + 3) / 20 * 105 / 100, |_| 950, 6));
    let said = compare(&a, &b, &[]);
    said.expect_exit(1).expect_answer(&["SLOWER", "1.05"]);
    assert!(!said.out.contains(NOTE), "{}", said.out);
}

#[test]
fn looks_of_two_kernels_are_not_the_same_work() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &side(|round| steady(round) / 20, |_| 1_000, 6));
    let other = Played {
        edit: |record| {
            if let abi::wire::Record::Start(start) = record {
                start.build = abi::wire::Hex64(0xbeef);
            }
        },
        ..side(|round| steady(round * 2 + 1) / 20, |_| 1_000, 6)
    };
    let b = sessions.play("b", &other);
    let said = compare(&a, &b, &[]);
    said.expect_exit(0).expect_answer(&["NO DIFFERENCE", "differs: kernel"]);
    assert!(!said.out.contains(NOTE), "{}", said.out);
}
