//! One guest of an experiment: boots it, measures it from outside and has the gate judge it.

use std::fs;
use std::path::Path;

use abi::wire::{Record, decode, is_tagged};
use anyhow::Context;
use evidence::gate::{Ended, HostEvidence, HostSteal, VcpuDelay, WatcherDelay};
use experiment::manifest::Manifest;
use host::{
    CancelToken, CostAccount, DelayAccount, ReaderDelay, Root, RunCost, StealAccount, StolenTime, ThreadDelay,
};
use qemu::{
    AcceleratorChoice, BootMedium, FirstRecord, GuestEvent, GuestRun, GuestSpec, MachineSpec, Outcome,
    QemuError,
};
use results::{BootCost, RunRecord, write_atomically};

use crate::boot_image::BootImage;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::GuestEnv;
use crate::run::Run;

/// A guest that has ended.
pub struct Booted {
    /// The VMM's outcome, timeline and registers.
    pub run: GuestRun,
    /// How the guest ended, as the gate takes it.
    pub ended: Ended,
    /// The run delays of the vCPU threads in each iteration.
    pub delays: Vec<VcpuDelay>,
    /// What the thread that read them waited for a CPU itself in each iteration.
    pub watcher: Vec<WatcherDelay>,
    /// The steal of the host's CPUs during the run, if the host is itself a guest.
    pub steal: StealAccount,
    /// The cost of the run outside its workers.
    pub cost: BootCost,
}

/// Runs a guest of `machine` that boots `image`, with its serial log at `log`. An `accelerator` replaces that of `env`.
/// Calls `on_record` once, at the guest's first record.
///
/// # Errors
/// The guest has no outcome: the VMM cannot be started or controlled, or its log cannot be written.
#[expect(clippy::too_many_arguments, reason = "each is an independent input of one run")]
pub fn boot(
    env: &GuestEnv,
    manifest: &Manifest,
    machine: MachineSpec,
    accelerator: Option<AcceleratorChoice>,
    image: &BootImage,
    log: &Path,
    session: &CancelToken,
    on_record: &mut dyn FnMut(),
) -> Result<Booted, Coded> {
    let mut spec = spec(env, manifest, machine, image, log);
    spec.accelerator = accelerator.unwrap_or(spec.accelerator);
    let mut has_record = false;
    let mut cost = CostAccount::of(&Root::here());
    let mut watch = Watch::new(env);
    let run = qemu::run(&spec, session, &mut |event| {
        // First: the other calls take time, which would add to its intervals.
        let record = watch.take(&event);
        match event {
            GuestEvent::Started { pid } => cost.of_process(pid),
            GuestEvent::SerialLine { line, at_us, vcpus, .. } => {
                if let Some(record) = record {
                    cost.on_record(&record, at_us);
                }
                if !has_record && is_tagged(line) {
                    has_record = true;
                    // What was started may be a script that waits for QEMU.
                    if let Some(vcpu) = vcpus.first() {
                        cost.of_process(vcpu.pid);
                    }
                    on_record();
                }
            }
            _ => {}
        }
    });
    let run = run.map_err(with_exit_code)?;
    let (first_serial_us, image_bytes) = (run.timeline.first_serial_us, image.bytes());
    let cost = BootCost { first_serial_us, image_bytes, ..boot_cost(cost.into_seen()) };
    let Watch { delays, steal } = watch;
    let (delays, watcher) = delays_of(delays);
    Ok(Booted { ended: ended(&run), run, delays, watcher, steal, cost })
}

/// What is read of the host's scheduler and of its steal while a guest runs.
pub struct Watch {
    delays: DelayAccount,
    steal: StealAccount,
}

impl Watch {
    /// A watch over a guest of `env`.
    pub fn new(env: &GuestEnv) -> Self {
        let root = Root::here();
        Self { delays: DelayAccount::of(&root), steal: StealAccount::of(&root, &env.host_cpus.available) }
    }

