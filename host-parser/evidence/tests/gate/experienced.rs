//! Which refused runs leave times: those that only the host spoiled, and no others.

use abi::wire::Record;
use evidence::gate::{Gate, HostEvidence, ReasonCode, RunExpectation};
use evidence::transcript::Transcript;
use test_support::guest::{Guest, KHZ};
use test_support::script::Script;

use super::{TRIALS, longer, script, warped, with_makespan};

const DISTURBANCES: [ReasonCode; 7] = [
    ReasonCode::VcpuPreempted,
    ReasonCode::Steal,
    ReasonCode::VmStopped,
    ReasonCode::Smi,
    ReasonCode::UnexpectedInterrupt,
    ReasonCode::Nmi,
    ReasonCode::LateStart,
];

/// How many times a log leaves that the gate refused.
fn times(script: Script, evidence: &HostEvidence) -> Option<usize> {
    let log = script.log();
    let verdict = Gate::default().judge(&Transcript::read(&log), &RunExpectation::default(), evidence);
    assert!(verdict.outcome.measurement().is_none(), "refused");
    verdict.outcome.disturbed_times().map(|times| times.times().len())
}

/// Worker 1 begins 190 ms late, and the clocks agree.
fn late(warp: u64) -> Script {
    let late = longer(script(2), 400_000_000).edit(|record| match record {
        Record::Worker(worker) if worker.worker == 1 => worker.skew += 400_000_000,
        Record::Region(region) if region.worker == 1 => region.returned += 400_000_000,
        _ => {}
    });
    warped(with_makespan(late), warp).watched(KHZ)
}

#[test]
fn a_run_leaves_times_if_every_finding_is_what_the_host_did() {
    let mut left = 0;
    for trial in TRIALS.iter() {
        let verdict = trial.judge();
        let mut reasons = verdict.findings.iter().map(|finding| finding.reason);
        let only_the_host = reasons.len() > 0 && reasons.all(|reason| DISTURBANCES.contains(&reason));
        let times = verdict.outcome.disturbed_times();
        assert_eq!(times.is_some(), only_the_host, "{}: {:#?}", trial.name, verdict.findings);
        left += usize::from(times.is_some());
    }
    assert!(left > 10, "{left} trials");
}

#[test]
fn a_wrong_answer_is_not_excused_by_the_host() {
    let wrong = late(0).edit(|record| {
        if let Record::Answer(answer) = record {
            answer.answer += 1;
        }
    });
    assert_eq!(times(wrong, &HostEvidence::default()), None);
}

#[test]
fn a_late_start_leaves_no_time_that_leaves_out_the_wait() {
    assert_eq!(times(late(0), &HostEvidence::default()), Some(1));
    // The clocks were not in step, so the time is the longest worker's own.
    assert_eq!(times(late(120), &HostEvidence::default()), None);
}

#[test]
fn the_times_of_a_boot_are_all_of_its_iterations() {
    let guest = Guest { iterations: 6, ..Guest::of(1) };
    let gaps = Script::of(&guest.log()).edit(|record| match record {
        Record::Gap(gap) if gap.iter < 4 => gap.before = 99_000_000,
        _ => {}
    });
    assert_eq!(times(gaps, &HostEvidence::default()), Some(6));
}
