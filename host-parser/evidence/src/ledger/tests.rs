//! Tests of the probe's rule. The rules that need runs are tested in the crate's `tests/`, which have guests.

use std::collections::BTreeMap;

use super::*;

/// Probes of two CPUs with these times on one CPU and on both, in percent of undisturbed times.
fn probes(percent: &[[u64; 2]]) -> Probes {
    let probe =
        |(round, [one, all]): (u32, &[u64; 2])| Probe::new(round, 0, 2_669_000 * one, 1_337_000 * all);
    let made = (0..).zip(percent).map(probe).collect();
    Probes { cpus: 2, made, ..Probes::default() }
}

/// The excluded rounds of a session without runs, as text.
fn slow_rounds(probes: &Probes) -> BTreeMap<u32, String> {
    let rounds = Ledger::new(probes.clone()).excluded_rounds();
    rounds.into_iter().map(|(round, why)| (round, why.to_string())).collect()
}

fn slow(percent: &[[u64; 2]]) -> Vec<u32> {
    slow_rounds(&probes(percent)).into_keys().collect()
}

#[test]
fn an_undisturbed_session_loses_no_round() {
    assert_eq!(slow(&[[100, 100], [109, 101], [100, 110], [101, 100]]), [0_u32; 0]);
}

#[test]
fn a_slow_probe_excludes_the_rounds_before_and_after_it() {
    assert_eq!(slow(&[[100, 100], [100, 100], [100, 140], [100, 100], [100, 100]]), [1, 2]);
    assert_eq!(slow(&[[100, 100], [111, 100], [100, 100]]), [0, 1]);
}

#[test]
fn the_detail_names_the_probe_and_its_cpus() {
    let slow = slow_rounds(&probes(&[[100, 100], [100, 100], [100, 150]]));
    let expected = "probe-slow: the native probe after it took 50 % longer than the baseline on all 2 host CPUs \
                    together (limit 10 %)";
    assert_eq!(slow[&1], expected);
    let slow = slow_rounds(&probes(&[[120, 100], [100, 100], [100, 100]]));
    assert!(slow[&0].contains("before it took 20 % longer than the baseline on one host CPU"));
}

#[test]
fn a_host_that_becomes_busy_and_stays_busy_is_found() {
    let mut session = vec![[100, 100], [100, 100]];
    session.extend([[190, 190]; 20]);
    assert_eq!(slow(&session), (1..=21).collect::<Vec<_>>());
}

#[test]
fn no_exclusion_is_taken_back() {
    let session = [[100, 100], [97, 160], [100, 100], [150, 98], [80, 100], [70, 100], [100, 100]];
    let mut before = Vec::new();
    for made in 1..=session.len() {
        let after = slow(&session[..made]);
        assert!(before.iter().all(|round| after.contains(round)), "{before:?}, then {after:?}");
        before = after;
    }
    // Two fast probes show that the earlier ones were slow.
    assert_eq!(slow(&[[150, 150], [150, 150], [100, 100]]), [0_u32; 0]);
    assert_eq!(slow(&[[150, 150], [150, 150], [100, 100], [100, 100]]), [0, 1]);
}

#[test]
fn a_failed_probe_counts_as_slow() {
    let why = "the twin did not do its work: Deadline".to_owned();
    let failed = vec![FailedProbe { before_round: 2, why }];
    let session = Probes { failed, ..probes(&[[100, 100], [100, 100]]) };
    let slow = slow_rounds(&session);
    assert_eq!(slow.keys().copied().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(
        slow[&1],
        "probe-slow: the native probe after it failed: the twin did not do its work: Deadline"
    );
}

#[test]
fn of_two_probes_between_rounds_each_judges_one_round() {
    let mut session = probes(&[[100, 100], [100, 100], [150, 150], [100, 100], [100, 100]]);
    let undisturbed = session.made[1];
    session.made.insert(3, Probe { before_round: 2, ..undisturbed });
    let slow = slow_rounds(&session);
    assert!(slow.len() == 1 && slow[&1].contains("after it"), "{slow:?}");
    session.made.swap(2, 3);
    let slow = slow_rounds(&session);
    assert!(slow.len() == 1 && slow[&2].contains("before it"), "{slow:?}");
}

#[test]
fn of_two_probes_before_the_first_round_the_last_one_counts() {
    let mut session = probes(&[[100, 100], [100, 100], [100, 100]]);
    session.made.insert(0, Probe::new(0, 0, 900_000_000, 900_000_000));
    assert_eq!(slow_rounds(&session).len(), 0);
    session.made.swap(0, 1);
    assert_eq!(slow_rounds(&session).into_keys().collect::<Vec<_>>(), [0]);
}

#[test]
fn a_short_probe_may_lose_a_moment() {
    let probe = |round, all_ns| Probe::new(round, 0, 16_000_000, all_ns);
    let session = |last| Probes {
        cpus: 2,
        made: vec![probe(0, 8_000_000), probe(1, 8_000_000), probe(2, last)],
        ..Probes::default()
    };
    assert_eq!(slow_rounds(&session(12_900_000)).len(), 0);
    assert_eq!(slow_rounds(&session(13_100_000)).len(), 2);
}

#[test]
fn one_lucky_probe_does_not_condemn_the_others() {
    let mut session = [[100, 100]; 9];
    session[4] = [80, 80];
    assert_eq!(slow(&session), [0_u32; 0]);
}

#[test]
fn capacity_and_spread_follow_from_the_times() {
    assert!((probes(&[[100, 100]]).made[0].capacity - 1.996).abs() < 1e-3);
    assert_eq!(Probes::none("--no-probe").spread(), None);
    let spread = probes(&[[100, 100], [100, 100], [100, 107]]).spread();
    assert_eq!(spread.map(|part| (part * 100.0).round()), Some(7.0));
}
