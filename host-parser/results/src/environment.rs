//! Where the runs took place: plain data, filled in by the code that drives them. Unknown values are `None`.

use serde::{Deserialize, Serialize};

/// Where the runs took place.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Environment {
    /// What executed the guest's instructions.
    pub accelerator: Option<Accelerator>,
    /// QEMU, if it ran the guests.
    pub qemu: Option<Program>,
    /// The virtual machine monitor, if it is another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vmm: Option<OtherVmm>,
    /// QEMU's machine type. Other VMMs have one machine only.
    pub machine: Option<String>,
    /// QEMU's CPU model, or whose CPU another VMM shows.
    pub cpu_model: Option<String>,
    /// Further arguments that the user gave to QEMU, for every guest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub qemu_args: Vec<String>,
    /// What the guest booted by: `bios`, `uefi` ...
    pub firmware: Option<String>,
    /// The guest's memory in MiB.
    pub memory_mib: Option<u64>,
    /// The host.
    pub host: Option<Host>,
    /// Which host CPUs the guest was given; `None` if the scheduler was left free.
    pub pinning: Option<Pinning>,
    /// What was booted: images, kernel, ramdisk, worker.
    pub artifacts: Vec<Artifact>,
}

/// What executed the guest's instructions.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Accelerator {
    /// `kvm`, `tcg` ...
    pub name: String,
    /// Whether it emulates the CPU: then times and cycles say nothing about any hardware.
    pub emulated: bool,
    /// Why it was chosen.
    pub why: String,
}

impl Environment {
    /// The name of the VMM; `None` if there is none, or if it is not known.
    #[must_use]
    pub fn vmm_name(&self) -> Option<&str> {
        let other = self.vmm.as_ref().map(|vmm| vmm.name.as_str());
        other.or_else(|| self.qemu.as_ref().map(|_| "qemu"))
    }

    /// The VMM and its version, in its own words.
    #[must_use]
    pub fn vmm_version(&self) -> Option<&str> {
        let other = self.vmm.as_ref().map(|vmm| vmm.version.as_str());
        other.or_else(|| self.qemu.as_ref().map(|qemu| qemu.version.as_str()))
    }
}

/// A VMM other than QEMU.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OtherVmm {
    /// Its name: `firecracker` or `cloud-hypervisor`.
    pub name: String,
    /// Where it is.
    pub path: String,
    /// Its version, in its own words.
    pub version: String,
    /// What a run under it has not, and a run under QEMU has.
    pub lacks: String,
}

/// A program that took part.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Program {
    /// Where it is.
    pub path: String,
    /// Its version, in its own words.
    pub version: String,
}

/// The host.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Host {
    /// Its operating system, in one line.
    pub system: String,
    /// Its CPU's name.
    pub cpu: String,
    /// How many CPUs it has online.
    pub cpus_online: u16,
    /// Its load average over one minute when the experiment began.
    pub load: Option<f64>,
}

/// Which host CPUs the guest was given.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pinning {
    /// The set, as a list of numbers and ranges: `0-1,4`.
    pub host_cpus: String,
    /// Who asked for it: an option, an environment variable.
    pub asked_by: String,
    /// How many cores that is, of SMT siblings one counted; `None` if the host does not report it; then each CPU counts.
    #[serde(default)]
    pub cores: Option<u16>,
}

/// A file that was booted.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Artifact {
    /// What it is.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
}
