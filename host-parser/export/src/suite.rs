//! Tests of one session, one comparison or one command, before they have a form.

use crate::Subject;
use crate::checks::{Check, checks};
use crate::figures::figures;

/// Tests that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Suite {
    /// What they are of: the experiment, or the command.
    pub name: String,
    /// The session, as it keeps several of one experiment apart.
    pub session: String,
    /// When it began, in seconds since 1970 (UTC); 0 if that is not known.
    pub started_seconds: u64,
    /// How long it took.
    pub took_seconds: f64,
    /// What else is known: names and values.
    pub properties: Vec<(String, String)>,
    /// The tests.
    pub checks: Vec<Check>,
}

impl Suite {
    /// Tests without a session, such as those of a command.
    #[must_use]
    pub fn named(name: impl Into<String>, checks: Vec<Check>) -> Self {
        let name = name.into();
        let session = name.clone();
        Self { name, session, started_seconds: 0, took_seconds: 0.0, properties: Vec::new(), checks }
    }

    /// The tests of a session: its claim, its runs that did not pass, and as properties its ratios.
    #[must_use]
    pub fn of(subject: &Subject<'_>) -> Self {
        let session = subject.session().to_owned();
        let mut properties = vec![("session".to_owned(), session.clone())];
        for figure in figures(subject.results) {
            if let Some(speedup) = figure.scales() {
                let key = format!("{}.{}.{}.median", figure.ratio_name(), figure.system, figure.stats.case);
                properties.push((key, format!("{:.6}", speedup.median)));
            }
        }
        Self {
            name: subject.results.experiment.name.clone(),
            session,
            started_seconds: subject.started_seconds().unwrap_or(0),
            took_seconds: subject.took_seconds(),
            properties,
            checks: checks(subject.results),
        }
    }
}
