//! The page around the figures.

use html::{Origin, Subject, document};
use results::{Completion, Results};

use super::made::{all, page, sealed, several, with_excluded};
use super::rounds::{QUIET, RULE, environment, experiment, refused, runs, whole};
use super::systems::{compared, rounds as of_systems, side};
use results::System;

#[test]
fn the_file_asks_for_nothing_and_runs_nothing() {
    for (name, results) in all() {
        let page = page(&results);
        for word in ["<script", "<link", "<img", "@import", "url(", "src=", "javascript:", "onload"] {
            assert!(!page.contains(word), "{name}: {word}");
        }
        // The only address is the name of SVG's namespace, which nothing fetches.
        let addresses = page.matches("http").count() - page.matches("http://www.w3.org/2000/svg").count();
        assert_eq!(addresses - page.matches("http-equiv").count(), 0, "{name}");
        assert!(page.contains("default-src &#39;none&#39;") || page.contains("default-src 'none'"), "{name}");
    }
}

#[test]
fn the_verdict_and_its_reason_come_before_any_figure() {
    let page = page(&whole());
    let (before, _) = page.split_once("<figure>").expect("a figure");
    assert!(before.contains("HOLDS") && before.contains("undisturbed"), "{before}");
    let refused = refused_session();
    let page = super::made::page(&refused);
    let (reason, _) = refused.refusal().expect("a reason");
    let (before, _) = page.split_once("<figure>").expect("a figure");
    assert!(before.contains(reason.code()), "{before}");
    assert!(
        before.contains(&escaped(reason.meaning())) && before.contains(&escaped(reason.remedy())),
        "{before}"
    );
}

/// A good session with a run that was refused.
fn refused_session() -> Results {
    let mut made = runs(7, &[(1, QUIET), (2, QUIET)], 2);
    made.push(refused());
    Results::new(experiment(Some(RULE)), environment(), made, Completion::Complete)
}

/// Text as HTML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[test]
fn what_the_systems_differ_in_comes_before_any_figure_compares_them() {
    let page = page(&several());
    let (before, _) = page.split_once("<h4>Scaling</h4>").expect("a curve");
    assert!(before.contains("What the systems differ in"), "{before}");
}

#[test]
fn systems_that_did_other_work_have_no_ratio() {
    let other = systems_with_other_work();
    let page = page(&other);
    assert!(page.contains("NOT COMPARABLE: "), "{page}");
    assert!(!page.contains("Next to Linux"), "{page}");
}

/// Linux did another whole.
fn systems_with_other_work() -> Results {
    let mut linux = side(System::Linux);
    linux.whole = [2, 6_000, 0, 0];
    compared(of_systems(5, &[1, 2], &[side(System::Assay), linux]))
}

#[test]
fn refused_runs_exclusions_commands_and_bounds_are_there() {
    let page = page(&refused_session());
    for word in ["Refused runs", "run 99 round 4", "What this does not prove", "Conditions"] {
        assert!(page.contains(word), "{word}");
    }
    let page = super::made::page(&with_excluded());
    assert!(page.contains("What does not count") && page.contains("vcpu-preempted"), "{page}");
    let page = super::made::page(&several());
    assert!(page.contains("The exact commands of its runs: "), "{page}");
    assert!(page.contains("qemu-system-x86_64 -nodefaults -machine q35"), "{page}");
}

#[test]
fn a_document_that_does_not_verify_says_so_first() {
    let problems = vec!["runs/run-000.serial.log: has another SHA-256".to_owned()];
    let origin = Origin::Sealed { head: "00".repeat(32), problems, folder: None };
    let page =
        document(&[Subject { name: "x", results: &whole(), origin: &origin, price: None, foreign: &[] }]);
    let (before, after) = page.split_once("<figure>").expect("a figure");
    assert!(before.contains("NOT VERIFIED: ") && after.contains("has another SHA-256"), "{before}");
    let logs = document(&[Subject {
        name: "x",
        results: &whole(),
        origin: &Origin::Logs,
        price: None,
        foreign: &[],
    }]);
    assert!(logs.contains("nothing shows that no boot was left out"), "{logs}");
}

#[test]
fn text_from_outside_is_escaped() {
    let mut results = whole();
    results.experiment.label = Some("<script>alert(1)</script>\"&".to_owned());
    let page =
        document(&[Subject { name: "<b>", results: &results, origin: &sealed(), price: None, foreign: &[] }]);
    assert!(!page.contains("<script") && !page.contains("<b>"), "{page}");
    assert!(page.contains("&lt;script&gt;"), "{page}");
}

#[test]
fn several_sessions_have_an_overview_and_a_part_each() {
    let (one, other) = (whole(), several());
    let origin = sealed();
    let subject = |results| Subject { name: "one", results, origin: &origin, price: None, foreign: &[] };
    let page = document(&[subject(&one), subject(&other)]);
    assert_eq!(page.matches("<article>").count(), 2);
    assert!(page.contains("<h2>Sessions</h2>"), "{page}");
}

#[test]
fn the_same_session_gives_the_same_file() {
    assert_eq!(page(&several()), page(&several()));
}

/// 1,000 rounds of three cases, each run with its own log and command.
#[test]
fn a_thousand_rounds_fit_into_five_mebibytes() {
    let template = runs(7, &[(1, QUIET), (2, QUIET), (4, QUIET)], 2);
    let mut made = Vec::new();
    for round in 0..1000_u32 {
        for of in &template[..3] {
            let mut run = of.clone();
            run.run = u32::try_from(made.len()).expect("few");
            run.round = round;
            run.making().started_unix_ms = Some(1_800_000_000_000 + u64::from(run.run) * 900);
            run.making().wall_ms = Some(800);
            let stem = format!("run-{:03}-round-{}-assay-case-{}", run.run, round + 1, run.case.unwrap_or(0));
            run.making().log = Some(format!("target/x/runs/{stem}.serial.log").into());
            run.making().command =
                vec!["qemu-system-x86_64".to_owned(), "-initrd".to_owned(), format!("/x/{stem}.tar")];
            made.push(run);
        }
    }
    let results = Results::new(experiment(Some(RULE)), environment(), made, Completion::Complete);
    let page = page(&results);
    assert!(page.len() <= 5 << 20, "{} bytes", page.len());
    let scaling = super::made::figure(&page, "Scaling");
    assert_eq!(super::made::path(&scaling, "dots s0").matches("h0").count(), 3000, "every sample is there");
    assert!(
        page.contains("The exact commands of its runs: 1 that differ"),
        "they differ in their own files only"
    );
}
