//! The text form of each type of field, and its strict parser.

use core::fmt;

use super::message::split_word;
use crate::digest::{hex_value, is_lower_hex};
use crate::{ApicId, CpuId, Digest};

/// A type of field. Its values have exactly one text form, of printable ASCII without a space.
pub trait Value: Sized {
    /// The most bytes that [`Value::write`] writes.
    const MAX_LEN: usize;
    /// The form, for a reader of docs/PROTOCOL.md.
    const SHAPE: &'static str;

    /// Writes the value.
    ///
    /// # Errors
    /// Those of `out`.
    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result;

    /// Reads the form that [`Value::write`] writes and no other: no leading zeros, no upper-case digits, no plus sign.
    fn read(text: &[u8]) -> Option<Self>;

    /// Reads the value that `text` begins with, up to its first space. Returns what follows too.
    #[must_use]
    fn take(text: &[u8]) -> Option<(Self, &[u8])> {
        let (value, rest) = split_word(text);
        Some((Self::read(value)?, rest))
    }

    /// The same of text.
    #[must_use]
    fn parse(text: &str) -> Option<Self> {
        Self::read(text.as_bytes())
    }
}

/// Reads a decimal number without leading zeros.
fn read_decimal(text: &[u8]) -> Option<u64> {
    let is_canonical = text == b"0" || matches!(text.first(), Some(b'1'..=b'9'));
    let digits = Some(text).filter(|_| is_canonical)?;
    // 19 digits always fit, and a sum without a branch is quick.
    if digits.len() < 20 {
        let (all, value) = digits.iter().fold((true, 0_u64), |(all, value), byte| {
            let digit = byte.wrapping_sub(b'0');
            (all & (digit < 10), value.wrapping_mul(10).wrapping_add(digit.into()))
        });
        return all.then_some(value);
    }
    digits.iter().try_fold(0_u64, |value, byte| {
        let digit = Some(byte.wrapping_sub(b'0')).filter(|&digit| digit < 10)?;
        value.checked_mul(10)?.checked_add(digit.into())
    })
}

/// The same of what `text` begins with, up to its first space: the host, which reads gigabytes, looks at a digit once.
#[cfg(not(target_os = "none"))]
fn take_decimal(text: &[u8]) -> Option<(u64, &[u8])> {
    // As many digits always fit.
    const SHORT: usize = 19;
    let mut value = 0_u64;
    for (at, &byte) in text.iter().enumerate().take(SHORT + 1) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            let is_canonical = at == 1 || at > 1 && text[0] != b'0';
            return (byte == b' ' && is_canonical).then_some((value, &text[at..]));
        }
        value = value.wrapping_mul(10).wrapping_add(digit.into());
    }
    let (value, rest) = split_word(text);
    Some((read_decimal(value)?, rest))
}

/// Decimal, without leading zeros.
macro_rules! decimal {
    ($($type:ty: $max:literal digits, $shape:literal;)*) => {$(
        impl Value for $type {
            const MAX_LEN: usize = $max;
            const SHAPE: &'static str = $shape;

            fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                write!(out, "{self}")
            }

            fn read(text: &[u8]) -> Option<Self> {
                read_decimal(text)?.try_into().ok()
            }

            #[cfg(not(target_os = "none"))]
            fn take(text: &[u8]) -> Option<(Self, &[u8])> {
                let (value, rest) = take_decimal(text)?;
                Some((value.try_into().ok()?, rest))
            }
        }
    )*};
}

decimal! {
    u16: 5 digits, "u16";
    u32: 10 digits, "u32";
    u64: 20 digits, "u64";
}

/// Decimal, with a sign only if it is negative.
impl Value for i64 {
    const MAX_LEN: usize = 20;
    const SHAPE: &'static str = "i64";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{self}")
    }

    fn read(text: &[u8]) -> Option<Self> {
        match text.strip_prefix(b"-") {
            None => read_decimal(text)?.try_into().ok(),
            // There is no negative zero.
            Some(digits) => 0_i64.checked_sub_unsigned(read_decimal(digits)?).filter(|&value| value != 0),
        }
    }
}

