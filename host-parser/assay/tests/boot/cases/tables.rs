//! Rows with wrong or unusual firmware tables. Each row starts from good tables and changes one thing.

use crate::case::Case;
use crate::case::Ending::{Misses, PassesWith, Refused};
use crate::case::Needs;
use crate::cases::machines::PLAIN;
use crate::firmware_tables::{
    BOTTOM, ELSEWHERE, ENABLED, ONLINE_CAPABLE, Tables, local_apic, local_x2apic, seal_rsdp, set_length,
    table,
};

/// The refusals of a machine whose tables are unusable.
const NO_RSDP: Case = Case { ends: Refused("acpi", "no RSDP"), ..PLAIN };
const BAD_RSDP: Case = Case { ends: Refused("acpi", "RSDP is damaged"), ..PLAIN };
const BAD_ROOT: Case = Case { ends: Refused("acpi", "neither XSDT nor RSDT can be read"), ..PLAIN };
const NO_MADT: Case = Case { ends: Refused("acpi", "table is missing or damaged"), ..PLAIN };
const NO_BSP: Case = Case { ends: Refused("bsp-not-listed", "does not list the CPU that reads it"), ..PLAIN };

/// All rows with changed tables.
pub const CASES: &[Case] = &[
    // Further tables, added by QEMU.
    Case { name: "ACPI: a table of junk", extra: &["-acpitable", "sig=JUNK,data=JUNK"], ..PLAIN },
    Case { name: "ACPI: a second MADT of junk", extra: &["-acpitable", "sig=APIC,data=JUNK"], ..PLAIN },
    Case { name: "ACPI: four tables of junk", extra: FOUR, ..PLAIN },
    // The tests' own tables, written by a debugger.
    Case { name: "ACPI: good tables", tables: Some(|_| {}), ..PLAIN },
    Case {
        name: "ACPI: good tables in memory that the map calls free",
        tables: Some(|tables| tables.move_to(BOTTOM)),
        ..PLAIN
    },
    Case { name: "RSDP: none", tables: Some(no_rsdp), ..NO_RSDP },
    Case {
        name: "RSDP: not named",
        tables: Some(|tables| tables.rsdp_at = 0),
        says: &["ev=rsdp source=bios-area at=00000000000f"],
        ..PLAIN
    },
    Case {
        name: "RSDP: not named, in the EBDA",
        tables: Some(in_the_ebda),
        says: &["ev=rsdp source=ebda at=000000000009fd00", "apic=1 state=skipped"],
        ends: PassesWith(1),
        ..PLAIN
    },
    Case { name: "RSDP: past memory", tables: Some(|tables| tables.rsdp_at = u64::MAX - 7), ..BAD_RSDP },
    Case { name: "RSDP: bad checksum", tables: Some(|tables| tables.rsdp[8] ^= 1), ..BAD_RSDP },
    Case { name: "RSDP: bad second checksum", tables: Some(|tables| tables.rsdp[32] ^= 1), ..PLAIN },
    Case { name: "RSDP: names no root", tables: Some(no_root), ..BAD_ROOT },
    Case { name: "root: bad checksum in one", tables: Some(one_bad_root), ..PLAIN },
    Case {
        name: "root: bad checksum",
        tables: Some(|tables| tables.spoil_roots(|root| root[9] ^= 1)),
        ..BAD_ROOT
    },
    Case {
        name: "root: length 0",
        tables: Some(|tables| tables.spoil_roots(|root| set_length(root, 0))),
        ..BAD_ROOT
    },
    Case {
        name: "root: length 35",
        tables: Some(|tables| tables.spoil_roots(|root| set_length(root, 35))),
        ..BAD_ROOT
    },
    Case {
        name: "root: length past memory",
        tables: Some(|tables| tables.spoil_roots(|root| set_length(root, u32::MAX))),
        ..BAD_ROOT
    },
    Case { name: "root: lists nothing", tables: Some(|tables| tables.listed.clear()), ..NO_MADT },
    Case { name: "root: lists itself, and all thrice", tables: Some(loops), ..PLAIN },
    Case { name: "root: lists places without memory", tables: Some(nowhere), ..PLAIN },
    Case { name: "root: one bad table of 4 MiB, 9,000 times", tables: Some(one_many_times), ..NO_MADT },
    Case { name: "root: 255 bad tables of 1 MiB", tables: Some(many_big_ones), ..NO_MADT },
    Case { name: "MADT: none", tables: Some(|tables| tables.madt[0] = b'X'), ..NO_MADT },
    Case { name: "MADT: bad checksum", tables: Some(|tables| tables.madt[9] ^= 1), ..NO_MADT },
    Case { name: "MADT: length 0", tables: Some(|tables| set_length(&mut tables.madt, 0)), ..NO_MADT },
    Case {
        name: "MADT: length past memory",
        tables: Some(|tables| set_length(&mut tables.madt, u32::MAX)),
        ..NO_MADT
    },
    Case { name: "MADT: a header alone", tables: Some(|tables| tables.madt = table(b"APIC", b"")), ..NO_BSP },
    Case { name: "MADT: no processors", tables: Some(|tables| tables.processors(&[])), ..NO_BSP },
    Case {
        name: "MADT: without the first CPU",
        tables: Some(|tables| tables.processors(&[local_apic(1, ENABLED)])),
        ..NO_BSP
    },
    Case {
        name: "MADT: the first CPU disabled",
        tables: Some(|tables| tables.processors(&[local_apic(0, 0), local_apic(1, ENABLED)])),
        ..NO_BSP
    },
    Case {
        name: "MADT: an entry of length 0",
        tables: Some(|t| cut_short(t, 0)),
        ends: PassesWith(1),
        ..PLAIN
    },
    Case {
        name: "MADT: an entry past the end",
        tables: Some(|t| cut_short(t, 200)),
        ends: PassesWith(1),
        ..PLAIN
    },
    Case {
        name: "MADT: a local APIC entry of length 4",
        tables: Some(|t| cut_short(t, 4)),
        ends: PassesWith(1),
        ..PLAIN
    },
    Case {
        name: "MADT: disabled and online-capable CPUs",
        cpus: 4,
        tables: Some(not_enabled),
        ends: PassesWith(2),
        says: &["apic=1 state=skipped", "apic=2 state=skipped", "apic=3 state=online"],
        ..PLAIN
    },
    Case {
        name: "MADT: each CPU twice, in both forms",
        tables: Some(doubled),
        says: &["apic=1 state=online", "apic=1 state=skipped"],
        ..PLAIN
    },
    Case {
        name: "MADT: out of order",
        cpus: 4,
        tables: Some(out_of_order),
        says: &["cpu=0 apic=3 state=online", "cpu=2 apic=0 state=bsp"],
        ..PLAIN
    },
    Case { name: "MADT: entries of unknown types", tables: Some(unknown_types), ..PLAIN },
    Case { name: "MADT: a CPU that is not there", tables: Some(not_there), ends: Misses(&[77]), ..PLAIN },
    Case {
        name: "MADT: an x2APIC id that means all CPUs",
        tables: Some(all_cpus),
        says: &["apic=1 state=online"],
        ..PLAIN
    },
    Case {
        name: "MADT: CPUs that xAPIC cannot name",
        cpu: "max,-x2apic",
        tables: Some(past_xapic),
        ends: Misses(&[255, 256, 300]),
        says: &["apic=xapic"],
        ..PLAIN
    },
    Case {
        name: "MADT: the same, with x2APIC",
        tables: Some(past_xapic),
        needs: Needs::X2apic,
        ends: Misses(&[255, 256, 300]),
        says: &["apic=x2apic"],
        ..PLAIN
    },
    Case {
        name: "MADT: 6,000 disabled CPUs",
        tables: Some(|t| crowd(t, 0)),
        says: &["apic=5093 state=skipped"],
        ..PLAIN
    },
    Case {
        name: "MADT: 6,000 CPUs that are not there",
        tables: Some(|tables| crowd(tables, ENABLED)),
        ends: Refused("out-of-memory", "no memory for page tables or stacks"),
        ..PLAIN
    },
    Case { name: "FADT and HPET: junk", tables: Some(junk_devices), says: &["ev=tsc source=pit"], ..PLAIN },
    Case { name: "HPET: in memory, and still", tables: Some(hpet_in_memory), ..PLAIN },
];

