//! What is stored, and what can be made, against the schemas.

use std::path::{Path, PathBuf};

use abi::series::Shortened;
use results::seal;
use schema::Versioned;
use serde_json::Value;
use test_support::{golden, mechanisms, platform};

use crate::made;

/// The schema of the version, which knows its keys and no others.
fn closed(known: &[Versioned], version: &Value) -> jsonschema::Validator {
    let of = known.iter().find(|of| *version == of.version);
    let of = of.unwrap_or_else(|| panic!("no schema of version {version}"));
    let mut schema: Value = serde_json::from_str(of.text).expect("JSON");
    let extended = extended(&schema);
    let definitions = schema["$defs"].as_object_mut().expect("definitions").iter_mut();
    for (_, definition) in definitions.filter(|(name, _)| !extended.contains(&format!("#/$defs/{name}"))) {
        close(definition);
    }
    close(&mut schema);
    jsonschema::validator_for(&schema).expect("a schema")
}

fn close(schema: &mut Value) {
    let keys = schema.as_object_mut().expect("an object");
    if keys.contains_key("properties") || keys.contains_key("oneOf") && !keys.contains_key("enum") {
        keys.insert("unevaluatedProperties".to_owned(), false.into());
    }
}

/// The definitions to which something else adds keys: a variant its tag, a struct what it flattens.
fn extended(schema: &Value) -> Vec<String> {
    match schema {
        Value::Object(keys) => {
            let adds = keys.contains_key("properties");
            let own = keys.get("$ref").and_then(Value::as_str).filter(|_| adds).map(str::to_owned);
            own.into_iter().chain(keys.values().flat_map(extended)).collect()
        }
        Value::Array(all) => all.iter().flat_map(extended).collect(),
        _ => Vec::new(),
    }
}

#[track_caller]
fn assert_valid(what: &str, json: &Value) {
    let validator = closed(schema::RESULTS, &json["schema"]);
    let errors: Vec<String> = validator
        .iter_errors(json)
        .map(|error| format!("{}: {}", error.instance_path(), error.masked()))
        .take(5)
        .collect();
    assert!(errors.is_empty(), "{what}: {}", errors.join("\n"));
}

fn read(path: &Path) -> Value {
    let text = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn every_committed_results_json_is_valid() {
    let fixture = golden::path("../report/tests/forms/results.json");
    assert_valid("results.json of crate report", &read(&fixture));
}

#[test]
fn every_published_session_is_valid_and_still_read() {
    let mut sessions = 0;
    let published = std::fs::read_dir(golden::document("results")).expect("published sessions");
    for folder in published.map(|entry| entry.expect("an entry").path()) {
        let archive = folder.join("session.tar.gz");
        if !archive.is_file() {
            continue;
        }
        let to = tempfile::tempdir().expect("a directory");
        seal::unpack(&archive, to.path()).expect("an archive");
        let files = results_below(to.path());
        assert!(!files.is_empty(), "{}", archive.display());
        files.iter().for_each(|file| assert_valid(&archive.display().to_string(), &read(file)));
        sessions += 1;
    }
    assert!(sessions > 0);
}

fn results_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let of = |path: PathBuf| match path.is_dir() {
        true => results_below(&path),
        false if path.ends_with("results.json") => vec![path],
        false => Vec::new(),
    };
    entries.flat_map(of).collect()
}

#[test]
fn sessions_of_every_kind_are_valid() {
    let rows = [Vec::new(), platform::records(Shortened::None), mechanisms::records(Shortened::None)];
    for (kind, records) in ["scaling", "platform", "mechanisms"].iter().zip(rows) {
        let results = made::results(&records);
        let json = serde_json::to_value(&results).expect("JSON");
        let outcomes = json["runs"].as_array().expect("runs").iter().map(|run| run["outcome"].clone());
        assert_eq!(outcomes.collect::<Vec<_>>(), ["passed", "passed", "passed", "failed"], "{kind}");
        assert_valid(kind, &json);
    }
}

#[test]
fn what_is_not_of_the_form_is_named() {
    let json = serde_json::to_value(made::results(&[])).expect("JSON");
    let validator = closed(schema::RESULTS, &json["schema"]);
    assert!(validator.is_valid(&json));
    for (pointer, wrong) in [
        ("/runs/0/measurement/samples/0/cycles", Value::from("fast")),
        ("/runs/0/measurement/identity/nonce", "0xAB".into()),
        ("/runs/0/outcome", "perfect".into()),
        ("/complete", 1.into()),
    ] {
        let mut json = json.clone();
        *json.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = wrong;
        assert!(!validator.is_valid(&json), "{pointer}");
    }
    let mut more = json.clone();
    more["runs"][0]["mood"] = "good".into();
    assert!(!validator.is_valid(&more));
    let mut fewer = json;
    fewer.as_object_mut().expect("an object").remove("runs");
    assert!(!validator.is_valid(&fewer));
}