impl Value for bool {
    const MAX_LEN: usize = 1;
    const SHAPE: &'static str = "0 or 1";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_char(if *self { '1' } else { '0' })
    }

    fn read(text: &[u8]) -> Option<Self> {
        match text {
            b"0" => Some(false),
            b"1" => Some(true),
            _ => None,
        }
    }
}

/// A number, or `-` for none.
macro_rules! optional {
    ($($type:ty, $shape:literal;)*) => {$(
        impl Value for Option<$type> {
            const MAX_LEN: usize = <$type>::MAX_LEN;
            const SHAPE: &'static str = $shape;

            fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
                match self {
                    Some(value) => value.write(out),
                    None => out.write_char('-'),
                }
            }

            fn read(text: &[u8]) -> Option<Self> {
                if text == b"-" { Some(None) } else { <$type>::read(text).map(Some) }
            }
        }
    )*};
}

optional! {
    u32, "u32 or `-`";
    u64, "u64 or `-`";
}

impl Value for CpuId {
    const MAX_LEN: usize = u16::MAX_LEN;
    const SHAPE: &'static str = "u16";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.0.write(out)
    }

    fn read(text: &[u8]) -> Option<Self> {
        u16::read(text).map(Self)
    }

    fn take(text: &[u8]) -> Option<(Self, &[u8])> {
        u16::take(text).map(|(cpu, rest)| (Self(cpu), rest))
    }
}

impl Value for ApicId {
    const MAX_LEN: usize = u32::MAX_LEN;
    const SHAPE: &'static str = "u32";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        self.0.write(out)
    }

    fn read(text: &[u8]) -> Option<Self> {
        u32::read(text).map(Self)
    }

    fn take(text: &[u8]) -> Option<(Self, &[u8])> {
        u32::take(text).map(|(id, rest)| (Self(id), rest))
    }
}

/// A number that is a pattern of bits, not a quantity: an address, a hash, a nonce.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Hex64(pub u64);

impl Value for Hex64 {
    const MAX_LEN: usize = 16;
    const SHAPE: &'static str = "16 hex digits";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{:016x}", self.0)
    }

    fn read(text: &[u8]) -> Option<Self> {
        read_hex::<16>(text).map(Self)
    }

    #[cfg(not(target_os = "none"))]
    fn take(text: &[u8]) -> Option<(Self, &[u8])> {
        let (digits, rest) = text.split_at_checked(16)?;
        let ends = rest.first().is_none_or(|&byte| byte == b' ');
        Some((Self::read(digits).filter(|_| ends)?, rest))
    }
}

/// Reads `DIGITS` lower-case hexadecimal digits, at most 16.
pub(super) fn read_hex<const DIGITS: usize>(text: &[u8]) -> Option<u64> {
    let digits: &[u8; DIGITS] =
        text.try_into().ok().filter(|digits: &&[u8; DIGITS]| is_lower_hex(*digits))?;
    Some(digits.iter().fold(0, |value, &digit| value << 4 | u64::from(hex_value(digit))))
}

impl fmt::Display for Hex64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Value for Digest {
    const MAX_LEN: usize = 64;
    const SHAPE: &'static str = "SHA-256, 64 hex digits";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        write!(out, "{self}")
    }

    fn read(text: &[u8]) -> Option<Self> {
        Self::read_hex(text)
    }
}

/// An enum whose values are words.
macro_rules! words {
    ($($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)*
    })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        $vis enum $name { $($(#[$variant_meta])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The words of all values, in the same order.
            pub const WORDS: &[&str] = &[$($word,)*];

            /// Its word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl $crate::wire::Value for $name {
            const MAX_LEN: usize = $crate::wire::value::longest(&[$($word,)*]);
            const SHAPE: &'static str = $crate::wire::value::words!(@shape $($word),*);

            fn write(&self, out: &mut dyn core::fmt::Write) -> core::fmt::Result {
                out.write_str(self.word())
            }

            fn read(text: &[u8]) -> Option<Self> {
                $crate::wire::value::place_of(text, Self::WORDS).map(|place| Self::ALL[place])
            }
        }

        #[cfg(feature = "serde")]
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> alloc::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            // The words are no closed list: a new one does not change the version.
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "type": "string",
                    "pattern": "^[a-z0-9_-]+$",
                    "description": "The words are in docs/PROTOCOL.md."
                })
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.pad(self.word())
            }
        }
    )*};
    (@shape $first:literal $(, $rest:literal)*) => { concat!($first $(, " \\| ", $rest)*) };
}
pub(crate) use words;

