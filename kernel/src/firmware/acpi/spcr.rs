//! Firmware's serial console (Microsoft, "Serial Port Console Redirection Table", revision 4; the layouts
//! are the `acpi` crate's, if it has them).

use core::mem::{offset_of, size_of};

use abi::config::{Registers, Uart, is_address};
use acpi::address::RawGenericAddress;
use acpi::sdt::SdtHeader;
use harness::le::{u16_at, u64_at};

/// Offsets of the fields that count here.
const INTERFACE_TYPE_AT: usize = size_of::<SdtHeader>();
const BASE_ADDRESS_AT: usize = INTERFACE_TYPE_AT + 4;
const BAUD_RATE_AT: usize = 58;

/// Interface types (Microsoft, "Debug Port Table 2", table "Debug port types and subtypes") of UARTs whose registers are
/// a 16550's: itself, the 16450, and one whose spacing the address structure states.
const COMPATIBLE: [u8; 3] = [0x00, 0x01, 0x12];

const SPACE_MEMORY: u8 = 0;
const SPACE_IO: u8 = 1;
/// Access size: four bytes.
const ACCESS_DWORD: u8 = 3;

/// The UART that the table names, if this kernel has a driver for it and can reach it.
#[must_use]
pub fn console(table: &[u8]) -> Option<Uart> {
    let kind = *table.get(INTERFACE_TYPE_AT)?;
    let raw = table.get(BASE_ADDRESS_AT..BASE_ADDRESS_AT + size_of::<RawGenericAddress>())?;
    // Address 0: console redirection is off.
    let address = u64_at(raw, offset_of!(RawGenericAddress, address)).filter(|&address| address != 0)?;
    if !COMPATIBLE.contains(&kind) {
        return None;
    }
    match raw[offset_of!(RawGenericAddress, address_space)] {
        SPACE_IO => {
            let port = u16_at(raw, offset_of!(RawGenericAddress, address));
            let port = port.filter(|&port| u64::from(port) == address && port <= 0xfff8)?;
            Some(Uart { registers: Registers::Port(port), baud: baud(*table.get(BAUD_RATE_AT)?) })
        }
        SPACE_MEMORY => {
            let wide = raw[offset_of!(RawGenericAddress, access_size)] == ACCESS_DWORD;
            let stride = match raw[offset_of!(RawGenericAddress, bit_width)] {
                // Firmware that asks for access by four bytes and says that registers are one byte apart means four.
                32 => 4,
                _ if wide => 4,
                16 => 2,
                _ => 1,
            };
            let registers = Registers::Memory { address, stride, wide };
            // Its clock is not known, and so no divisor: it stays as firmware set it.
            is_address(address, stride).then_some(Uart { registers, baud: None })
        }
        _ => None,
    }
}

/// The rate behind the table's code; `None`: as firmware left it.
const fn baud(code: u8) -> Option<u32> {
    match code {
        3 => Some(9_600),
        4 => Some(19_200),
        6 => Some(57_600),
        7 => Some(115_200),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::super::tables::tests::table;
    use super::*;

    fn spcr(kind: u8, space: u8, width: u8, access: u8, address: u64, baud: u8) -> Vec<u8> {
        let mut body = [0; 80 - 36];
        body[0] = kind;
        body[4..8].copy_from_slice(&[space, width, 0, access]);
        body[8..16].copy_from_slice(&address.to_le_bytes());
        body[22] = baud;
        table(b"SPCR", &body)
    }

    fn memory(address: u64, stride: u8, wide: bool) -> Option<Uart> {
        Some(Uart { registers: Registers::Memory { address, stride, wide }, baud: None })
    }

    #[test]
    fn reads_ports_with_their_rate() {
        let at = |port, baud| Some(Uart { registers: Registers::Port(port), baud });
        assert_eq!(console(&spcr(0, 1, 8, 0, 0x3f8, 7)), at(0x3f8, Some(115_200)));
        assert_eq!(console(&spcr(1, 1, 8, 1, 0x2f8, 3)), at(0x2f8, Some(9_600)));
        assert_eq!(console(&spcr(0, 1, 8, 1, 0xc000, 0)), at(0xc000, None));
    }

    #[test]
    fn reads_memory_with_its_spacing_and_width() {
        assert_eq!(console(&spcr(0, 0, 8, 1, 0xfe03_2000, 7)), memory(0xfe03_2000, 1, false));
        assert_eq!(console(&spcr(0x12, 0, 32, 3, 0xfe03_2000, 7)), memory(0xfe03_2000, 4, true));
        assert_eq!(console(&spcr(0x12, 0, 32, 1, 0xfe03_2000, 7)), memory(0xfe03_2000, 4, false));
        assert_eq!(console(&spcr(0, 0, 8, 3, 0xfe03_2000, 7)), memory(0xfe03_2000, 4, true));
        assert_eq!(console(&spcr(0, 0, 16, 0, 0xfe03_2000, 7)), memory(0xfe03_2000, 2, false));
    }

    #[test]
    fn finds_nothing_that_it_could_not_drive() {
        // Redirection off, an Arm UART, PCI configuration space, ports past their space, registers past a page.
        for bad in [
            spcr(0, 1, 8, 1, 0, 7),
            spcr(3, 0, 32, 3, 0x900_0000, 7),
            spcr(0, 2, 8, 1, 0x3f8, 7),
            spcr(0, 1, 8, 1, 0x1_03f8, 7),
            spcr(0, 1, 8, 1, 0xfffa, 7),
            spcr(0, 0, 8, 1, 0xfe03_2ffa, 7),
            spcr(0, 0, 32, 3, 0xfe03_2002, 7),
            spcr(0, 0, 8, 1, 1 << 52, 7),
        ] {
            assert_eq!(console(&bad), None, "{bad:x?}");
        }
        let good = spcr(0, 1, 8, 1, 0x3f8, 7);
        assert!((0..=BAUD_RATE_AT).all(|cut| console(&good[..cut]).is_none()));
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = console(&bytes);
        }
    }
}
