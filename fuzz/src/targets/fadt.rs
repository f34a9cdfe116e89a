//! The same bytes as FADT, as HPET table and as DSDT: none of the three readers checks the header.

use kernel::firmware::acpi::fadt::{Register, read};
use kernel::firmware::acpi::hpet::base_address;
use kernel::firmware::acpi::s5::sleep_types;

pub(crate) fn check(data: &[u8]) {
    let found = read(data);
    let ports = [(76, found.pm_timer), (64, found.pm1a_control), (68, found.pm1b_control)];
    for (at, port) in ports {
        let named = number(data, at, 4).filter(|port| (1..=0xffff).contains(port));
        assert_eq!(port.map(u64::from), named, "the port at {at}");
    }
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
    let dsdt = number(data, 140, 8).filter(|&dsdt| dsdt != 0).or(number(data, 40, 4)).unwrap_or(0);
    assert_eq!(found.dsdt, dsdt);
    if let Some(base) = base_address(data) {
        assert!(base != 0 && base.is_multiple_of(1024));
        assert_eq!((number(data, 44, 8), number(data, 40, 1)), (Some(base), Some(0)));
    }
    if let Some((a, b)) = sleep_types(data) {
        assert!(a < 8 && b < 8, "SLP_TYP has three bits");
        assert!(data.windows(4).any(|name| name == b"_S5_"));
    }
}

fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    Some(bytes.get(at..at + len)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}
