//! `assay report`.

use std::fs;
use std::path::Path;

use crate::assay::{assay, run};
use crate::compare::sessions::{Sessions, probed};
use crate::stage::{DEADLINE, good_log};
use test_support::golden;

/// The folder of the published session whose report is beside it.
const PUBLISHED: &str = "docs/results/2026-11-28-tcg-2-cpus-assay";

#[test]
fn a_session_is_one_file_whose_logs_are_linked_and_that_says_it_verifies() {
    let sessions = Sessions::new();
    let folder = sessions.play("a", &probed());
    let file = folder.join("report.html");
    let said = run(assay(["report"]).arg(&folder).arg("--html").arg(&file), DEADLINE);
    said.expect_exit(0).expect_answer(&["report.html: 1 session in "]);
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.contains("Verified: ") && page.contains("<h4>Scaling</h4>"), "{page}");
    let (_, link) = page.split_once("<a href=\"").expect("a link to a log");
    assert!(folder.join(link.split('"').next().unwrap()).is_file(), "{link:.100}");
}

#[test]
fn a_session_that_was_changed_is_reported_as_such() {
    let sessions = Sessions::new();
    let folder = sessions.play("a", &probed());
    fs::write(folder.join("summary.md"), "HOLDS").unwrap();
    let file = folder.join("report.html");
    run(assay(["report"]).arg(&folder).arg("--html").arg(&file), DEADLINE).expect_exit(12);
    let page = fs::read_to_string(&file).unwrap();
    assert!(page.contains("NOT VERIFIED: ") && page.contains("summary.md: "), "{page}");
}

#[test]
fn logs_are_reported_too_and_what_is_neither_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let report = |of: &Path| run(assay(["report"]).arg(of).arg("--html").arg(&file), DEADLINE);
    report(&good_log()).expect_exit(0);
    assert!(fs::read_to_string(&file).unwrap().contains("From serial logs without a chain"));
    report(Path::new("/nonexistent")).expect_exit(7).expect_message(&["/nonexistent"]);
    let nowhere = run(assay(["report", "--html", "/nonexistent/x.html"]).arg(good_log()), DEADLINE);
    nowhere.expect_exit(9).expect_message(&["/nonexistent/x.html"]);
}

/// The report beside a published session follows from it. `ASSAY_BLESS=1` makes it again.
#[test]
fn the_published_report_is_that_of_its_session() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("report.html");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let archive = format!("{PUBLISHED}/session.tar.gz");
    let said = run(assay(["report", &archive, "--html"]).arg(&file).current_dir(&root), DEADLINE);
    said.expect_exit(0);
    golden::check(&root.join(PUBLISHED).join("report.html"), &fs::read(&file).unwrap());
}
