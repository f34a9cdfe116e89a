//! Builds the measurement of a run that passed. Nothing else builds one.

use std::num::NonZeroU64;
use std::sync::Arc;

use abi::wire::record;
use workloads::Workload;

use super::References;
use super::evidence::HostEvidence;
use super::exclusion::{Exclusion, Scope};
use super::facts::{Facts, Iteration, params};
use super::machine::{MachineReport, Platform};
use super::measurement::{Clock, Conditions, Cycles, Measurement, Report, Setting, Subject, Sweep};
use super::rules::{Disturbed, basis, common_whole, effective_khz, platform_rows_of, span};
use super::sample::{Basis, Sample, Task, WorkerSample};

/// The measurement; `None` if a record is missing that no rule asked for.
pub(super) fn measurement(
    facts: &Facts,
    evidence: &HostEvidence,
    disturbed: &Disturbed,
    references: References,
) -> Option<Measurement> {
    let workload = references.find(facts.one::<record::Experiment>()?.is.workload.as_str())?;
    let samples = facts.iterations.iter().map(|iteration| {
        let excluded = exclusion(disturbed, iteration.iter);
        Some(Sample { excluded, ..sample(facts, iteration)? })
    });
    let samples = all_of(facts.iterations.len(), samples)?;
    let (start, challenge) = (facts.one::<record::Start>()?.is, facts.one::<record::Challenge>());
    let setting = Setting {
        subject: subject(facts, workload)?,
        machine: machine(facts)?,
        functional_only: evidence.functional_only(Some(facts.online())),
        skipped: facts.all::<record::CaseSkipped>().map(|skipped| skipped.is.case).collect(),
        sweep: facts
            .one::<record::Sweep>()
            .map(|at| Sweep { iterations: at.is.iterations, order_seed: at.is.seed.0 }),
        conditions: conditions(facts),
    };
    let report = Report {
        plan: start.plan,
        challenge: challenge.map(|at| at.is.value),
        setting: Arc::new(setting),
        clock: clock(facts),
        phases: facts.all::<record::Phase>().map(|at| at.is).collect(),
        platform: platform_rows_of(facts),
    };
    Some(Measurement { nonce: start.nonce, report: Arc::new(report), samples })
}

/// All of `count` items, if each is there. Room is made for just as many: a list that is cut to its length afterwards
/// leaves a hole behind it, and a log may have hundreds of thousands of boots with such lists.
fn all_of<T>(count: usize, items: impl Iterator<Item = Option<T>>) -> Option<Box<[T]>> {
    let mut all = Vec::with_capacity(count);
    for item in items {
        all.push(item?);
    }
    Some(all.into_boxed_slice())
}

/// Why an iteration is excluded: the first finding about it.
fn exclusion(disturbed: &Disturbed, iteration: u16) -> Option<Box<Exclusion>> {
    let why = disturbed.get(&iteration)?.first()?;
    let scope = Scope::Iteration { iteration, run: None };
    Some(Box::new(Exclusion { reason: why.reason, scope, detail: why.detail.clone() }))
}

fn subject(facts: &Facts, workload: &dyn Workload) -> Option<Subject> {
    let (start, experiment, blob) = (
        facts.one::<record::Start>()?.is,
        facts.one::<record::Experiment>()?.is,
        facts.one::<record::Blob>()?.is,
    );
    let challenge = facts.one::<record::Challenge>();
    let (whole, scaling) = common_whole(facts, workload)?;
    Some(Subject {
        build: start.build,
        work: challenge.map_or(start.plan, |at| at.is.work),
        experiment: experiment.name,
        workload: experiment.workload,
        whole,
        scaling,
        grant: facts.one::<record::Grant>().map(|at| at.is),
        corpus: facts.one::<record::Corpus>().map(|at| at.is),
        authority: experiment.authority,
        blob_sha256: blob.sha256,
        blob_bytes: blob.bytes,
    })
}

