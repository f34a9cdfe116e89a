//! Runs a guest that died once more, under TCG and traced, to find out why and where it died. The diagnosis is printed
//! with the run. It is not evidence: it describes a second guest, under another accelerator.

mod seen;

use std::fs;
use std::path::{Path, PathBuf};

use abi::wire::Hex64;
use abi::wire::record::SystemName;
use anyhow::Context;
use experiment::manifest::Manifest;
use host::CancelToken;
use qemu::{Accelerator, AcceleratorChoice, CpuState};
use results::diagnosis::{Diagnosis, Seen, Symbols, is_death};
use results::{RunRecord, write_atomically};

use crate::boot_image::BootImage;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest::{self, Booted};
use crate::guest_env::GuestEnv;

/// The accelerator of the second guest: QEMU's `-d` traces exceptions under TCG only.
const TRACED_UNDER: &str = "TCG";

/// A guest that died.
pub struct Died<'a> {
    /// The environment that it ran in.
    pub env: &'a GuestEnv,
    /// The manifest of its experiment.
    pub manifest: &'a Manifest,
    /// The image that it booted.
    pub image: &'a BootImage,
    /// The record of its run.
    pub record: &'a RunRecord,
    /// The registers of its CPUs when it ended; empty if QEMU did not report them.
    pub last_cpus: &'a [CpuState],
}

/// Whether a run needs a diagnosis: the gate refused it, its guest died, and the guest ran our kernel.
pub fn is_due(record: &RunRecord) -> bool {
    let refused = record.verdict.outcome.refusal().is_some();
    refused && is_death(&record.made.evidence.ended) && record.system.name() == SystemName::Assay
}

/// Runs the same guest once more and diagnoses its death, with function names from the kernel's ELF file at `symbols`.
/// Writes the second guest's log, its trace and the diagnosis next to the first run's log.
///
/// # Errors
/// The second guest has no outcome, or a file cannot be written.
pub fn diagnose(died: &Died<'_>, symbols: &Path, session: &CancelToken) -> Result<Diagnosis, Coded> {
    let log = beside(died.record, "serial.log");
    let trace = beside(died.record, "trace.txt");
    let text = beside(died.record, "txt");
    let mut machine = died.env.machine(died.manifest, died.record.made.evidence.vcpus.unwrap_or(1));
    machine.trace_log = Some(trace.clone());
    machine.hold_at_end = true;
    if died.env.accelerator.accelerator == Accelerator::Kvm {
        // KVM's models need not exist under TCG: `host` does not.
        machine.cpu_model = None;
    }
    let tcg = AcceleratorChoice::forced(Accelerator::Tcg, "a guest that died is traced");
    let booted =
        guest::boot(died.env, died.manifest, machine, Some(tcg), died.image, &log, session, &mut || ())?;
    let (first, second) = (first(died), second(&booted, &log, &trace)?);
    let elf = fs::read(symbols);
    let symbols = read_symbols(symbols, &elf, died.image.build.unwrap_or_default());
    let mut diagnosis = Diagnosis::new(&first, second, TRACED_UNDER, symbols.as_ref().map_err(Clone::clone));
    diagnosis.files = [&text, &log, &trace].map(|path| path.display().to_string()).to_vec();
    write_atomically(&text, |out| {
        diagnosis.lines().iter().try_for_each(|line| writeln!(out, "{line}"))?;
        writeln!(out, "\n# the second guest, by hand:\n{}", booted.run.command.by_hand())
    })
    .or_exit(Exit::Output)?;
    Ok(diagnosis)
}

/// The path of a file of the diagnosis: `run-....diagnosis.END` for the log `run-....serial.log`.
fn beside(record: &RunRecord, end: &str) -> PathBuf {
    let log = record.made.log.as_deref().unwrap_or_default();
    PathBuf::from(format!("{}.diagnosis.{end}", log.strip_suffix(".serial.log").unwrap_or(log)))
}

/// What the run's own log and registers show.
fn first(died: &Died<'_>) -> Seen {
    let log = died.record.made.log.as_deref().and_then(|log| fs::read(log).ok()).unwrap_or_default();
    seen::seen(died.record.made.evidence.ended.clone(), &log, &[], died.last_cpus)
}

/// What the second guest's log, trace and registers show.
fn second(booted: &Booted, log: &Path, trace: &Path) -> Result<Seen, Coded> {
    Ok(seen::seen(booted.ended.clone(), &read_file(log)?, &read_file(trace)?, &booted.run.last_registers))
}

fn read_file(path: &Path) -> Result<Vec<u8>, Coded> {
    fs::read(path).with_context(|| path.display().to_string()).or_exit(Exit::Output)
}

/// The symbols of the kernel with build ID `build`, from `elf`, the content of the file at `path`. The error says why
/// there are none.
fn read_symbols<'a>(
    path: &Path,
    elf: &'a std::io::Result<Vec<u8>>,
    build: u64,
) -> Result<Symbols<'a>, String> {
    let symbols = match elf {
        Ok(elf) => Symbols::parse(elf, Hex64(build)).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    symbols.map_err(|why| format!("{}: {why} (name another file with --symbols)", path.display()))
}
