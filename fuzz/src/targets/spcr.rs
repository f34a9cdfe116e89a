//! An SPCR table: the kernel accepts it if and only if it names a UART that the kernel can reach.

use abi::config::{Registers, Uart};
use kernel::firmware::acpi::spcr::console;

pub(crate) fn check(data: &[u8]) {
    let console = console(data);
    assert_eq!(console, plain(data));
    let Some(uart) = console else { return };
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

/// By the offsets of the specification: the type at 36, then the address structure (space at 40, width at 41, access size
/// at 43, address at 44), and the code of the baud rate at 58.
fn plain(table: &[u8]) -> Option<Uart> {
    let address = u64::from_le_bytes(*table.get(44..)?.first_chunk()?);
    if !matches!(table[36], 0 | 1 | 0x12) || address == 0 {
        return None;
    }
    if table[40] == 1 {
        let port = u16::try_from(address).ok().filter(|port| port.checked_add(7).is_some())?;
        let known = [(3, 9_600), (4, 19_200), (6, 57_600), (7, 115_200)];
        let code = *table.get(58)?;
        let baud = known.iter().find(|&&(known, _)| known == code).map(|&(_, baud)| baud);
        return Some(Uart { registers: Registers::Port(port), baud });
    }
    let wide = table[43] == 3;
    let stride = if wide || table[41] == 32 { 4 } else { 1 + u8::from(table[41] == 16) };
    // Eight registers, the last of them read by four bytes if need be, in one page.
    let in_page = address % 4096 + 7 * u64::from(stride) + 4 <= 4096;
    let fits = table[40] == 0 && address < 1 << 52 && address % u64::from(stride) == 0 && in_page;
    fits.then_some(Uart { registers: Registers::Memory { address, stride, wide }, baud: None })
}
