//! Weak scaling: each worker of a case does the whole. The gate finds it in the splits, and never mixes it with strong
//! scaling, whose ratio of times means something else.

use abi::wire::Record;
use evidence::gate::{Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, Scaling, Verdict};
use evidence::transcript::Transcript;
use test_support::guest::Guest;
use test_support::script::Script;

/// A guest of which each worker does the whole.
fn weak(nonce: u64, cpus: u16) -> Guest {
    Guest { nonce, weak: true, ..Guest::of(cpus) }
}

fn judge(gate: &mut Gate, log: &[u8]) -> Verdict<Measurement> {
    gate.judge(&Transcript::read(log), &RunExpectation::default(), &HostEvidence::default())
}

fn reason(verdict: &Verdict<Measurement>) -> Option<ReasonCode> {
    verdict.outcome.refusal().map(|(reason, _)| reason)
}

#[test]
fn is_found_in_the_splits_of_two_workers_or_more() {
    for (guest, scaling) in [
        (weak(1, 1), None),
        (weak(2, 2), Some(Scaling::Weak)),
        (weak(4, 4), Some(Scaling::Weak)),
        (Guest::of(1), None),
        (Guest::of(2), Some(Scaling::Strong)),
    ] {
        let verdict = judge(&mut Gate::default(), &guest.log());
        let identity = verdict.outcome.measurement().expect("a measurement").identity();
        assert_eq!((identity.scaling, identity.whole), (scaling, guest.whole));
        let json = serde_json::to_value(identity).expect("an identity");
        let written = json.get("scaling").and_then(|scaling| scaling.as_str().map(str::to_owned));
        assert_eq!(written, scaling.filter(|&of| of == Scaling::Weak).map(|of| of.word().to_owned()));
    }
}

#[test]
fn a_whole_and_a_part_of_it_are_neither() {
    let log = Script::of(&weak(1, 2).log()).edit(|record| match record {
        Record::Split(split) if split.worker == 1 => split.p1 = 150_000,
        _ => {}
    });
    assert_eq!(reason(&judge(&mut Gate::default(), &log.log())), Some(ReasonCode::PlanMismatch));
}

#[test]
fn runs_of_one_experiment_scale_alike() {
    let strong = |nonce, cpus| Guest { nonce, ..Guest::of(cpus) };
    for (first, then) in [(weak(2, 2), strong(4, 4)), (strong(2, 2), weak(4, 4))] {
        let mut gate = Gate::default();
        for guest in [weak(1, 1), first] {
            assert_eq!(reason(&judge(&mut gate, &guest.log())), None);
        }
        assert_eq!(reason(&judge(&mut gate, &then.log())), Some(ReasonCode::RowMismatch));
    }
}

#[test]
fn boots_of_one_row_of_a_log_scale_alike() {
    let mut gate = Gate::default();
    let log = [weak(1, 1).log(), weak(2, 2).log(), Guest { nonce: 4, ..Guest::of(4) }.log()].concat();
    let found: Vec<_> =
        gate.judge_log(&Transcript::read(&log), &RunExpectation::default()).iter().map(reason).collect();
    assert_eq!(found, [None, None, Some(ReasonCode::RowMismatch)]);
}

#[test]
fn a_case_that_takes_less_time_than_one_worker_is_superlinear() {
    let both = |boost| Guest { cases: vec![1, 2], boost, ..weak(1, 2) };
    assert_eq!(reason(&judge(&mut Gate::default(), &both(1_000).log())), None);
    assert_eq!(reason(&judge(&mut Gate::default(), &both(1_900).log())), Some(ReasonCode::Superlinear));
}
