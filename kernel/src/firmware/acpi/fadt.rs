//! The FADT's registers for the power-management timer, power-off and reset (ACPI 6.5, section 5.2.9).

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

/// The FADT's registers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PowerManagement {
    /// The 3.579545 MHz timer.
    pub pm_timer: Option<u16>,
    /// The timer has 32 bits, not 24.
    pub pm_timer_is_32_bit: bool,
    /// PM1a control, which takes the sleep type.
    pub pm1a_control: Option<u16>,
    /// PM1b control, if the machine has two.
    pub pm1b_control: Option<u16>,
    /// Sleep control, which takes the sleep type if ACPI is hardware-reduced and has no PM1.
    pub sleep_control: Option<Register>,
    /// The reset register, and the value that resets the machine.
    pub reset: Option<(Register, u8)>,
    /// Physical address of the DSDT.
    pub dsdt: u64,
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
    let port = |at| u32_at(fadt, at).and_then(|port| u16::try_from(port).ok()).filter(|&port| port != 0);
    let reset_value = fadt.get(offset_of!(Fadt, reset_value)).copied();
    let reset = register(fadt, offset_of!(Fadt, reset_reg)).filter(|_| flags & FLAG_RESET_REG_SUP != 0);
    let reduced = flags & FLAG_HW_REDUCED != 0;
    let sleep_control = register(fadt, offset_of!(Fadt, sleep_control_reg)).filter(|_| reduced);
    let x_dsdt = u64_at(fadt, X_DSDT_AT).filter(|&at| at != 0);
    let dsdt = u32_at(fadt, offset_of!(Fadt, dsdt_address)).map(u64::from);
    PowerManagement {
        pm_timer: port(offset_of!(Fadt, pm_timer_block)),
        pm_timer_is_32_bit: flags & FLAG_TMR_VAL_EXT != 0,
        pm1a_control: port(offset_of!(Fadt, pm1a_control_block)),
        pm1b_control: port(offset_of!(Fadt, pm1b_control_block)),
        sleep_control,
        reset: reset.zip(reset_value),
        dsdt: x_dsdt.or(dsdt).unwrap_or(0),
    }
}

/// A generic address structure that names an 8-bit register which the kernel can reach.
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
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::super::tables::tests::table;
    use super::*;

    fn fadt() -> Vec<u8> {
        let mut body = vec![0; 276 - 36];
        let mut put = |at: usize, bytes: &[u8]| body[at - 36..at - 36 + bytes.len()].copy_from_slice(bytes);
        // Offsets from ACPI 6.5, table 5.9, so that the crate's layout is checked too.
        put(40, &0x7fe_0000_u32.to_le_bytes());
        put(64, &0x604_u32.to_le_bytes());
        put(76, &0x608_u32.to_le_bytes());
        put(112, &(FLAG_RESET_REG_SUP | FLAG_TMR_VAL_EXT).to_le_bytes());
        put(116, &[SPACE_IO, 8, 0, 1]);
        put(120, &0xcf9_u64.to_le_bytes());
        put(128, &[0x0f]);
        table(b"FACP", &body)
    }

    #[test]
    fn reads_timer_control_and_reset() {
        let expected = PowerManagement {
            pm_timer: Some(0x608),
            pm_timer_is_32_bit: true,
            pm1a_control: Some(0x604),
            pm1b_control: None,
            sleep_control: None,
            reset: Some((Register::Port(0xcf9), 0x0f)),
            dsdt: 0x7fe_0000,
        };
        assert_eq!(read(&fadt()), expected);
    }

    #[test]
    fn reads_sleep_control_of_hardware_reduced_acpi_alone() {
        // Offset from ACPI 6.5, table 5.9.
        let with = |flags: u32| {
            let mut fadt = fadt();
            fadt[112..116].copy_from_slice(&flags.to_le_bytes());
            fadt[244..248].copy_from_slice(&[SPACE_MEMORY, 8, 0, 1]);
            fadt[248..256].copy_from_slice(&0xfee0_1000_u64.to_le_bytes());
            read(&fadt).sleep_control
        };
        assert_eq!(with(FLAG_HW_REDUCED), Some(Register::Memory(0xfee0_1000)));
        assert_eq!(with(0), None);
    }

    #[test]
    fn reads_the_fields_that_an_old_short_table_has() {
        let short = &fadt()[..116];
        assert_eq!(read(short).reset, None);
        assert_eq!(read(short).pm_timer, Some(0x608));
        assert_eq!(read(&[]), PowerManagement::default());
    }
}
