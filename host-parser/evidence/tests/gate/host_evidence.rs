//! Runs that the gate refuses because of the host's evidence, or because something else was expected of them.

use abi::Digest;
use abi::exit::GuestExit;
use abi::wire::Record;
use evidence::gate::{Ended, ExpectedCase, HostEvidence, HostSteal, ReasonCode, RunExpectation, VcpuDelay};

use super::{Trial, script};
use test_support::guest::{CHALLENGE, Guest};

fn ended(ended: Ended) -> HostEvidence {
    HostEvidence { ended, ..HostEvidence::default() }
}

fn exit(exit: GuestExit) -> HostEvidence {
    ended(Ended::DebugExit { value: exit.value() })
}

/// A log that stops when the first worker ends.
fn stopped() -> Vec<u8> {
    script(2).until(|record| matches!(record, Record::Worker(_))).log()
}

fn whole() -> Vec<u8> {
    script(2).log()
}

/// Case 2 takes 147 ms, of which 5 % are less than the wait that is always forgiven.
fn short() -> Vec<u8> {
    Guest { work_cycles: 600_000_000, ..Guest::of(2) }.log()
}

/// Evidence that condemns nothing.
fn harmless() -> HostEvidence {
    HostEvidence { vcpus: Some(2), host_cpus: Some(2), ..exit(GuestExit::Success) }
}

/// Two vCPUs on one host CPU.
fn crowded() -> HostEvidence {
    HostEvidence { host_cpus: Some(1), ..harmless() }
}

/// vCPU 1 waited this long for a host CPU.
fn delayed(delay_ns: u64) -> HostEvidence {
    HostEvidence { delays: vec![waited(1, 150_000_000, delay_ns)], ..harmless() }
}

/// The hypervisor below took this much time from host CPU 1.
fn stolen(stolen_ms: u64) -> HostEvidence {
    HostEvidence { host_steal: Some(HostSteal { cpu: 1, stolen_ms, wall_ms: 700 }), ..harmless() }
}

pub fn trials() -> Vec<Trial> {
    let internal = Ended::InternalError { detail: "internal-error".to_owned() };
    let died = Ended::Died { detail: "exit status: 1: could not open disk image".to_owned() };
    let overflow = Ended::SerialOverflow { limit_bytes: 16 << 20 };
    let unwatched = HostEvidence { watched: true, ..harmless() };
    let crowded_and_delayed = HostEvidence { delays: vec![waited(1, 425_000_000, 90_000_000)], ..crowded() };
    let mut trials = vec![
        Trial::new("steal-of-the-host", ReasonCode::Steal, whole()).seen(stolen(30)),
        Trial::passing("good-with-two-ticks-stolen", whole()).seen(stolen(20)),
        Trial::passing("good-with-evidence", whole()).seen(harmless()),
        Trial::passing("good-with-a-short-wait", short()).seen(delayed(9_900_000)),
        Trial::passing("good-waiting-by-nature", whole()).seen(crowded_and_delayed),
        Trial::new("vcpu-preempted-unseen", ReasonCode::VcpuPreempted, whole()).seen(unwatched),
        Trial::new("vcpu-preempted", ReasonCode::VcpuPreempted, short()).seen(delayed(11_000_000)),
        Trial::passing("good-functional-only", whole()).seen(crowded()),
        Trial::new("cancelled", ReasonCode::Cancelled, stopped()).seen(ended(Ended::Cancelled)),
        Trial::new("qemu-failed", ReasonCode::QemuFailed, Vec::new()).seen(ended(died)),
        Trial::new("vm-internal-error", ReasonCode::VmInternalError, stopped()).seen(ended(internal)),
        Trial::new("guest-reset-seen", ReasonCode::GuestReset, stopped()).seen(ended(Ended::Reset)),
        // A VMM whose guests end by a reset: only a log that is over makes it an end.
        Trial::passing("good-reset-to-end", whole()).seen(ended(Ended::ResetToEnd)),
        Trial::new("guest-reset-before-end", ReasonCode::GuestReset, stopped())
            .seen(ended(Ended::ResetToEnd)),
        Trial::new("guest-reset-silent", ReasonCode::GuestReset, Vec::new()).seen(ended(Ended::ResetToEnd)),
        Trial::new("guest-reset-after-end", ReasonCode::GuestReset, whole()).seen(ended(Ended::Reset)),
        Trial::new("kernel-panic-seen", ReasonCode::KernelPanic, stopped()).seen(exit(GuestExit::Panic)),
        Trial::new("serial-overflow", ReasonCode::SerialOverflow, stopped()).seen(ended(overflow)),
        Trial::new("timeout", ReasonCode::Timeout, stopped()).seen(ended(Ended::Deadline)),
        Trial::new("timeout-silent", ReasonCode::Timeout, Vec::new()).seen(ended(Ended::Deadline)),
        Trial::new("guest-status-exit", ReasonCode::GuestStatus, whole()).seen(exit(GuestExit::Failed)),
        Trial::new("guest-error-exit", ReasonCode::GuestError, stopped()).seen(exit(GuestExit::Refused)),
    ];
    trials.extend(watched());
    trials.extend(unexpected());
    trials
}

