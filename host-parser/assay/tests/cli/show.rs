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
    let empty = tempfile::tempdir().unwrap();
    for out in ["/nonexistent", empty.path().to_str().unwrap()] {
        let none = show(&["--out", out], Path::new("/"));
        none.expect_exit(7).expect_message(&["nothing to show yet: no session in ", out]);
        assert!(
            (none.out.clone() + &none.err).contains("next: `assay doctor` checks this host"),
            "{}",
            none.err
        );
    }
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
    let shown = &json["result"]["sessions"][0];
    assert_eq!((&shown["name"], &shown["results"]), (&json!(name), &stored));
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
    list(&["-n", "0"]).expect_exit(0).expect_answer(&["and 1 older"]);
}

#[test]
fn a_list_before_the_first_session_is_no_failure() {
    for out in ["/nonexistent", tempfile::tempdir().unwrap().path().to_str().unwrap()] {
        let said = run(assay(["list", "--out", out]).current_dir("/"), DEADLINE);
        said.expect_exit(0).expect_answer(&["no session yet in ", "next: `assay doctor` checks this host"]);
        assert_eq!(said.err, "");
    }
}

#[test]
fn the_work_of_a_unit_of_money_is_shown_if_a_price_is_stated() {
    let sessions = Sessions::new();
    let folder = sessions.play("a", &probed());
    let name = folder.to_str().unwrap();
    let without = show(&[name], Path::new("/"));
    without.expect_exit(0).expect_answer(&["work/s", "work/s of a CPU"]);
    assert!(!without.out.contains("work for 1"), "{}", without.out);
    let said = show(&["--price", "0.5 EUR/h", name], Path::new("/"));
    let text = said.expect_exit(0).out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in ["work for 1 EUR", "price as it was stated: 0.5 EUR an hour"] {
        assert!(text.contains(part), "{}", said.out);
    }
    let json = show(&["--json", "--price", "0.5", name], Path::new("/"));
    let json: Value = serde_json::from_str(&json.expect_exit(0).out).unwrap();
    let cases = json["result"]["sessions"][0]["rates"]["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 2);
    for case in cases {
        let of = |key: &str| case[key].as_f64().unwrap();
        assert!((of("for_one") / of("per_second") - 7_200.0).abs() < 1e-6, "{case}");
        assert!((of("per_cpu") * of("case") / of("per_second") - 1.0).abs() < 1e-9, "{case}");
    }
    show(&["--price", "free", name], Path::new("/"))
        .expect_exit(2)
        .expect_message(&["expected a price above 0"]);
}

#[test]
fn a_case_that_is_alone_has_no_speed_up() {
    let sessions = Sessions::new();
    let alone = sessions.play("a", &crate::compare::sessions::Played { cases: vec![1], ..probed() });
    let said = show(&[alone.to_str().unwrap()], Path::new("/"));
    assert!(!said.expect_exit(0).out.contains("1.000"), "{}", said.out);
}
