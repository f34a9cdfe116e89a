//! The native row. Each case has its ramdisk, and one host CPU for each worker as long as the host has enough.

use std::collections::BTreeMap;
use std::path::Path;

use evidence::gate::HostEvidence;
use experiment::manifest::Manifest;
use experiment::plan::PlanBytes;
use host::{HostTopology, Root, StealAccount};
use results::{Artifact, RunRecord, write_atomically};

use super::native::{self, Native, Spec};
use super::twin::Twin;
use crate::boot_image::Archive;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest::host_steal;
use crate::guest_env::GuestEnv;
use crate::run::Run;

/// The native row.
pub struct Processes {
    env: GuestEnv,
    twin: Twin,
    /// By case: the plan, and the ramdisk with it.
    ramdisks: BTreeMap<u16, (PlanBytes, Archive)>,
    artifacts: Vec<Artifact>,
}

impl Processes {
    /// Reads the twin at `path` and prepares the ramdisks, which are to be in `store`.
    ///
    /// # Errors
    /// The twin cannot be read, or a plan cannot be written.
    pub fn prepare(path: &Path, env: &GuestEnv, manifest: &Manifest, store: &Path) -> Result<Self, Coded> {
        let twin = Twin::find(path)?;
        let mut ramdisks = BTreeMap::new();
        for case in env.cases(manifest) {
            let plan = env.plan(manifest, &[case])?;
            let archive = Archive::new(env.ramdisk(&plan), store, ".tar");
            ramdisks.insert(case, (plan, archive));
        }
        let artifacts = vec![twin.artifact(), env.worker()];
        Ok(Self { env: env.clone(), twin, ramdisks, artifacts })
    }

    /// Writes the missing ramdisks.
    ///
    /// # Errors
    /// A ramdisk cannot be written.
    pub fn build(&self) -> Result<(), Coded> {
        self.ramdisks.values().try_for_each(|(_, archive)| archive.build())
    }

    /// The digest of the plan's work and the command line of a run of `case`.
    pub fn describe(&self, manifest: &Manifest, case: u16) -> String {
        let (plan, _) = &self.ramdisks[&case];
        format!("work {}\n{}", plan.work_digest(), self.spec(manifest, case).command().join(" "))
    }

    /// Performs one run.
    ///
    /// # Errors
    /// The run has no outcome, or a file of the run cannot be written.
    pub fn run(&self, mut run: Run<'_>) -> Result<RunRecord, Coded> {
        let case = run.slot.item.case;
        let plan = self.ramdisks[&case].0.with_challenge(run.challenge);
        let ramdisk = run.folder.join(run.booted()).with_extension("tar");
        write_atomically(&ramdisk, |out| out.write_all(&self.env.ramdisk(&plan))).or_exit(Exit::Output)?;
        let spec = Spec { ramdisk, ..self.spec(run.manifest, case) };
        let log = run.file("serial.log");
        let command = spec.command();
        write_atomically(&run.file("command.txt"), |out| writeln!(out, "{}", command.join(" ")))
            .or_exit(Exit::Output)?;
        let mut steal = StealAccount::of(&Root::here(), &self.env.host_cpus.available);
        let mut reported = false;
        let native = native::run(&spec, &log, run.session, &mut |record| {
            steal.on_record(record);
            if !std::mem::replace(&mut reported, true) {
                (run.on_record)();
            }
        })?;
        steal.close();
        let Native { log: bytes, ended, cost, started_unix_ms, exit_us, host_cpus } = native;
        // The host does not watch the workers' threads: the twin logs the run delay of each worker.
        let evidence = HostEvidence {
            ended,
            vcpus: Some(case),
            host_cpus: Some(self.env.host_cores()),
            host_steal: steal.seen().map(host_steal),
            host_steal_missing: steal.missing(),
            ..HostEvidence::default()
        };
        let mut record = run.judge(&bytes, &self.env, &plan, None, evidence);
        let made = record.making();
        made.log = Some(log.display().to_string().into());
        made.command = command;
        made.started_unix_ms = Some(started_unix_ms);
        made.wall_ms = Some(exit_us / 1000);
        made.boot = Some(cost);
        made.host_cpus = Some(host_cpus.to_string());
        Ok(record)
    }

    /// The environment that the row takes its plan, its worker and its CPUs from.
    pub fn env(&self) -> &GuestEnv {
        &self.env
    }

    /// The files that decide the result, with their digests.
    pub fn artifacts(&self) -> &[Artifact] {
        &self.artifacts
    }

    fn spec(&self, manifest: &Manifest, case: u16) -> Spec {
        Spec {
            twin: self.twin.path.clone(),
            ramdisk: self.ramdisks[&case].1.path.clone(),
            cpus: HostTopology::here().spread_workers(&self.env.host_cpus.available, case),
            within: self.env.host_cpus.available.clone(),
            deadline: manifest.timeouts().run,
        }
    }
}
