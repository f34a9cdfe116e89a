//! JSON Schemas of what this crate serialises by hand.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::compare::NotComparable;
use super::system::System;
use crate::diagnosis::Address;

/// The words are no closed list: a new system, or a new reason, does not change the version.
macro_rules! word {
    ($($type:ident = $pattern:literal;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    )*};
}

word! {
    System = "^[a-z0-9-]+$";
    NotComparable = "^not-comparable-[a-z0-9-]+$";
    Address = "^0x[0-9a-f]+$";
}
