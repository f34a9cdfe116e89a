//! One guest of an experiment: boot, watch, judge.

use std::fs;
use std::path::Path;

use anyhow::Context;
use host_parser::gate::{Ended, ExpectedCase, Gate, HostEvidence, RunExpectation, VcpuDelay};
use host_parser::manifest::Manifest;
use host_parser::results::{RunRecord, write_atomically};
use host_parser::transcript::Transcript;
use qemu::{AcceleratorChoice, CancelToken, GuestRun, GuestSpec, Machine, Outcome, QemuError};

use crate::delays::Delays;
use crate::exit::{Coded, Exit, OrExit};
use crate::lab::{Image, Lab};
use crate::schedule::Slot;
use crate::watch::Watch;

/// Runs a guest of `machine` that boots `image`, with its serial log at `log`. Says too how that ended, in the gate's
/// terms, and what the host's scheduler did meanwhile. `accelerator` is used instead of the lab's.
///
/// # Errors
/// What kept it from having an outcome at all.
#[expect(clippy::too_many_arguments, reason = "each decides something else of the one run")]
pub fn boot(
    lab: &Lab,
    manifest: &Manifest,
    machine: Machine,
    accelerator: Option<AcceleratorChoice>,
    image: &Image,
    log: &Path,
    session: &CancelToken,
    on_record: &mut dyn FnMut(),
) -> Result<(GuestRun, Ended, Vec<VcpuDelay>), Coded> {
    let mut spec = spec(lab, manifest, machine, image, log);
    spec.accelerator = accelerator.unwrap_or(spec.accelerator);
    let cancel = CancelToken::new();
    let watch = Watch::start(session, &cancel, manifest.timeouts().boot);
    let mut seen = false;
    let mut delays = Delays::default();
    let run = qemu::run(&spec, &cancel, &mut |progress| {
        let qemu::Progress::SerialLine { line, vcpus } = progress else { return };
        delays.on_line(line, vcpus);
        if !seen && abi::wire::is_tagged(line) {
            seen = true;
            watch.alive();
            on_record();
        }
    });
    let silent = watch.was_silent();
    run.map_err(coded).map(|run| {
        let ended = ended(&run, silent);
        (run, ended, delays.into_seen())
    })
}

/// All that decides a guest's run.
pub fn spec(lab: &Lab, manifest: &Manifest, machine: Machine, image: &Image, log: &Path) -> GuestSpec {
    GuestSpec {
        qemu: lab.qemu.clone(),
        accelerator: lab.accelerator.clone(),
        machine,
        boot: lab.medium(image),
        host_cpus: lab.host_cpus.set.clone(),
        deadline: manifest.timeouts().run,
        serial_log: log.to_owned(),
        serial_limit_bytes: GuestSpec::SERIAL_LIMIT_BYTES,
    }
}

fn coded(error: QemuError) -> Coded {
    let exit = match error {
        QemuError::SerialLog { .. } => Exit::Output,
        QemuError::CpuSet(_) => Exit::Usage,
        _ => Exit::Environment,
    };
    Err::<(), _>(error).or_exit(exit).expect_err("an error")
}

/// Runs the guest of one slot and has the gate judge it. The log and the command line stay in `folder`. `on_record` is
/// called when the guest shows that it lives.
///
/// # Errors
/// What kept it from having an outcome at all, or the files from being written.
#[expect(clippy::too_many_arguments, reason = "each decides something else of the one run")]
pub fn run(
    lab: &Lab,
    manifest: &Manifest,
    image: &Image,
    number: u32,
    slot: Slot<u16>,
    folder: &Path,
    gate: &mut Gate,
    session: &CancelToken,
    on_record: &mut dyn FnMut(),
) -> Result<RunRecord, Coded> {
    let name = format!("run-{number:03}-round-{}-case-{}", slot.round + 1, slot.item);
    let log = folder.join(format!("{name}.serial.log"));
    let machine = lab.machine(manifest, slot.item);
    let (run, ended, delays) = boot(lab, manifest, machine, None, image, &log, session, on_record)?;
    write_atomically(&folder.join(format!("{name}.qemu.txt")), |out| {
        writeln!(out, "{}\n\n# by hand:\n{}", run.command, run.command.by_hand())
    })
    .or_exit(Exit::Output)?;
    let bytes = fs::read(&log).with_context(|| log.display().to_string()).or_exit(Exit::Output)?;
    let evidence = HostEvidence {
        ended,
        vcpus: Some(slot.item),
        host_cpus: Some(lab.host_cores()),
        watched: true,
        delays,
    };
    let expectation = RunExpectation {
        plan: Some(image.plan.digest()),
        cases: Some(vec![ExpectedCase { case: slot.item, iterations: 1 }]),
        cpus: Some(slot.item),
        blob: Some(lab.blob.sha256()),
        build: Some(lab.build),
    };
    let verdict = gate.judge(&Transcript::read(&bytes), &expectation, &evidence);
    let mut record = RunRecord::new(number, slot.round, verdict).with_evidence(evidence);
    record.case = Some(slot.item);
    record.log = Some(log.display().to_string());
    record.command = words(&run);
    record.started_unix_ms = Some(run.timeline.started_unix_ms);
    record.wall_ms = Some(run.timeline.exit_us / 1000);
    record.host_cpus = run.host_cpus_in_force.map(|cpus| cpus.to_string());
    Ok(record)
}

fn words(run: &GuestRun) -> Vec<String> {
    let program = run.command.program().as_os_str();
    let words = std::iter::once(program).chain(run.command.arguments().iter().map(AsRef::as_ref));
    words.map(|word| word.to_string_lossy().into_owned()).collect()
}

/// How the run ended, in the gate's terms; `silent` where it was ended for want of a record.
fn ended(run: &GuestRun, silent: bool) -> Ended {
    let late = silent || matches!(run.outcome, Outcome::DeadlineExceeded { .. });
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
        Outcome::Cancelled if silent => Ended::Deadline,
        Outcome::Cancelled => Ended::Cancelled,
        Outcome::SerialOverflow { limit_bytes } => Ended::SerialOverflow { limit_bytes: *limit_bytes },
        Outcome::QemuDied { status, stderr_tail, .. } => {
            Ended::Died { detail: format!("{status}: {}", stderr_tail.trim()) }
        }
    }
}
