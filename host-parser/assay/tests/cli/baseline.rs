//! `assay baseline`, and `assay compare --baseline`.

use std::fs;
use std::path::{Path, PathBuf};

use results::Environment;
use serde_json::Value;

use crate::assay::{Said, assay, run};
use crate::compare::sessions::{Played, Sessions, probed, slower};
use crate::stage::DEADLINE;

/// Sessions, and the baselines kept of them.
struct Kept {
    sessions: Sessions,
    baselines: tempfile::TempDir,
}

impl Kept {
    fn new() -> Self {
        Self { sessions: Sessions::new(), baselines: tempfile::tempdir().unwrap() }
    }

    #[track_caller]
    fn baseline(&self, words: &[&str]) -> Said {
        run(assay(["baseline"]).args(words).arg("--baselines").arg(self.baselines.path()), DEADLINE)
    }

    /// Saves a session as `main`.
    #[track_caller]
    fn save(&self, session: &Path, more: &[&str]) -> Said {
        self.baseline(&[&["save", "main", session.to_str().unwrap()], more].concat())
    }

    #[track_caller]
    fn compare(&self, session: &Path) -> Said {
        self.compare_held_to(session, &[])
    }

    /// The same with thresholds of the command line.
    #[track_caller]
    fn compare_held_to(&self, session: &Path, thresholds: &[&str]) -> Said {
        let mut command = assay(["compare", "--baseline", "main"]);
        command.args(thresholds).arg(session).arg("--baselines").arg(self.baselines.path());
        run(&mut command, DEADLINE)
    }

    /// The folder of the only baseline.
    fn folder(&self) -> PathBuf {
        let mut machines = fs::read_dir(self.baselines.path().join("main")).unwrap();
        machines.next().unwrap().unwrap().path()
    }
}

/// A session like another, at another time, in another environment.
fn later(environment: fn(&mut Environment)) -> Played {
    Played { environment, later_ms: 500, ..probed() }
}

#[test]
fn a_session_is_compared_with_the_baseline_as_with_its_session() {
    let kept = Kept::new();
    let a = kept.sessions.play("a", &probed());
    let b = kept.sessions.play("b", &Played { cycles: slower, later_ms: 500, ..probed() });
    kept.save(&a, &[]).expect_exit(0).expect_answer(&["main: saved for m-", "smp-process-scale"]);
    kept.baseline(&["list"]).expect_exit(0).expect_answer(&["main", "m-", "smp-process-scale"]);
    // The baseline has all of the session.
    fs::remove_dir_all(&a).unwrap();
    let said = kept.compare(&b);
    said.expect_exit(1).expect_answer(&["SLOWER: B takes longer than A"]);
    assert!(!said.out.contains("epoch"), "{}", said.out);
    kept.baseline(&["show", "main"]).expect_exit(0).expect_answer(&["machine m-", "CPU: ", "speed-up"]);
    kept.baseline(&["remove", "main"]).expect_exit(0);
    kept.baseline(&["list"]).expect_exit(0).expect_answer(&["no baseline"]);
    kept.compare(&b).expect_exit(7).expect_message(&["main: no such baseline", "assay baseline save main"]);
}

#[test]
fn another_machine_is_refused_and_another_epoch_is_named() {
    let kept = Kept::new();
    kept.save(&kept.sessions.play("a", &probed()), &[]).expect_exit(0);
    let other = later(|of| of.host.as_mut().unwrap().cpu = "another CPU".to_owned());
    let said = kept.compare(&kept.sessions.play("b", &other));
    said.expect_exit(5).expect_message(&[
        "has no baseline of this session's machine (m-",
        "host CPU: A ",
        "next: ",
    ]);
    let kernel = later(|of| of.host.as_mut().unwrap().system = "Linux 9.9 x86_64".to_owned());
    let said = kept.compare(&kept.sessions.play("c", &kernel));
    said.expect_answer(&["another epoch of one machine: host: A ", "B Linux 9.9 x86_64"]);
    assert!([Some(0), Some(3)].contains(&said.code), "{}{}", said.out, said.err);
}

