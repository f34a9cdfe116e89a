//! The machine a guest sees. One profile, q35, with the choices that matter as fields.

use std::path::PathBuf;

use serde::Serialize;

use crate::{Accelerator, Firmware, QemuError};

/// The display adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vga {
    /// The standard VGA. A BIOS boot wants one: the loader sets a video mode and hangs where there is none.
    Std,
    /// None.
    None,
}

/// A machine profile. Start from [`Machine::q35`] and change fields.
///
/// All profiles have no default devices, no network, one serial port, no display, isa-debug-exit at port 0xf4, and end
/// on a reset instead of booting again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Machine {
    /// QEMU's machine type.
    pub machine_type: String,
    /// QEMU's CPU model; `None` is `max` under TCG and the host's own under KVM.
    pub cpu_model: Option<String>,
    /// Virtual CPUs: one socket, as many cores, no SMT, so that the guest sees no sibling that is not there.
    pub vcpus: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// What starts the boot medium.
    pub firmware: Firmware,
    /// The display adapter.
    pub vga: Vga,
    /// `Some(n)`: the guest's clocks count instructions, 2^n ns each, the same on every host. TCG in one thread.
    pub icount_shift: Option<u8>,
    /// Where to log every exception, reset and guest error; TCG only, slow: for the second run of a guest that died.
    /// Of a long trace the first MiB and the last three are kept. [`trace`](crate::trace) reads it.
    pub trace_log: Option<PathBuf>,
    /// Whether a guest that resets or powers itself off is stopped where it is, so that [`GuestRun::last_registers`]
    /// says where that was. The run ends all the same.
    ///
    /// [`GuestRun::last_registers`]: crate::GuestRun::last_registers
    pub hold_at_end: bool,
    /// Further arguments, last on the command line.
    pub extra_args: Vec<String>,
}

/// The CPU model for an accelerator.
///
/// `max` under TCG is all that QEMU can translate. Under KVM it is the host's own CPU; `migratable=off` lets the guest
/// see the invariant-TSC flag, and with it the hypervisor's TSC frequency leaf, both hidden otherwise because a guest
/// that relies on them cannot move to another host. Ours never moves.
#[must_use]
pub fn default_cpu_model(accelerator: Accelerator) -> &'static str {
    match accelerator {
        Accelerator::Kvm => "host,migratable=off",
        Accelerator::Tcg => "max",
    }
}

impl Machine {
    /// The most vCPUs a profile takes: eight-bit APIC ids, as TCG before QEMU 9 has no x2APIC.
    pub const MAX_VCPUS: u32 = 255;

    /// A q35 machine with the BIOS and a standard VGA: what the BIOS images of this project boot on.
    #[must_use]
    pub fn q35(vcpus: u32, memory_mib: u32) -> Self {
        Self {
            machine_type: "q35".to_owned(),
            cpu_model: None,
            vcpus,
            memory_mib,
            firmware: Firmware::Bios,
            vga: Vga::Std,
            icount_shift: None,
            trace_log: None,
            hold_at_end: false,
            extra_args: Vec::new(),
        }
    }

    /// Whether this machine can be had with that accelerator.
    ///
    /// # Errors
    /// [`QemuError::Option`] names the first field that cannot be honoured.
    pub fn check(&self, accelerator: Accelerator) -> Result<(), QemuError> {
        let refuse = |option, value: String, expected| Err(QemuError::Option { option, value, expected });
        if !(1..=Self::MAX_VCPUS).contains(&self.vcpus) {
            return refuse("vcpus", self.vcpus.to_string(), "1 to 255");
        }
        if !(1..=1 << 20).contains(&self.memory_mib) {
            return refuse("memory-mib", self.memory_mib.to_string(), "1 to 1048576");
        }
        if let Some(shift) = self.icount_shift
            && (shift > 10 || accelerator != Accelerator::Tcg)
        {
            return refuse("icount-shift", format!("{shift} under {accelerator}"), "0 to 10 under tcg");
        }
        if let Some(log) = &self.trace_log
            && accelerator != Accelerator::Tcg
        {
            return refuse(
                "trace-log",
                format!("{} under {accelerator}", log.display()),
                "none but under tcg",
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused_option(machine: &Machine, accelerator: Accelerator) -> Option<&'static str> {
        match machine.check(accelerator) {
            Err(QemuError::Option { option, .. }) => Some(option),
            _ => None,
        }
    }

    #[test]
    fn accepts_one_to_255_vcpus() {
        for (vcpus, refused) in [(0, Some("vcpus")), (1, None), (255, None), (256, Some("vcpus"))] {
            assert_eq!(refused_option(&Machine::q35(vcpus, 64), Accelerator::Tcg), refused);
        }
    }

    #[test]
    fn refuses_instruction_counting_under_kvm() {
        let machine = Machine { icount_shift: Some(0), ..Machine::q35(1, 64) };
        assert_eq!(refused_option(&machine, Accelerator::Kvm), Some("icount-shift"));
        assert_eq!(refused_option(&machine, Accelerator::Tcg), None);
    }

    #[test]
    fn refuses_a_machine_without_memory() {
        assert_eq!(refused_option(&Machine::q35(1, 0), Accelerator::Tcg), Some("memory-mib"));
    }

    #[test]
    fn refuses_a_trace_that_kvm_cannot_give() {
        let machine = Machine { trace_log: Some("/tmp/trace".into()), ..Machine::q35(1, 64) };
        assert_eq!(refused_option(&machine, Accelerator::Kvm), Some("trace-log"));
    }
}
