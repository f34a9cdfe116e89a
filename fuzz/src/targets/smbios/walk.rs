//! SMBIOS read by offsets alone (DSP0134, sections 5.2, 6.1 and 7).

use abi::wire::record::{DmiField, SmbiosState};

use super::AREA;

/// The expected result for the area's bytes: the entry point may be at `at`, at the next boundary, or nowhere.
pub(super) fn walked(area: &[u8], at: usize) -> (SmbiosState, Vec<(DmiField, String)>) {
    let anchors = [at, at + 16].map(|at| &area[at..(at + 256).min(0x1000)]);
    let located = anchors.iter().find_map(|it| version_3(it)).or(anchors.iter().find_map(|it| version_2(it)));
    let Some((address, length)) = located else { return (SmbiosState::Unavailable, Vec::new()) };
    let first = address.checked_sub(AREA).filter(|first| first.saturating_add(length) <= area.len() as u64);
    let Some(first) = first else { return (SmbiosState::Damaged, Vec::new()) };
    let tables = &area[index(first)..index(first + length)];
    let structures = structures(tables);
    let state = if structures.is_empty() { SmbiosState::Damaged } else { SmbiosState::Found };
    let places = [
        (DmiField::BiosVendor, 0, 4),
        (DmiField::BiosVersion, 0, 5),
        (DmiField::BiosDate, 0, 8),
        (DmiField::SystemVendor, 1, 4),
        (DmiField::SystemProduct, 1, 5),
        (DmiField::SystemVersion, 1, 6),
        (DmiField::ChassisAssetTag, 3, 8),
    ];
    let strings = places.into_iter().filter_map(|(field, kind, at)| {
        let (fixed, strings) = structures.iter().find(|(fixed, _)| fixed[0] == kind)?;
        Some((field, string(strings, *fixed.get(at)?)?))
    });
    (state, strings.collect())
}

/// The string with this number, from 1 on, in plain text; `None` if there is none or it is empty.
fn string(strings: &[u8], number: u8) -> Option<String> {
    let mut rest = strings;
    for _ in 1..number {
        rest = &rest[rest.iter().position(|&byte| byte == 0)? + 1..];
    }
    let text = &rest[..rest.iter().position(|&byte| byte == 0).filter(|_| number > 0)?];
    let plain = |&byte: &u8| if (0x20..0x7f).contains(&byte) { char::from(byte) } else { '?' };
    let text: String = text.trim_ascii().iter().map(plain).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// Address and length of the tables.
fn version_3(entry: &[u8]) -> Option<(u64, u64)> {
    let length = usize::from(*entry.get(6)?);
    let good = entry.starts_with(b"_SM3_") && length >= 24 && sum(entry.get(..length)?) == 0;
    good.then(|| (number(&entry[16..24]), number(&entry[12..16])))
}

fn version_2(entry: &[u8]) -> Option<(u64, u64)> {
    let length = usize::from(*entry.get(5)?);
    let good = entry.starts_with(b"_SM_") && length >= 30 && sum(entry.get(..length)?) == 0;
    let inner = entry.get(16..31).filter(|inner| good && inner.starts_with(b"_DMI_") && sum(inner) == 0)?;
    Some((number(&inner[8..12]), number(&inner[6..8])))
}

/// Each structure's fixed part, and its strings up to the empty one.
fn structures(tables: &[u8]) -> Vec<(&[u8], &[u8])> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at + 1 < tables.len() {
        let strings = at + usize::from(tables[at + 1]);
        if tables[at] == 127 || strings < at + 4 || strings > tables.len() {
            break;
        }
        let mut end = strings;
        while end < (strings + 2).min(tables.len())
            || (end < tables.len() && !tables[..end].ends_with(&[0, 0]))
        {
            end += 1;
        }
        found.push((&tables[at..strings], &tables[strings..end]));
        at = end;
    }
    found
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}

fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}

fn index(at: u64) -> usize {
    usize::try_from(at).expect("in the area")
}
