//! The Linux guest of the twin experiment: a kernel, an initramfs with the twin and the ramdisk, a command line.
//!
//! This crate interprets neither the ramdisk nor the twin's output. The distribution's package tools fetch the kernel and
//! check its signature.

mod apt;
mod bzimage;
mod error;
mod initramfs;
mod kernel;

pub use bzimage::{BzImage, BzImageError};
pub use error::LinuxError;
pub use initramfs::initramfs;
pub use kernel::{KERNEL_VARIABLE, LinuxKernel, Origin};

use std::path::Path;

use serde::Serialize;

use crate::{BootMedium, VmmKind};

/// How Linux is set up. A guest that is not as it comes is a separate, labelled row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SetUp {
    /// As it comes.
    Default,
    /// Without its mitigations of CPU vulnerabilities.
    MitigationsOff,
    /// With as little as possible besides the workers on their CPUs, and its default mitigations.
    Tuned,
}

/// For all guests: a console, a reset at once if Linux panics, and no test of the timer's interrupt. As a guest of KVM, Linux
/// leaves that test out by itself (arch/x86/kernel/kvm.c): a busy host keeps a virtual CPU waiting for longer than the test
/// does, and Linux then panics ("IO-APIC + timer doesn't work!", one of 5 boots at a load of 9).
const COMMON: &str = "console=ttyS0 quiet panic=-1 no_timer_check";

impl SetUp {
    /// The command line of a kernel with this number of CPUs (Linux, Documentation/admin-guide/kernel-parameters.rst).
    #[must_use]
    pub fn command_line(self, cpus: u16) -> String {
        match self {
            Self::Default => COMMON.to_owned(),
            Self::MitigationsOff => format!("{COMMON} mitigations=off"),
            Self::Tuned => format!("{COMMON} {}", tuned(cpus)),
        }
    }
}

/// The words that make the twin end the VM by what a VMM without isa-debug-exit ends with. Linux hands `assay_after` to its
/// first process as an environment variable (Documentation/admin-guide/kernel-parameters.rst), and `reboot=k` resets by the
/// keyboard controller, the one way that Firecracker has.
const fn ending(vmm: VmmKind) -> &'static str {
    match vmm {
        VmmKind::Qemu => "",
        VmmKind::Firecracker => " reboot=k assay_after=reboot",
        VmmKind::CloudHypervisor => " assay_after=poweroff",
    }
}

/// The words that tune a guest. CPU 0 keeps time and takes interrupts, so it cannot be isolated, and its tick does not
/// stop; a machine with one CPU has no other. `cpuidle.off` leaves an idle CPU only HLT. Not `idle=poll`: no CPU of a
/// worker is idle in a timed region, and under TCG a CPU that polls takes a host CPU from one that works. `assay.tuned` is
/// for the twin, whose workers then are SCHED_FIFO.
fn tuned(cpus: u16) -> String {
    let last = cpus.saturating_sub(1);
    let others = match last {
        0 => String::new(),
        1 => "isolcpus=domain,managed_irq,1 nohz_full=1 ".to_owned(),
        _ => format!("isolcpus=domain,managed_irq,1-{last} nohz_full=1-{last} "),
    };
    let all = if last == 0 { "0".to_owned() } else { format!("0-{last}") };
    format!("{others}rcu_nocbs={all} irqaffinity=0 nowatchdog cpuidle.off=1 assay.tuned")
}

/// The boot medium of a Linux guest of `vmm` with `cpus` CPUs: `kernel` with `initramfs`, a file that [`initramfs()`] made.
#[must_use]
pub fn medium(kernel: &LinuxKernel, initramfs: &Path, set_up: SetUp, cpus: u16, vmm: VmmKind) -> BootMedium {
    BootMedium::Kernel {
        kernel: kernel.path.clone(),
        initrd: Some(initramfs.to_owned()),
        append: format!("{}{}", set_up.command_line(cpus), ending(vmm)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tuned_guest_isolates_all_cpus_but_the_first() {
        let words = |cpus| SetUp::Tuned.command_line(cpus);
        assert!(!words(1).contains("isolcpus") && words(1).contains(" rcu_nocbs=0 "), "{}", words(1));
        assert!(
            words(2).contains(" isolcpus=domain,managed_irq,1 nohz_full=1 rcu_nocbs=0-1 "),
            "{}",
            words(2)
        );
        assert!(words(4).contains(" isolcpus=domain,managed_irq,1-3 nohz_full=1-3 "), "{}", words(4));
        assert!(words(4).starts_with(&SetUp::Default.command_line(4)));
        assert!(!words(4).contains("mitigations"));
    }
}
