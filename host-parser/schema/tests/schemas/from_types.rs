//! Schemas made from the types.

use report::answer::{self, Answer};
use results::{Results, SCHEMA};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// That of results.json, of the version that this tool writes.
pub fn results() -> Value {
    let title = format!("results.json of Assay, version {SCHEMA}");
    of::<Results>(&title, SCHEMA)
}

/// That of the answer of `--json`.
pub fn answer() -> Value {
    of::<Answer>(&format!("The answer of assay --json, version {}", answer::SCHEMA), answer::SCHEMA)
}

fn of<T: JsonSchema>(title: &str, version: u32) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    without_links(&mut schema);
    schema["title"] = title.into();
    schema["properties"]["schema"] = json!({ "const": version, "description": "The version of this form." });
    schema
}

/// Puts descriptions into words for a reader of the schema, who has no rustdoc: links become what they name.
fn without_links(schema: &mut Value) {
    match schema {
        Value::Object(keys) => {
            if let Some(Value::String(text)) = keys.get_mut("description") {
                *text = without_links_in(text).replace("`None`", "null");
            }
            keys.values_mut().for_each(without_links);
        }
        Value::Array(all) => all.iter_mut().for_each(without_links),
        _ => {}
    }
}

fn without_links_in(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(begin) = rest.find('[') {
        let (before, link) = rest.split_at(begin);
        out += before;
        let Some(end) = link.find(']') else { break };
        out += &link[1..end];
        rest = &link[end + 1..];
        if let Some(target) = rest.strip_prefix('(')
            && let Some(end) = target.find(')')
        {
            rest = &target[end + 1..];
        }
    }
    out + rest.trim_start_matches('[')
}

#[test]
fn links_become_what_they_name() {
    assert_eq!(
        without_links_in("With [`Self::repeats`] its limit, [in brief](Self::in_brief)."),
        "With `Self::repeats` its limit, in brief."
    );
    assert_eq!(without_links_in("no link"), "no link");
}