const FOUR: &[&str] = &[
    "-acpitable",
    "data=JUNK",
    "-acpitable",
    "data=JUNK",
    "-acpitable",
    "data=JUNK",
    "-acpitable",
    "data=JUNK",
];

/// Not in the BIOS's memory either: firmware's own is overwritten by one with a bad checksum.
fn no_rsdp(tables: &mut Tables) {
    tables.rsdp_at = 0;
    tables.rsdp_place = tables.firmwares_rsdp;
    tables.rsdp[8] ^= 1;
}

/// In the first KiB of the EBDA of QEMU's BIOS, with tables that differ from those which the BIOS's memory leads to.
fn in_the_ebda(tables: &mut Tables) {
    tables.rsdp_at = 0;
    tables.rsdp_place = 0x9_fd00;
    tables.processors(&[local_apic(0, ENABLED), local_apic(1, 0)]);
}

fn all_cpus(tables: &mut Tables) {
    tables.processors(&[local_apic(0, ENABLED), local_x2apic(u32::MAX, ENABLED), local_apic(1, ENABLED)]);
}

fn no_root(tables: &mut Tables) {
    tables.rsdp[16..20].fill(0);
    tables.rsdp[24..32].fill(0);
    seal_rsdp(&mut tables.rsdp);
}

fn one_bad_root(tables: &mut Tables) {
    let mut xsdt = tables.good_xsdt();
    xsdt[9] ^= 1;
    tables.xsdt = Some(xsdt);
}