    /// Takes a reading, if the event asks for one. Returns the record, if the event is one.
    pub fn take(&mut self, event: &GuestEvent<'_>) -> Option<Record> {
        match *event {
            GuestEvent::LineBegins { vcpus } => self.delays.on_line_begin(vcpus),
            GuestEvent::SerialLine { line, vcpus, .. } => {
                let Ok(envelope) = decode(line) else {
                    self.delays.on_other_line();
                    return None;
                };
                // The scheduler first: the other reading takes time, which would add to its interval.
                self.delays.on_record(&envelope.record, vcpus);
                self.steal.on_record(&envelope.record);
                return Some(envelope.record);
            }
            GuestEvent::Ending { vcpus } | GuestEvent::Deleting { vcpus, .. } => {
                self.delays.close(vcpus);
                self.steal.close();
            }
            _ => {}
        }
        None
    }

    /// What the host observed of a guest with `vcpus` CPUs on `host_cpus` of the host, whose log is the only word on its
    /// end.
    pub fn into_evidence(self, vcpus: u16, host_cpus: u16) -> HostEvidence {
        let (host_steal, host_steal_missing) = (self.steal.seen().map(host_steal), self.steal.missing());
        let (delays, watcher) = delays_of(self.delays);
        HostEvidence {
            ended: Ended::Unknown,
            vcpus: Some(vcpus),
            host_cpus: Some(host_cpus),
            watched: true,
            delays,
            watcher,
            host_steal,
            host_steal_missing,
        }
    }
}

/// The delays of the vCPUs' threads, and of the thread that read them.
fn delays_of(account: DelayAccount) -> (Vec<VcpuDelay>, Vec<WatcherDelay>) {
    let seen = account.into_seen();
    let delays = seen.vcpus.into_iter().map(vcpu_delay).collect();
    (delays, seen.reader.into_iter().map(watcher_delay).collect())
}

/// The cost of a run, as the results store it.
pub(crate) fn boot_cost(seen: RunCost) -> BootCost {
    let RunCost { first_worker_us, end_record_us, peak_rss_bytes } = seen;
    BootCost { first_worker_us, end_record_us, peak_rss_bytes, ..BootCost::default() }
}

/// The run delay of a vCPU, as the gate takes it.
fn vcpu_delay(delay: ThreadDelay) -> VcpuDelay {
    let ThreadDelay { case, iteration, vcpu, wall_ns, run_ns, delay_ns, involuntary_switches } = delay;
    VcpuDelay { case, iteration, vcpu, wall_ns, run_ns, delay_ns, involuntary_switches }
}

/// The run delay of the thread that watches, as the gate takes it.
fn watcher_delay(delay: ReaderDelay) -> WatcherDelay {
    let ReaderDelay { case, iteration, delay_ns } = delay;
    WatcherDelay { case, iteration, delay_ns }
}

/// The steal of a host CPU, as the gate takes it.
pub(crate) fn host_steal(stolen: StolenTime) -> HostSteal {
    let StolenTime { cpu, stolen_ms, wall_ms } = stolen;
    HostSteal { cpu, stolen_ms, wall_ms }
}

/// The input to the VMM for one run: machine, image, CPUs, deadlines and log.
pub fn spec(
    env: &GuestEnv,
    manifest: &Manifest,
    machine: MachineSpec,
    image: &BootImage,
    log: &Path,
) -> GuestSpec {
    spec_of(env, manifest, machine, image.medium.clone(), log)
}

/// The same for whatever the machine boots.
pub fn spec_of(
    env: &GuestEnv,
    manifest: &Manifest,
    machine: MachineSpec,
    boot: BootMedium,
    log: &Path,
) -> GuestSpec {
    GuestSpec {
        vmm: env.vmm.clone(),
        accelerator: env.accelerator.clone(),
        machine,
        boot,
        host_cpus: env.host_cpus.set.clone(),
        deadline: manifest.timeouts().run,
        first_record: Some(FirstRecord { deadline: manifest.timeouts().boot, is_record: is_tagged }),
        serial_log: log.to_owned(),
        delete_after: None,
        serial_limit_bytes: GuestSpec::SERIAL_LIMIT_BYTES,
    }
}

/// The error with its exit code.
pub fn with_exit_code(error: QemuError) -> Coded {
    let exit = match error {
        QemuError::SerialLog { .. } | QemuError::TraceLog { .. } | QemuError::Configuration { .. } => {
            Exit::Output
        }
        QemuError::CpuSet(_) => Exit::Usage,
        _ => Exit::Environment,
    };
    Err::<(), _>(error).or_exit(exit).expect_err("an error")
}

