//! One cycle: a machine is started, its steps are timed, it is deleted, and what is left of it is looked for.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use abi::wire::{Hex64, Record};
use anyhow::Context;
use evidence::gate::HostEvidence;
use experiment::plan::PlanBytes;
use host::CancelToken;
use lab::guest::Watch;
use lab::{BootImage, Coded, Exit, GuestEnv, OrExit};
use qemu::{BootMedium, Deletion, GuestEvent, GuestRun, GuestSpec, Outcome};

use crate::exec;
use crate::ledger::{LOG, Times};
use crate::leftovers::{Held, Traces};
use crate::session::Prepared;

/// How long a VMM may take to end after it was asked to.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A cycle that is to be made.
#[derive(Clone, Copy)]
pub(crate) struct Cycle<'a> {
    /// Its number.
    pub number: u32,
    /// The challenge of its boot's plan.
    pub challenge: u64,
    /// Where its files go.
    pub folder: &'a Path,
}

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
    /// What the host observed of its guest, up to the end of the boot's log.
    pub evidence: HostEvidence,
    /// The command that it was sent, if it was.
    pub exec: Option<Sent>,
    /// Whether it was interrupted.
    pub interrupted: bool,
}

/// A command that was sent.
pub(crate) struct Sent {
    /// Its plan, and the challenge of that.
    pub plan: PlanBytes,
    pub challenge: u64,
    /// What the host observed from then on.
    pub evidence: HostEvidence,
}

/// What is looked at while a cycle lives.
#[derive(Debug, Default)]
struct Seen {
    first_record_us: Option<u64>,
    ready_us: Option<u64>,
    end_us: Option<u64>,
    answered_us: Option<u64>,
    answer_end_us: Option<u64>,
    /// The nonce of the boot.
    nonce: Option<Hex64>,
    pid: Option<u32>,
    held: Held,
    group: Vec<u32>,
}

/// Lives one cycle of `target` in its own `folder`: the boot of `image` with its challenge, and then a command. `turn` is when
/// its turn began.
///
/// # Errors
/// The VMM cannot be started or controlled, or a file cannot be written.
pub(crate) fn live(
    target: &Prepared,
    image: Option<&BootImage>,
    cycle: Cycle<'_>,
    turn: Instant,
    cancel: &CancelToken,
) -> Result<Lived, Coded> {
    let Cycle { number, challenge, folder } = cycle;
    let shown = || folder.display().to_string();
    fs::create_dir_all(folder).with_context(shown).or_exit(Exit::Output)?;
    let spec = spec(target, image, &folder.join(LOG));
    let traces = Traces { proc: Path::new("/proc") };
    let (begun, started) = (turn.elapsed(), SystemTime::now());
    let mut seen = Seen::default();
    let mut watches = [Watch::new(target.env()), Watch::new(target.env())];
    let mut sent = None;
    let run = qemu::run(&spec, cancel, &mut |event| {
        let record = watch(&mut watches, &event, sent.is_some());
        seen.take(traces, started, &event, record.as_ref(), sent.is_some());
        if let (
            GuestEvent::SerialLine { input, .. },
            Some(Record::End(end)),
            None,
            Some(image),
            Some(nonce),
        ) = (event, record, &sent, image.filter(|_| target.takes_commands()), seen.nonce)
        {
            let challenge = exec::challenge(challenge, end.digest, number);
            let plan = image.plan.with_challenge(challenge);
            input.send(&exec::line(&plan, nonce));
            sent = Some((plan, challenge));
        }
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
    let [of_boot, of_answer] =
        watches.map(|watch| watch.into_evidence(target.machine.cpus, target.env().host_cores()));
    Ok(Lived {
        times: times(&run, &seen, begun),
        ended_otherwise: ended_otherwise(&run),
        left,
        rss_kib: seen.held.rss_kib,
        command: lab::guest::command_words(&run),
        started_unix_ms: run.timeline.started_unix_ms,
        log,
        evidence: of_boot,
        exec: sent.map(|(plan, challenge)| Sent { plan, challenge, evidence: of_answer }),
        interrupted,
    })
}

/// Has the watch over the boot, or that over the answer, take a line; both see when the machine ends.
fn watch([boot, answer]: &mut [Watch; 2], event: &GuestEvent<'_>, is_answer: bool) -> Option<Record> {
    match event {
        GuestEvent::SerialLine { .. } | GuestEvent::LineBegins { .. } => {
            if is_answer {
                answer.take(event)
            } else {
                boot.take(event)
            }
        }
        _ => {
            boot.take(event);
            answer.take(event);
            None
        }
    }
}

fn spec(target: &Prepared, image: Option<&BootImage>, log: &Path) -> GuestSpec {
    let (env, manifest): (&GuestEnv, _) = (target.env(), &target.manifest);
    let mut machine = env.machine(manifest, target.machine.cpus);
    machine.serial_input = image.is_some() && target.takes_commands();
    let lines = if machine.serial_input { 2 } else { 1 };
    let delete_after = Some(Deletion { is_last: exec::ends_stream, lines, patience: PATIENCE });
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
        is_answer: bool,
    ) {
        match *event {
            GuestEvent::SerialLine { at_us, .. } if is_answer => match record {
                Some(Record::Worker(_)) => drop(self.answered_us.get_or_insert(at_us)),
                Some(Record::End(_)) => drop(self.answer_end_us.get_or_insert(at_us)),
                _ => {}
            },
            GuestEvent::SerialLine { at_us, .. } if record.is_some() => {
                self.first_record_us.get_or_insert(at_us);
                match record {
                    Some(Record::Start(start)) => drop(self.nonce.get_or_insert(start.nonce)),
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
        sent_us: run.timeline.sent_us,
        answered_us: seen.answered_us,
        answer_end_us: seen.answer_end_us,
        asked_us: run.timeline.asked_us,
        gone_us: run.timeline.exit_us,
    }
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
