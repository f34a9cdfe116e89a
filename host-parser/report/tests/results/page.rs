//! The page of a session, which is made from results.json alone.

use report::page::{Headline, Stored, StoredError, Style, Tone, next_line, page};
use report::{Exporter, ResultsJson};
use results::{Completion, Results, RunRecord, System};

use super::rounds::{QUIET, RULE, environment, experiment, refused, runs, whole};
use super::systems::{compared, rounds as systems, side};
use test_support::golden;

fn json(results: &Results) -> Vec<u8> {
    let mut json = Vec::new();
    ResultsJson.export(results, &mut json).expect("memory takes all");
    json
}

fn stored(results: &Results) -> Stored {
    Stored::read(&json(results)).expect("what was written can be read")
}

fn shown(results: &Results) -> String {
    let stored = stored(results);
    let next = Headline::of(&stored).next("target/smp-process-scale/test");
    page(&stored, Style::default()) + &next_line(&next)
}

/// A session with this many runs that failed, after seven good rounds.
fn with_refused(count: usize, completion: Completion) -> Results {
    let mut made: Vec<RunRecord> = runs(7, &[(1, QUIET), (2, QUIET), (4, QUIET)], 2);
    made.extend((0..count).map(|_| refused()));
    Results::new(experiment(Some(RULE)), environment(), made, completion)
}

#[test]
fn the_pages_are_as_they_were() {
    let mut results = whole();
    results.tool.version = "0.0.0".to_owned();
    let at = |name| golden::path("tests/forms").join(name);
    golden::check(&at("page.txt"), shown(&results).as_bytes());
    let mut failed = with_refused(2, Completion::Partial { why: "the host is tired".to_owned() });
    failed.tool.version = "0.0.0".to_owned();
    golden::check(&at("page-refused.txt"), shown(&failed).as_bytes());
    let mut several = compared(systems(6, &[1, 2], &[side(System::Assay), side(System::Linux)]));
    several.tool.version = "0.0.0".to_owned();
    golden::check(&at("page-compared.txt"), shown(&several).as_bytes());
}

#[test]
fn every_page_is_ascii_of_eighty_columns() {
    let none = Results::new(experiment(None), environment(), Vec::new(), Completion::Complete);
    for results in [whole(), with_refused(30, Completion::Complete), none] {
        let text = shown(&results);
        assert!(text.is_ascii(), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }
}

#[test]
fn the_verdict_comes_first_and_is_a_word_without_its_colour_too() {
    let stored = stored(&whole());
    let (plain, coloured) =
        (page(&stored, Style::default()), page(&stored, Style { colours: true, ..Style::default() }));
    assert!(plain.starts_with("HOLDS: "), "{plain}");
    assert!(coloured.starts_with("\x1b[1;32mHOLDS\x1b[0m: "), "{coloured}");
    assert_eq!(coloured.replace("\x1b[1;32m", "").replace("\x1b[0m", ""), plain, "the same lines");
}

#[test]
fn what_did_not_pass_is_the_headline_and_its_remedy_is_next() {
    let results = with_refused(2, Completion::Complete);
    let (reason, _) = results.runs.last().unwrap().verdict.outcome.refusal().unwrap();
    let headline = Headline::of(&stored(&results));
    assert_eq!((headline.word, headline.tone), ("NOT A CLAIM", Tone::None));
    let text = shown(&results).replace("\n  ", " ");
    assert!(text.contains(reason.code()) && text.contains(reason.remedy()), "{text}");
    assert!(text.contains("1.942"), "what was seen is shown all the same: {text}");
}

#[test]
fn the_page_reports_an_interrupted_session() {
    let why = "the host is tired".to_owned();
    let text = shown(&with_refused(0, Completion::Partial { why }));
    assert!(text.contains("INCOMPLETE: the host is tired"), "{text}");
}

#[test]
fn a_newer_form_or_another_file_is_refused() {
    let newer = String::from_utf8(json(&whole())).unwrap().replacen("\"schema\": ", "\"schema\": 9", 1);
    let error = Stored::read(newer.as_bytes()).unwrap_err();
    assert!(matches!(error, StoredError::Newer(_)), "{error}");
    for other in ["", "{}", "[1]", "{\"schema\": 3}", "not json"] {
        let error = Stored::read(other.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("not a results.json"), "{other}: {error}");
    }
}
