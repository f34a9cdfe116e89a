//! Runs that the gate refuses for the content of their records. The logs arrived without losses.

use abi::checks::{Check, Checks};
use abi::control::ControlKind;
use abi::wire::record::{
    BootStage, CaseSkipped, Control, Cpu, CpuState, Fault, InterruptVector, Interrupts, Problem, Profile,
    RunStatus, SkipReason, Stage, SystemName, TscReading, TscSource, WorkerStatus,
};
use abi::wire::{Hex64, Record, Text};
use abi::{ApicId, CpuId};
use evidence::gate::{ExpectedCase, ReasonCode, RunExpectation};

use super::{Trial, script, with_makespan};
use test_support::guest::{Guest, KHZ, label};
use test_support::script::Script;

pub fn trials() -> Vec<Trial> {
    let mut trials = workers();
    trials.extend(machine());
    trials.extend(clock());
    trials.extend(super::planned::trials());
    trials.extend(disclosures());
    trials
}

/// Worker 1 of case 2 ended with this status, and without a result.
fn ended(status: WorkerStatus) -> Script {
    let lost = |record: &Record| match record {
        Record::Worker(worker) => worker.worker == 1,
        Record::Answer(answer) => answer.worker == 1,
        _ => false,
    };
    let script = script(2).without(lost).status(RunStatus::Failed).edit(|record| match record {
        Record::WorkerEnd(end) if end.worker == 1 => end.status = status,
        _ => {}
    });
    edit!(script, CaseEnd, |end| (end.done, end.makespan, end.verified) = (1, 0, false))
}

/// The guest itself reports that the answers are wrong.
fn unverified(script: Script) -> Script {
    edit!(script, CaseEnd, |end| end.verified = false).status(RunStatus::Failed)
}