fn loops(tables: &mut Tables) {
    let roots = [u64::from_le_bytes(*tables.rsdp[24..].first_chunk().unwrap()), tables.rsdp_at];
    let all = tables.listed.clone();
    tables.listed = [&roots[..], &all, &all, &roots, &all].concat();
}

fn nowhere(tables: &mut Tables) {
    // The RSDT has room for addresses below 4 GiB: here past memory, in a hole, and in the last bytes.
    let all = std::mem::take(&mut tables.listed);
    tables.listed = [&[0, 1, 0x8000_0000, 0xfec0_0000, 0xffff_fffc][..], &all].concat();
}

/// A MADT with this length field and a wrong checksum.
fn bad_madt(length: u32) -> Vec<u8> {
    let mut bad = table(b"APIC", b"");
    set_length(&mut bad, length);
    bad[9] ^= 1;
    bad
}

fn one_many_times(tables: &mut Tables) {
    tables.listed = vec![ELSEWHERE; 9000];
    // 9,000 addresses of 32 bits would overlap the MADT.
    tables.rsdt = Some(table(b"RSDT", b""));
    tables.elsewhere = bad_madt(4 << 20);
}

fn many_big_ones(tables: &mut Tables) {
    const STEP: u64 = 64;
    let mut bad = bad_madt(1 << 20);
    bad.resize(64, 0);
    // Each header is off by one, and a table contains all headers from its own on: only the first, which has 256 of
    // them, would sum to zero. It is not listed.
    tables.listed = (1..256).map(|i| ELSEWHERE + i * STEP).collect();
    tables.elsewhere = bad.repeat(256);
}

/// The first CPU, an entry with an impossible length, the second CPU.
fn cut_short(tables: &mut Tables, length: u8) {
    tables.processors(&[local_apic(0, ENABLED), vec![0, length, 9, 9], local_apic(1, ENABLED)]);
}

fn not_enabled(tables: &mut Tables) {
    let flags = [ENABLED, 0, ONLINE_CAPABLE, ENABLED];
    let entries: Vec<_> = (0..).zip(flags).map(|(id, flags)| local_apic(id, flags)).collect();
    tables.processors(&entries);
}

fn doubled(tables: &mut Tables) {
    let (xapic, x2apic) = (|id| local_apic(id, ENABLED), |id| local_x2apic(id, ENABLED));
    tables.processors(&[xapic(0), xapic(1), x2apic(0), x2apic(1), xapic(1)]);
}

fn out_of_order(tables: &mut Tables) {
    let entries: Vec<_> = [3, 1, 0, 2].into_iter().map(|id| local_apic(id, ENABLED)).collect();
    tables.processors(&entries);
}

fn unknown_types(tables: &mut Tables) {
    let unknown = |kind, length: u8| [vec![kind, length], vec![0xff; usize::from(length) - 2]].concat();
    let cpu = |id| local_apic(id, ENABLED);
    tables.processors(&[unknown(0x7f, 2), cpu(0), unknown(0xff, 255), unknown(2, 10), cpu(1)]);
}

fn not_there(tables: &mut Tables) {
    tables.processors(&[local_apic(0, ENABLED), local_apic(77, ENABLED), local_apic(1, ENABLED)]);
}

fn past_xapic(tables: &mut Tables) {
    let far = |id| local_x2apic(id, ENABLED);
    tables.processors(&[local_apic(0, ENABLED), local_apic(1, ENABLED), far(255), far(256), far(300)]);
}

fn crowd(tables: &mut Tables, flags: u8) {
    let others = (1000..7000).map(|id| local_x2apic(id, flags));
    let here = [local_apic(0, ENABLED), local_apic(1, ENABLED)];
    let entries: Vec<_> = here.into_iter().chain(others).collect();
    tables.processors(&entries);
}

/// Replaces all tables but the MADT by a FADT of ones, whose timer, reset register and DSDT are at invalid addresses,
/// and an HPET of ones.
fn junk_devices(tables: &mut Tables) {
    let madt = *tables.listed.last().unwrap();
    let mut junk = table(b"FACP", &[0xff; 240]);
    junk.extend(table(b"HPET", &[0xff; 20]));
    tables.listed = vec![ELSEWHERE, ELSEWHERE + 276, madt];
    tables.elsewhere = junk;
}

/// An HPET whose registers are ordinary memory, all zeros.
fn hpet_in_memory(tables: &mut Tables) {
    let registers = (ELSEWHERE + 0x1_0000).to_le_bytes();
    let body = [&[0, 0, 0, 0, 0, 64, 0, 0][..], &registers, &[0; 4]].concat();
    tables.elsewhere = table(b"HPET", &body);
    tables.listed.insert(0, ELSEWHERE);
}
