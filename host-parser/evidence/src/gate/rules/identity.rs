//! Whether the run is the expected one, and belongs to the same experiment as the runs before it.

use std::collections::{HashMap, HashSet};
use std::fmt;

use abi::Digest;
use abi::syscall::Authority;
use abi::wire::record;
use abi::wire::{Hex64, Label, Text};

use super::Run;
use crate::gate::facts::At;
use crate::gate::measurement::{Measurement, Scaling};
use crate::gate::reason::ReasonCode;
use crate::gate::seeded::Seeded;

/// What all runs of one system in an experiment have in common, taken from the first run that passed.
#[derive(Debug)]
pub(in crate::gate) struct Known {
    pub build: Hex64,
    pub workload: Label,
    pub whole: [u64; 4],
    pub blob_sha256: Digest,
    pub khz: Option<u64>,
    /// `None` until a case with several workers has shown it.
    scaling: Option<Scaling>,
    rest: Rest,
}

/// What no other rule compares: who may do what, and where.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Rest {
    authority: Authority,
    vendor: Label,
    signature: Hex64,
    brand: Text<120>,
    hypervisor: Text<36>,
}

impl Rest {
    fn of(measurement: &Measurement) -> Self {
        let machine = measurement.machine();
        Self {
            authority: measurement.identity().authority,
            vendor: machine.vendor,
            signature: machine.signature,
            brand: machine.brand,
            hypervisor: machine.hypervisor,
        }
    }
}

impl fmt::Display for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { authority, vendor, signature, brand, hypervisor } = self;
        write!(f, "CPU {brand} ({vendor} {signature}), hypervisor {hypervisor}, authority {authority}")
    }
}

impl Known {
    pub fn of(measurement: &Measurement) -> Self {
        let identity = measurement.identity();
        Self {
            build: identity.build,
            workload: identity.workload,
            whole: identity.whole,
            blob_sha256: identity.blob_sha256,
            khz: measurement.clock().tsc.as_ref().map(|tsc| tsc.khz),
            scaling: identity.scaling,
            rest: Rest::of(measurement),
        }
    }

    /// Takes over what only a later run shows.
    pub fn learn(&mut self, measurement: &Measurement) {
        self.scaling = self.scaling.or(measurement.identity().scaling);
    }

    /// How a run that passed differs from the earlier ones, if it does.
    pub fn other_row(&self, measurement: &Measurement) -> Option<String> {
        let rest = Rest::of(measurement);
        if let Some((now, earlier)) = measurement.identity().scaling.zip(self.scaling)
            && now != earlier
        {
            let (now, earlier) = (now.word(), earlier.word());
            return Some(format!(
                "the run's workers show {now} scaling, those of earlier runs {earlier} scaling"
            ));
        }
        (rest != self.rest).then(|| format!("the run has {rest}; the earlier runs have {}", self.rest))
    }
}

/// What all logs of an experiment have said, whatever systems they are of.
#[derive(Debug, Default)]
pub(in crate::gate) struct Said {
    nonces: HashSet<u64, Seeded>,
    /// The size of each program, by its SHA-256.
    programs: HashMap<Digest, u32>,
}

/// How many programs' sizes are remembered, whatever the logs name.
const MOST_PROGRAMS: usize = 4_096;

/// Judges the identity of the run: its nonce, plan, kernel and program.
pub(in crate::gate) fn identity(run: &mut Run<'_>, said: &mut Said, known: Option<&Known>) {
    start(run, &mut said.nonces, known);
    profile(run);
    challenge(run);
    program(run, known);
    program_size(run, &mut said.programs);
}

/// Bytes of one SHA-256 are of one length.
fn program_size(run: &mut Run<'_>, programs: &mut HashMap<Digest, u32>) {
    let Some(At { line, is }) = run.facts.one::<record::Blob>() else { return };
    let known = programs.get(&is.sha256).copied();
    let (expected, whose) =
        match run.expectation.blob_bytes.filter(|_| run.expectation.blob == Some(is.sha256)) {
            Some(bytes) => (Some(bytes), "the program itself"),
            None => (known, "in an earlier log"),
        };
    if known.is_none() && programs.len() < MOST_PROGRAMS {
        programs.insert(is.sha256, is.bytes);
    }
    if let Some(expected) = expected.filter(|&expected| expected != is.bytes) {
        let detail = format!(
            "{} has {} bytes, and {expected} {whose}, both of SHA-256 {}",
            is.name, is.bytes, is.sha256
        );
        run.add(ReasonCode::BlobMismatch, line, detail);
    }
}

