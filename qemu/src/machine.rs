//! The machine a guest sees. One profile, q35, with the choices that matter as fields.
//!
//! Further settings, such as a machine type's options (`microvm,pit=off`), go with the type's name or into
//! [`MachineSpec::extra_args`]; QEMU checks them.

use std::path::PathBuf;

use serde::Serialize;

use crate::exact::ExactMode;
use crate::{Accelerator, Firmware, QemuError};

/// The display adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vga {
    /// The standard VGA. A BIOS boot needs it: the loader sets a video mode and hangs without one.
    Std,
    /// None.
    None,
}

/// The controller of a boot disk. A CD is always on the machine's built-in ATA controller, a stick always on USB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DiskBus {
    /// The machine's built-in ATA controller: AHCI on q35, IDE on pc.
    Ata,
    /// An additional AHCI controller.
    Ahci,
    /// NVMe.
    Nvme,
    /// Virtio, on PCI.
    VirtioBlk,
}

/// How the CPUs are arranged. A machine may start with fewer CPUs than its shape has places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CpuShape {
    /// Packages.
    pub sockets: u32,
    /// Cores in each.
    pub cores: u32,
    /// Threads in each of those.
    pub threads: u32,
}

impl CpuShape {
    /// How many CPUs it has places for.
    #[must_use]
    pub fn places(self) -> u64 {
        u64::from(self.sockets) * u64::from(self.cores) * u64::from(self.threads)
    }
}

/// A machine profile. Start from [`MachineSpec::q35`] and change fields.
///
/// All profiles have no default devices, no network, no display, isa-debug-exit at port 0xf4, and end
/// on a reset instead of booting again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MachineSpec {
    /// QEMU's machine type.
    pub machine_type: String,
    /// QEMU's CPU model; `None` is `max` under TCG and the host's own under KVM.
    pub cpu_model: Option<String>,
    /// Virtual CPUs.
    pub vcpus: u32,
    /// How they are arranged; `None` is one socket with one core for each vCPU and no SMT.
    pub shape: Option<CpuShape>,
    /// How many NUMA nodes share memory and CPUs evenly; 0 is a machine without NUMA tables.
    pub numa_nodes: u32,
    /// Memory in MiB.
    pub memory_mib: u32,
    /// The firmware that starts the boot medium.
    pub firmware: Firmware,
    /// The display adapter.
    pub vga: Vga,
    /// The controller of a boot disk.
    pub disk_bus: DiskBus,
    /// Whether there is a serial port. Without one nothing is captured: the run's outcome is all there is.
    pub serial: bool,
    /// Whether what is sent to it ([`SerialInput`](crate::SerialInput)) reaches the guest. Under QEMU only.
    pub serial_input: bool,
    /// Whether there is an HPET; for machine types that know one.
    pub hpet: bool,
    /// A Unix socket on which QEMU serves GDB's protocol. A debugger that is connected may stop the guest; that does not
    /// end the run.
    pub debugger: Option<PathBuf>,
    /// `Some(n)`: the guest's clocks count instructions, 2^n ns each, the same on every host. TCG in one thread.
    pub icount_shift: Option<u8>,
    /// `Some`: the guest runs in the exact mode, the same on every host. One CPU of a model with a name, under TCG.
    pub exact: Option<ExactMode>,
    /// Where to log every exception, reset and guest error; TCG only, slow: for the second run of a guest that died.
    /// Of a long trace the first MiB and the last three are kept. [`trace`](crate::trace) reads it.
    pub trace_log: Option<PathBuf>,
    /// Whether QEMU keeps the state of a guest that resets or powers itself off, so that [`GuestRun::last_registers`]
    /// shows where that was. The run ends all the same.
    ///
    /// [`GuestRun::last_registers`]: crate::GuestRun::last_registers
    pub hold_at_end: bool,
    /// The file that the machine is saved to before it is deleted ([`GuestSpec::delete_after`]), stopped. QEMU only.
    ///
    /// [`GuestSpec::delete_after`]: crate::GuestSpec::delete_after
    pub save_to: Option<PathBuf>,
    /// The machine is not booted but loaded. QEMU only.
    pub load: Option<Loading>,
    /// Where all of a stopped machine's memory is written, before it is saved or when it is loaded, for a comparison. At most 2
    /// GiB, which are one piece from address 0 on.
    pub memory_dump: Option<PathBuf>,
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

/// A machine that goes on from where another was saved. All else of the two must be alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Loading {
    /// The file that the other was saved to.
    pub from: PathBuf,
    /// What its guest is sent as soon as it runs.
    pub then_send: Vec<u8>,
}

impl MachineSpec {
    /// The most vCPUs of any QEMU machine type. TCG before QEMU 9 has no x2APIC and takes at most 255, and older machine
    /// types take fewer; QEMU refuses more itself.
    pub const MAX_VCPUS: u32 = 4096;

