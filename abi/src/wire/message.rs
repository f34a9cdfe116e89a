//! Messages: a word and fields in a fixed order. Records and the lines of a plan are messages.

/// An error in the fields of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldError {
    /// No message has this word.
    UnknownMessage,
    /// The field of this name is missing here.
    Missing(&'static str),
    /// The value of this field is not a value of its type, or not in canonical form.
    BadValue(&'static str),
    /// There is text after the last field.
    Trailing,
}

impl core::fmt::Display for FieldError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::UnknownMessage => f.write_str("no such message"),
            Self::Missing(key) => write!(f, "expected {key}="),
            Self::BadValue(key) => write!(f, "bad value of {key}="),
            Self::Trailing => f.write_str("more fields than the message has"),
        }
    }
}

/// A message, for documentation.
#[derive(Clone, Copy, Debug)]
pub struct MessageSpec {
    /// The word that names it.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// Its fields, in order.
    pub fields: &'static [FieldSpec],
    /// The most bytes that its fields take, each with a space before it.
    pub max_len: usize,
}

/// A field, for documentation.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// Its key.
    pub key: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// The form of its value.
    pub shape: &'static str,
}

/// One message of a list: the way from the list's enum to its own type.
pub trait Message: Copy {
    /// The enum over all messages of its list.
    type List;
    /// The word that names it.
    const NAME: &'static str;
    /// Its place in the list, from 0.
    const PLACE: usize;

    /// The message, if it is this one.
    fn of(message: &Self::List) -> Option<Self>;
}

/// Takes the next ` key=value` off `rest`. On the host each field has its own copy, which compares a key of known length.
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(crate) fn take<T: super::Value>(rest: &mut &[u8], key: &'static str) -> Result<T, FieldError> {
    let text = rest.strip_prefix(b" ").and_then(|rest| rest.strip_prefix(key.as_bytes()));
    let text = text.and_then(|text| text.strip_prefix(b"=")).ok_or(FieldError::Missing(key))?;
    let (value, after) = T::take(text).ok_or(FieldError::BadValue(key))?;
    *rest = after;
    Ok(value)
}

/// A number by which a word is found among those of its list without comparing it with all of them: its length, and its
/// first, middle and last letter.
pub(crate) const fn word_key(word: &[u8]) -> u32 {
    let len = word.len();
    if len == 0 {
        return 0;
    }
    // Not the whole length of a word that is no message.
    let [short, ..] = len.to_le_bytes();
    u32::from_le_bytes([short, word[0], word[len / 2], word[len - 1]])
}

/// Whether no two of them are equal.
pub(crate) const fn are_distinct(keys: &[u32]) -> bool {
    let mut at = 1;
    while at < keys.len() {
        let mut earlier = 0;
        while earlier < at {
            if keys[earlier] == keys[at] {
                return false;
            }
            earlier += 1;
        }
        at += 1;
    }
    true
}

/// Splits text before its first space.
pub(crate) fn split_word(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(word_len(text))
}

/// How many bytes come before the first space. The kernel reads a few words, and in as little code as it can.
#[cfg(target_os = "none")]
fn word_len(text: &[u8]) -> usize {
    text.iter().position(|&byte| byte == b' ').unwrap_or(text.len())
}

/// The same for the host, which reads gigabytes of them: eight bytes at a time.
#[cfg(not(target_os = "none"))]
fn word_len(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
    let mut len = 0;
    while let Some(bytes) = text[len..].first_chunk() {
        // The least significant byte that is 0 here is the first space: its top bit is set, and none below it.
        let no_space = u64::from_le_bytes(*bytes) ^ SPACES;
        let found = no_space.wrapping_sub(ONES) & !no_space & (ONES << 7);
        if found != 0 {
            return len + found.trailing_zeros() as usize / 8;
        }
        len += 8;
    }
    len + text[len..].iter().position(|&byte| byte == b' ').unwrap_or(text.len() - len)
}

