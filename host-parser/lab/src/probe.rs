//! The native probe: between two rounds the experiment's worker runs as processes of the host, on one and on all of the
//! CPUs that guests are given. What that shows of the host is judged by `evidence::ledger`.

use std::path::{Path, PathBuf};

use abi::exit::GuestExit;
use abi::wire::{Record, decode};
use anyhow::{Context, ensure};
use evidence::baseline::Baseline;
use evidence::gate::{Cycles, Ended, limits};
use evidence::ledger::Ledger;
use evidence::ledger::{FailedProbe, Probe, Probes};
use experiment::manifest::Manifest;
use host::{CancelToken, HostTopology, HostWait};

use crate::boot_image::Archive;
use crate::console;
use crate::exit::Coded;
use crate::guest_env::GuestEnv;
use crate::rows::native::{self, Native, Spec};

/// How the host is probed.
#[derive(Clone, Debug)]
pub enum ProbeSpec {
    /// By the Linux twin at this path.
    Twin(PathBuf),
    /// Not at all, for this reason; and no run waits for the host.
    Off(&'static str),
}

/// The probe of a session.
pub struct Prober {
    /// `None` if there is to be no probe.
    plans: Option<Plans>,
    /// No probes yet, or why there will be none.
    begin: Probes,
    /// `None` if no run waits for the host.
    host_wait: Option<HostWait>,
}

/// What is run.
struct Plans {
    /// The whole on one CPU.
    one: ProbeTask,
    /// The same on all of them.
    all: ProbeTask,
}

struct ProbeTask {
    spec: Spec,
    ramdisk: Archive,
    workers: u16,
    log: PathBuf,
}

impl Prober {
    /// No probe, for this reason.
    fn none(why: impl Into<String>) -> Self {
        Self { plans: None, begin: Probes::none(why), host_wait: None }
    }

    /// Probes as `probe` says, with ramdisks in `store` and logs in `folder`. What is missing is said in the results, and is
    /// no error: a session without a probe is one with less evidence.
    pub fn prepare(
        probe: &ProbeSpec,
        env: &GuestEnv,
        manifest: &Manifest,
        store: &Path,
        folder: &Path,
    ) -> Self {
        let twin = match probe {
            ProbeSpec::Off(why) => return Self::none(*why),
            ProbeSpec::Twin(twin) => twin,
        };
        let cpus = env.host_cores();
        let host_wait = Some(HostWait::new(env.host_cpus.available.clone(), cpus, is_undisturbed));
        if !twin.is_file() {
            return Self { host_wait, ..Self::none(format!("the twin {} is not there", twin.display())) };
        }
        let task = |workers: u16| -> Result<ProbeTask, Coded> {
            let plan = env.probe_plan(manifest, workers)?;
            let ramdisk = Archive::new(env.ramdisk(&plan), store, ".tar");
            let spec = Spec {
                twin: twin.to_owned(),
                ramdisk: ramdisk.path.clone(),
                cpus: HostTopology::here().spread_workers(&env.host_cpus.available, workers),
                within: env.host_cpus.available.clone(),
                deadline: manifest.timeouts().run,
            };
            Ok(ProbeTask { spec, ramdisk, workers, log: folder.join(format!("probe-{workers}.log")) })
        };
        match task(1).and_then(|one| Ok(Plans { one, all: task(cpus)? })) {
            Ok(plans) => {
                let begin = Probes { cpus, ..Probes::default() };
                Self { plans: Some(plans), begin, host_wait }
            }
            Err(error) => Self { host_wait, ..Self::none(error.to_string()) },
        }
    }

    /// Waits for all of them before a probe.
    fn wait_for_all(&self, cancel: &CancelToken) {
        if let Some(host_wait) = &self.host_wait {
            host_wait.wait_for_all(cancel);
        }
    }

    /// Waits for the host's CPUs before a run of `case`; returns for how many milliseconds, if runs wait at all.
    pub fn wait(&self, case: u16, cancel: &CancelToken) -> Option<u64> {
        let waited = self.host_wait.as_ref()?.wait(case, cancel);
        u64::try_from(waited.as_millis()).ok()
    }

    /// The probes of a session that begins: none yet, or why there will be none.
    pub fn begin(&self) -> Probes {
        self.begin.clone()
    }