    /// A q35 machine with the BIOS and a standard VGA: what the BIOS images of this project boot on.
    #[must_use]
    pub fn q35(vcpus: u32, memory_mib: u32) -> Self {
        Self {
            machine_type: "q35".to_owned(),
            cpu_model: None,
            vcpus,
            shape: None,
            numa_nodes: 0,
            memory_mib,
            firmware: Firmware::Bios,
            vga: Vga::Std,
            disk_bus: DiskBus::Ata,
            serial: true,
            serial_input: false,
            hpet: true,
            debugger: None,
            icount_shift: None,
            exact: None,
            trace_log: None,
            hold_at_end: false,
            save_to: None,
            load: None,
            memory_dump: None,
            extra_args: Vec::new(),
        }
    }

    /// Checks that QEMU can build this machine with that accelerator.
    ///
    /// # Errors
    /// [`QemuError::Option`] names the first field that cannot be honoured.
    pub fn check(&self, accelerator: Accelerator) -> Result<(), QemuError> {
        let refuse = |option, value: String, expected| Err(QemuError::Option { option, value, expected });
        if !(1..=Self::MAX_VCPUS).contains(&self.vcpus) {
            return refuse("vcpus", self.vcpus.to_string(), "1 to 4096");
        }
        if let Some(shape) = self.shape
            && shape.places() < u64::from(self.vcpus)
        {
            let value = format!("{} places for {} CPUs", shape.places(), self.vcpus);
            return refuse("shape", value, "a place for every CPU");
        }
        if !(1..=1 << 20).contains(&self.memory_mib) {
            return refuse("memory-mib", self.memory_mib.to_string(), "1 to 1048576");
        }
        if self.memory_dump.is_some() && self.memory_mib > 2048 {
            return refuse(
                "memory-dump",
                format!("of {} MiB", self.memory_mib),
                "a machine of at most 2048 MiB",
            );
        }
        if self.numa_nodes > self.vcpus.min(self.memory_mib) {
            return refuse(
                "numa-nodes",
                self.numa_nodes.to_string(),
                "at least one CPU and one MiB for each",
            );
        }
        if let Some(shift) = self.icount_shift
            && (shift > 10 || accelerator != Accelerator::Tcg)
        {
            return refuse("icount-shift", format!("{shift} under {accelerator}"), "0 to 10 under tcg");
        }
        if self.serial_input && (self.exact.is_some() || !self.serial) {
            return refuse("serial-input", "true".to_owned(), "a serial port, and not the exact mode");
        }
        if self.exact.is_some() {
            ExactMode::check(self, accelerator)?;
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

    fn refused_option(machine: &MachineSpec, accelerator: Accelerator) -> Option<&'static str> {
        match machine.check(accelerator) {
            Err(QemuError::Option { option, .. }) => Some(option),
            _ => None,
        }
    }

    #[test]
    fn accepts_one_to_4096_vcpus() {
        for (vcpus, refused) in [(0, Some("vcpus")), (1, None), (4096, None), (4097, Some("vcpus"))] {
            assert_eq!(refused_option(&MachineSpec::q35(vcpus, 64), Accelerator::Tcg), refused);
        }
    }

    #[test]
    fn refuses_instruction_counting_under_kvm() {
        let machine = MachineSpec { icount_shift: Some(0), ..MachineSpec::q35(1, 64) };
        assert_eq!(refused_option(&machine, Accelerator::Kvm), Some("icount-shift"));
        assert_eq!(refused_option(&machine, Accelerator::Tcg), None);
    }

    #[test]
    fn refuses_a_shape_that_has_no_place_for_every_cpu() {
        let shape = |threads| Some(CpuShape { sockets: 2, cores: 2, threads });
        let machine = |threads| MachineSpec { shape: shape(threads), ..MachineSpec::q35(8, 64) };
        assert_eq!(refused_option(&machine(1), Accelerator::Tcg), Some("shape"));
        assert_eq!(refused_option(&machine(2), Accelerator::Tcg), None);
        assert_eq!(refused_option(&machine(u32::MAX), Accelerator::Tcg), None);
    }

    #[test]
    fn refuses_more_nodes_than_there_are_cpus() {
        for (nodes, refused) in [(0, None), (4, None), (5, Some("numa-nodes"))] {
            let machine = MachineSpec { numa_nodes: nodes, ..MachineSpec::q35(4, 64) };
            assert_eq!(refused_option(&machine, Accelerator::Tcg), refused);
        }
    }

    #[test]
    fn refuses_input_without_a_port() {
        let machine = MachineSpec { serial: false, serial_input: true, ..MachineSpec::q35(1, 64) };
        assert_eq!(refused_option(&machine, Accelerator::Tcg), Some("serial-input"));
        let machine = MachineSpec { serial: true, ..machine };
        assert_eq!(refused_option(&machine, Accelerator::Tcg), None);
    }

    #[test]
    fn refuses_a_machine_without_memory() {
        assert_eq!(refused_option(&MachineSpec::q35(1, 0), Accelerator::Tcg), Some("memory-mib"));
    }

    #[test]
    fn refuses_a_trace_that_kvm_cannot_give() {
        let machine = MachineSpec { trace_log: Some("/tmp/trace".into()), ..MachineSpec::q35(1, 64) };
        assert_eq!(refused_option(&machine, Accelerator::Kvm), Some("trace-log"));
    }
}