fn workers() -> Vec<Trial> {
    let fault = Fault {
        worker: 1,
        exception: label("page-fault"),
        error: Hex64(7),
        rip: Hex64(0x1042),
        address: Hex64(0xffff_8000_0000_0000),
    };
    let of_worker_1 = |record: &Record| matches!(record, Record::WorkerEnd(end) if end.worker == 1);
    let faulted = ended(WorkerStatus::Fault).insert_before(fault, of_worker_1);
    let digest = unverified(edit!(script(2), Answer, |answer| answer.digest.0 ^= u64::from(answer.worker)));
    let skipped = unverified(edit!(script(2), Answer, |answer| answer.work -= 1));
    // The guest does not notice, or does not report it.
    let lying = edit!(script(2), Answer, |answer| answer.answer += u64::from(answer.worker));
    let beyond = unverified(edit!(script(2), WorkerEnd, |end| (end.refused, end.first_refused) = (3, 39)));
    // Some milliseconds at any frequency; and half a second by the hypervisor's account.
    let lost = edit!(script(2), Gap, |gap| gap.after += u64::from(gap.worker) * 8_400_000);
    let stolen = edit!(script(2), Gap, |gap| gap.steal_ns = Some(u64::from(gap.worker) * 100_000_000));
    // On the native row the account is the scheduler's, of the worker.
    let waited = edit!(stolen.clone(), System, |system| system.name = SystemName::Native);
    let late = super::longer(ended(WorkerStatus::Timeout), 6_300_000_000);
    let interrupted = edit!(script(2), Worker, |worker| worker.irqs = worker.worker);
    // Linux does not promise that nothing interrupts a worker.
    let linux = edit!(interrupted.clone(), System, |system| system.name = SystemName::Linux);
    let interrupts = |unexpected, vector, nmis| {
        let of = Interrupts { case: 2, iter: 0, cpu: CpuId(1), unexpected, vector, nmis };
        script(2).insert_before(of, super::is_end)
    };
    let outside = Interrupts { case: 0, iter: 0, cpu: CpuId(0), unexpected: 3, vector: 0x50, nmis: 1 };
    let vector = |vector, count| InterruptVector { case: 2, iter: 0, cpu: CpuId(1), vector, count };
    let several = interrupts(5, 0x50, 0)
        .insert_before(vector(0x50, 3), super::is_end)
        .insert_before(vector(0x11, 1), super::is_end);
    let outside = script(2).insert_before(outside, |record| matches!(record, Record::CaseReady(_)));
    let alone = script(2).insert_before(vector(0x50, 1), super::is_end);
    let no_panic = script(2).insert_before(BootStage { stage: Stage::Clock }, super::is_end);
    vec![
        Trial::new("unexpected-interrupt", ReasonCode::UnexpectedInterrupt, interrupts(2, 0x50, 0).log()),
        Trial::new("unexpected-interrupt-vectors", ReasonCode::UnexpectedInterrupt, several.log()),
        Trial::new("nmi", ReasonCode::Nmi, interrupts(0, 0, 1).log()),
        Trial::passing("good-interrupts-outside", outside.clone().log()),
        Trial::passing(
            "good-interrupt-vectors-outside",
            with_vectors(&outside, &[(0x50, 1), (0x1e, 2)]).log(),
        ),
        Trial::new("inconsistent-record-vector-alone", ReasonCode::InconsistentRecord, alone.log()),
        with_wrong_vectors("inconsistent-record-vector-first", &outside, &[(0x1e, 1), (0x50, 2)]),
        with_wrong_vectors("inconsistent-record-vector-sum", &outside, &[(0x50, 2), (0x1e, 2)]),
        with_wrong_vectors("inconsistent-record-vector-twice", &outside, &[(0x50, 1), (0x50, 1)]),
        with_wrong_vectors("inconsistent-record-vector-none", &outside, &[(0x50, 1), (0x11, 0)]),
        with_wrong_vectors("inconsistent-record-vector-past-255", &outside, &[(0x50, 1), (0x150, 1)]),
        Trial::new("inconsistent-record-boot-stage", ReasonCode::InconsistentRecord, no_panic.log()),
        Trial::new("worker-fault", ReasonCode::WorkerFault, faulted.log()),
        Trial::new("worker-timeout", ReasonCode::WorkerTimeout, ended(WorkerStatus::Timeout).log()),
        // As it is: three seconds after the other worker came back.
        Trial::new("worker-timeout-late", ReasonCode::WorkerTimeout, late.log()),
        Trial::new("worker-lost", ReasonCode::WorkerLost, ended(WorkerStatus::Lost).log()),
        Trial::new("worker-incomplete", ReasonCode::WorkerIncomplete, ended(WorkerStatus::Incomplete).log()),
        Trial::new("authority-exceeded", ReasonCode::AuthorityExceeded, beyond.log()),
        Trial::new("verifier-mismatch-digest", ReasonCode::VerifierMismatch, digest.log()),
        Trial::new("verifier-mismatch-work", ReasonCode::VerifierMismatch, skipped.log()),
        Trial::new("verifier-mismatch-unnoticed", ReasonCode::VerifierMismatch, lying.log()),
        Trial::new("verifier-mismatch-plan", ReasonCode::VerifierMismatch, unverified(script(2)).log()),
        Trial::new("interrupted", ReasonCode::Interrupted, interrupted.log()),
        Trial::passing("good-linux-interrupted", linux.log()),
        Trial::new("vcpu-preempted-gap", ReasonCode::VcpuPreempted, lost.log()),
        Trial::new("steal", ReasonCode::Steal, stolen.log()),
        Trial::new("vcpu-preempted-native", ReasonCode::VcpuPreempted, waited.log()),
    ]
}

/// A log whose `interrupts` of CPU 0 outside of every iteration is followed by these vectors with their counts.
fn with_vectors(outside: &Script, vectors: &[(u16, u32)]) -> Script {
    vectors.iter().fold(outside.clone(), |script, &(vector, count)| {
        let of = InterruptVector { case: 0, iter: 0, cpu: CpuId(0), vector, count };
        script.insert_before(of, |record| matches!(record, Record::CaseReady(_)))
    })
}

