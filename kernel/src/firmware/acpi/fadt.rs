//! The FADT's registers for the power-management timer, power-off and reset (ACPI 6.5, section 5.2.9).
//!
//! Many registers have two fields: an older one, an I/O port, and a newer one, X_, in any address space. If the newer
//! one can be used, it counts, and the older one is ignored. Firmware of today often fills the newer one alone.

use core::mem::{offset_of, size_of};

use acpi::address::RawGenericAddress;
use acpi::sdt::fadt::Fadt;
use harness::le::{u16_at, u32_at, u64_at};

/// A register's place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Register {
    /// An I/O port.
    Port(u16),
    /// A physical address.
    Memory(u64),
}

/// The way into ACPI mode, for a machine that starts in legacy mode.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Enable {
    /// The port that takes the command.
    pub port: u16,
    /// The command.
    pub command: u8,
}

/// The registers of one of the two PM1 blocks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Pm1 {
    /// The event block, which begins with the status.
    pub status: Option<Register>,
    /// Control, which takes the sleep type.
    pub control: Option<Register>,
}

/// The FADT's registers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PowerManagement {
    /// The 3.579545 MHz timer.
    pub pm_timer: Option<Register>,
    /// The timer has 32 bits, not 24.
    pub pm_timer_is_32_bit: bool,
    /// The way into ACPI mode; `None` if there is no other mode.
    pub enable: Option<Enable>,
    /// PM1a and PM1b. Most machines have only the first; hardware-reduced ACPI has none.
    pub pm1: [Pm1; 2],
    /// Sleep control, which takes the sleep type if ACPI is hardware-reduced.
    pub sleep_control: Option<Register>,
    /// The reset register, and the value that resets the machine.
    pub reset: Option<(Register, u8)>,
    /// Physical addresses of the DSDT, in the order in which to try them; 0 for none.
    pub dsdt: [u64; 2],
}

const FLAG_TMR_VAL_EXT: u32 = 1 << 8;
const FLAG_RESET_REG_SUP: u32 = 1 << 10;
const FLAG_HW_REDUCED: u32 = 1 << 20;

const SPACE_MEMORY: u8 = 0;
const SPACE_IO: u8 = 1;

/// The offset of the DSDT's extended address.
const X_DSDT_AT: usize = offset_of!(Fadt, x_dsdt_address);

/// Reads a FADT whose signature, length and checksum were checked. An old one is shorter; its missing fields are `None`.
#[must_use]
pub fn read(fadt: &[u8]) -> PowerManagement {
    let flags = u32_at(fadt, offset_of!(Fadt, flags)).unwrap_or(0);
    let either = |x_at, at| register(fadt, x_at).or_else(|| port(fadt, at).map(Register::Port));
    let fixed = PowerManagement {
        // Used with hardware-reduced ACPI too, although the specification has it ignored there: Cloud Hypervisor has no
        // other timer, and one that does not count yields no reading.
        pm_timer: either(offset_of!(Fadt, x_pm_timer_block), offset_of!(Fadt, pm_timer_block)),
        pm_timer_is_32_bit: flags & FLAG_TMR_VAL_EXT != 0,
        reset: register(fadt, offset_of!(Fadt, reset_reg))
            .filter(|_| flags & FLAG_RESET_REG_SUP != 0)
            .zip(fadt.get(offset_of!(Fadt, reset_value)).copied()),
        dsdt: [
            u64_at(fadt, X_DSDT_AT).unwrap_or(0),
            u32_at(fadt, offset_of!(Fadt, dsdt_address)).map_or(0, u64::from),
        ],
        ..PowerManagement::default()
    };
    if flags & FLAG_HW_REDUCED != 0 {
        // The fields of the register interface that such a machine does not have are ignored.
        return PowerManagement {
            sleep_control: register(fadt, offset_of!(Fadt, sleep_control_reg)),
            ..fixed
        };
    }
    let command = fadt.get(offset_of!(Fadt, acpi_enable)).copied().filter(|&command| command != 0);
    let enable = port(fadt, offset_of!(Fadt, smi_cmd_port)).zip(command);
    PowerManagement {
        enable: enable.map(|(port, command)| Enable { port, command }),
        pm1: [
            Pm1 {
                status: either(offset_of!(Fadt, x_pm1a_event_block), offset_of!(Fadt, pm1a_event_block)),
                control: either(offset_of!(Fadt, x_pm1a_control_block), offset_of!(Fadt, pm1a_control_block)),
            },
            Pm1 {
                status: either(offset_of!(Fadt, x_pm1b_event_block), offset_of!(Fadt, pm1b_event_block)),
                control: either(offset_of!(Fadt, x_pm1b_control_block), offset_of!(Fadt, pm1b_control_block)),
            },
        ],
        ..fixed
    }
}

/// An I/O port in a field of 32 bits.
fn port(fadt: &[u8], at: usize) -> Option<u16> {
    u32_at(fadt, at).and_then(|port| u16::try_from(port).ok()).filter(|&port| port != 0)
}

/// A generic address structure that names a register which the kernel can reach.
fn register(fadt: &[u8], at: usize) -> Option<Register> {
    let raw = fadt.get(at..at + size_of::<RawGenericAddress>())?;
    let address = u64_at(raw, offset_of!(RawGenericAddress, address)).filter(|&address| address != 0)?;
    match raw[offset_of!(RawGenericAddress, address_space)] {
        SPACE_IO => u16_at(raw, offset_of!(RawGenericAddress, address))
            .filter(|&port| u64::from(port) == address)
            .map(Register::Port),
        SPACE_MEMORY => Some(Register::Memory(address)),
        _ => None,
    }
}

#[cfg(test)]
#[path = "fadt_tests.rs"]
mod tests;
