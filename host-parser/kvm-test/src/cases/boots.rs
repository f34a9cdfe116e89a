//! Boots on one, two and four CPUs, and that the tool finds KVM by itself.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::Done;
use super::clocks::describe;
use super::session::{Assay, is_nested};
use crate::guest::{Boot, Start, boot};

/// The most that two sources of the TSC's frequency may differ by in a guest of KVM, in parts per million: kvmclock has
/// the host's own calibration, which HPET and PM timer confirm within 150, and within 451 with 8 vCPUs on 2 CPUs.
pub const SPREAD_PPM: u32 = 1_000;

/// By QEMU itself.
pub fn direct(cpus: u16) -> Result<Done> {
    passed(&boot(Start::Direct, cpus, |_| {})?, cpus)
}

/// From a disk, by the BIOS.
pub fn bios(cpus: u16) -> Result<Done> {
    passed(&boot(Start::Bios, cpus, |_| {})?, cpus)
}

/// From a disk, by UEFI.
pub fn uefi() -> Result<Done> {
    if is_nested() {
        return Ok(Done::NotRun(
            "OVMF writes CR8 in its exception handlers, and QEMU's translator aborts L1 there (7.2 and 10.0)"
                .to_owned(),
        ));
    }
    for cpus in [1, 2, 4] {
        passed(&boot(Start::Uefi, cpus, |_| {})?, cpus)?;
    }
    Ok(Done::Passed("1, 2 and 4 CPUs".to_owned()))
}

/// Checks what every guest of KVM with its default CPU model reports.
fn passed(boot: &Boot, cpus: u16) -> Result<Done> {
    let (hypervisor, tsc) = (boot.machine()?.hypervisor.to_string(), boot.tsc()?);
    ensure!(hypervisor == "KVMKVMKVM", "hypervisor {hypervisor:?}\n{}", boot.text());
    ensure!(tsc.spread_ppm < SPREAD_PPM, "spread {} ppm\n{}", tsc.spread_ppm, boot.text());
    let steal = boot.steal_ns()?;
    ensure!(steal.len() == usize::from(cpus), "{} of {cpus} CPUs report steal", steal.len());
    Ok(Done::Passed(format!(
        "{}; steal {} us at most",
        describe(tsc),
        steal.iter().max().unwrap_or(&0) / 1_000
    )))
}

/// The doctor and a dry run choose KVM, each by a virtual CPU that it starts.
pub fn tool_takes_kvm() -> Result<Done> {
    let doctor = Assay::new(["doctor", "--json"]).run(Duration::from_secs(50))?;
    ensure!(doctor.out.contains("\"kvm\""), "the doctor does not name kvm:\n{}", doctor.out);
    let dry =
        Assay::new(["run", "--dry-run", "manifests/smp-process-scale.toml"]).run(Duration::from_secs(50))?;
    dry.expect_exit(0)?;
    ensure!(dry.out.contains("-accel kvm -cpu host,migratable=off"), "another accelerator:\n{}", dry.out);
    let asked = Assay::new(["run", "--dry-run", "--accel", "kvm", "--cpu-model", "no-such-model"])
        .arg("manifests/smp-process-scale.toml")
        .run(Duration::from_secs(50))?;
    asked.expect_exit(8)?;
    ensure!(asked.err.contains("no-such-model"), "a model that QEMU lacks is not named:\n{}", asked.err);
    Ok(Done::Passed("by itself, and not with a model that QEMU lacks".to_owned()))
}
