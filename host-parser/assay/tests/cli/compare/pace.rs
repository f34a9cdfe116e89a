//! Sessions on a host whose CPU clock varies with the load on its other CPUs.

use super::compare;
use super::sessions::{Played, Sessions, probed, steady};

/// The host's CPU clock in a round, in per mille: up to 9 % low, in no order.
fn clock(round: u32) -> u64 {
    1_000 - u64::from(round * 11 % 19) * 5
}

/// The time of steady work on that clock, in cycles of a constant clock.
fn moved(round: u32) -> u64 {
    steady(round) / 20 * 1_000 / clock(round)
}

/// The same in another order of rounds, and 5 % slower.
fn moved_and_slower(round: u32) -> u64 {
    steady(round * 7 + 3) / 20 * 105 / 100 * 1_000 / clock(round * 3 + 5)
}

const CONFIRMED: &str = "case 1: compared by pace and confirmed by the clock: the paces may differ";

const ALIKE: &str = "case 1: compared by pace: the paces are shown to be within the margin";

/// A clock that stays within 0.4 %.
fn calm(round: u32) -> u64 {
    1_000 - u64::from(round * 11 % 19) / 5
}

/// A session whose boots run this many iterations.
fn session(cycles: fn(u32) -> u64, pace: fn(u32) -> u64, iterations: u16) -> Played {
    Played { cycles, pace, iterations, cases: vec![1], ..probed() }
}

#[test]
fn scales_by_pace_as_far_as_the_paces_are_known() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &session(moved, clock, 6));
    let b = sessions.play("b", &session(moved_and_slower, |round| clock(round * 3 + 5), 6));
    compare(&a, &b, &[]).expect_exit(1).expect_answer(&["SLOWER", "1.05", CONFIRMED]);
    // That the paces do not differ significantly is no proof that they are alike.
    let same = sessions.play("same", &session(|round| moved(round * 8 + 1), |round| clock(round * 8 + 1), 6));
    compare(&a, &same, &[]).expect_exit(3).expect_answer(&["INCONCLUSIVE", CONFIRMED]);
    // A single iteration has two pace checks of half a millisecond: they do not show the time between them.
    let (a, b) = (
        sessions.play("a-1", &session(moved, clock, 1)),
        sessions.play("b-1", &session(moved_and_slower, |round| clock(round * 3 + 5), 1)),
    );
    let said = compare(&a, &b, &[]);
    assert!(!said.out.contains("by pace"), "{}", said.out);
}

#[test]
fn leaves_the_clock_out_if_the_paces_are_shown_to_be_alike() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &session(|round| steady(round) / 20, calm, 6));
    let b = sessions.play("b", &session(|round| steady(round * 8 + 1) / 20, |round| calm(round * 3 + 5), 6));
    compare(&a, &b, &[]).expect_exit(0).expect_answer(&["NO DIFFERENCE", ALIKE]);
}

#[test]
fn a_session_on_slower_cpus_is_slower() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &session(|round| steady(round) / 20, |_| 1_000, 6));
    let b = sessions.play("b", &session(|round| steady(round * 7 + 3) / 20 * 105 / 100, |_| 950, 6));
    let said = compare(&a, &b, &[]);
    said.expect_exit(1).expect_answer(&["SLOWER", "1.05"]);
    assert!(!said.out.contains("by pace"), "{}", said.out);
}

#[test]
fn does_not_scale_by_the_pace_checks_of_two_kernels() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &session(|round| steady(round) / 20, |_| 1_000, 6));
    let other = Played {
        edit: |record| {
            if let abi::wire::Record::Start(start) = record {
                start.build = abi::wire::Hex64(0xbeef);
            }
        },
        ..session(|round| steady(round * 8 + 1) / 20, |_| 1_000, 6)
    };
    let b = sessions.play("b", &other);
    let said = compare(&a, &b, &[]);
    said.expect_exit(0).expect_answer(&["NO DIFFERENCE", "differs: kernel"]);
    assert!(!said.out.contains("by pace"), "{}", said.out);
}
