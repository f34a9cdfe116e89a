//! Runs that the host's evidence, or what was expected of them, condemns.

use abi::Digest;
use abi::exit::GuestExit;
use abi::wire::Record;
use evidence::gate::{Ended, ExpectedCase, HostEvidence, HostSteal, ReasonCode, RunExpectation, VcpuDelay};

use super::{Trial, script};
use test_support::guest::Guest;

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
    // A case of 147 ms, of which 5 % are less than what is never held against the host.
    let quick = || Guest { work_cycles: 600_000_000, ..Guest::of(2) }.log();
    let delayed =
        |delay_ns| HostEvidence { delays: vec![waited(1, 150_000_000, delay_ns)], ..passing.clone() };
    let unwatched = HostEvidence { watched: true, ..passing.clone() };
    let crowded_and_delayed =
        HostEvidence { delays: vec![waited(1, 425_000_000, 90_000_000)], ..crowded.clone() };
    let stolen = |stolen_ms| {
        let host_steal = Some(HostSteal { cpu: 1, stolen_ms, wall_ms: 700 });
        HostEvidence { host_steal, ..passing.clone() }
    };
    let mut trials = vec![
        Trial::new("steal-of-the-host", ReasonCode::Steal, whole()).seen(stolen(30)),
        Trial::passing("good-with-two-ticks-stolen", whole()).seen(stolen(20)),
        Trial::passing("good-with-evidence", whole()).seen(passing.clone()),
        Trial::passing("good-with-a-short-wait", quick()).seen(delayed(9_900_000)),
        Trial::passing("good-waiting-by-nature", whole()).seen(crowded_and_delayed),
        Trial::new("vcpu-preempted-unseen", ReasonCode::VcpuPreempted, whole()).seen(unwatched),
        Trial::new("vcpu-preempted", ReasonCode::VcpuPreempted, quick()).seen(delayed(11_000_000)),
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
    trials.extend(watched(&passing));
    trials.extend(unexpected());
    trials
}

/// What the host's scheduler did to a vCPU in case 2.
fn waited(vcpu: u32, wall_ns: u64, delay_ns: u64) -> VcpuDelay {
    let run_ns = wall_ns - delay_ns;
    VcpuDelay { case: 2, iteration: 0, vcpu, wall_ns, run_ns, delay_ns, involuntary_switches: 3 }
}

/// Accounts of a case of 421 ms that can be, and that cannot.
fn watched(passing: &HostEvidence) -> Vec<Trial> {
    let whole = || script(2).log();
    let both = |wall_ns| {
        let delays = (0..2).map(|vcpu| waited(vcpu, wall_ns, 0)).collect();
        HostEvidence { watched: true, delays, ..passing.clone() }
    };
    // Half of it: workers whose times, and with them all stamps, are half of what went by.
    let halved = Guest { work_cycles: 1_718_000_000 / 2, ..Guest::of(2) };
    // A case of 1.9 s, and a scheduler that counts nothing.
    let long = Guest { work_cycles: 8_000_000_000, ..Guest::of(2) };
    let mut silent = both(1_965_000_000);
    silent.delays.iter_mut().for_each(|delay| delay.run_ns = 0);
    let preempted = |name, log| Trial::new(name, ReasonCode::VcpuPreempted, log);
    vec![
        Trial::passing("good-watched", whole()).seen(both(426_000_000)),
        // By a TSC whose frequency is 5 % off.
        Trial::passing("good-watched-by-another-clock", whole()).seen(both(402_000_000)),
        preempted("vcpu-preempted-watched-late", whole()).seen(both(60_000)),
        preempted("vcpu-preempted-half-the-time", halved.log()).seen(both(426_000_000)),
        preempted("vcpu-preempted-silent-account", long.log()).seen(silent),
    ]
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