    /// Probes the host before `round`, unless that was done, or cannot be done here. Before the first round twice, since one
    /// probe makes no baseline. Else a second time if the first was slow, when the host is quiet again: the first belongs to
    /// the round that is over.
    pub fn before(&self, round: u32, ledger: &mut Ledger, cancel: &CancelToken) {
        let tried = last_tried(ledger.probes());
        if tried.is_some_and(|last| last >= round) {
            return;
        }
        if tried.is_none() {
            self.wait_for_all(cancel);
        }
        for nth in 0..2 {
            if nth > 0 && tried.is_some() {
                if !ledger.last_probe_was_slow() {
                    return;
                }
                self.wait_for_all(cancel);
            }
            let Some(plans) = self.plans.as_ref().filter(|_| ledger.probes().missing.is_none()) else {
                return;
            };
            match plans.probe(round, cancel) {
                Ok(probe) => ledger.add_probe(probe),
                Err(_) if cancel.is_cancelled() => return,
                // One that worked before can be made here, and was kept from it.
                Err(error) if !ledger.probes().made.is_empty() => {
                    ledger.add_failed_probe(FailedProbe { before_round: round, why: format!("{error:#}") });
                }
                Err(error) => {
                    let why = format!("{error:#}");
                    console::note(&format!("assay: no native probe: {why}"));
                    ledger.end_probes(why);
                }
            }
        }
    }
}

/// The last round before which a probe was tried.
fn last_tried(probes: &Probes) -> Option<u32> {
    let made = probes.made.iter().map(|probe| probe.before_round);
    made.chain(probes.failed.iter().map(|probe| probe.before_round)).max()
}

impl Plans {
    fn probe(&self, before_round: u32, cancel: &CancelToken) -> anyhow::Result<Probe> {
        let (one_ns, started_unix_ms) = self.one.time(cancel)?;
        let all_ns = if self.all.workers > 1 { self.all.time(cancel)?.0 } else { one_ns };
        Ok(Probe::new(before_round, started_unix_ms, one_ns, all_ns))
    }
}

impl ProbeTask {
    /// How long its workers took together, in ns, and when that began.
    fn time(&self, cancel: &CancelToken) -> anyhow::Result<(u64, u64)> {
        self.ramdisk.build()?;
        let native = native::run(&self.spec, &self.log, cancel, &mut |_| ())?;
        let Native { log, ended, started_unix_ms, .. } = native;
        let good = matches!(ended, Ended::DebugExit { value } if value == GuestExit::Success.value());
        ensure!(good, "the twin did not do its work: {ended:?}; see {}", self.log.display());
        Ok((makespan_ns(&log, self.workers).context("the twin's records")?, started_unix_ms))
    }
}

/// Whether the last of some times is undisturbed.
fn is_undisturbed(times: &[f64]) -> bool {
    let Some((&last, best)) = times.last().zip(Baseline::of(times.iter().copied()).time()) else {
        return true;
    };
    last <= best * (1.0 + limits::PACE_PER_MILLE as f64 / 1e3)
}

/// The makespan of the last case with `workers` workers, if the twin verified all their answers.
fn makespan_ns(log: &[u8], workers: u16) -> anyhow::Result<u64> {
    let (mut khz, mut makespan) = (None, None);
    for line in log.split(|&byte| byte == b'\n') {
        match decode(line.trim_ascii_end()).map(|envelope| envelope.record) {
            Ok(Record::Tsc(tsc)) => khz = Some(tsc.khz),
            Ok(Record::CaseEnd(end)) if end.case == workers && end.verified => makespan = Some(end.makespan),
            _ => {}
        }
    }
    let makespan = makespan.with_context(|| format!("case {workers} has no verified `case-end`"))?;
    let nanos = khz.and_then(|khz| Cycles(makespan).nanos(khz)).filter(|nanos| nanos.0 > 0);
    Ok(nanos.context("a time that is none")?.0)
}

#[cfg(test)]
mod tests {
    use abi::wire::record::{CaseEnd, RunStatus, Tsc, TscSource};
    use abi::wire::{StreamWriter, Timestamp};

    use super::*;

    fn log(khz: u64, end: CaseEnd) -> Vec<u8> {
        let mut writer = StreamWriter::default();
        let tsc = Tsc { source: TscSource::Linux, khz, sources: 1, spread_ppm: 0 };
        let mut log = b"\n".to_vec();
        for record in [Record::from(tsc), Record::from(end)] {
            log.extend_from_slice(writer.line(Timestamp::UNKNOWN, record).as_bytes());
            log.extend_from_slice(b"\r\n");
        }
        log.extend_from_slice(writer.end(Timestamp::UNKNOWN, RunStatus::Ok).as_bytes());
        log
    }

    #[test]
    fn takes_verified_times_only() {
        let end = CaseEnd { case: 2, iter: 0, done: 2, makespan: 347_000_000, verified: true };
        assert_eq!(makespan_ns(&log(2_000_000, end), 2).unwrap(), 173_500_000);
        let unverified = CaseEnd { verified: false, ..end };
        for (workers, khz, end) in [
            (1, 2_000_000, end),
            (2, 2_000_000, unverified),
            (2, 2_000_000, CaseEnd { makespan: 0, ..end }),
            (2, 0, end),
        ] {
            assert!(makespan_ns(&log(khz, end), workers).is_err(), "{end:?}");
        }
    }
}