/// The place of `text` among `words`. One loop for all enums: a comparison with each word on its own is several KiB of code
/// in the kernel.
pub(crate) fn place_of(text: &[u8], words: &[&str]) -> Option<usize> {
    words.iter().position(|word| word.as_bytes() == text)
}

/// The length in bytes of the longest of `words`.
pub(crate) const fn longest(words: &[&str]) -> usize {
    let mut max = 0;
    let mut i = 0;
    while i < words.len() {
        if words[i].len() > max {
            max = words[i].len();
        }
        i += 1;
    }
    max
}

/// The length in bytes of the longest text of a set over `words`.
pub(crate) const fn set_len(words: &[&str]) -> usize {
    let mut sum = NO_NAMES.len();
    let mut i = 0;
    while i < words.len() {
        sum += words[i].len() + 1;
        i += 1;
    }
    sum
}

/// The text of an empty set.
const NO_NAMES: &str = "none";

/// Writes a set of `words`, in which bit `i` stands for word `i`: the words with `between` between them, or `none`.
pub(crate) fn write_set(set: u32, words: &[&str], between: char, out: &mut dyn fmt::Write) -> fmt::Result {
    let mut names = (0..).zip(words).filter(|(bit, _)| set & (1 << bit) != 0).map(|(_, word)| word);
    out.write_str(names.next().unwrap_or(&NO_NAMES))?;
    names.try_for_each(|name| {
        out.write_char(between)?;
        out.write_str(name)
    })
}

/// Reads what [`write_set`] writes: each word once, in the order of `words`.
pub(crate) fn read_set(text: &[u8], words: &[&str], between: u8) -> Option<u32> {
    if text == NO_NAMES.as_bytes() {
        return Some(0);
    }
    let mut rest = (0..).zip(words);
    text.split(|&byte| byte == between).try_fold(0, |set, name| {
        let (bit, _) = rest.find(|(_, word)| word.as_bytes() == name)?;
        Some(set | 1 << bit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_is_a_minus_and_only_where_it_means_something() {
        assert_eq!(i64::parse("-9223372036854775808"), Some(i64::MIN));
        assert_eq!(i64::parse("-1"), Some(-1));
        for bad in ["-0", "+1", "--1", "-", "-01", "01", "9223372036854775808"] {
            assert_eq!(i64::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn rejects_numbers_that_are_not_canonical() {
        for bad in ["", "01", "00", "+1", "-1", "1 ", "65536", "0x1"] {
            assert_eq!(u16::parse(bad), None, "{bad}");
        }
        assert_eq!(u16::parse("0"), Some(0));
        assert_eq!(u64::parse("18446744073709551615"), Some(u64::MAX));
        for bad in ["0", "00000000000000AF", "+000000000000001", "00000000000000000"] {
            assert_eq!(Hex64::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn reads_decimal_numbers_to_the_last_that_fits() {
        for text in ["0", "7", "9999999999999999999", "10000000000000000000", "18446744073709551615"] {
            assert_eq!(u64::parse(text), text.parse().ok(), "{text}");
        }
        for text in ["18446744073709551616", "99999999999999999999", "100000000000000000000"] {
            assert_eq!(u64::parse(text), None, "{text}: too large");
        }
        for text in
            ["", "00", "01", "+1", "-1", "1 ", "1:", "1/", "999999999999999999:", "1844674407370955161x"]
        {
            assert_eq!(u64::parse(text), None, "{text}: no number, or not canonical");
        }
    }
}
