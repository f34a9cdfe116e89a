//! The same bytes as FADT, as HPET table and as DSDT: none of the three readers checks the header.

use kernel::firmware::acpi::fadt::{Register, read};
use kernel::firmware::acpi::hpet::base_address;
use kernel::firmware::acpi::s5::sleep_types;

pub(crate) fn check(data: &[u8]) {
    let found = read(data);
    let flags = number(data, 112, 4).unwrap_or(0);
    assert_eq!(found.pm_timer, either(data, 208, 76), "the PM timer");
    let reduced = flags & 1 << 20 != 0;
    let control = [found.pm1[0].control, found.pm1[1].control];
    let named = [either(data, 172, 64), either(data, 184, 68)];
    assert_eq!(control, if reduced { [None; 2] } else { named }, "PM1 control");
    assert!(reduced || found.sleep_control.is_none(), "sleep control is hardware-reduced ACPI's");
    assert_eq!(found.pm_timer_is_32_bit, number(data, 112, 4).is_some_and(|flags| flags & 1 << 8 != 0));
    if let Some((register, value)) = found.reset {
        assert!(number(data, 112, 4).is_some_and(|flags| flags & 1 << 10 != 0), "a reset that is announced");
        assert_eq!(Some(u64::from(value)), number(data, 128, 1));
        let (space, address) = match register {
            Register::Port(port) => (1, u64::from(port)),
            Register::Memory(address) => (0, address),
        };
        assert_eq!((Some(space), Some(address)), (number(data, 116, 1), number(data, 120, 8)));
        assert!(address != 0);
    }
    assert_eq!(found.dsdt, [(140, 8), (40, 4)].map(|(at, len)| number(data, at, len).unwrap_or(0)));
    if let Some(base) = base_address(data) {
        assert!(base != 0 && base.is_multiple_of(1024));
        assert_eq!((number(data, 44, 8), number(data, 40, 1)), (Some(base), Some(0)));
    }
    if let Some((a, b)) = sleep_types(data) {
        assert!(a < 8 && b < 8, "SLP_TYP has three bits");
        assert!(data.windows(4).any(|name| name == b"_S5_"));
    }
}

/// A register by its generic address at `wide`, else by its port at `narrow`.
fn either(data: &[u8], wide: usize, narrow: usize) -> Option<Register> {
    let generic = data.get(wide..wide + 12).and_then(|raw| {
        let address = number(raw, 4, 8).filter(|&address| address != 0)?;
        match raw[0] {
            0 => Some(Register::Memory(address)),
            1 => u16::try_from(address).ok().map(Register::Port),
            _ => None,
        }
    });
    let port = || number(data, narrow, 4).and_then(|port| u16::try_from(port).ok()).filter(|&port| port != 0);
    generic.or_else(|| port().map(Register::Port))
}

fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    Some(bytes.get(at..at + len)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}