fn start(run: &mut Run<'_>, nonces: &mut HashSet<u64, Seeded>, known: Option<&Known>) {
    let Some(start) = run.facts.one::<record::Start>() else {
        if run.whole && !run.refused() {
            run.add(ReasonCode::InconsistentRecord, None, "the log has no `start` record");
        }
        return;
    };
    let (line, start) = (start.line, start.is);
    if !nonces.insert(start.nonce.0) {
        run.add(ReasonCode::NonceReused, line, format!("an earlier run has the same nonce, {}", start.nonce));
    }
    if let Some(expected) = run.expectation.plan.filter(|&expected| expected != start.plan) {
        run.add(ReasonCode::PlanMismatch, line, format!("the plan is {}, expected {expected}", start.plan));
    }
    let work = run.facts.one::<record::Challenge>().map(|challenge| challenge.is.work);
    let demanded =
        run.expectation.plan_or_work.filter(|&demanded| demanded != start.plan && Some(demanded) != work);
    if let Some(demanded) = demanded {
        let work = work.map(|work| format!(" and its work {work}")).unwrap_or_default();
        let detail = format!("the plan is {}{work}, expected {demanded}", start.plan);
        run.add(ReasonCode::PlanMismatch, line, detail);
    }
    let expected = run.expectation.build.map(Hex64).or(known.map(|known| known.build));
    if let Some(expected) = expected.filter(|&expected| expected != start.build) {
        run.add(
            ReasonCode::KernelMismatch,
            line,
            format!("the kernel's build ID is {}, expected {expected}", start.build),
        );
    }
}

/// The kernel makes all of its checks.
fn profile(run: &mut Run<'_>) {
    let Some(At { line, is }) = run.facts.one::<record::Profile>() else { return };
    let detail = format!("the kernel was built without checks: {}", is.left_out);
    run.add(ReasonCode::KernelProfile, line, detail);
}

/// The challenge is the one that the run was given, and the work is what its plan asks for.
fn challenge(run: &mut Run<'_>) {
    let Some(At { line, is }) = run.facts.one::<record::Challenge>() else { return };
    if let Some(expected) = run.expectation.challenge.map(Hex64).filter(|&expected| expected != is.value) {
        let detail =
            format!("the challenge is {}, expected {expected}: the answers are of another run", is.value);
        run.add(ReasonCode::PlanMismatch, line, detail);
    }
    if let Some(expected) = run.expectation.work.filter(|&expected| expected != is.work) {
        run.add(
            ReasonCode::PlanMismatch,
            line,
            format!("the plan's work is {}, expected {expected}", is.work),
        );
    }
}

fn program(run: &mut Run<'_>, known: Option<&Known>) {
    if let (Some(experiment), Some(known)) = (run.facts.one::<record::Experiment>(), known)
        && experiment.is.workload != known.workload
    {
        let detail = format!("the workload is {}, expected {}", experiment.is.workload, known.workload);
        run.add(ReasonCode::PlanMismatch, experiment.line, detail);
    }
    let Some(blob) = run.facts.one::<record::Blob>() else { return };
    let expected = run.expectation.blob.or(known.map(|known| known.blob_sha256));
    if let Some(expected) = expected.filter(|&expected| expected != blob.is.sha256) {
        let detail = format!("the SHA-256 of {} is {}, expected {expected}", blob.is.name, blob.is.sha256);
        run.add(ReasonCode::BlobMismatch, blob.line, detail);
    }
    if let Some(experiment) = run.facts.one::<record::Experiment>().filter(|e| e.is.workload != blob.is.name)
    {
        let detail =
            format!("the workload is {}, but the program is {}", experiment.is.workload, blob.is.name);
        run.add(ReasonCode::InconsistentRecord, blob.line, detail);
    }
}