fn with_wrong_vectors(name: &'static str, outside: &Script, vectors: &[(u16, u32)]) -> Trial {
    Trial::new(name, ReasonCode::InconsistentRecord, with_vectors(outside, vectors).log())
}

/// Case 4 is skipped: only this many CPUs are online.
fn without_case_4(script: Script, online: u16) -> Script {
    let skipped = CaseSkipped { case: 4, reason: SkipReason::Cpus, online };
    let script = script.edit(|record| {
        if let Record::Warp(warp) = record {
            (warp.cpus, warp.samples) = (online, 20_000 * u64::from(online));
        }
    });
    let script = script.without(|record| super::is_of_case(record, 4)).without(|record| match record {
        Record::Register(register) => register.cpu.0 >= online,
        Record::Offset(offset) => offset.cpu.0 >= online,
        _ => false,
    });
    script.insert_before(skipped, super::is_end).status(RunStatus::Failed)
}

/// The CPUs from this one on were not started.
fn not_started(script: Script, from: u16) -> Script {
    script.edit(|record| match record {
        Record::Cpu(cpu) if cpu.cpu.0 >= from => (cpu.state, cpu.cycles) = (CpuState::Skipped, 0),
        _ => {}
    })
}

/// The log of a guest that refuses its plan: the boot's records, the `error` record, `end`.
fn refused() -> Script {
    let problem = Problem { code: label("plan-missing"), detail: Text::new("the ramdisk has no plan") };
    let of_boot = |record: &Record| {
        matches!(
            record,
            Record::Start(_)
                | Record::Machine(_)
                | Record::System(_)
                | Record::Brand(_)
                | Record::Features(_)
                | Record::Memory(_)
                | Record::Cpu(_)
                | Record::End(_)
        )
    };
    let script = script(2).without(|record| !of_boot(record));
    script.insert_before(problem, super::is_end).status(RunStatus::Failed)
}

fn machine() -> Vec<Trial> {
    let silent = edit!(without_case_4(script(4), 3), Cpu, |cpu| {
        if cpu.cpu.0 == 3 {
            (cpu.state, cpu.cycles) = (CpuState::NoResponse, 0);
        }
    });
    let two_of_four = not_started(without_case_4(script(4), 2), 2);
    let asked = RunExpectation {
        cases: Some(vec![ExpectedCase { case: 4, iterations: 1 }]),
        ..RunExpectation::default()
    };
    let small = not_started(without_case_4(super::three_cases(), 2), 2);
    let place = Cpu { cpu: CpuId(1), apic: ApicId(7), state: CpuState::Skipped, cycles: 0 };
    let places_for_more = script(2).insert_before(place, |record| matches!(record, Record::Features(_)));
    let early = refused().without(|record| !matches!(record, Record::Problem(_) | Record::End(_)));
    let control = Control { kind: ControlKind::DoubleRecord, target: 0 };
    let unnoticed = script(2).insert_before(control, |record| matches!(record, Record::Experiment(_)));
    let left_out = Checks::NONE.with(Check::Rights, true);
    let unchecked =
        script(2).insert_before(Profile { left_out }, |record| matches!(record, Record::Features(_)));
    vec![
        Trial::new("kernel-profile", ReasonCode::KernelProfile, unchecked.log()),
        Trial::new("control-unnoticed", ReasonCode::ControlUnnoticed, unnoticed.log()),
        Trial::new("cpu-missing", ReasonCode::CpuMissing, silent.log()),
        Trial::new("case-skipped", ReasonCode::CaseSkipped, two_of_four.log()).expecting(asked),
        // A plan for any machine, on one that is too small for its largest case.
        Trial::passing("good-sweep-on-two", small.log()),
        // CPUs that firmware lists and the kernel does not start are numbered separately.
        Trial::passing("good-with-places-for-more", places_for_more.log()),
        Trial::new("guest-error-early", ReasonCode::GuestError, early.log()),
        Trial::new("guest-error", ReasonCode::GuestError, refused().log()),
        Trial::new("guest-status", ReasonCode::GuestStatus, script(2).status(RunStatus::Failed).log()),
    ]
}

