//! `--json` with every command, in a good and in a bad case: one object on standard output, and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use lab::Exit;
use serde_json::Value;

use crate::assay::{assay, run};
use crate::compare::sessions::{Played, Sessions, probed};
use crate::golden;
use crate::images;
use crate::stage::{DEADLINE, DIES, Stage, good_log};
use crate::width::commands;

const KEYS: [&str; 9] =
    ["schema", "command", "exit_code", "exit", "meaning", "reason", "error", "next", "result"];

/// Runs a command with `--json`, and checks all that every envelope has.
#[track_caller]
fn envelope(command: &mut Command) -> Value {
    let said = run(command.arg("--json"), DEADLINE);
    let json: Value = serde_json::from_str(&said.out)
        .unwrap_or_else(|error| panic!("{command:?}: {error}\n{}\n{}", said.out, said.err));
    let keys: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.len(), KEYS.len(), "{keys:?}");
    assert!(KEYS.iter().all(|key| keys.contains(key)), "{keys:?}");
    assert_eq!(json["schema"], 1);
    assert_eq!(json["exit_code"].as_i64(), said.code.map(i64::from), "{command:?}\n{}", said.out);
    let exit = Exit::ALL.iter().find(|exit| i64::from(**exit as u8) == json["exit_code"]).unwrap();
    assert_eq!((json["exit"].as_str(), json["meaning"].as_str()), (Some(exit.word()), Some(exit.meaning())));
    // What a program reads is what a person reads.
    if let Some(message) = json["error"]["message"].as_str().filter(|_| json["exit"] != "usage") {
        assert!(said.err.contains(message), "{message}\n---\n{}", said.err);
    }
    assert!(*exit == Exit::Holds || json["next"].is_string(), "{json:#}");
    assert_valid("answer", &json);
    results_in(&json["result"]).iter().for_each(|results| assert_valid("results", results));
    json
}

/// Every results.json that an answer has somewhere.
fn results_in(json: &Value) -> Vec<&Value> {
    match json {
        Value::Object(keys) if keys.contains_key("schema") && keys.contains_key("runs") => vec![json],
        Value::Object(keys) => keys.values().flat_map(results_in).collect(),
        Value::Array(all) => all.iter().flat_map(results_in).collect(),
        _ => Vec::new(),
    }
}

