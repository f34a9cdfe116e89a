//! Text in records, with a fixed capacity.

use core::fmt;

use super::Value;

/// A name: 1 to 32 characters out of `A-Z a-z 0-9 . _ + -`.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Label {
    bytes: [u8; Self::CAPACITY],
    len: u8,
}

impl Label {
    const CAPACITY: usize = 32;

    /// The label `text`; `None` if it is empty, too long, or has another character.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        Self::of(text.as_bytes())
    }

    fn of(text: &[u8]) -> Option<Self> {
        let known = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'+' | b'-');
        if text.is_empty() || text.len() > Self::CAPACITY || !text.iter().all(known) {
            return None;
        }
        let mut bytes = [0; Self::CAPACITY];
        bytes[..text.len()].copy_from_slice(text);
        Some(Self { bytes, len: u8::try_from(text.len()).ok()? })
    }

    /// The label's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl Value for Label {
    const MAX_LEN: usize = Self::CAPACITY;
    const SHAPE: &'static str = "name, 1 to 32 of `A-Z a-z 0-9 . _ + -`";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(self.as_str())
    }

    fn read(text: &[u8]) -> Option<Self> {
        Self::of(text)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Free text that takes at most `MAX` bytes in a record: percent-encoded (RFC 3986, section 2.1), so that a space, a
/// `%` or a control character does not break the record. The empty text is `-`. Text that does not fit is cut off.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Text<const MAX: usize> {
    /// The encoded form; empty for the empty text.
    bytes: [u8; MAX],
    len: u8,
}

impl<const MAX: usize> Text<MAX> {
    /// As much of `text` as fits.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut this = Self { bytes: [0; MAX], len: 0 };
        // Fails only at the end of the capacity, which is the documented cut.
        let _ = fmt::Write::write_str(&mut this, text);
        this
    }

    /// As much of the formatted text as fits.
    #[must_use]
    pub fn format(text: fmt::Arguments<'_>) -> Self {
        let mut this = Self { bytes: [0; MAX], len: 0 };
        let _ = fmt::write(&mut this, text);
        this
    }

    /// Whether it is the empty text.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn encoded(&self) -> &str {
        core::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }

    /// The decoded bytes, one by one.
    pub fn decoded(&self) -> impl Iterator<Item = u8> + '_ {
        let mut rest = self.encoded().as_bytes();
        core::iter::from_fn(move || {
            let (&first, after) = rest.split_first()?;
            let hex = |at: usize| char::from(*after.get(at)?).to_digit(16);
            rest = after;
            if first != b'%' {
                return Some(first);
            }
            let byte = u8::try_from(hex(0)? << 4 | hex(1)?).ok()?;
            rest = &after[2..];
            Some(byte)
        })
    }
}

/// Whether a byte stands for itself in a [`Text`].
const fn is_plain(byte: u8, first: bool) -> bool {
    byte.is_ascii_graphic() && byte != b'%' && byte != b'=' && !(first && byte == b'-')
}

/// The digits of an escape.
const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// The value of one of [`DIGITS`].
fn value(digit: u8) -> Option<u8> {
    DIGITS.iter().zip(0_u8..).find(|&(&known, _)| known == digit).map(|(_, value)| value)
}

/// Whether `text` is as [`Text::push`] writes it: not empty, and a byte is escaped exactly if it has to be.
fn is_canonical(text: &[u8]) -> bool {
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        let is_first = rest.len() == text.len();
        rest = match after {
            _ if is_plain(*byte, is_first) => after,
            [high, low, after @ ..] if *byte == b'%' => match (value(*high), value(*low)) {
                (Some(high), Some(low)) if !is_plain(high << 4 | low, is_first) => after,
                _ => return false,
            },
            _ => return false,
        };
    }
    !text.is_empty()
}

/// A byte as its escape.
const fn escaped(byte: u8) -> [u8; 3] {
    [b'%', DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]
}

/// Writes bytes of any number in the encoded form of a [`Text`], `-` for none.
pub(crate) fn write_encoded(bytes: &[u8], out: &mut dyn fmt::Write) -> fmt::Result {
    if bytes.is_empty() {
        return out.write_char('-');
    }
    bytes.iter().enumerate().try_for_each(|(at, &byte)| {
        if is_plain(byte, at == 0) {
            return out.write_char(char::from(byte));
        }
        escaped(byte).into_iter().try_for_each(|byte| out.write_char(char::from(byte)))
    })
}