fn clock() -> Vec<Trial> {
    let behind = super::warped(script(2), 800_000_000);
    let slightly = super::warped(script(2), 120);
    let unseen = edit!(script(2), Warp, |warp| warp.least = 1);
    // As a PIT is off by on a busy host, and as no source is.
    let reading = |khz| {
        let reading = TscReading { source: TscSource::Pit, khz };
        let spread_ppm = u32::try_from(khz.abs_diff(KHZ) * 1_000_000 / KHZ).expect("a few thousand").max(100);
        let log = script(2).insert_before(reading, |record| matches!(record, Record::Tsc(_)));
        log.edit(move |record| {
            if let Record::Tsc(tsc) = record {
                (tsc.sources, tsc.spread_ppm) = (3, spread_ppm);
            }
        })
    };
    let (near, far) = (reading(KHZ - KHZ / 1_000), reading(KHZ - KHZ / 980));
    // Another run of the same kernel, on a clock that is a little faster; and the same by Linux's calibration.
    let faster = |per: u64| {
        let guest = Guest { nonce: 7, khz: KHZ + KHZ / per, ..Guest::of(2) };
        let second =
            |record: &Record| matches!(record, Record::TscReading(it) if it.source == TscSource::PmTimer);
        edit!(Script::of(&guest.log()).without(second), Tsc, |tsc| (tsc.sources, tsc.spread_ppm) = (1, 0))
    };
    let by_linux = |script: Script| {
        script.edit(|record| match record {
            Record::TscReading(reading) if reading.source == TscSource::Hpet => {
                reading.source = TscSource::Linux
            }
            Record::Tsc(tsc) => tsc.source = TscSource::Linux,
            _ => {}
        })
    };
    // Worker 1 begins 190 ms late, and the clocks agree.
    let late = super::longer(script(2), 400_000_000)
        .edit(|record| match record {
            Record::Worker(worker) if worker.worker == 1 => worker.skew += 400_000_000,
            Record::Region(region) if region.worker == 1 => region.returned += 400_000_000,
            _ => {}
        })
        .watched(KHZ);
    vec![
        Trial::new("tsc-unsynchronised", ReasonCode::TscUnsynchronised, behind.log()),
        Trial::passing("good-longest-worker", slightly.log()),
        Trial::passing("good-warp-unseen", unseen.log()),
        Trial::new("tsc-disagree-reading", ReasonCode::TscDisagree, far.log()),
        Trial::passing("good-tsc-reading", near.log()),
        Trial::new("tsc-disagree-run", ReasonCode::TscDisagree, script(2).log()).after(faster(900).log()),
        Trial::passing("good-tsc-run", script(2).log()).after(faster(1_010).log()),
        Trial::new("tsc-disagree-run-linux", ReasonCode::TscDisagree, by_linux(script(2)).log())
            .after(by_linux(faster(190)).log()),
        Trial::passing("good-tsc-run-linux", by_linux(script(2)).log()).after(by_linux(faster(210)).log()),
        Trial::new("late-start", ReasonCode::LateStart, with_makespan(late).log()),
    ]
}

/// A log without the records for which `gone` holds, which the gate needs to know what was measured.
fn undisclosed(name: &'static str, gone: fn(&Record) -> bool) -> Trial {
    Trial::new(name, ReasonCode::DisclosureMissing, script(2).without(gone).log())
}

fn disclosures() -> Vec<Trial> {
    vec![
        undisclosed("disclosure-missing-brand", |record| matches!(record, Record::Brand(_))),
        undisclosed("disclosure-missing-system", |record| matches!(record, Record::System(_))),
        undisclosed("disclosure-missing-tsc", |record| matches!(record, Record::Tsc(_))),
        undisclosed("disclosure-missing-warp", |record| matches!(record, Record::Warp(_))),
    ]
}
