//! One guest of an experiment: boot, watch, judge.

use std::fs;
use std::path::Path;

use abi::wire::{decode, is_tagged};
use anyhow::Context;
use evidence::gate::{Ended, HostEvidence, HostSteal, VcpuDelay};
use experiment::manifest::Manifest;
use host::{CancelToken, CostAccount, DelayAccount, Root, RunCost, StealAccount, StolenTime, ThreadDelay};
use qemu::{
    AcceleratorChoice, FirstRecord, GuestEvent, GuestRun, GuestSpec, MachineSpec, Outcome, QemuError,
};
use results::{BootCost, RunRecord, write_atomically};

use crate::boot_image::BootImage;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::GuestEnv;
use crate::run::Run;

/// A guest that has ended.
pub struct Booted {
    /// How the run went.
    pub run: GuestRun,
    /// How it ended, in the gate's terms.
    pub ended: Ended,
    /// What the host's scheduler did meanwhile.
    pub delays: Vec<VcpuDelay>,
    /// What the hypervisor under the host took meanwhile.
    pub steal: StealAccount,
    /// What it took beside its workers.
    pub cost: BootCost,
}

/// Runs a guest of `machine` that boots `image`, with its serial log at `log`. `accelerator` is used instead of the
/// env's. `on_record` is called when the guest shows that it lives.
///
/// # Errors
/// What kept it from having an outcome at all.
#[expect(clippy::too_many_arguments, reason = "each decides something else of the one run")]
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
    let mut seen = false;
    let root = Root::here();
    let (mut delays, mut cost) = (DelayAccount::of(&root), CostAccount::of(&root));
    let mut steal = StealAccount::of(&root, &env.host_cpus.available);
    let run = qemu::run(&spec, session, &mut |progress| match progress {
        GuestEvent::Started { pid } => cost.of_process(pid),
        GuestEvent::SerialLine { line, at_us, vcpus } => {
            if let Ok(envelope) = decode(line) {
                // The account of the scheduler first: what else is done here takes time.
                delays.on_record(&envelope.record, vcpus);
                steal.on_record(&envelope.record);
                cost.on_record(&envelope.record, at_us);
            }
            if !seen && is_tagged(line) {
                seen = true;
                on_record();
            }
        }
        GuestEvent::Ending { vcpus } => {
            delays.close(vcpus);
            steal.close();
        }
        _ => {}
    });
    let run = run.map_err(coded)?;
    let (first_serial_us, image_bytes) = (run.timeline.first_serial_us, image.bytes());
    let cost = BootCost { first_serial_us, image_bytes, ..boot_cost(cost.into_seen()) };
    let delays = delays.into_seen().into_iter().map(vcpu_delay).collect();
    Ok(Booted { ended: ended(&run), run, delays, steal, cost })
}

/// What a run took, in the terms of the results.
pub(crate) fn boot_cost(seen: RunCost) -> BootCost {
    let RunCost { first_worker_us, end_record_us, peak_rss_bytes } = seen;
    BootCost { first_worker_us, end_record_us, peak_rss_bytes, ..BootCost::default() }
}

/// What the scheduler did to a vCPU, in the terms of the gate.
fn vcpu_delay(delay: ThreadDelay) -> VcpuDelay {
    let ThreadDelay { case, iteration, vcpu, wall_ns, run_ns, delay_ns, involuntary_switches } = delay;
    VcpuDelay { case, iteration, vcpu, wall_ns, run_ns, delay_ns, involuntary_switches }
}

/// What the hypervisor took, in the terms of the gate.
pub(crate) fn host_steal(stolen: StolenTime) -> HostSteal {
    let StolenTime { cpu, stolen_ms, wall_ms } = stolen;
    HostSteal { cpu, stolen_ms, wall_ms }
}