/// What the host's scheduler did to a vCPU in case 2.
fn waited(vcpu: u32, wall_ns: u64, delay_ns: u64) -> VcpuDelay {
    let run_ns = wall_ns - delay_ns;
    VcpuDelay { case: 2, iteration: 0, vcpu, wall_ns, run_ns, delay_ns, involuntary_switches: 3 }
}

/// The scheduler's account of both vCPUs in case 2: they ran for all of this time.
fn account(wall_ns: u64) -> HostEvidence {
    let delays = (0..2).map(|vcpu| waited(vcpu, wall_ns, 0)).collect();
    HostEvidence { watched: true, delays, ..harmless() }
}

/// The same, but both vCPUs waited for so long.
fn waiting(wall_ns: u64, delay_ns: u64) -> HostEvidence {
    HostEvidence { delays: (0..2).map(|vcpu| waited(vcpu, wall_ns, delay_ns)).collect(), ..account(wall_ns) }
}

/// Accounts of a case of 421 ms, which are possible or not.
fn watched() -> Vec<Trial> {
    // The workers' times, and with them all stamps, are half of the time that passed.
    let halved = Guest { work_cycles: 1_718_000_000 / 2, ..Guest::of(2) };
    // A case of 1.9 s, and a scheduler that counts nothing.
    let long = Guest { work_cycles: 8_000_000_000, ..Guest::of(2) };
    let mut silent = account(1_965_000_000);
    silent.delays.iter_mut().for_each(|delay| delay.run_ns = 0);
    vec![
        Trial::passing("good-watched", whole()).seen(account(446_000_000)),
        // The watcher came 1 ms after the common start, and 1.2 ms after it.
        Trial::passing("good-watched-from-the-start", whole()).seen(account(421_300_000)),
        preempted("vcpu-preempted-watched-less", whole()).seen(account(420_900_000)),
        Trial::passing("good-watched-longer", whole()).seen(account(465_500_000)),
        Trial::new("time-missing-watched-longer", ReasonCode::TimeMissing, whole())
            .seen(account(466_000_000)),
        // The host itself made a vCPU wait for as long.
        preempted("vcpu-preempted-watched-longer", whole()).seen(waiting(490_000_000, 60_000_000)),
        preempted("vcpu-preempted-watched-late", whole()).seen(account(60_000)),
        Trial::new("time-missing-half-the-time", ReasonCode::TimeMissing, halved.log())
            .seen(account(446_000_000)),
        preempted("vcpu-preempted-silent-account", long.log()).seen(silent),
    ]
}

fn preempted(name: &'static str, log: Vec<u8>) -> Trial {
    Trial::new(name, ReasonCode::VcpuPreempted, log)
}

fn expected_cases(case: u16, iterations: u16) -> RunExpectation {
    RunExpectation { cases: Some(vec![ExpectedCase { case, iterations }]), ..RunExpectation::default() }
}

/// Good logs of which something else was expected.
fn unexpected() -> Vec<Trial> {
    let nothing = RunExpectation::default;
    let plan = RunExpectation { plan: Some(Digest::of(b"another plan")), ..nothing() };
    let build = RunExpectation { build: Some(0xfeed), ..nothing() };
    let blob = RunExpectation { blob: Some(Digest::of(b"another program")), ..nothing() };
    let challenge = RunExpectation { challenge: Some(CHALLENGE ^ 1), ..nothing() };
    let given = RunExpectation { challenge: Some(CHALLENGE), ..nothing() };
    let work = RunExpectation { work: Some(Digest::of(b"other work")), ..nothing() };
    let cpus = RunExpectation { cpus: Some(4), ..nothing() };
    vec![
        Trial::new("plan-mismatch-digest", ReasonCode::PlanMismatch, whole()).expecting(plan),
        Trial::new("plan-mismatch-cases", ReasonCode::PlanMismatch, whole()).expecting(expected_cases(1, 1)),
        Trial::new("plan-mismatch-iterations", ReasonCode::PlanMismatch, whole())
            .expecting(expected_cases(2, 3)),
        Trial::new("plan-mismatch-challenge", ReasonCode::PlanMismatch, whole()).expecting(challenge),
        Trial::passing("good-challenge", whole()).expecting(given),
        Trial::new("plan-mismatch-work", ReasonCode::PlanMismatch, whole()).expecting(work),
        Trial::new("kernel-mismatch", ReasonCode::KernelMismatch, whole()).expecting(build),
        Trial::new("blob-mismatch", ReasonCode::BlobMismatch, whole()).expecting(blob),
        Trial::new("cpu-missing-expected", ReasonCode::CpuMissing, whole()).expecting(cpus),
    ]
}
