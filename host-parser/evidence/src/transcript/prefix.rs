//! What a collector puts before every line: a time, the name of a stream, a number (kernel log, syslog, CRI, `grep -n`, a
//! mail's quotes). It is known by its shape, in which numbers differ from line to line.

use std::iter::Peekable;

/// The shape of what stands before the first record of a boot.
#[derive(Clone, Debug, Default)]
pub(super) struct Prefix {
    shape: Vec<u8>,
}

impl Prefix {
    /// That of a boot before whose first record this stands. Firmware's last words can stand there too.
    pub fn of(before: &[u8]) -> Self {
        Self { shape: shape(before) }
    }

    /// Whether this is what stands before a line of the boot, and no text of someone who prints on the same line.
    pub fn is(&self, before: &[u8]) -> bool {
        !before.is_empty() && self.shape.ends_with(&shape(before))
    }
}

/// The bytes with `0` for each number, whatever its digits, its fraction and the blanks that pad it, and one blank for each other row
/// of blanks.
fn shape(bytes: &[u8]) -> Vec<u8> {
    let mut shape = Vec::with_capacity(bytes.len());
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'0'..=b'9' => {
                skip(&mut rest, |byte| byte.is_ascii_digit() || byte == b'.');
                shape.push(b'0');
            }
            b' ' | b'\t' => {
                skip(&mut rest, |byte| matches!(byte, b' ' | b'\t'));
                if !rest.peek().is_some_and(u8::is_ascii_digit) {
                    shape.push(b' ');
                }
            }
            other => shape.push(other),
        }
    }
    shape
}

fn skip(bytes: &mut Peekable<impl Iterator<Item = u8>>, of: impl Fn(u8) -> bool) {
    while bytes.next_if(|&byte| of(byte)).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_other_lengths_are_the_same_prefix() {
        for (first, other) in [
            ("[    0.310000] ", "[12345.670001] "),
            ("9:", "10:"),
            ("2026-11-28T12:00:00.1234Z stdout F ", "2026-11-28T12:00:01Z stdout F "),
            ("Nov  9 08:00:00 vm kernel: ", "Nov 10 08:00:00 vm kernel: "),
            ("> ", "> "),
            ("[    0.000001] SeaBIOS (version 1.16) [    0.000002] ", "[    0.310000] "),
        ] {
            assert!(Prefix::of(first.as_bytes()).is(other.as_bytes()), "{first:?} {other:?}");
        }
    }

    #[test]
    fn another_text_or_none_is_no_prefix() {
        for (first, other) in [
            ("", "login: "),
            ("[    0.310000] ", "login: "),
            ("[    0.310000] ", "[    0.310000] login: "),
            ("[    0.310000] ", ""),
            ("SeaBIOS (version 1.16)", "login: "),
        ] {
            assert!(!Prefix::of(first.as_bytes()).is(other.as_bytes()), "{first:?} {other:?}");
        }
    }
}
