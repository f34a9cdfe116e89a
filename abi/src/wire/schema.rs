//! JSON Schemas of values that are serialised as text: the text's pattern, if it has one of its own.

use alloc::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Hex64, Label, Text};
use crate::checks::Checks;
use crate::grant::FeatureSet;
use crate::object::Rights;
use crate::series::Shortened;
use crate::syscall::Authority;
use crate::{ApicId, CpuId, Digest};

macro_rules! text {
    ($($type:ident = $schema:tt;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}

text! {
    Hex64 = { "type": "string", "pattern": "^[0-9a-f]{16}$" };
    Digest = { "type": "string", "pattern": "^[0-9a-f]{64}$" };
    Label = { "type": "string", "pattern": "^[!-~]+$" };
    Authority = { "type": "string" };
    FeatureSet = { "type": "string" };
    Rights = { "type": "string" };
    Checks = { "type": "string" };
    Shortened = { "type": "string" };
}

impl<const MAX: usize> JsonSchema for Text<MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

macro_rules! number {
    ($($type:ident as $number:ty;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                <$number>::json_schema(generator)
            }
        }
    )*};
}

number! {
    CpuId as u16;
    ApicId as u32;
}
