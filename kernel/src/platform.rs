//! What the machine reports of itself beyond what a run needs, for a publication that has to name the machine.

use abi::wire::Hex64;
use abi::wire::record::{Dmi, Platform};
use harness::x86::cpuid;

use crate::console;
use crate::cpu::microcode;
use crate::firmware::smbios::Smbios;
use crate::mem::phys;

/// Emits the records. Needs the IDT: a hypervisor may refuse the read of the microcode's revision.
pub fn report() {
    let smbios = Smbios::find(&phys::Firmware);
    console::record(Platform {
        hypervisor_leaf: Hex64(u64::from(cpuid::leaf(cpuid::HYPERVISOR, 0).eax)),
        microcode: Hex64(microcode::revision().unwrap_or(0)),
        smbios: smbios.state,
    });
    for (field, text) in smbios.strings() {
        console::record(Dmi { field, text });
    }
}
