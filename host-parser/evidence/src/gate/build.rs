//! From the facts of a run that passed to its measurement. Nothing else builds one.

use abi::wire::Value;
use abi::worker::SCALE_SHIFT;
use workloads::Workload;

use super::Lookup;
use super::evidence::HostEvidence;
use super::exclusion::{Exclusion, Scope};
use super::facts::{Facts, Iteration, params};
use super::machine::{MachineReport, Platform};
use super::measurement::{
    Basis, Clock, Cycles, Identity, Measurement, Phase, Sample, Sweep, Tsc, TscReading, Warp, WorkerSample,
};
use super::rules::{Disturbed, basis, common_whole, span};

/// The measurement; `None` where a rule failed to ask for something it needs.
pub(super) fn measurement(
    facts: &Facts,
    evidence: &HostEvidence,
    disturbed: &Disturbed,
    lookup: Lookup,
) -> Option<Measurement> {
    let workload = lookup(facts.experiment?.is.workload.as_str())?;
    let clock = clock(facts);
    let samples = facts.iterations.iter().map(|iteration| {
        let why = disturbed.get(&iteration.iter).and_then(|found| found.first());
        let excluded = why.map(|why| Exclusion {
            reason: why.reason,
            scope: Scope::Iteration { iteration: iteration.iter, run: None },
            detail: why.detail.clone(),
        });
        Some(Sample { excluded, ..sample(facts, iteration)? })
    });
    Some(Measurement {
        identity: identity(facts, workload)?,
        machine: machine(facts)?,
        functional_only: evidence.functional_only(Some(facts.online())),
        phases: facts.phases.iter().map(phase).collect(),
        skipped: facts.skipped.iter().map(|skipped| skipped.is.case).collect(),
        sweep: facts.sweep.map(|at| Sweep { iterations: at.is.iterations, order_seed: at.is.seed.0 }),
        samples: samples.collect::<Option<_>>()?,
        clock,
    })
}

fn identity(facts: &Facts, workload: &dyn Workload) -> Option<Identity> {
    let (start, experiment, blob) = (facts.start?.is, facts.experiment?.is, facts.blob?.is);
    Some(Identity {
        nonce: start.nonce.to_string(),
        build: start.build.to_string(),
        plan: start.plan.to_string(),
        experiment: experiment.name.to_string(),
        workload: experiment.workload.to_string(),
        whole: common_whole(facts, workload)?,
        authority: text(&experiment.authority),
        blob_sha256: blob.sha256.to_string(),
        blob_bytes: blob.bytes,
    })
}

fn machine(facts: &Facts) -> Option<MachineReport> {
    let (machine, brand, memory) = (facts.machine?.is, facts.brand?.is, facts.memory?.is);
    let system = facts.system?.is;
    let features = facts.features?.is;
    let named = [
        ("nx", features.nx),
        ("smep", features.smep),
        ("smap", features.smap),
        ("umip", features.umip),
        ("invariant_tsc", features.invariant_tsc),
    ];
    Some(MachineReport {
        system: system.name.to_string(),
        release: system.release.to_string(),
        firmware: machine.firmware.to_string(),
        vendor: machine.vendor.to_string(),
        signature: machine.signature.to_string(),
        brand: brand.name.to_string(),
        hypervisor: machine.hypervisor.to_string(),
        apic: features.apic.to_string(),
        features: named.into_iter().filter(|&(_, on)| on).map(|(name, _)| name).collect(),
        cpus_online: facts.online(),
        topology: facts.shape(),
        platform: facts.platform.map(|at| platform(facts, &at.is)),
        usable_bytes: memory.usable_bytes,
        heap_bytes: memory.heap_bytes,
    })
}

fn platform(facts: &Facts, said: &abi::wire::record::Platform) -> Platform {
    let strings = facts.dmi.iter().map(|at| (at.is.field.to_string(), at.is.text.to_string()));
    Platform {
        hypervisor_leaf: said.hypervisor_leaf.to_string(),
        microcode: said.microcode.to_string(),
        smbios: said.smbios.to_string(),
        dmi: strings.collect(),
    }
}

fn clock(facts: &Facts) -> Clock {
    let reading = |r: &abi::wire::record::TscReading| TscReading { source: r.source.to_string(), khz: r.khz };
    Clock {
        tsc: facts.tsc.map(|tsc| Tsc {
            khz: tsc.is.khz,
            source: tsc.is.source.to_string(),
            sources: tsc.is.sources,
            spread_ppm: tsc.is.spread_ppm,
        }),
        readings: facts.readings.iter().map(|at| reading(&at.is)).collect(),
        warp: facts.warp.map(|warp| Warp {
            cpus: warp.is.cpus,
            samples: warp.is.samples,
            handovers: warp.is.handovers,
            least: warp.is.least,
            max_warp: warp.is.max_warp,
        }),
    }
}

fn phase(phase: &abi::wire::record::Phase) -> Phase {
    Phase { name: phase.name.to_string(), cycles: Cycles(phase.cycles) }
}

fn sample(facts: &Facts, iteration: &Iteration) -> Option<Sample> {
    let workers = iteration.workers.keys().map(|&worker| worker_sample(facts, iteration, worker));
    let workers = workers.collect::<Option<Vec<_>>>()?;
    let span = span(iteration)?;
    let basis = basis(facts, iteration.case);
    Some(Sample {
        case: iteration.case,
        iteration: iteration.iter,
        excluded: None,
        smt: facts.share_cores(workers.iter().map(|worker| worker.cpu)),
        cycles: Cycles(if basis == Basis::Makespan { span.makespan } else { span.longest }),
        basis,
        makespan: Cycles(span.makespan),
        longest: Cycles(span.longest),
        start_spread: Cycles(span.start_spread),
        workers,
    })
}

fn worker_sample(facts: &Facts, iteration: &Iteration, worker: u16) -> Option<WorkerSample> {
    let said = iteration.workers.get(&worker)?;
    let (timing, answer) = (said.timing?.is, said.answer?.is);
    let of = (iteration.case, iteration.iter, worker);
    let gap = facts.gaps.iter().find(|gap| (gap.is.case, gap.is.iter, gap.is.worker) == of)?.is;
    Some(WorkerSample {
        worker,
        cpu: timing.cpu.0,
        params: params(&facts.splits.get(&iteration.case)?.get(&worker)?.is),
        skew: Cycles(timing.skew),
        cycles: Cycles(timing.cycles),
        scaled: u32::try_from(timing.cycles >> SCALE_SHIFT).unwrap_or(u32::MAX),
        irqs: timing.irqs,
        reads_before: gap.reads_before,
        reads_after: gap.reads_after,
        answer: answer.answer,
        work: answer.work,
        digest: answer.digest.to_string(),
    })
}

/// A value in the form that records have it.
fn text(value: &impl Value) -> String {
    let mut text = String::new();
    // Writing to a `String` cannot fail.
    let _ = value.write(&mut text);
    text
}
