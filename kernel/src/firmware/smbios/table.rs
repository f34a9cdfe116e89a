//! The structures and their strings (DSP0134, sections 6.1.2, 6.1.3 and 7).

use core::fmt::Write;

use abi::wire::Text;
use abi::wire::record::DmiField;

const TYPE_BIOS: u8 = 0;
const TYPE_SYSTEM: u8 = 1;
const TYPE_CHASSIS: u8 = 3;
const TYPE_END: u8 = 127;

/// Type, length, handle.
const HEADER_BYTES: usize = 4;

/// A structure.
pub struct Structure<'a> {
    kind: u8,
    /// The part with a fixed layout, header included.
    formatted: &'a [u8],
    /// Its strings, each with a zero after it.
    strings: &'a [u8],
}

/// The structures in `bytes`. One that is shorter than its header, or runs past the end, ends the list.
pub fn structures(bytes: &[u8]) -> impl Iterator<Item = Structure<'_>> {
    let mut rest = bytes;
    core::iter::from_fn(move || {
        let (&kind, &length) = (rest.first()?, rest.get(1)?);
        let (formatted, after) = rest.split_at_checked(usize::from(length))?;
        if kind == TYPE_END || formatted.len() < HEADER_BYTES {
            return None;
        }
        // The strings end with an empty one; a structure without strings ends with two zeros.
        let end = after.windows(2).position(|pair| pair == [0, 0]).map(|at| at + 2);
        let (strings, next) = after.split_at(end.unwrap_or(after.len()));
        rest = next;
        Some(Structure { kind, formatted, strings })
    })
}

/// The string of this field in the first structure that has it; `None` if it is missing or empty.
pub fn string(bytes: &[u8], field: DmiField) -> Option<Text<96>> {
    let (kind, at) = match field {
        DmiField::BiosVendor => (TYPE_BIOS, 4),
        DmiField::BiosVersion => (TYPE_BIOS, 5),
        DmiField::BiosDate => (TYPE_BIOS, 8),
        DmiField::SystemVendor => (TYPE_SYSTEM, 4),
        DmiField::SystemProduct => (TYPE_SYSTEM, 5),
        DmiField::SystemVersion => (TYPE_SYSTEM, 6),
        DmiField::ChassisAssetTag => (TYPE_CHASSIS, 8),
    };
    let structure = structures(bytes).find(|structure| structure.kind == kind)?;
    let number = usize::from(*structure.formatted.get(at)?);
    // Numbers begin at 1. The piece after the last zero is no string.
    let mut strings = structure.strings.split(|&byte| byte == 0);
    let string = strings.nth(number.checked_sub(1)?)?;
    strings.next()?;
    text(string.trim_ascii())
}

fn text(bytes: &[u8]) -> Option<Text<96>> {
    let mut text = Text::new("");
    let plain = |&byte: &u8| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' };
    // Text that does not fit is cut off.
    let _ = bytes.iter().map(plain).try_for_each(|char| text.write_char(char));
    (!bytes.is_empty()).then_some(text)
}
