//! Figures that the logs do not support, without a false record in any of them.

use crate::attack::{Attack, judge, repel};
use crate::boots::{ROUNDS, boot, rounds, short};
use crate::guest::{Guest, Turn};

/// Rounds of honest boots in which two workers are this many times as fast as they should be, in thousandths.
fn boosted(boost: u64) -> Vec<Vec<u8>> {
    rounds(|round, case| Guest { boost, ..boot(round, case) }, |_, script| script)
}

/// 25: in every boot, 14 of 20 iterations of two workers take as long as one worker does.
fn quartile() -> Vec<Vec<u8>> {
    let guest = |round, case| {
        let honest = short(round, case);
        let work_cycles = honest.work_cycles * u64::from(case);
        let first = if case == 2 { (6, 50) } else { (0, 100) };
        Guest { work_cycles, first, ..honest }
    };
    rounds(guest, |_, script| script)
}

/// 26: 16 of 20 iterations of every boot ran beside a neighbour.
fn sixteen_excluded() -> Vec<Vec<u8>> {
    let guest = |round, case: u16| {
        let honest = short(round, case);
        let cycles = honest.work_cycles / u64::from(case) * 102 / 100;
        let turn = |iteration: u16| match iteration {
            0..4 => Turn { cycles, reads_before: 12_000, reads_after: 12_040, taken: [0; 2] },
            _ => Turn { cycles: cycles * 5 / 4, reads_before: 9_600, reads_after: 9_632, taken: [0; 2] },
        };
        let played = (0..20).map(|iteration| vec![turn(iteration); usize::from(case)]).collect();
        Guest { played, ..honest }
    };
    rounds(guest, |_, script| script)
}

/// 22: the slowest of 40 boots of one worker, the quickest of 40 of two.
fn picked() -> Vec<Vec<u8>> {
    let guest = |round, case| {
        let honest = boot(round, case);
        let percent = if case == 1 { 125 } else { 97 };
        Guest { work_cycles: honest.work_cycles * percent / 100, ..honest }
    };
    rounds(guest, |_, script| script)
}

#[test]
fn an_honest_session_holds() {
    judge(&rounds(boot, |_, script| script), &[]).expect_exit(0).expect_answer(&["HOLDS"]);
    judge(&rounds(short, |_, script| script), &[]).expect_exit(0).expect_answer(&["HOLDS"]);
}

#[test]
fn no_figure_says_more_than_what_was_made() {
    let attack = |name, logs, code, says| Attack { name, logs, options: &[], code, says };
    repel(&[
        attack("24: two workers 900 times as fast", || boosted(900_000), 5, &["superlinear"]),
        attack("24: two workers 2.3 times as fast", || boosted(1_190), 5, &["superlinear"]),
        attack("24: two workers 2.15 times as fast", || boosted(1_108), 5, &["superlinear"]),
        attack("25: the quartile hides 14 of 20", quartile, 3, &["INCONCLUSIVE", "their median does not"]),
        attack("26: 16 of 20 excluded", sixteen_excluded, 75, &["host-contended"]),
    ]);
}

/// What no log can show, the answer says: these boots hold, and whether there were others is not known.
#[test]
fn picked_boots_are_named_as_possibly_picked() {
    let boots = 2 * usize::from(ROUNDS);
    let said = judge(&picked(), &[]);
    assert!(said.out.contains("left out or picked"), "of {boots} boots:\n{}", said.out);
}