/// Decodes what [`write_encoded`] writes, and nothing else, in place. Returns its length in bytes.
pub(crate) fn decode_in_place(text: &mut [u8]) -> Option<usize> {
    if text == b"-" {
        return Some(0);
    }
    if !is_canonical(text) {
        return None;
    }
    let (mut from, mut to) = (0, 0);
    while from < text.len() {
        let is_escape = text[from] == b'%';
        text[to] = if is_escape { value(text[from + 1])? << 4 | value(text[from + 2])? } else { text[from] };
        from += if is_escape { 3 } else { 1 };
        to += 1;
    }
    Some(to)
}

impl<const MAX: usize> Text<MAX> {
    /// Adds one byte in its encoded form; `None` if that does not fit whole.
    fn push(&mut self, byte: u8) -> Option<()> {
        let at = usize::from(self.len);
        let escaped = escaped(byte);
        let code = if is_plain(byte, at == 0) { &[byte][..] } else { &escaped[..] };
        self.bytes.get_mut(at..at + code.len())?.copy_from_slice(code);
        self.len = u8::try_from(at + code.len()).ok()?;
        Some(())
    }
}

impl<const MAX: usize> fmt::Write for Text<MAX> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().try_for_each(|byte| self.push(byte)).ok_or(fmt::Error)
    }
}

impl<const MAX: usize> Value for Text<MAX> {
    const MAX_LEN: usize = {
        assert!(MAX >= 3 && MAX <= 255);
        MAX
    };
    const SHAPE: &'static str = "percent-encoded text, or `-`";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        out.write_str(if self.len == 0 { "-" } else { self.encoded() })
    }

    fn read(text: &[u8]) -> Option<Self> {
        let mut read = Self { bytes: [0; MAX], len: 0 };
        if text == b"-" {
            return Some(read);
        }
        read.bytes.get_mut(..text.len())?.copy_from_slice(text);
        read.len = u8::try_from(text.len()).ok()?;
        is_canonical(text).then_some(read)
    }
}

impl<const MAX: usize> fmt::Display for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A byte beyond ASCII is shown as its escape: a cut may have split a character.
        self.decoded().try_for_each(|byte| match byte {
            b' '..=b'~' => fmt::Write::write_char(f, char::from(byte)),
            _ => write!(f, "%{byte:02X}"),
        })
    }
}

impl<const MAX: usize> fmt::Debug for Text<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({})", self.encoded())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::{String, ToString};

    use proptest::prelude::*;

    use super::*;

    fn written(value: &impl Value) -> String {
        let mut out = String::new();
        value.write(&mut out).expect("a String takes all");
        out
    }

    #[test]
    fn labels_refuse_what_would_break_a_record() {
        for bad in ["", " ", "a b", "a=b", "\u{e9}", &"x".repeat(33)] {
            assert_eq!(Label::new(bad), None, "{bad}");
        }
        assert_eq!(Label::new("page-fault_2.0+").map(|l| l.to_string()).as_deref(), Some("page-fault_2.0+"));
    }

    #[test]
    fn text_is_cut_at_a_whole_escape() {
        assert_eq!(written(&Text::<5>::new("ab c")), "ab%20");
        assert_eq!(written(&Text::<5>::new("abc d")), "abc");
        assert_eq!(written(&Text::<5>::new("")), "-");
        assert_eq!(written(&Text::<5>::new("-")), "%2D");
    }

    #[test]
    fn rejects_text_that_is_not_canonical() {
        for bad in ["", "%", "%2", "%zz", "%41", "%2d", "a=b", "-a", "abcdef"] {
            assert_eq!(Text::<5>::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn text_of_any_length_is_decoded_where_it_is() {
        let mut encoded = String::new();
        write_encoded(b"-a b=%\n", &mut encoded).expect("a String takes all");
        assert_eq!(encoded, "%2Da%20b%3D%25%0A");
        let mut bytes = encoded.into_bytes();
        let len = decode_in_place(&mut bytes).expect("its own form");
        assert_eq!(&bytes[..len], b"-a b=%\n");
        for bad in ["", "%", "a%2", "%zz", "%41", "%2d", "a=b", "a b", "-a"] {
            assert_eq!(decode_in_place(&mut bad.as_bytes().to_vec()), None, "{bad}");
        }
        assert_eq!(decode_in_place(&mut b"-".to_vec()), Some(0));
    }

    proptest! {
        #[test]
        fn any_bytes_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut encoded = String::new();
            write_encoded(&bytes, &mut encoded).expect("a String takes all");
            let mut decoded = encoded.into_bytes();
            let len = decode_in_place(&mut decoded);
            prop_assert_eq!(len.map(|len| &decoded[..len]), Some(&bytes[..]));
        }

        #[test]
        fn text_round_trips(text in ".{0,60}") {
            let value = Text::<96>::new(&text);
            prop_assert_eq!(Text::parse(&written(&value)), Some(value));
        }
    }
}
