//! `assay show` and `assay list`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::assay::{Said, assay, run};
use crate::compare::sessions::{Sessions, probed};
use crate::stage::{DEADLINE, DIES, Stage, good_log};

#[track_caller]
fn show(args: &[&str], folder: &Path) -> Said {
    run(assay(["show"]).args(args).current_dir(folder), DEADLINE)
}

#[test]
fn a_session_and_its_log_are_a_page_each() {
    let sessions = Sessions::new();
    let folder = sessions.play("a", &probed());
    let said = show(&[folder.to_str().unwrap(), good_log().to_str().unwrap()], Path::new("/"));
    said.expect_exit(0).expect_answer(&["session a", "speed-up", "% of the ideal", "next: "]);
    assert_eq!(said.out.matches("next: ").count(), 2, "{}", said.out);
}

#[test]
fn the_newest_session_is_the_default() {
    let stage = Stage::with_qemu(DIES);
    let made = stage.run(&[]);
    let out = stage.path("out");
    let shown = show(&["--out", out.to_str().unwrap()], Path::new("/"));
    let page = &shown.expect_exit(0).out;
    assert!(made.out.ends_with(page.as_str()), "the page ends the run:\n{}\n---\n{page}", made.out);
    show(&["--out", "/nonexistent"], Path::new("/")).expect_exit(7).expect_message(&["/nonexistent"]);
    let empty = tempfile::tempdir().unwrap();
    let none = show(&["--out", empty.path().to_str().unwrap()], Path::new("/"));
    none.expect_exit(7).expect_message(&["no session", "assay run"]);
}

#[test]
fn one_that_cannot_be_read_does_not_hide_the_others() {
    let sessions = Sessions::new();
    let folder = sessions.play("a", &probed());
    let broken = sessions.play("b", &probed());
    fs::write(broken.join("results.json"), "{").unwrap();
    let said = show(&[broken.to_str().unwrap(), "/nonexistent", folder.to_str().unwrap()], Path::new("/"));
    said.expect_exit(7).expect_message(&["results.json", "/nonexistent"]).expect_answer(&["session a"]);
}

#[test]
fn json_and_wide_show_the_same_session() {
    let sessions = Sessions::new();
    let folder = sessions.play("a", &probed());
    let name = folder.to_str().unwrap();
    let json = show(&["--json", name], Path::new("/"));
    let json: Value = serde_json::from_str(&json.expect_exit(0).out).unwrap();
    let stored: Value = serde_json::from_slice(&fs::read(folder.join("results.json")).unwrap()).unwrap();
    assert_eq!(json["result"]["sessions"], json!([{ "name": name, "results": stored }]));
    show(&["--wide", name], Path::new("/")).expect_exit(0).expect_answer(&["undisturbed", "used"]);
}

#[test]
fn list_has_every_session_in_a_line() {
    let stage = Stage::with_qemu(DIES);
    stage.run(&[]);
    let out = stage.path("out");
    let list = |args: &[&str]| run(assay(["list", "--out"]).arg(&out).args(args), DEADLINE);
    list(&[]).expect_exit(0).expect_answer(&["started (UTC)", "smp-process-scale/"]);
    let said = list(&["--json"]);
    let said: Value = serde_json::from_str(&said.expect_exit(0).out).unwrap();
    let lines = &said["result"]["sessions"];
    assert_eq!(lines.as_array().unwrap().len(), 1);
    assert!(lines[0]["session"].as_str().unwrap().contains("smp-process-scale/"), "{lines}");
    list(&["-n", "0"]).expect_exit(0).expect_answer(&["no session"]);
}
