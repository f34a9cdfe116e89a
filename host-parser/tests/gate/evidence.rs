//! Runs that the host's evidence, or what was expected of them, condemns.

use abi::Digest;
use abi::exit::GuestExit;
use abi::wire::Record;
use host_parser::gate::{
    Ended, ExpectedCase, HostEvidence, HostSteal, ReasonCode, RunExpectation, VcpuDelay,
};

use super::{Trial, script};

fn ended(ended: Ended) -> HostEvidence {
    HostEvidence { ended, ..HostEvidence::default() }
}

fn exit(exit: GuestExit) -> HostEvidence {
    ended(Ended::DebugExit { value: exit.value() })
}

pub fn trials() -> Vec<Trial> {
    let stopped = || script(2).until(|record| matches!(record, Record::Worker(_))).log();
    let whole = || script(2).log();
    let internal = Ended::InternalError { detail: "internal-error".to_owned() };
    let died = Ended::Died { detail: "exit status: 1: could not open disk image".to_owned() };
    let overflow = Ended::SerialOverflow { limit_bytes: 16 << 20 };
    let passing = HostEvidence { vcpus: Some(2), host_cpus: Some(2), ..exit(GuestExit::Success) };
    let crowded = HostEvidence { vcpus: Some(2), host_cpus: Some(1), ..exit(GuestExit::Success) };
    let waited = |delay_ns| VcpuDelay {
        case: 2,
        iteration: 0,
        vcpu: 1,
        wall_ns: 200_000_000,
        run_ns: 200_000_000 - delay_ns,
        delay_ns,
        involuntary_switches: 3,
    };
    let delayed = |delay_ns| HostEvidence { delays: vec![waited(delay_ns)], ..passing.clone() };
    let unwatched = HostEvidence { watched: true, ..passing.clone() };
    let crowded_and_delayed = HostEvidence { delays: vec![waited(90_000_000)], ..crowded.clone() };
    let stolen = |stolen_ms| {
        let host_steal = Some(HostSteal { cpu: 1, stolen_ms, wall_ms: 700 });
        HostEvidence { host_steal, ..passing.clone() }
    };
    let mut trials = vec![
        Trial::new("steal-of-the-host", ReasonCode::Steal, whole()).seen(stolen(30)),
        Trial::passing("good-with-two-ticks-stolen", whole()).seen(stolen(20)),
        Trial::passing("good-with-evidence", whole()).seen(passing.clone()),
        Trial::passing("good-with-a-short-wait", whole()).seen(delayed(9_900_000)),
        Trial::passing("good-waiting-by-nature", whole()).seen(crowded_and_delayed),
        Trial::new("vcpu-preempted-unseen", ReasonCode::VcpuPreempted, whole()).seen(unwatched),
        Trial::new("vcpu-preempted", ReasonCode::VcpuPreempted, whole()).seen(delayed(11_000_000)),
        Trial::passing("good-functional-only", whole()).seen(crowded),
        Trial::new("cancelled", ReasonCode::Cancelled, stopped()).seen(ended(Ended::Cancelled)),
        Trial::new("qemu-failed", ReasonCode::QemuFailed, Vec::new()).seen(ended(died)),
        Trial::new("vm-internal-error", ReasonCode::VmInternalError, stopped()).seen(ended(internal)),
        Trial::new("guest-reset-seen", ReasonCode::GuestReset, stopped()).seen(ended(Ended::Reset)),
        Trial::new("kernel-panic-seen", ReasonCode::KernelPanic, stopped()).seen(exit(GuestExit::Panic)),
        Trial::new("serial-overflow", ReasonCode::SerialOverflow, stopped()).seen(ended(overflow)),
        Trial::new("timeout", ReasonCode::Timeout, stopped()).seen(ended(Ended::Deadline)),
        Trial::new("timeout-silent", ReasonCode::Timeout, Vec::new()).seen(ended(Ended::Deadline)),
        Trial::new("guest-status-exit", ReasonCode::GuestStatus, whole()).seen(exit(GuestExit::Failed)),
        Trial::new("guest-error-exit", ReasonCode::GuestError, stopped()).seen(exit(GuestExit::Refused)),
    ];
    trials.extend(unexpected());
    trials
}

fn unexpected() -> Vec<Trial> {
    let whole = || script(2).log();
    let nothing = RunExpectation::default;
    let plan = RunExpectation { plan: Some(Digest::of(b"another plan")), ..nothing() };
    let build = RunExpectation { build: Some(0xfeed), ..nothing() };
    let blob = RunExpectation { blob: Some(Digest::of(b"another program")), ..nothing() };
    let cpus = RunExpectation { cpus: Some(4), ..nothing() };
    let cases = |case, iterations| RunExpectation {
        cases: Some(vec![ExpectedCase { case, iterations }]),
        ..nothing()
    };
    vec![
        Trial::new("plan-mismatch-digest", ReasonCode::PlanMismatch, whole()).expecting(plan),
        Trial::new("plan-mismatch-cases", ReasonCode::PlanMismatch, whole()).expecting(cases(1, 1)),
        Trial::new("plan-mismatch-iterations", ReasonCode::PlanMismatch, whole()).expecting(cases(2, 3)),
        Trial::new("kernel-mismatch", ReasonCode::KernelMismatch, whole()).expecting(build),
        Trial::new("blob-mismatch", ReasonCode::BlobMismatch, whole()).expecting(blob),
        Trial::new("cpu-missing-expected", ReasonCode::CpuMissing, whole()).expecting(cpus),
    ]
}
