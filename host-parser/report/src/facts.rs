//! What documents say beside their figures: the sentences and tables of the terminal's page and summary.md, for a document
//! that another crate lays out.

use results::Results;

use super::table::Table;
use super::verdict::{rule, verdict};
use super::{cases, conditions, platform, side_by_side, words};

/// A claim in words.
#[derive(Clone, Debug)]
pub struct ClaimWords {
    /// The verdict.
    pub word: &'static str,
    /// What is claimed.
    pub rule: String,
    /// What the verdict rests on, or why there is none.
    pub lines: Vec<String>,
}

/// The claim and its verdict, if the experiment claims anything.
#[must_use]
pub fn claim(results: &Results) -> Option<ClaimWords> {
    let report = results.claim.as_ref()?;
    let verdict = verdict(report);
    Some(ClaimWords { word: verdict.word, rule: rule(&report.rule), lines: verdict.lines })
}

/// Which experiment, workload and program.
#[must_use]
pub fn subject(results: &Results) -> String {
    words::subject(results)
}

/// Every case with both of its figures.
#[must_use]
pub fn cases(results: &Results) -> Table {
    cases::long(results)
}

/// How to read [`cases`].
#[must_use]
pub fn case_notes(results: &Results) -> Vec<String> {
    [cases::long_note(results)].into_iter().chain(words::notes(results)).collect()
}

/// What is excluded, one line each.
#[must_use]
pub fn excluded(results: &Results) -> Vec<String> {
    let lines = words::excluded(results).into_iter();
    lines.map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// The runs that did not pass for another reason than what the host did, one line each.
#[must_use]
pub fn refused(results: &Results) -> Vec<String> {
    results.runs.iter().filter_map(words::refused).collect()
}

/// The cases that were asked for and did not run, one line each.
#[must_use]
pub fn not_run(results: &Results) -> Vec<String> {
    words::not_run(results).collect()
}

/// Why a guest died, as a second guest showed it.
#[must_use]
pub fn diagnosed(results: &Results) -> Option<[String; 3]> {
    words::diagnosed(results)
}

/// Where, on what and in which order it was measured, one line each.
#[must_use]
pub fn conditions(results: &Results) -> Vec<String> {
    conditions::conditions(results)
}

/// What the results do not prove, one line each.
#[must_use]
pub fn bounds(results: &Results) -> Vec<String> {
    conditions::bounds(results)
}

/// Whether the results can be published; `None` if no disclosure was asked for.
#[must_use]
pub fn publication(results: &Results) -> Option<String> {
    words::publication(results)
}

/// The systems side by side.
#[derive(Clone, Debug)]
pub struct SideBySide {
    /// Why they may not be compared, the reason first; empty if they may.
    pub refusal: Vec<String>,
    /// What was shown to be the same in every run of every row.
    pub same: Vec<String>,
    /// In what their commands differ.
    pub differences: Vec<String>,
    /// The ratios of their speed-ups, if they may be compared.
    pub ratios: Option<Table>,
    /// The meaning of its columns.
    pub notes: Vec<String>,
}

/// The systems side by side, if there are several.
#[must_use]
pub fn side_by_side(results: &Results) -> Option<SideBySide> {
    let comparison = results.comparison.as_ref()?;
    Some(SideBySide {
        refusal: side_by_side::refusal(comparison),
        same: side_by_side::same(comparison),
        differences: side_by_side::differences(comparison),
        ratios: comparison.comparable.then(|| side_by_side::ratios(results, comparison)),
        notes: side_by_side::notes(comparison),
    })
}

/// Time to the first byte, the first worker and the result, memory and size, if any run has them.
#[must_use]
pub fn costs(results: &Results) -> Option<Table> {
    side_by_side::costs(results)
}

/// The rows of the platform as lines of text; empty if no run measured it.
#[must_use]
pub fn platform(results: &Results) -> Vec<String> {
    platform::lines(results)
}
