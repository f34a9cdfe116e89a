//! The JSON Schemas of what programs read: results.json, by its version, and the answer of every command with `--json`.
//!
//! The files are in docs/schema. The tests make them from the types, and refuse a type that changed under its old version. This
//! crate only has their text, so that the tool can print them without what makes them.

#![forbid(unsafe_code)]

/// A schema, and the version of the form that it describes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Versioned {
    /// The number in the form's key `schema`.
    pub version: u32,
    /// The schema: JSON Schema, draft 2020-12.
    pub text: &'static str,
}

macro_rules! of {
    ($form:literal $($version:literal)*) => {
        &[$(Versioned {
            version: $version,
            text: include_str!(concat!("../../../docs/schema/", $form, "-v", $version, ".json")),
        },)*]
    };
}

/// Those of results.json, the newest last.
pub const RESULTS: &[Versioned] = of!("results" 3 4);

/// Those of the answer of `--json`, the newest last.
pub const ANSWER: &[Versioned] = of!("answer" 1);
