//! One cycle: a machine is started, its steps are timed, it is deleted, and what is left of it is looked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use abi::wire::{Record, decode};
use anyhow::Context;
use evidence::gate::HostEvidence;
use host::CancelToken;
use lab::guest::Watch;
use lab::{BootImage, Coded, Exit, GuestEnv, OrExit};
use qemu::{BootMedium, Deletion, GuestEvent, GuestRun, GuestSpec, Outcome};

use crate::ledger::{LOG, Times};
use crate::leftovers::{Held, Traces};
use crate::session::Prepared;

/// How long a VMM may take to end after it was asked to.
const PATIENCE: Duration = Duration::from_secs(30);

/// What came of a cycle.
pub(crate) struct Lived {
    /// When its steps were over.
    pub times: Times,
    /// What ended it otherwise than by its deletion.
    pub ended_otherwise: Option<String>,
    /// What was left of it.
    pub left: Vec<String>,
    /// The VMM's resident memory when it was asked to end.
    pub rss_kib: Option<u64>,
    /// The exact command.
    pub command: Vec<String>,
    /// When it was started, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// Its log; `None` of an empty machine.
    pub log: Option<Vec<u8>>,
    /// What the host observed of its guest.
    pub evidence: HostEvidence,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// What is looked at while a cycle lives.
#[derive(Debug, Default)]
struct Seen {
    first_record_us: Option<u64>,
    ready_us: Option<u64>,
    end_us: Option<u64>,
    pid: Option<u32>,
    held: Held,
    group: Vec<u32>,
}

/// Lives one cycle of `target` in its own `folder`, booting `image`. `turn` is when its turn began.
///
/// # Errors
/// The VMM cannot be started or controlled, or a file cannot be written.
pub(crate) fn live(
    target: &Prepared,
    image: Option<&BootImage>,
    folder: &Path,
    turn: Instant,
    cancel: &CancelToken,
) -> Result<Lived, Coded> {
    let shown = || folder.display().to_string();
    fs::create_dir_all(folder).with_context(shown).or_exit(Exit::Output)?;
    let spec = spec(target, image, &folder.join(LOG));
    let traces = Traces { proc: Path::new("/proc") };
    let (begun, started) = (turn.elapsed(), SystemTime::now());
    let mut seen = Seen::default();
    let mut watch = Watch::new(target.env());
    let run = qemu::run(&spec, cancel, &mut |event| {
        let record = watch.take(&event);
        seen.take(traces, started, &event, record.as_ref());
    });
    let run = run.map_err(lab::guest::with_exit_code)?;
    let mut known = vec![spec.serial_log.clone()];
    known.extend(run.command.given().map(|given| given.path.clone()));
    let left =
        seen.pid.map_or_else(Vec::new, |pid| traces.left(&seen.held, pid, &seen.group, folder, &known));
    let log = match image {
        Some(_) => Some(fs::read(&spec.serial_log).with_context(shown).or_exit(Exit::Output)?),
        None => None,
    };
    let interrupted = run.outcome == Outcome::Cancelled;
    Ok(Lived {
        times: times(&run, &seen, begun),
        ended_otherwise: ended_otherwise(&run),
        left,
        rss_kib: seen.held.rss_kib,
        command: lab::guest::command_words(&run),
        started_unix_ms: run.timeline.started_unix_ms,
        log,
        evidence: watch.into_evidence(target.machine.cpus, target.env().host_cores()),
        interrupted,
    })
}

fn spec(target: &Prepared, image: Option<&BootImage>, log: &Path) -> GuestSpec {
    let (env, manifest): (&GuestEnv, _) = (target.env(), &target.manifest);
    let machine = env.machine(manifest, target.machine.cpus);
    let delete_after = Some(Deletion { is_last, lines: 1, patience: PATIENCE });
    let nothing = BootMedium::Nothing;
    let boot = image.map_or(nothing, |image| image.medium.clone());
    GuestSpec { delete_after, ..lab::guest::spec_of(env, manifest, machine, boot, log) }
}

impl Seen {
    fn take(
        &mut self,
        traces: Traces<'_>,
        started: SystemTime,
        event: &GuestEvent<'_>,
        record: Option<&Record>,
    ) {
        match *event {
            GuestEvent::SerialLine { at_us, .. } if record.is_some() => {
                self.first_record_us.get_or_insert(at_us);
                match record {
                    Some(Record::Worker(_)) => drop(self.ready_us.get_or_insert(at_us)),
                    Some(Record::End(_)) => drop(self.end_us.get_or_insert(at_us)),
                    _ => {}
                }
            }
            GuestEvent::Deleting { pid, .. } => {
                self.pid = Some(pid);
                self.held = traces.held(pid, started);
            }
            GuestEvent::Exited { pid } => self.group = traces.group(pid),
            _ => {}
        }
    }
}

fn times(run: &GuestRun, seen: &Seen, begun: Duration) -> Times {
    Times {
        begun_us: u64::try_from(begun.as_micros()).unwrap_or(u64::MAX),
        running_us: run.timeline.running_us,
        first_record_us: seen.first_record_us,
        ready_us: seen.ready_us,
        end_us: seen.end_us,
        asked_us: run.timeline.asked_us,
        gone_us: run.timeline.exit_us,
    }
}

/// Whether a line is the `end` record.
fn is_last(line: &[u8]) -> bool {
    decode(line).is_ok_and(|envelope| matches!(envelope.record, Record::End(_)))
}

/// What ended a machine, if it was not its deletion.
fn ended_otherwise(run: &GuestRun) -> Option<String> {
    match &run.outcome {
        Outcome::Deleted { by_itself: true } => None,
        Outcome::Deleted { by_itself: false } => {
            let patience = PATIENCE.as_secs();
            Some(format!("it did not end within {patience} s after it was asked to, and was killed"))
        }
        Outcome::DebugExit { value } => Some(format!("the guest ended it with exit value {value:#x}")),
        Outcome::QemuDied { status, stderr_tail, .. } => Some(format!("{status}: {}", stderr_tail.trim())),
        Outcome::DeadlineExceeded { phase } => Some(format!("its deadline passed ({phase:?})")),
        other => Some(format!("{other:?}")),
    }
}

/// The folder of a cycle.
pub(crate) fn folder_of(cycles: &Path, cycle: u32) -> PathBuf {
    cycles.join(format!("{cycle:05}"))
}
