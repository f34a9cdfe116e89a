//! What the machine says of itself beyond what a run needs: for whoever publishes a result, and has to say on what.

use abi::wire::Hex64;
use abi::wire::record::{Dmi, Platform};

use crate::console;
use crate::mem::phys;
use crate::smbios::Smbios;
use crate::x86::{cpuid, microcode};

/// Tells it. Needs the IDT in force: a hypervisor may refuse to let the microcode's revision be read.
pub fn tell() {
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