/// Holds what a command printed to the schema that `assay schema` prints.
#[track_caller]
fn assert_valid(form: &str, json: &Value) {
    let version = json["schema"].to_string();
    let printed = run(&mut assay(["schema", form, "--version", &version]), DEADLINE);
    assert_eq!(printed.code, Some(0), "{form} {version}: {}", printed.err);
    let schema: Value = serde_json::from_str(&printed.out).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(json)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{form}: {}\n{json:#}", errors.join("\n"));
}

/// A command that goes well, and one that does not.
struct Case {
    name: &'static str,
    good: Command,
    bad: Command,
}

fn case<const G: usize, const B: usize>(name: &'static str, good: [&str; G], bad: [&str; B]) -> Case {
    let words = || name.split(' ').collect::<Vec<_>>();
    let of = |args: &[&str]| {
        let mut command = assay(words());
        command.args(args);
        command
    };
    Case { name, good: of(&good), bad: of(&bad) }
}

#[test]
fn every_command_answers_with_one_object() {
    let (sessions, stage) = (Sessions::new(), images::stage(images::WRITES));
    let path = |name: &str| stage.path(name).to_str().unwrap().to_owned();
    let a = sessions.play("a", &probed());
    let b = sessions.play("b", &Played { later_ms: 60_000, ..probed() });
    let [a, b] = [&a, &b].map(|session| session.to_str().unwrap());
    let (log, home) = (good_log(), sessions.path(""));
    let (log, home) = (log.to_str().unwrap(), home.parent().unwrap().to_str().unwrap());
    let disk = crate::configure::image(stage.path("").as_path());
    let none = "/nonexistent";
    let dies = Stage::with_qemu(DIES);
    fs::create_dir(stage.path("none")).unwrap();

    let mut cases = vec![
        case("show", [a, log], [none]),
        case("list", ["--out", home], ["--out", log]),
        case("report", [a, "--html", &path("r.html")], [none, "--html", &path("r.html")]),
        case("export", [a, "--format", "ktap"], [none, "--format", "ktap"]),
        case("trace", [a], [none]),
        case("schema", ["answer"], ["results", "--version", "1"]),
        case("parse", [log], [none]),
        case("compare", [a, b], [a, a]),
        case("verify", [a, b], [none]),
        case(
            "baseline save",
            ["main", a, "--baselines", &path("kept")],
            ["main", none, "--baselines", &path("kept")],
        ),
        case("baseline list", ["--baselines", &path("kept")], ["--baselines", log]),
        case(
            "baseline show",
            ["main", "--baselines", &path("kept")],
            ["other", "--baselines", &path("kept")],
        ),
        case(
            "baseline remove",
            ["main", "--baselines", &path("kept")],
            ["other", "--baselines", &path("kept")],
        ),
        case("archive", [a, &path("a.tar.gz")], [none, &path("b.tar.gz")]),
        case("new workload", [&path("steps")], [&path("no name")]),
        case("configure", [disk.to_str().unwrap()], [none]),
        case("dev bench-verdict", ["--help"], ["--from", none]),
        case("exact check", ["--help"], ["--lock", none]),
        case("exact record", ["--help"], ["--kernel", "x", "--row", "boot"]),
        case("exact workloads", ["--help"], [none]),
        case("exact profiles", ["--help"], [none]),
        case("workloads", ["--help"], [none]),
        case("lifecycle", ["--help"], [none]),
        case("snapshot", ["--help"], [none]),
        case("ab", ["--help"], [none]),
        case("history", ["--help"], ["--out", none]),
        case("fleet", ["--help"], [log, "--out", &path("fleet"), "--labels", none]),
        case("doctor", ["--accel", "tcg"], ["--cpus", "9999"]),
    ];
    cases.push(Case {
        name: "image",
        good: images::image(&stage, &[]),
        bad: images::image(&stage, &["--kernel", none]),
    });
    cases.push(Case { name: "run", good: stage.command(&["--dry-run"]), bad: dies.command(&[]) });

    let mut results = BTreeMap::new();
    for Case { name, mut good, mut bad } in cases {
        let failed = envelope(&mut bad);
        assert_ne!(failed["exit_code"], 0, "{failed:#}");
        assert!(failed["error"].is_object() || failed["reason"].is_string(), "{failed:#}");
        // Of a command line that clap refuses, only the first word is known.
        assert!(name.starts_with(failed["command"].as_str().unwrap()), "{failed:#}");
        // What needs a guest, or takes long, has its good case in other tests.
        if good.get_args().any(|word| word == "--help") {
            results.insert(name, None);
            continue;
        }
        let went = envelope(&mut good);
        assert!(went["error"].is_null(), "{went:#}");
        assert_eq!(went["command"], name);
        let keys: Vec<String> = went["result"].as_object().unwrap().keys().cloned().collect();
        assert!(!keys.is_empty(), "{name} answers with nothing");
        results.insert(name, Some(keys));
    }
    let mut all = commands(&[]);
    all.retain(|name| name != "help");
    for name in all {
        assert!(results.keys().any(|of| of.split(' ').next() == Some(name.as_str())), "{name} is not tried");
    }
    document(&results);
}

/// The table of what `result` has, in docs/JSON.md.
fn document(results: &BTreeMap<&str, Option<Vec<String>>>) {
    let mut text = "\n| command | keys of `result` |\n|---|---|\n".to_owned();
    for (name, keys) in results {
        let Some(keys) = keys else { continue };
        let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
        text += &format!("| `{name}` | {} |\n", keys.join(", "));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/JSON.md");
    golden::check_part(&path, "keys of results", &text);
}

#[test]
fn an_error_names_file_line_key_and_what_was_expected() {
    let stage = Stage::with_qemu(DIES);
    stage.manifest("workers = [1, 2, 4]", "workers = [1, 2, 999]");
    let json = envelope(&mut stage.command(&[]));
    assert_eq!((&json["exit"], &json["exit_code"]), (&"bad-input".into(), &7.into()));
    let problem = &json["error"]["problems"][0];
    assert!(problem["file"].as_str().unwrap().ends_with("x.toml"), "{problem:#}");
    assert_eq!(problem["key"], "cases.workers", "{problem:#}");
    assert!(problem["line"].as_u64().unwrap() > 1 && problem["column"].as_u64().unwrap() > 0, "{problem:#}");
    assert!(problem["expected"].is_string() && problem["found"].is_string(), "{problem:#}");

    let json = envelope(&mut assay(["parse", "/nonexistent"]));
    assert_eq!(json["error"]["problems"][0]["file"], "/nonexistent", "{json:#}");
    let json = envelope(&mut assay(["compare", "--no-such-option"]));
    assert_eq!((&json["exit"], &json["command"]), (&"usage".into(), &"compare".into()));
    assert_eq!(json["error"]["problems"][0]["key"], "--no-such-option", "{json:#}");
    let json = envelope(&mut assay(["export", "--format", "xlsx", "x"]));
    assert_eq!(json["error"]["problems"][0]["found"], "xlsx", "{json:#}");
    let json = envelope(&mut assay(["no-such-command"]));
    assert!(json["command"].is_null() && json["exit_code"] == 2, "{json:#}");
}