/// Declares a list of messages: a struct for each, an enum of all, their writer and parser, their documentation as
/// data, and the most bytes that each can take.
macro_rules! messages {
    (
        $(#[$meta:meta])*
        pub enum $list:ident;
        $(
            $(#[doc = $doc:literal])+
            $name:ident = $word:literal {
                $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)*
            }
        )*
    ) => {
        $(
            $(#[doc = $doc])+
            #[derive(Clone, Copy, Debug, Eq, PartialEq)]
            #[cfg_attr(feature = "serde", derive(serde::Serialize))]
            #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
            pub struct $name {
                $($(#[doc = $field_doc])+ pub $field: $type,)*
            }

            impl $crate::wire::Message for $name {
                type List = $list;
                const NAME: &'static str = $word;
                const PLACE: usize = Place::$name as usize;

                fn of(message: &$list) -> Option<Self> {
                    match message {
                        $list::$name(message) => Some(*message),
                        _ => None,
                    }
                }
            }

            impl $name {
                /// What its word is found by.
                const KEY: u32 = $crate::wire::message::word_key($word.as_bytes());
            }

            impl From<$name> for $list {
                fn from(message: $name) -> Self {
                    Self::$name(message)
                }
            }
        )*

        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        // Messages live on the stack for a moment, and there is no heap to box them in.
        #[allow(clippy::large_enum_variant)]
        pub enum $list {
            $($(#[doc = $doc])+ $name($name),)*
        }

        // With two messages of one key, the second would never be found.
        const _: () = assert!($crate::wire::message::are_distinct(&[$($name::KEY,)*]), "two words have one key");

        /// The place of each message in the list.
        enum Place {
            $($name,)*
        }

        impl $list {
            /// Every message with its fields and their forms, in the order of declaration.
            pub const SPECS: &[$crate::wire::MessageSpec] = &[$(
                $crate::wire::MessageSpec {
                    name: $word,
                    doc: concat!($($doc),+),
                    fields: &[$($crate::wire::FieldSpec {
                        key: stringify!($field),
                        doc: concat!($($field_doc),+),
                        shape: <$type as $crate::wire::Value>::SHAPE,
                    },)*],
                    max_len: 0 $(+ " =".len() + stringify!($field).len() + <$type as $crate::wire::Value>::MAX_LEN)*,
                },
            )*];

            /// The word that names the message.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => $word,)* }
            }

            /// The message's place in the list, from 0 ([`Message::PLACE`]).
            ///
            /// [`Message::PLACE`]: $crate::wire::Message::PLACE
            #[must_use]
            pub const fn place(&self) -> usize {
                match self { $(Self::$name(_) => Place::$name as usize,)* }
            }

            /// Writes ` key=value` for each field.
            ///
            /// # Errors
            /// Those of `out`.
            pub fn write_fields(&self, out: &mut dyn core::fmt::Write) -> core::fmt::Result {
                match self {$(
                    Self::$name(message) => {
                        $(
                            out.write_str(concat!(" ", stringify!($field), "="))?;
                            $crate::wire::Value::write(&message.$field, out)?;
                        )*
                        let _ = message;
                        Ok(())
                    }
                )*}
            }

            /// Parses a message: its name, and its fields.
            ///
            /// # Errors
            /// The first error.
            pub fn parse(text: &[u8]) -> Result<Self, $crate::wire::FieldError> {
                let (name, fields) = $crate::wire::message::split_word(text);
                Self::parse_fields(name, fields)
            }

            /// Parses the fields of the message `name`: all of them, in order, and nothing after.
            ///
            /// # Errors
            /// The first error.
            pub fn parse_fields(name: &[u8], fields: &[u8]) -> Result<Self, $crate::wire::FieldError> {
                let mut rest = fields;
                match $crate::wire::message::word_key(name) {
                    $($name::KEY if name == $word.as_bytes() => {
                        let message = $name {
                            $($field: $crate::wire::message::take(&mut rest, stringify!($field))?,)*
                        };
                        let whole = rest.is_empty();
                        if whole { Ok(message.into()) } else { Err($crate::wire::FieldError::Trailing) }
                    })*
                    _ => Err($crate::wire::FieldError::UnknownMessage),
                }
            }
        }
    };
}
pub(crate) use messages;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_a_word_of_any_length_before_its_first_space() {
        // Bytes beside the space's value, and with the top bit, are no space.
        for other in [b'x', b'!', 0x1f, 0x21, 0xa0, 0x00, 0xff] {
            for len in 0..20 {
                for space in 0..=len {
                    let mut text = [other; 20];
                    text[space..len].fill(b' ');
                    assert_eq!(split_word(&text[..len]), text[..len].split_at(space), "{other:#x}, {len}");
                }
            }
        }
    }
}