fn machine(facts: &Facts) -> Option<MachineReport> {
    let (machine, system, brand) = (
        facts.one::<record::Machine>()?.is,
        facts.one::<record::System>()?.is,
        facts.one::<record::Brand>()?.is,
    );
    let (features, memory) = (facts.one::<record::Features>()?.is, facts.one::<record::Memory>()?.is);
    let named = [
        ("nx", features.nx),
        ("smep", features.smep),
        ("smap", features.smap),
        ("umip", features.umip),
        ("invariant_tsc", features.invariant_tsc),
    ];
    Some(MachineReport {
        system: system.name,
        release: system.release,
        firmware: machine.firmware,
        vendor: machine.vendor,
        signature: machine.signature,
        brand: brand.name,
        hypervisor: machine.hypervisor,
        apic: features.apic,
        features: named.into_iter().filter(|&(_, on)| on).map(|(name, _)| name).collect(),
        cpus_online: facts.online(),
        topology: facts.shape(),
        platform: facts.one::<record::Platform>().map(|at| platform(facts, at.is)),
        tuning: facts.one::<record::Tuning>().map(|at| at.is),
        usable_bytes: memory.usable_bytes,
        heap_bytes: memory.heap_bytes,
    })
}

fn platform(facts: &Facts, record: record::Platform) -> Platform {
    let strings = facts.all::<record::Dmi>().map(|at| (at.is.field.to_string(), at.is.text.to_string()));
    Platform { record, dmi: strings.collect() }
}

fn conditions(facts: &Facts) -> Conditions {
    let all = |known: fn(&Iteration, &u16) -> bool| {
        facts
            .iterations
            .iter()
            .all(|iteration| iteration.workers.keys().all(|worker| known(iteration, worker)))
    };
    let watched = |iteration: &Iteration, worker: &u16| {
        iteration.conditions.get(worker).is_some_and(|at| at.is.watches.is_some())
    };
    let smis = |iteration: &Iteration, worker: &u16| {
        iteration.counters.get(worker).is_some_and(|at| at.is.smis.is_some())
    };
    Conditions { watched: all(watched), smis: all(smis) }
}

fn clock(facts: &Facts) -> Clock {
    Clock {
        tsc: facts.one::<record::Tsc>().map(|at| at.is),
        second: facts.one::<record::SecondClock>().map(|at| at.is),
        readings: facts.all::<record::TscReading>().map(|at| at.is).collect(),
        warp: facts.one::<record::Warp>().map(|at| at.is),
        offsets: facts.all::<record::Offset>().map(|at| at.is).collect(),
    }
}

fn sample(facts: &Facts, iteration: &Iteration) -> Option<Sample> {
    let workers = iteration.workers.keys().map(|&worker| worker_sample(facts, iteration, worker));
    let workers = all_of(iteration.workers.len(), workers)?;
    let span = span(iteration)?;
    let basis = basis(facts, iteration.case);
    Some(Sample {
        case: iteration.case,
        iteration: iteration.iter,
        excluded: None,
        smt: facts.share_cores(workers.iter().map(|worker| worker.cpu)),
        cycles: Cycles(if basis == Basis::Makespan { span.makespan } else { span.longest }),
        basis,
        workers,
    })
}

fn worker_sample(facts: &Facts, iteration: &Iteration, worker: u16) -> Option<WorkerSample> {
    let records = iteration.workers.get(&worker)?;
    let (timing, answer) = (records.timing?.is, records.answer?.is);
    let gap = facts.gap(iteration.case, iteration.iter, worker)?.is;
    Some(WorkerSample {
        worker,
        cpu: timing.cpu.0,
        skew: Cycles(timing.skew),
        cycles: Cycles(timing.cycles),
        irqs: timing.irqs,
        reads_before: gap.reads_before,
        reads_after: gap.reads_after,
        gaps: [gap.before, gap.after].map(|gap| u32::try_from(gap).unwrap_or(u32::MAX)),
        effective_khz: effective_khz(facts, iteration, worker).and_then(NonZeroU64::new),
        task: Arc::new(Task {
            params: params(&facts.splits.get(&iteration.case)?.get(&worker)?.is),
            answer: answer.answer,
            work: answer.work,
            digest: answer.digest,
        }),
    })
}
