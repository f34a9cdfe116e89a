//! The committed schemas against the types. `ASSAY_BLESS=1` writes them, unless that would change what an old version means.

use std::path::PathBuf;

use schema::Versioned;
use serde_json::Value;
use test_support::golden;

use crate::change::breaks;
use crate::from_types;

fn file(form: &str, version: u32) -> PathBuf {
    golden::document("schema").join(format!("{form}-v{version}.json"))
}

/// Holds a committed schema to the one that the types give, or writes it.
fn check(form: &str, version: u32, of_types: &Value, known: &[Versioned], number: &str) {
    let path = file(form, version);
    let newest = known.last().map(|newest| newest.version);
    assert_eq!(newest, Some(version), "{number}: add {version} to its list in host-parser/schema/src/lib.rs");
    let committed = std::fs::read_to_string(&path).unwrap_or_else(|_| "null".to_owned());
    let committed: Value = serde_json::from_str(&committed).expect("JSON");
    if committed == *of_types {
        return;
    }
    let broken = if committed.is_null() { Vec::new() } else { breaks(&committed, of_types) };
    assert!(
        broken.is_empty(),
        "a type changed so that a reader of version {version} of {form} would misread it, at {broken:?}.\nRaise {number}, \
         begin its file in docs/schema with the word null, add it to host-parser/schema/src/lib.rs, and run\n  \
         ASSAY_BLESS=1 cargo test -p schema\nThe old file stays."
    );
    assert!(
        golden::blessing(),
        "{} lacks a key, or says something else, of the types. Nothing that version {version} has is gone, so the version \
         stays: run\n  ASSAY_BLESS=1 cargo test -p schema\nand read the difference.",
        path.display()
    );
    let text = serde_json::to_string_pretty(of_types).expect("JSON") + "\n";
    golden::check(&path, text.as_bytes());
}

#[test]
fn results_json_is_described_by_the_schema_of_its_version() {
    check("results", results::SCHEMA, &from_types::results(), schema::RESULTS, "results::SCHEMA");
}

#[test]
fn the_answer_is_described_by_the_schema_of_its_version() {
    let version = report::answer::SCHEMA;
    check("answer", version, &from_types::answer(), schema::ANSWER, "report::answer::SCHEMA");
}

#[test]
fn every_version_names_itself() {
    for of in schema::RESULTS.iter().chain(schema::ANSWER) {
        let json: Value = serde_json::from_str(of.text).expect("JSON");
        assert_eq!(json["properties"]["schema"]["const"], of.version, "{}", json["title"]);
    }
}
