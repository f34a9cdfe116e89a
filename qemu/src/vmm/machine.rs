//! What a machine without QEMU cannot have: each is refused by name, and none is left out in silence.

use super::VmmKind;
use crate::{Accelerator, BootMedium, Firmware, GuestSpec, MachineSpec, QemuError};

/// The largest memory of these machines that the specification can name, in MiB.
const MAX_MEMORY_MIB: u32 = 1 << 20;

/// Checks that `kind`, which is not QEMU, can run this guest.
///
/// # Errors
/// [`QemuError::Option`] names the first field that it cannot honour.
pub(crate) fn check(kind: VmmKind, spec: &GuestSpec) -> Result<(), QemuError> {
    let machine = &spec.machine;
    let accelerator = spec.accelerator.accelerator;
    if accelerator != Accelerator::Kvm {
        return refuse("accelerator", accelerator.to_string(), "kvm: only QEMU has another");
    }
    if !(1..=kind.max_vcpus()).contains(&machine.vcpus) {
        let expected = match kind {
            VmmKind::Firecracker => "1 to 32 under Firecracker",
            _ => "1 to 254 under Cloud Hypervisor",
        };
        return refuse("vcpus", machine.vcpus.to_string(), expected);
    }
    if !(1..=MAX_MEMORY_MIB).contains(&machine.memory_mib) {
        return refuse("memory-mib", machine.memory_mib.to_string(), "1 to 1048576");
    }
    if !matches!(spec.boot, BootMedium::Kernel { .. }) || machine.firmware != Firmware::Bios {
        return refuse("boot", "by firmware".to_owned(), "`direct`: only QEMU starts BIOS or UEFI");
    }
    only_qemu(machine)
}

/// Refuses what only QEMU has.
fn only_qemu(machine: &MachineSpec) -> Result<(), QemuError> {
    const ONLY: &str = "nothing: only QEMU has it";
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let asked: [(&'static str, Option<String>); 10] = [
        ("cpu-model", machine.cpu_model.clone()),
        ("shape", machine.shape.map(|shape| format!("{} places", shape.places()))),
        ("numa-nodes", (machine.numa_nodes > 0).then(|| machine.numa_nodes.to_string())),
        ("serial", (!machine.serial).then(|| "off".to_owned())),
        ("debugger", path(&machine.debugger)),
        ("exact", machine.exact.as_ref().map(|_| "the exact mode".to_owned())),
        ("icount-shift", machine.icount_shift.map(|shift| shift.to_string())),
        ("trace-log", path(&machine.trace_log)),
        ("hold-at-end", machine.hold_at_end.then(|| "on".to_owned())),
        ("extra-args", (!machine.extra_args.is_empty()).then(|| machine.extra_args.join(" "))),
    ];
    match asked.into_iter().find_map(|(option, value)| Some((option, value?))) {
        Some((option, value)) => refuse(option, value, ONLY),
        None => Ok(()),
    }
}

fn refuse(option: &'static str, value: String, expected: &'static str) -> Result<(), QemuError> {
    Err(QemuError::Option { option, value, expected })
}
