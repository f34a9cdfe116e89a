//! What the host does to one iteration of several excludes that iteration, and not the boot.

use std::ops::Range;

use super::warped;
use abi::wire::Record;
use evidence::gate::{
    Basis, Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, VcpuDelay, Verdict,
};
use evidence::transcript::Transcript;
use test_support::guest::Guest;
use test_support::script::Script;

const ITERATIONS: u16 = 6;

fn guest() -> Guest {
    Guest { iterations: ITERATIONS, ..Guest::of(2) }
}

/// Worker 1 begins so many cycles late in some iterations, and ends as early as ever.
fn late_in(guest: &Guest, late: Range<u16>, cycles: u64) -> Script {
    Script::of(&guest.log()).edit(move |record| match record {
        Record::Worker(worker) if worker.worker == 1 && late.contains(&worker.iter) => {
            worker.skew += cycles;
            worker.cycles -= cycles;
            worker.scaled = u32::try_from(worker.cycles >> 20).expect("small");
        }
        _ => {}
    })
}

fn judge(script: Script, evidence: &HostEvidence) -> Verdict<Measurement> {
    Gate::default().judge(&Transcript::read(&script.log()), &RunExpectation::default(), evidence)
}

/// The excluded iterations of a run that passed, each with its reason.
#[track_caller]
fn excluded(verdict: &Verdict<Measurement>) -> Vec<(u16, ReasonCode)> {
    let measured = verdict.outcome.measurement();
    let measured = measured.unwrap_or_else(|| panic!("{:#?}", verdict.findings));
    let samples = measured.samples().iter();
    samples.filter_map(|sample| Some((sample.iteration, sample.excluded.as_ref()?.reason))).collect()
}

/// What the host saw of iterations that each took 446 ms: in `long` ones 60 ms more, for which both vCPUs waited.
fn watched(iterations: u16, long: Range<u16>, delay_ns: u64) -> HostEvidence {
    let of = |iteration| {
        let extra = if long.contains(&iteration) { 60_000_000 } else { 0 };
        let (wall_ns, delay_ns) = (446_000_000 + extra, delay_ns.max(extra));
        let run_ns = wall_ns - delay_ns;
        (0..2).map(move |vcpu| VcpuDelay {
            case: 2,
            iteration,
            vcpu,
            wall_ns,
            run_ns,
            delay_ns,
            involuntary_switches: 1,
        })
    };
    HostEvidence {
        vcpus: Some(2),
        host_cpus: Some(2),
        watched: true,
        delays: (0..iterations).flat_map(of).collect(),
        ..HostEvidence::default()
    }
}

#[test]
fn a_late_start_excludes_its_iteration() {
    let verdict = judge(late_in(&guest(), 1..2, 60_000_000), &HostEvidence::default());
    assert_eq!(excluded(&verdict), [(1, ReasonCode::LateStart)]);
    // Half of them is not more than half.
    let verdict = judge(late_in(&guest(), 1..4, 60_000_000), &HostEvidence::default());
    assert_eq!(excluded(&verdict).len(), 3);
}

#[test]
fn late_starts_in_most_iterations_refuse_the_boot() {
    for late in [0..4, 0..ITERATIONS] {
        let verdict = judge(late_in(&guest(), late, 60_000_000), &HostEvidence::default());
        assert_eq!(verdict.outcome.refusal().map(|(reason, _)| reason), Some(ReasonCode::LateStart));
    }
    let verdict = judge(late_in(&Guest::of(2), 0..1, 60_000_000), &HostEvidence::default());
    assert_eq!(verdict.outcome.refusal().map(|(reason, _)| reason), Some(ReasonCode::LateStart));
}

/// Such a run is made again; one that is late for no reason that the host has is not.
#[test]
fn a_late_start_that_the_host_accounts_for_is_the_hosts() {
    let late = || late_in(&Guest::of(2), 0..1, 43_500_000);
    for (delay_ns, reason) in [(21_000_000, ReasonCode::VcpuPreempted), (2_000_000, ReasonCode::LateStart)] {
        let evidence = watched(1, 0..0, delay_ns / 2);
        let verdict = judge(late(), &evidence);
        assert_eq!(verdict.outcome.refusal().map(|(reason, _)| reason), Some(reason), "{verdict:#?}");
    }
}

#[test]
fn a_late_iteration_was_experienced_with_its_wait() {
    let script = warped(late_in(&guest(), 1..2, 60_000_000), 120);
    let verdict = judge(script, &HostEvidence::default());
    let measured = verdict.outcome.measurement().expect("passed");
    assert_eq!(measured.samples()[1].basis, Basis::LongestWorker);
    let times: Vec<u64> = measured.experienced().times().iter().map(|time| time.cycles.0).collect();
    let skew = measured.samples()[1].workers[1].skew.0;
    assert_eq!(times[1], measured.samples()[1].workers[1].cycles.0 + skew);
    assert_eq!(times[0], measured.samples()[0].cycles.0);
}

#[test]
fn time_that_the_host_took_from_one_iteration_is_not_held_against_the_boot() {
    let script = || Script::of(&guest().log());
    let verdict = judge(script(), &watched(ITERATIONS, 0..2, 0));
    assert_eq!(excluded(&verdict), [(0, ReasonCode::VcpuPreempted), (1, ReasonCode::VcpuPreempted)]);
    // The guest's own fault in all of them: 10 ms each is within the limit of one, and not of six.
    let mut hidden = watched(ITERATIONS, 0..0, 0);
    hidden.delays.iter_mut().for_each(|delay| delay.wall_ns += 10_000_000);
    let verdict = judge(script(), &hidden);
    assert_eq!(verdict.outcome.refusal().map(|(reason, _)| reason), Some(ReasonCode::TimeMissing));
}

/// Of two systems one may have an account of stolen time and the other none.
#[test]
fn the_guests_account_of_steal_decides_only_where_no_host_watched() {
    let stolen = || {
        Script::of(&Guest::of(2).log()).edit(|record| {
            if let Record::Gap(gap) = record {
                gap.steal_ns = Some(15_000_000);
            }
        })
    };
    let verdict = judge(stolen(), &HostEvidence::default());
    assert_eq!(verdict.outcome.refusal().map(|(reason, _)| reason), Some(ReasonCode::Steal));
    let verdict = judge(stolen(), &watched(1, 0..0, 15_000_000));
    assert!(verdict.outcome.measurement().is_some(), "{:#?}", verdict.findings);
    let verdict = judge(stolen(), &watched(1, 0..0, 30_000_000));
    assert_eq!(verdict.outcome.refusal().map(|(reason, _)| reason), Some(ReasonCode::VcpuPreempted));
}