/// All that decides a guest's run.
pub fn spec(
    env: &GuestEnv,
    manifest: &Manifest,
    machine: MachineSpec,
    image: &BootImage,
    log: &Path,
) -> GuestSpec {
    GuestSpec {
        qemu: env.qemu.clone(),
        accelerator: env.accelerator.clone(),
        machine,
        boot: image.medium.clone(),
        host_cpus: env.host_cpus.set.clone(),
        deadline: manifest.timeouts().run,
        first_record: Some(FirstRecord { deadline: manifest.timeouts().boot, is_record: is_tagged }),
        serial_log: log.to_owned(),
        serial_limit_bytes: GuestSpec::SERIAL_LIMIT_BYTES,
    }
}

fn coded(error: QemuError) -> Coded {
    let exit = match error {
        QemuError::SerialLog { .. } | QemuError::TraceLog { .. } => Exit::Output,
        QemuError::CpuSet(_) => Exit::Usage,
        _ => Exit::Environment,
    };
    Err::<(), _>(error).or_exit(exit).expect_err("an error")
}

/// Runs the guest of one slot, which boots `image`, and has the gate judge it. The log and the command line stay in the
/// run's folder.
///
/// # Errors
/// What kept it from having an outcome at all, or the files from being written.
pub fn run(env: &GuestEnv, image: &BootImage, mut this: Run<'_>) -> Result<RunRecord, Coded> {
    let log = this.file("serial.log");
    let case = this.slot.item.case;
    let machine = env.machine(this.manifest, case);
    let Booted { run, ended, delays, steal, cost } =
        boot(env, this.manifest, machine, None, image, &log, this.session, this.on_record)?;
    write_atomically(&this.file("qemu.txt"), |out| {
        writeln!(out, "{}\n\n# by hand:\n{}", run.command, run.command.by_hand())
    })
    .or_exit(Exit::Output)?;
    let bytes = fs::read(&log).with_context(|| log.display().to_string()).or_exit(Exit::Output)?;
    let host_cpus = Some(env.host_cores());
    let vcpus = Some(case);
    let (host_steal, host_steal_missing) = (steal.seen().map(host_steal), steal.missing());
    let evidence =
        HostEvidence { ended, vcpus, host_cpus, watched: true, delays, host_steal, host_steal_missing };
    let mut record = this.judge(&bytes, env, &image.plan, image.build, evidence);
    record.log = Some(log.display().to_string());
    record.command = words(&run);
    record.started_unix_ms = Some(run.timeline.started_unix_ms);
    record.wall_ms = Some(run.timeline.exit_us / 1000);
    record.boot = Some(cost);
    record.vcpu_host_cpus = run.vcpus.iter().map(|vcpu| vcpu.pinned_to.to_string()).collect();
    record.host_cpus = run.host_cpus_in_force.map(|cpus| cpus.to_string());
    *this.last_cpus = run.last_registers;
    Ok(record)
}

fn words(run: &GuestRun) -> Vec<String> {
    let program = run.command.program().as_os_str();
    let words = std::iter::once(program).chain(run.command.arguments().iter().map(AsRef::as_ref));
    words.map(|word| word.to_string_lossy().into_owned()).collect()
}

/// How the run ended, in the gate's terms.
fn ended(run: &GuestRun) -> Ended {
    let late = matches!(run.outcome, Outcome::DeadlineExceeded { .. });
    if late && run.timeline.cont_us.is_none() {
        // The guest cannot be blamed: it never came to execute an instruction.
        let ms = run.timeline.exit_us / 1000;
        return Ended::Died { detail: format!("hung before it started the guest; killed after {ms} ms") };
    }
    match &run.outcome {
        Outcome::DebugExit { value } => Ended::DebugExit { value: *value },
        Outcome::GuestReset => Ended::Reset,
        Outcome::GuestShutdown => Ended::Shutdown,
        Outcome::GuestPanicked => Ended::Panicked,
        Outcome::InternalError { status } => Ended::InternalError { detail: status.clone() },
        Outcome::DeadlineExceeded { .. } => Ended::Deadline,
        Outcome::Cancelled => Ended::Cancelled,
        Outcome::SerialOverflow { limit_bytes } => Ended::SerialOverflow { limit_bytes: *limit_bytes },
        Outcome::QemuDied { status, stderr_tail, .. } => {
            Ended::Died { detail: format!("{status}: {}", stderr_tail.trim()) }
        }
    }
}