#[test]
fn a_baseline_keeps_its_thresholds() {
    let kept = Kept::new();
    let a = kept.sessions.play("a", &probed());
    let b = kept.sessions.play("b", &Played { cycles: slower, later_ms: 500, ..probed() });
    kept.save(&a, &["--margin", "10"]).expect_exit(0);
    kept.compare(&b).expect_exit(0).expect_answer(&["NO DIFFERENCE of 10.0 % or more"]);
    kept.compare_held_to(&b, &["--margin", "1.5"]).expect_exit(1).expect_answer(&["SLOWER"]);
}

#[test]
fn each_machine_has_one_baseline_of_a_name() {
    let kept = Kept::new();
    let a = kept.sessions.play("a", &probed());
    kept.save(&a, &[]).expect_exit(0);
    kept.save(&a, &[]).expect_exit(2).expect_message(&["has this baseline already", "--replace"]);
    kept.save(&a, &["--replace"]).expect_exit(0);
    let other = later(|of| of.host.as_mut().unwrap().cpu = "another CPU".to_owned());
    let b = kept.sessions.play("b", &other);
    kept.save(&b, &[]).expect_exit(0);
    kept.baseline(&["show", "main"]).expect_exit(2).expect_message(&["several machines", "--machine"]);
    kept.compare(&a).expect_exit(5).expect_message(&["not compared with itself"]);
    run(&mut assay(["baseline", "save", "../x", "y"]), DEADLINE).expect_exit(2);
}

#[test]
fn nothing_that_a_baseline_says_of_itself_is_believed() {
    let kept = Kept::new();
    let a = kept.sessions.play("a", &probed());
    let b = kept.sessions.play("b", &later(|of| of.host.as_mut().unwrap().cpu = "another CPU".to_owned()));
    kept.save(&a, &[]).expect_exit(0);
    let (description, archive) = (kept.folder().join("baseline.json"), kept.folder().join("session.tar.gz"));
    let saved = fs::read(&description).unwrap();
    let mut json: Value = serde_json::from_slice(&saved).unwrap();
    json["key"]["hard"].as_array_mut().unwrap().iter_mut().for_each(|fact| {
        if fact["name"] == "host CPU" {
            fact["value"] = "another CPU".into();
        }
    });
    fs::write(&description, json.to_string()).unwrap();
    kept.compare(&b).expect_exit(12).expect_message(&["its machine is not as baseline.json says"]);

    fs::write(&description, &saved).unwrap();
    let mut bytes = fs::read(&archive).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&archive, bytes).unwrap();
    let again = kept.sessions.play("c", &Played { later_ms: 500, ..probed() });
    kept.compare(&again).expect_exit(12).expect_message(&["its SHA-256 is not as baseline.json says"]);
}

#[test]
fn an_open_comparison_says_how_many_rounds_would_decide() {
    let sessions = Sessions::new();
    let played = |later_ms| Played { rounds: 5, cases: vec![1], later_ms, ..probed() };
    let (a, b) = (sessions.play("a", &played(0)), sessions.play("b", &played(500)));
    let said = run(assay(["compare", "--paired"]).args([&a, &b]), DEADLINE);
    // Five pairs cannot reach the level, whatever they are; nine can.
    said.expect_exit(3).expect_answer(&["next: about 4 more rounds of each side would decide it"]);
}

#[test]
fn a_comparison_has_two_sides() {
    let said = run(&mut assay(["compare", "x"]), DEADLINE);
    said.expect_exit(2).expect_message(&["expected two sessions, A and B, or --baseline NAME and B"]);
    let said = run(&mut assay(["compare", "--baseline", "main", "x", "y"]), DEADLINE);
    said.expect_exit(2).expect_message(&["expected B alone"]);
}