/// Runs the guest of one slot, which boots `image`, and has the gate judge it. Leaves the log and the command line in
/// the run's folder.
///
/// # Errors
/// The guest has no outcome, or a file cannot be written.
pub fn run(env: &GuestEnv, image: &BootImage, mut run: Run<'_>) -> Result<RunRecord, Coded> {
    let log = run.file("serial.log");
    let case = run.slot.item.case;
    let machine = env.machine(run.manifest, case);
    let Booted { run: guest, ended, delays, watcher, steal, cost } =
        boot(env, run.manifest, machine, None, image, &log, run.session, run.on_record)?;
    write_atomically(&run.file(&format!("{}.txt", env.vmm.kind)), |out| {
        writeln!(out, "{}\n\n# by hand:\n{}", guest.command, guest.command.by_hand())
    })
    .or_exit(Exit::Output)?;
    let bytes = fs::read(&log).with_context(|| log.display().to_string()).or_exit(Exit::Output)?;
    let host_cpus = Some(env.host_cores());
    let vcpus = Some(case);
    let (host_steal, host_steal_missing) = (steal.seen().map(host_steal), steal.missing());
    let watched = true;
    let evidence =
        HostEvidence { ended, vcpus, host_cpus, watched, delays, watcher, host_steal, host_steal_missing };
    let mut record = run.judge(&bytes, env, &image.plan, image.build, evidence);
    let made = record.making();
    made.log = Some(log.display().to_string().into());
    made.command = command_words(&guest);
    made.configuration = guest.command.given().map(|given| given.content.clone());
    made.started_unix_ms = Some(guest.timeline.started_unix_ms);
    made.wall_ms = Some(guest.timeline.exit_us / 1000);
    made.boot = Some(cost);
    made.vcpu_host_cpus = guest.vcpus.iter().map(|vcpu| vcpu.pinned_to.to_string()).collect();
    made.host_cpus = guest.host_cpus_in_force.map(|cpus| cpus.to_string());
    *run.last_cpus = guest.last_registers;
    Ok(record)
}

/// The VMM's command line, one argument an element.
pub fn command_words(run: &GuestRun) -> Vec<String> {
    let program = run.command.program().as_os_str();
    let words = std::iter::once(program).chain(run.command.arguments().iter().map(AsRef::as_ref));
    words.map(|word| word.to_string_lossy().into_owned()).collect()
}

/// How the guest ended, as the gate takes it.
fn ended(run: &GuestRun) -> Ended {
    let late = matches!(run.outcome, Outcome::DeadlineExceeded { .. });
    if late && run.timeline.cont_us.is_none() {
        // The VMM's fault, not the guest's: it never let the guest execute an instruction.
        let (vmm, ms) = (run.vmm.title(), run.timeline.exit_us / 1000);
        return Ended::Died {
            detail: format!("{vmm} hung before it started the guest; killed after {ms} ms"),
        };
    }
    match &run.outcome {
        Outcome::DebugExit { value } => Ended::DebugExit { value: *value },
        Outcome::GuestReset if run.vmm.ends_by_reset() => Ended::ResetToEnd,
        Outcome::GuestReset | Outcome::TripleFault => Ended::Reset,
        Outcome::GuestShutdown => Ended::Shutdown,
        Outcome::GuestPanicked => Ended::Panicked,
        Outcome::InternalError { status } => Ended::InternalError { detail: status.clone() },
        Outcome::DeadlineExceeded { .. } => Ended::Deadline,
        Outcome::Cancelled => Ended::Cancelled,
        // The guest did not end it, so the log is the only word on how far it came.
        Outcome::Deleted { .. } => Ended::Unknown,
        Outcome::SerialOverflow { limit_bytes } => Ended::SerialOverflow { limit_bytes: *limit_bytes },
        Outcome::QemuDied { status, stderr_tail, .. } => {
            Ended::Died { detail: format!("{status}: {}", stderr_tail.trim()) }
        }
    }
}
