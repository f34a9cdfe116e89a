//! An SPCR table: what it names is a UART that the kernel can reach.

use abi::config::Registers;
use kernel::acpi::spcr::console;

pub(crate) fn check(data: &[u8]) {
    let Some(uart) = console(data) else { return };
    assert!(matches!(data[36], 0x00 | 0x01 | 0x12), "a type that the kernel drives");
    let address = u64::from_le_bytes(data[44..52].try_into().expect("eight bytes"));
    match uart.registers {
        Registers::Port(port) => {
            assert_eq!((data[40], address), (1, u64::from(port)));
            assert!(port.checked_add(7).is_some());
        }
        Registers::Memory { address: at, stride, wide } => {
            assert_eq!((data[40], address), (0, at));
            assert!(at != 0 && at < 1 << 52 && at % u64::from(stride) == 0);
            assert_eq!(at / 4096, (at + 7 * u64::from(stride) + 3 * u64::from(wide)) / 4096, "one page");
            assert_eq!(uart.baud, None);
        }
    }
}
