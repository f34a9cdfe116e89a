//! `assay-keep history` on the published session.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use history::{Index, NAME};
use results::seal::unpack;

/// The published session, unpacked at `out/EXPERIMENT/LABEL`.
fn session(out: &Path, label: &str) -> PathBuf {
    let archive = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs/results/2026-11-28-tcg-2-cpus-assay/session.tar.gz");
    let folder = out.join("smp-process-scale").join(label);
    fs::create_dir_all(&folder).unwrap();
    unpack(&archive, &folder).unwrap();
    folder
}

fn keep(out: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    // At run time: a compiler that a shell script starts does not see a variable with a hyphen.
    let program = std::env::var_os("CARGO_BIN_EXE_assay-keep").expect("cargo runs the tests");
    let mut command = Command::new(program);
    let output =
        command.arg("history").args(args).arg("--out").arg(out).stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

fn dump(out: &Path) -> String {
    Index::open(out).unwrap().dump().unwrap()
}

#[test]
fn the_index_is_made_of_the_sealed_sessions_and_can_be_made_again() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    session(out, "one");
    let (code, page, err) = keep(out, &["smp-process-scale"]);
    assert_eq!(code, Some(0), "{err}");
    for part in ["MACHINE m-", "assay, 2 workers, speed-up: last 1.9", "1 sessions, rho -", "rho:"] {
        assert!(page.contains(part), "no {part:?} in:\n{page}");
    }
    assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
    let made = dump(out);
    for name in [NAME.to_owned(), format!("{NAME}-wal"), format!("{NAME}-shm")] {
        let _ = fs::remove_file(out.join(name));
    }
    let (code, text, _) = keep(out, &["rebuild"]);
    assert!(code == Some(0) && text.contains("1 sessions, 1 verified now, 0 gone"), "{text}");
    assert_eq!(dump(out), made);
    // A look without anything new verifies nothing.
    assert!(keep(out, &[]).1.contains("1 sessions, 0 verified now"));
}

#[test]
fn a_session_that_does_not_verify_is_named_and_left_out() {
    let out = tempfile::tempdir().unwrap();
    let out = out.path();
    let folder = session(out, "one");
    keep(out, &[]);
    let results = folder.join("results.json");
    let text = fs::read_to_string(&results).unwrap();
    fs::write(&results, text.replacen("\"median\": 1", "\"median\": 2", 1)).unwrap();
    let (code, text, _) = keep(out, &["rebuild"]);
    assert!(code == Some(0) && text.contains("0 sessions") && text.contains("not in it"), "{text}");
    assert!(text.contains("does not verify"), "{text}");
    let (code, _, err) = keep(out, &["add", folder.to_str().unwrap()]);
    assert!(code == Some(12) && err.contains("not in the history: does not verify"), "{err}");
    fs::remove_dir_all(&folder).unwrap();
    assert!(keep(out, &[]).1.contains("0 sessions, 0 verified now, 1 gone"));
}

#[test]
fn an_experiment_that_is_not_there_is_an_error_that_names_those_that_are() {
    let out = tempfile::tempdir().unwrap();
    let (code, _, err) = keep(out.path(), &["nothing"]);
    assert!(code == Some(7) && err.contains("experiments there: none"), "{err}");
    let (code, _, err) = keep(Path::new("/nonexistent"), &[]);
    assert!(code == Some(7) && err.contains("no such folder"), "{err}");
}

#[test]
fn json_has_every_session() {
    let out = tempfile::tempdir().unwrap();
    session(out.path(), "one");
    let (_, json, _) = keep(out.path(), &["smp-process-scale", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    let series = json["series"].as_array().unwrap();
    assert!(series.iter().any(|of| of["metric"] == "speed-up" && of["workers"] == 2), "{json:#}");
    assert!(series.iter().all(|of| of["sessions"].as_array().unwrap().len() == 1));
}
