//! Arbitrary messages, made from the documentation that they carry: a value of each field is whatever its documented
//! shape allows. What this makes and `abi` refuses is a fault in one of the two.

use abi::checks::Check;
use abi::grant::Feature;
use abi::object::HandleRight;
use abi::syscall::Right;
use abi::wire::{MessageSpec, Record, Text, Timestamp, Value};
use proptest::prelude::*;

/// A value of the documented form.
fn value(shape: &'static str) -> BoxedStrategy<String> {
    match shape {
        "u16" => any::<u16>().prop_map(|n| n.to_string()).boxed(),
        "u32" => any::<u32>().prop_map(|n| n.to_string()).boxed(),
        "u64" => any::<u64>().prop_map(|n| n.to_string()).boxed(),
        "i64" => any::<i64>().prop_map(|n| n.to_string()).boxed(),
        "u32 or `-`" => {
            any::<Option<u32>>().prop_map(|n| n.map_or("-".to_owned(), |n| n.to_string())).boxed()
        }
        "u64 or `-`" => {
            any::<Option<u64>>().prop_map(|n| n.map_or("-".to_owned(), |n| n.to_string())).boxed()
        }
        "0 or 1" => any::<bool>().prop_map(|b| u8::from(b).to_string()).boxed(),
        "16 hex digits" => "[0-9a-f]{16}".boxed(),
        "SHA-256, 64 hex digits" => "[0-9a-f]{64}".boxed(),
        "name, 1 to 32 of `A-Z a-z 0-9 . _ + -`" => "[A-Za-z0-9._+-]{1,32}".boxed(),
        // No text has less room than 36 bytes: twelve of them, all escaped, fit.
        "percent-encoded text, or `-`" => {
            "[ -~\u{e9}]{0,6}".prop_map(|text| written(&Text::<36>::new(&text))).boxed()
        }
        "names of rights with commas between, or `none`" => set(Right::WORDS, ","),
        "names of rights to an object with commas between, or `none`" => set(HandleRight::WORDS, ","),
        "names of checks with commas between, or `none`" => set(Check::WORDS, ","),
        "names of features with a `+` between, or `none`" => set(Feature::WORDS, "+"),
        words => {
            prop::sample::select(words.split(" \\| ").collect::<Vec<_>>()).prop_map(str::to_owned).boxed()
        }
    }
}

/// Any of `words`, in their order.
fn set(words: &'static [&'static str], between: &'static str) -> BoxedStrategy<String> {
    let joined = move |some: Vec<&str>| if some.is_empty() { "none".to_owned() } else { some.join(between) };
    prop::sample::subsequence(words, 0..=words.len()).prop_map(joined).boxed()
}

/// The word and the fields of a message.
fn fields(spec: &'static MessageSpec) -> BoxedStrategy<(&'static str, String)> {
    let values: Vec<_> = spec.fields.iter().map(|field| value(field.shape)).collect();
    let keyed = move |values: Vec<String>| {
        let fields = spec.fields.iter().zip(values).map(|(field, value)| format!(" {}={value}", field.key));
        (spec.name, fields.collect())
    };
    values.prop_map(keyed).boxed()
}

/// The word and the fields of any of `specs`.
pub fn message(specs: &'static [MessageSpec]) -> impl Strategy<Value = (&'static str, String)> {
    prop::sample::select(specs.iter().collect::<Vec<_>>()).prop_flat_map(fields)
}

/// Any record.
#[allow(dead_code, reason = "not every test that includes this file wants records")]
pub fn record() -> impl Strategy<Value = Record> {
    message(Record::SPECS).prop_map(|(name, fields)| {
        Record::parse_fields(name.as_bytes(), fields.as_bytes())
            .unwrap_or_else(|error| panic!("{name}{fields}: {error}"))
    })
}

/// Any time, and none.
#[allow(dead_code, reason = "not every test that includes this file wants times")]
pub fn timestamp() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        1 => Just(Timestamp::UNKNOWN),
        4 => (0..1_u64 << 52).prop_map(Timestamp::from_micros),
        1 => any::<u64>().prop_map(Timestamp::from_micros),
    ]
}

/// The form of a value.
pub fn written(value: &impl Value) -> String {
    let mut text = String::new();
    value.write(&mut text).expect("a String takes all");
    text
}
