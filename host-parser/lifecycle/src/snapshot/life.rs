//! One life of a machine that is saved or loaded.

use std::fs;
use std::path::{Path, PathBuf};

use abi::command::Place;
use abi::wire::{Hex64, Record};
use anyhow::Context;
use evidence::gate::HostEvidence;
use host::CancelToken;
use lab::guest::Watch;
use lab::{BootImage, Coded, Exit, OrExit};
use qemu::{Deletion, GuestEvent, GuestRun, GuestSpec, Loading, Outcome};

use crate::cycle::PATIENCE;
use crate::exec;
use crate::session::Prepared;

/// A life that is to be lived: a boot, or a loading, and the commands after it.
pub(super) struct Plan<'a> {
    /// The machine.
    pub target: &'a Prepared,
    /// What it boots, or booted before it was saved.
    pub image: &'a BootImage,
    /// Where its log goes.
    pub log: PathBuf,
    /// The file from which it is loaded, and the first command for it; `None` boots it.
    pub load: Option<Loading>,
    /// The file to which it is saved at the end.
    pub save_to: Option<&'a Path>,
    /// Where its memory is written while it is stopped.
    pub memory_dump: Option<&'a Path>,
    /// The commands after each stream that ends, at the machine's place then.
    pub commands: &'a [&'a (dyn Fn(Place) -> String + Sync)],
}

/// A life that has been lived.
pub(super) struct Life {
    /// The VMM's run.
    pub run: GuestRun,
    /// The streams of its log, each up to its `end`.
    pub streams: Vec<Vec<u8>>,
    /// The machine's place after the last of them that counts.
    pub place: Place,
    /// When the first record was whole, in microseconds from the VMM's start.
    pub first_record_us: Option<u64>,
    /// When the first worker's record was.
    pub worker_us: Option<u64>,
    /// When each stream was.
    pub ends_us: Vec<u64>,
    /// What the host observed in its last stream.
    pub evidence: HostEvidence,
}

/// What is seen while it lives.
struct Seen {
    place: Place,
    /// The nonce of the stream that is being printed.
    nonce: Hex64,
    first_record_us: Option<u64>,
    worker_us: Option<u64>,
    ends_us: Vec<u64>,
    watch: Watch,
}

/// Lives it. `place` is that of a machine that is loaded.
///
/// # Errors
/// The VMM cannot be started or controlled, or ended otherwise than asked to.
pub(super) fn live(plan: &Plan<'_>, place: Option<Place>, cancel: &CancelToken) -> Result<Life, Coded> {
    let env = plan.target.env();
    let mut machine = env.machine(&plan.target.manifest, plan.target.machine.cpus);
    machine.serial_input = true;
    machine.load.clone_from(&plan.load);
    machine.save_to = plan.save_to.map(Path::to_owned);
    machine.memory_dump = plan.memory_dump.map(Path::to_owned);
    // A boot's own stream, or the answer to the first command.
    let lines = 1 + u32::try_from(plan.commands.len()).unwrap_or(u32::MAX);
    let delete_after = Some(Deletion { is_last: exec::ends_stream, lines, patience: PATIENCE });
    let boot = plan.image.medium.clone();
    let of_guest = lab::guest::spec_of(env, &plan.target.manifest, machine, boot, &plan.log);
    let spec = GuestSpec { delete_after, ..of_guest };
    let mut seen = Seen {
        place: place.unwrap_or(Place { number: 0, after: Hex64(0) }),
        nonce: Hex64(0),
        first_record_us: None,
        worker_us: None,
        ends_us: Vec::new(),
        watch: Watch::new(env),
    };
    let is_booted = plan.load.is_none();
    let run = qemu::run(&spec, cancel, &mut |event| {
        let Some(record) = seen.take(&event, env, is_booted) else { return };
        if let (Record::End(_), GuestEvent::SerialLine { input, .. }) = (record, event)
            && let Some(command) = plan.commands.get(seen.ends_us.len() - 1)
        {
            input.send(format!("{}\r\n", command(seen.place)).as_bytes());
        }
    });
    let run = run.map_err(lab::guest::with_exit_code)?;
    let shown = || plan.log.display().to_string();
    if run.outcome != (Outcome::Deleted { by_itself: true }) {
        let error = anyhow::anyhow!("{}: the machine ended otherwise: {:?}", shown(), run.outcome);
        return Err(error).or_exit(if run.outcome == Outcome::Cancelled {
            Exit::Interrupted
        } else {
            Exit::Failed
        });
    }
    let log = fs::read(&plan.log).with_context(shown).or_exit(Exit::Output)?;
    let mut streams: Vec<Vec<u8>> = exec::streams(&log).into_iter().map(<[u8]>::to_vec).collect();
    // What follows the last `end`.
    streams.pop();
    let evidence = seen.watch.into_evidence(plan.target.machine.cpus, env.host_cores());
    let Seen { place, first_record_us, worker_us, ends_us, .. } = seen;
    Ok(Life { run, streams, place, first_record_us, worker_us, ends_us, evidence })
}

impl Seen {
    fn take(&mut self, event: &GuestEvent<'_>, env: &lab::GuestEnv, is_booted: bool) -> Option<Record> {
        let record = self.watch.take(event)?;
        let GuestEvent::SerialLine { at_us, .. } = *event else { return None };
        self.first_record_us.get_or_insert(at_us);
        match record {
            Record::Start(start) => {
                self.nonce = start.nonce;
                if is_booted && self.ends_us.is_empty() {
                    self.place.after = start.nonce;
                }
                // Each stream has its own cases.
                self.watch = Watch::new(env);
            }
            Record::CommandTaken(taken) => {
                self.place = Place { number: taken.number.wrapping_add(1), after: self.nonce };
            }
            Record::Worker(_) => drop(self.worker_us.get_or_insert(at_us)),
            Record::End(_) => self.ends_us.push(at_us),
            _ => {}
        }
        Some(record)
    }
}

impl Life {
    /// The records of its last stream.
    pub fn last_records(&self) -> Vec<Record> {
        let stream = self.streams.last().map_or(&[][..], Vec::as_slice);
        let lines = stream.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
        lines.filter_map(|line| abi::wire::decode(line).ok()).map(|envelope| envelope.record).collect()
    }
}
