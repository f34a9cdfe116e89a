//! Tables as machines have them. Offsets are from ACPI 6.5, table 5.9, so that the `acpi` crate's layout is checked too.

use alloc::vec;
use alloc::vec::Vec;

use super::super::tables::tests::table;
use super::*;

/// A table of revision 6 with these fields, at their offsets.
fn fadt(fields: &[(usize, &[u8])]) -> Vec<u8> {
    let mut body = vec![0; 276 - 36];
    for (at, bytes) in fields {
        body[at - 36..at - 36 + bytes.len()].copy_from_slice(bytes);
    }
    table(b"FACP", &body)
}

/// A generic address.
fn place(space: u8, bits: u8, address: u64) -> [u8; 12] {
    let mut place = [0; 12];
    place[..4].copy_from_slice(&[space, bits, 0, 1]);
    place[4..].copy_from_slice(&address.to_le_bytes());
    place
}

/// The legacy fields of a PC.
const LEGACY: [(usize, &[u8]); 9] = [
    (40, &[0, 0, 0xfe, 7]),
    (48, &[0xb2, 0, 0, 0, 0xa0, 0xa1]),
    (56, &[0x00, 0x06, 0, 0]),
    (64, &[0x04, 0x06, 0, 0]),
    (76, &[0x08, 0x06, 0, 0]),
    (112, &[0, 0x05, 0, 0]),
    (116, &[SPACE_IO, 8, 0, 1, 0xf9, 0x0c]),
    (128, &[0x0f]),
    (88, &[4, 2, 0, 4]),
];

const PM1A: Pm1 = Pm1 { status: Some(Register::Port(0x600)), control: Some(Register::Port(0x604)) };

#[test]
fn reads_the_older_fields() {
    let expected = PowerManagement {
        pm_timer: Some(Register::Port(0x608)),
        pm_timer_is_32_bit: true,
        enable: Some(Enable { port: 0xb2, command: 0xa0 }),
        pm1: [PM1A, Pm1::default()],
        sleep_control: None,
        reset: Some((Register::Port(0xcf9), 0x0f)),
        dsdt: [0, 0x7fe_0000],
    };
    assert_eq!(read(&fadt(&LEGACY)), expected);
}

#[test]
fn the_newer_fields_count_if_they_can_be_used() {
    let newer = |space, address| {
        let (event, control, timer) =
            (place(space, 32, address), place(space, 16, address + 4), place(space, 32, address + 8));
        let fields: [(usize, &[u8]); 4] =
            [(140, &[0, 0, 0xaa, 7]), (148, &event), (172, &control), (208, &timer)];
        read(&fadt(&[&LEGACY[..], &fields].concat()))
    };
    let by_port = newer(SPACE_IO, 0x1800);
    assert_eq!(by_port.pm1[0].status, Some(Register::Port(0x1800)));
    assert_eq!(by_port.pm1[0].control, Some(Register::Port(0x1804)));
    assert_eq!(by_port.pm_timer, Some(Register::Port(0x1808)));
    assert_eq!(by_port.dsdt, [0x7aa_0000, 0x7fe_0000]);
    let in_memory = newer(SPACE_MEMORY, 0xfed8_0800);
    assert_eq!(in_memory.pm1[0].control, Some(Register::Memory(0xfed8_0804)));
    assert_eq!(in_memory.pm_timer, Some(Register::Memory(0xfed8_0808)));
    // Configuration space of a PCI device, and a port that there cannot be.
    for odd in [newer(2, 0x1800), newer(SPACE_IO, 0x1_0000)] {
        assert_eq!((odd.pm1[0], odd.pm_timer), (PM1A, Some(Register::Port(0x608))));
    }
}

/// As notebooks with Intel CPUs of the 10th to 13th generation have it: no PM1a control but in the newer field, at 1804H.
#[test]
fn reads_a_table_with_the_newer_fields_alone() {
    let fields: [(usize, &[u8]); 6] = [
        (76, &[0x08, 0x18, 0, 0]),
        (116, &[SPACE_IO, 8, 0, 1, 0xf9, 0x0c]),
        (128, &[6]),
        (172, &place(SPACE_IO, 16, 0x1804)),
        (208, &place(SPACE_IO, 32, 0x1808)),
        (148, &place(SPACE_IO, 0, 0)),
    ];
    let found = read(&fadt(&fields));
    let pm1a = Pm1 { status: None, control: Some(Register::Port(0x1804)) };
    assert_eq!((found.pm1, found.enable), ([pm1a, Pm1::default()], None));
    assert_eq!(found.pm_timer, Some(Register::Port(0x1808)));
    assert_eq!(found.reset, None, "the flag that says that there is one is clear");
}

#[test]
fn reads_both_blocks() {
    let fields: [(usize, &[u8]); 2] = [(60, &[0x20, 0x18, 0, 0]), (184, &place(SPACE_IO, 16, 0x1834))];
    let found = read(&fadt(&[&LEGACY[..], &fields].concat()));
    let pm1b = Pm1 { status: Some(Register::Port(0x1820)), control: Some(Register::Port(0x1834)) };
    assert_eq!(found.pm1, [PM1A, pm1b]);
}

/// Cloud Hypervisor's table: the timer in the newer field alone, and one port for sleep and reset.
#[test]
fn hardware_reduced_acpi_has_sleep_control_and_no_pm1() {
    let flags = (FLAG_HW_REDUCED | FLAG_RESET_REG_SUP).to_le_bytes();
    let fields: [(usize, &[u8]); 4] = [
        (112, &flags),
        (116, &place(SPACE_IO, 8, 0x600)),
        (208, &place(SPACE_IO, 32, 0x608)),
        (244, &place(SPACE_IO, 8, 0x600)),
    ];
    let found = read(&fadt(&fields));
    assert_eq!(found.sleep_control, Some(Register::Port(0x600)));
    assert_eq!(found.pm_timer, Some(Register::Port(0x608)));
    assert!(!found.pm_timer_is_32_bit);
    // What is there of the other interface is ignored, as is sleep control on other machines.
    let both = read(&fadt(&[&LEGACY[..], &fields].concat()));
    assert_eq!((both.pm1, both.enable), ([Pm1::default(); 2], None));
    let full = read(&fadt(&[&LEGACY[..], &fields[3..]].concat()));
    assert_eq!((full.pm1[0], full.sleep_control), (PM1A, None));
}

#[test]
fn a_machine_without_legacy_mode_has_no_way_into_acpi_mode() {
    for fields in [[0xb2, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0xa0, 0xa1]] {
        assert_eq!(read(&fadt(&[(48, &fields)])).enable, None);
    }
}

#[test]
fn reads_the_fields_that_an_old_short_table_has() {
    let table = fadt(&LEGACY);
    let short = read(&table[..116]);
    assert_eq!(short.reset, None);
    assert_eq!((short.pm_timer, short.pm1[0]), (Some(Register::Port(0x608)), PM1A));
    assert_eq!(short.dsdt, [0, 0x7fe_0000]);
    assert_eq!(read(&[]), PowerManagement::default());
}
