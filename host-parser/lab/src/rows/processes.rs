//! The native row: one ramdisk for each case, and as many host CPUs as it has workers.

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
    ramdisks: BTreeMap<u16, (PlanBytes, Archive)>,
    artifacts: Vec<Artifact>,
}

impl Processes {
    /// Finds the twin at `path`.
    ///
    /// # Errors
    /// It is not there, or a plan cannot be written.
    pub fn prepare(path: &Path, env: &GuestEnv, manifest: &Manifest, store: &Path) -> Result<Self, Coded> {
        let twin = Twin::find(path)?;
        let ramdisk = |&case: &u16| {
            let plan = env.plan(manifest, &[case])?;
            let archive = Archive::new(env.ramdisk(&plan), store, ".tar");
            Ok((case, (plan, archive)))
        };
        let ramdisks = env.cases(manifest).iter().map(ramdisk).collect::<Result<_, _>>()?;
        let artifacts = vec![twin.artifact(), env.worker()];
        Ok(Self { env: env.clone(), twin, ramdisks, artifacts })
    }

    /// Writes the ramdisks that are not there yet.
    ///
    /// # Errors
    /// One cannot be written.
    pub fn build(&self) -> Result<(), Coded> {
        self.ramdisks.values().try_for_each(|(_, archive)| archive.build())
    }

    /// The command of a run, and the plan that it is given.
    pub fn describe(&self, manifest: &Manifest, case: u16) -> String {
        let (plan, _) = &self.ramdisks[&case];
        format!("plan {}\n{}", plan.digest(), self.spec(manifest, case).command().join(" "))
    }

    /// Makes a run.
    ///
    /// # Errors
    /// What kept it from having an outcome at all, or its files from being written.
    pub fn run(&self, mut this: Run<'_>) -> Result<RunRecord, Coded> {
        let case = this.slot.item.case;
        let (plan, _) = &self.ramdisks[&case];
        let (spec, log) = (self.spec(this.manifest, case), this.file("serial.log"));
        let command = spec.command();
        write_atomically(&this.file("command.txt"), |out| writeln!(out, "{}", command.join(" ")))
            .or_exit(Exit::Output)?;
        let mut steal = StealAccount::of(&Root::here(), &self.env.host_cpus.available);
        let mut seen = false;
        let run = native::run(&spec, &log, this.session, &mut |record| {
            steal.on_record(record);
            if !std::mem::replace(&mut seen, true) {
                (this.on_record)();
            }
        })?;
        steal.close();
        let Native { log: bytes, ended, cost, started_unix_ms, exit_us, host_cpus } = run;
        // Nobody watches from outside: each worker's own account is in the log.
        let (vcpus, host_cores) = (Some(case), Some(self.env.host_cores()));
        let evidence = HostEvidence {
            ended,
            vcpus,
            host_cpus: host_cores,
            host_steal: steal.seen().map(host_steal),
            host_steal_missing: steal.missing(),
            ..HostEvidence::default()
        };
        let mut record = this.judge(&bytes, &self.env, plan, None, evidence);
        record.log = Some(log.display().to_string());
        record.command = command;
        record.started_unix_ms = Some(started_unix_ms);
        record.wall_ms = Some(exit_us / 1000);
        record.boot = Some(cost);
        record.host_cpus = Some(host_cpus.to_string());
        Ok(record)
    }

    /// What its workers are taken from.
    pub fn env(&self) -> &GuestEnv {
        &self.env
    }

    /// What the row is made of.
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
