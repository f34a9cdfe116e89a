//! A guest that died is run once more, under TCG and traced, to find out why and where. The diagnosis is printed beside
//! the run and is no evidence: it is of another guest, under another accelerator.

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

/// How the second guest is executed: what `-d` traces exists under TCG only.
const UNDER: &str = "TCG";

/// What a guest that died was made of.
pub struct Died<'a> {
    /// What its machine was.
    pub env: &'a GuestEnv,
    /// Its experiment.
    pub manifest: &'a Manifest,
    /// What it booted.
    pub image: &'a BootImage,
    /// Its run.
    pub record: &'a RunRecord,
    /// Where its CPUs were when it was ended, as far as that is known.
    pub last_cpus: &'a [CpuState],
}

/// Whether it can be said why the guest of a run died: it did, and its kernel is ours.
pub fn is_due(record: &RunRecord) -> bool {
    let refused = record.verdict.outcome.refusal().is_some();
    refused && is_death(&record.evidence.ended) && record.system.name() == SystemName::Assay
}

/// Runs the same guest once more and says what it shows, with the kernel's names from `symbols`. Log, trace and text
/// stay beside the first run's log.
///
/// # Errors
/// What kept the second guest from having an outcome, or a file from being written.
pub fn diagnose(died: &Died<'_>, symbols: &Path, session: &CancelToken) -> Result<Diagnosis, Coded> {
    let log = beside(died.record, "serial.log");
    let trace = beside(died.record, "trace.txt");
    let text = beside(died.record, "txt");
    let mut machine = died.env.machine(died.manifest, died.record.evidence.vcpus.unwrap_or(1));
    machine.trace_log = Some(trace.clone());
    machine.hold_at_end = true;
    let tcg = AcceleratorChoice::forced(Accelerator::Tcg, "a guest that died is traced");
    let booted =
        guest::boot(died.env, died.manifest, machine, Some(tcg), died.image, &log, session, &mut || ())?;
    let (first, second) = (first(died), second(&booted, &log, &trace)?);
    let elf = fs::read(symbols);
    let symbols = names(symbols, &elf, died.image.build.unwrap_or_default());
    let mut diagnosis = Diagnosis::new(&first, second, UNDER, symbols.as_ref().map_err(Clone::clone));
    diagnosis.files = [&text, &log, &trace].map(|path| path.display().to_string()).to_vec();
    write_atomically(&text, |out| {
        diagnosis.lines().iter().try_for_each(|line| writeln!(out, "{line}"))?;
        writeln!(out, "\n# the second guest, by hand:\n{}", booted.run.command.by_hand())
    })
    .or_exit(Exit::Output)?;
    Ok(diagnosis)
}

/// `run-....serial.log` to `run-....diagnosis.END`.
fn beside(record: &RunRecord, end: &str) -> PathBuf {
    let log = record.log.as_deref().unwrap_or_default();
    PathBuf::from(format!("{}.diagnosis.{end}", log.strip_suffix(".serial.log").unwrap_or(log)))
}

fn first(died: &Died<'_>) -> Seen {
    let log = died.record.log.as_ref().and_then(|log| fs::read(log).ok()).unwrap_or_default();
    seen::seen(died.record.evidence.ended.clone(), &log, &[], died.last_cpus)
}

fn second(booted: &Booted, log: &Path, trace: &Path) -> Result<Seen, Coded> {
    let read = |path: &Path| fs::read(path).with_context(|| path.display().to_string()).or_exit(Exit::Output);
    Ok(seen::seen(booted.ended.clone(), &read(log)?, &read(trace)?, &booted.run.last_registers))
}

/// The names of the kernel that ran, or why there are none.
fn names<'a>(path: &Path, elf: &'a std::io::Result<Vec<u8>>, build: u64) -> Result<Symbols<'a>, String> {
    let named = match elf {
        Ok(elf) => Symbols::parse(elf, Hex64(build)).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    named.map_err(|why| format!("{}: {why} (--symbols names another file)", path.display()))
}
