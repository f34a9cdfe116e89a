//! One run of an experiment, on any system: where its files are, and how the gate judges it.

use std::path::{Path, PathBuf};

use abi::wire::Hex64;
use evidence::challenge;
use evidence::gate::{AskedRows, ExpectedCase, Gate, HostEvidence, RunExpectation};
use evidence::transcript::Transcript;
use experiment::manifest::Manifest;
use experiment::plan::PlanBytes;
use host::CancelToken;
use qemu::CpuState;
use results::{RunRecord, SealedRun, System};

use crate::guest_env::GuestEnv;
use crate::schedule::Slot;

/// What a run is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RunKey {
    /// What runs the workers.
    pub system: System,
    /// The case; of a sweep, how many CPUs its machine has.
    pub case: u16,
}

/// A case's name: `2 CPUs`.
pub fn cpus(case: u16) -> String {
    format!("{case} CPU{}", if case == 1 { "" } else { "s" })
}

/// A run that is to be made.
pub struct Run<'a> {
    /// The experiment.
    pub manifest: &'a Manifest,
    /// Its place in the order in which runs are made, from 0.
    pub number: u32,
    /// What is run.
    pub slot: Slot<RunKey>,
    /// The challenge of its plan.
    pub challenge: u64,
    /// Where its files go.
    pub folder: &'a Path,
    /// Who judges it.
    pub gate: &'a mut Gate,
    /// Ends it early.
    pub session: &'a CancelToken,
    /// Called when the run shows that it lives.
    pub on_record: &'a mut dyn FnMut(),
    /// Takes where the guest's CPUs were when it was ended, as far as that is known.
    pub last_cpus: &'a mut Vec<CpuState>,
}

impl Run<'_> {
    /// The file of this run whose name ends in `end`.
    pub fn file(&self, end: &str) -> PathBuf {
        let Slot { round, item: RunKey { system, case } } = self.slot;
        self.folder.join(format!("run-{:03}-round-{}-{system}-case-{case}.{end}", self.number, round + 1))
    }

    /// The name of the files that its guest boots from, which replace those of the row's run before it.
    pub fn booted(&self) -> String {
        let RunKey { system, case } = self.slot.item;
        format!("booted-{system}-case-{case}")
    }

    /// Has the gate judge a log. `build` is that of the kernel, where it is known.
    pub fn judge(
        &mut self,
        log: &[u8],
        env: &GuestEnv,
        plan: &PlanBytes,
        build: Option<u64>,
        evidence: HostEvidence,
    ) -> RunRecord {
        let Slot { round, item: RunKey { system, case } } = self.slot;
        let sweeps = self.manifest.sweep().is_some();
        let expectation = expectation(self.manifest, env, plan, build, self.challenge, case);
        let transcript = Transcript::read(log);
        let verdict = self.gate.judge(&transcript, &expectation, &evidence);
        let mut record = RunRecord::new(self.number, round, verdict).with_evidence(evidence);
        record.system = system;
        record.case = Some(case).filter(|_| !sweeps);
        let made = record.making();
        made.sealed = Some(Box::new(SealedRun::of(log, expectation)));
        made.challenge = Some(Hex64(self.challenge));
        made.end_digest = Some(challenge::ended(&transcript.boots, log));
        record
    }
}

/// What the gate must find in the log of a run of `plan` with this `challenge`, on a machine with `case` CPUs.
pub fn expectation(
    manifest: &Manifest,
    env: &GuestEnv,
    plan: &PlanBytes,
    build: Option<u64>,
    challenge: u64,
    case: u16,
) -> RunExpectation {
    let sweeps = manifest.sweep().is_some();
    RunExpectation {
        plan_or_work: None,
        plan: Some(plan.digest()),
        challenge: Some(challenge),
        work: Some(plan.work_digest()),
        // A sweep's cases follow from the machine, and the gate works them out; a control's may be several in one boot, and
        // the plan's digest stands for them.
        cases: (!sweeps && !manifest.kernel_errs())
            .then(|| vec![ExpectedCase { case, iterations: manifest.iterations() }]),
        cpus: Some(case),
        blob: Some(env.blob.sha256()),
        blob_bytes: u32::try_from(env.blob.bytes().len()).ok(),
        build,
        platform: manifest.platform().map(AskedRows::from),
        mechanisms: env.blob.tasks().and_then(|tasks| manifest.asked_mechanisms(tasks)),
    }
}
