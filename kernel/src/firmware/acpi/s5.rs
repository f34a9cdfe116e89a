//! The sleep type of the state "off", from the DSDT's `_S5` object.
//!
//! The DSDT is a program, and a complete reader would be an interpreter. But every firmware writes this object as a plain
//! package of small constants, so its encoding is searched for (ACPI 6.5, sections 7.4.2 and 20.2.5). If it is not found,
//! power-off uses its other means.

const PACKAGE_OP: u8 = 0x12;
const BYTE_PREFIX: u8 = 0x0a;

/// SLP_TYPa and SLP_TYPb of `_S5`.
#[must_use]
pub fn sleep_types(dsdt: &[u8]) -> Option<(u8, u8)> {
    dsdt.windows(4)
        .enumerate()
        .filter(|(_, name)| name == b"_S5_")
        .find_map(|(at, _)| package(&dsdt[at + 4..]))
}

/// The first two elements of a package of constants.
fn package(code: &[u8]) -> Option<(u8, u8)> {
    let (&op, rest) = code.split_first()?;
    // PkgLength takes 1 to 4 bytes: the two high bits of its first byte count the others. Then the element count.
    let length_bytes = 1 + usize::from(rest.first()? >> 6);
    let elements = rest.get(length_bytes + 1..).filter(|_| op == PACKAGE_OP)?;
    let (a, elements) = small_constant(elements)?;
    let (b, _) = small_constant(elements)?;
    Some((a, b))
}

fn small_constant(code: &[u8]) -> Option<(u8, &[u8])> {
    match code {
        [BYTE_PREFIX, value, rest @ ..] if *value < 8 => Some((*value, rest)),
        // ZeroOp and OneOp.
        [value @ (0 | 1), rest @ ..] => Some((*value, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_forms_that_firmware_writes() {
        assert_eq!(sleep_types(b"\x08_S5_\x12\x06\x04\x00\x00\x00\x00"), Some((0, 0)));
        assert_eq!(sleep_types(b"..\x08_S5_\x12\x0a\x04\x0a\x05\x0a\x07\x00\x00"), Some((5, 7)));
        assert_eq!(
            sleep_types(b"_S5_ is only named, then \x08_S5_\x12\x06\x04\x01\x00\x00\x00"),
            Some((1, 0))
        );
    }

    #[test]
    fn gives_up_on_anything_else() {
        for code in [
            &b""[..],
            b"_S5_",
            b"_S5_\x12",
            b"_S5_\x12\x06\x04",
            b"_S5_\x12\x06\x04\x0a\x09\x0a\x00",
            b"_S5_\x14\x06\x04\x00\x00",
        ] {
            assert_eq!(sleep_types(code), None, "{code:x?}");
        }
    }
}
