//! The sleep type of the state "off", from the `_S5` object.
//!
//! It is in the DSDT or in an SSDT. These are programs, and a complete reader would be an interpreter. But every firmware
//! writes this object as a plain package of small constants, so its encoding is searched for (ACPI 6.5, sections 7.4.2 and
//! 20.2.5). If it is not found, power-off uses its other means.

const PACKAGE_OP: u8 = 0x12;
const BYTE_PREFIX: u8 = 0x0a;
const WORD_PREFIX: u8 = 0x0b;
const DWORD_PREFIX: u8 = 0x0c;

/// SLP_TYPa and SLP_TYPb of `_S5` in a definition block.
#[must_use]
pub fn sleep_types(block: &[u8]) -> Option<(u8, u8)> {
    block
        .windows(4)
        .enumerate()
        .filter(|(_, name)| name == b"_S5_")
        .find_map(|(at, _)| package(&block[at + 4..]))
}

/// The first two elements of a package of constants. Hardware-reduced ACPI needs one only, and a package may have no more.
fn package(code: &[u8]) -> Option<(u8, u8)> {
    let (&op, rest) = code.split_first()?;
    // PkgLength takes 1 to 4 bytes: the two high bits of its first byte count the others. Then the element count.
    let length_bytes = 1 + usize::from(rest.first()? >> 6);
    let (&count, elements) = rest.get(length_bytes..)?.split_first().filter(|_| op == PACKAGE_OP)?;
    let (a, elements) = small_constant(elements)?;
    let b = if count == 1 { a } else { small_constant(elements)?.0 };
    Some((a, b))
}

/// A constant that is a sleep type, and the code after it.
fn small_constant(code: &[u8]) -> Option<(u8, &[u8])> {
    let (value, rest) = match code {
        [BYTE_PREFIX, value, rest @ ..]
        | [WORD_PREFIX, value, 0, rest @ ..]
        | [DWORD_PREFIX, value, 0, 0, 0, rest @ ..]
        // ZeroOp and OneOp.
        | [value @ (0 | 1), rest @ ..] => (*value, rest),
        _ => return None,
    };
    (value < 8).then_some((value, rest))
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
    fn reads_a_package_of_one_element_and_wider_constants() {
        // Cloud Hypervisor: another object follows.
        assert_eq!(sleep_types(b"\x08_S5_\x12\x04\x01\x0a\x05\x08_GPE"), Some((5, 5)));
        assert_eq!(sleep_types(b"\x08_S5_\x12\x08\x02\x0b\x07\x00\x0a\x07"), Some((7, 7)));
        assert_eq!(sleep_types(b"\x08_S5_\x12\x09\x02\x0c\x02\x00\x00\x00\x01"), Some((2, 1)));
    }

    /// As iasl makes it of `Name (\_S5, Package (4) { 5, 5, 0, 0 })`.
    #[test]
    fn reads_the_object_of_an_ssdt() {
        assert_eq!(sleep_types(b"\x08\\_S5_\x12\x08\x04\x0a\x05\x0a\x05\x00\x00"), Some((5, 5)));
    }

    #[test]
    fn gives_up_on_anything_else() {
        for code in [
            &b""[..],
            b"_S5_",
            b"_S5_\x12",
            b"_S5_\x12\x06\x04",
            b"_S5_\x12\x06\x04\x0a\x09\x0a\x00",
            b"_S5_\x12\x06\x04\x0b\x01\x01\x0a\x00",
            b"_S5_\x12\x04\x02\x0a\x05",
            b"_S5_\x14\x06\x04\x00\x00",
        ] {
            assert_eq!(sleep_types(code), None, "{code:x?}");
        }
    }
}
