//! Which VMMs there are, and what each can do.

use std::fmt;

use serde::Serialize;

use crate::Version;

/// A virtual machine monitor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VmmKind {
    /// QEMU.
    #[default]
    Qemu,
    /// Firecracker.
    Firecracker,
    /// Cloud Hypervisor.
    CloudHypervisor,
}

impl VmmKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Qemu, Self::Firecracker, Self::CloudHypervisor];

    /// Its word in options and results.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Qemu => "qemu",
            Self::Firecracker => "firecracker",
            Self::CloudHypervisor => "cloud-hypervisor",
        }
    }

    /// Its name in messages.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Qemu => "QEMU",
            Self::Firecracker => "Firecracker",
            Self::CloudHypervisor => "Cloud Hypervisor",
        }
    }

    /// The program to look up in PATH.
    #[must_use]
    pub const fn program(self) -> &'static str {
        match self {
            Self::Qemu => "qemu-system-x86_64",
            Self::Firecracker => "firecracker",
            Self::CloudHypervisor => "cloud-hypervisor",
        }
    }

    /// The environment variable that names another program.
    #[must_use]
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Qemu => "ASSAY_QEMU",
            Self::Firecracker => "ASSAY_FIRECRACKER",
            Self::CloudHypervisor => "ASSAY_CLOUD_HYPERVISOR",
        }
    }

    /// Where to get it.
    pub(crate) const fn source(self) -> &'static str {
        match self {
            Self::Qemu => "the distribution (Debian: qemu-system-x86)",
            Self::Firecracker => "https://github.com/firecracker-microvm/firecracker/releases",
            Self::CloudHypervisor => "https://github.com/cloud-hypervisor/cloud-hypervisor/releases",
        }
    }

    /// The oldest version supported. Firecracker 1.12 is the first that starts a kernel by PVH, and Cloud Hypervisor 15
    /// the first with `--event-monitor`; both are from the projects' release notes. HARDWARE.md says which were tried.
    pub(crate) const fn minimum(self) -> Version {
        match self {
            Self::Qemu => crate::MINIMUM_VERSION,
            Self::Firecracker => Version { major: 1, minor: 12, micro: 0 },
            Self::CloudHypervisor => Version { major: 15, minor: 0, micro: 0 },
        }
    }

    /// What the first line of `--version` begins with, up to the number.
    pub(crate) const fn banner(self) -> &'static str {
        match self {
            Self::Qemu => "QEMU emulator version ",
            Self::Firecracker => "Firecracker v",
            Self::CloudHypervisor => "cloud-hypervisor v",
        }
    }

    /// The most CPUs that a guest can have. Firecracker: `MAX_SUPPORTED_VCPUS` in its machine_config.rs. Cloud
    /// Hypervisor: as many as an 8-bit APIC id can name; it refuses more than its KVM takes itself.
    #[must_use]
    pub const fn max_vcpus(self) -> u32 {
        match self {
            Self::Qemu => crate::MachineSpec::MAX_VCPUS,
            Self::Firecracker => 32,
            Self::CloudHypervisor => 254,
        }
    }

    /// Whether guests need KVM. QEMU can also translate.
    #[must_use]
    pub const fn needs_kvm(self) -> bool {
        !matches!(self, Self::Qemu)
    }

    /// The boot configuration that makes our kernel end the VM, where its default does not. Firecracker has no power-off
    /// (its tables have no `_S5`) and ends when the guest resets.
    #[must_use]
    pub const fn boot_configuration(self) -> &'static str {
        match self {
            Self::Qemu => "",
            Self::Firecracker => "after=reboot",
            Self::CloudHypervisor => "after=poweroff",
        }
    }

    /// What a run under it has not, and a run under QEMU has; for the report. Empty for QEMU.
    #[must_use]
    pub const fn lacks(self) -> &'static str {
        match self {
            Self::Qemu => "",
            Self::Firecracker => {
                "no exit code of the guest: the log's `end` record is its only word; no power-off: it ends by a reset; no QMP: \
                 its vCPU threads are found by name, and it is not held before its first instruction; no BIOS or UEFI, no \
                 trace, no counting of instructions"
            }
            Self::CloudHypervisor => {
                "no exit code of the guest: the log's `end` record is its only word; no QMP: its vCPU threads are found by name, \
                 and it is not held before its first instruction; no BIOS or UEFI rows, no trace, no counting of instructions"
            }
        }
    }

    /// Whether a reset is how a guest ends the VM if all went well.
    #[must_use]
    pub const fn ends_by_reset(self) -> bool {
        matches!(self, Self::Firecracker)
    }
}

impl fmt::Display for VmmKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
