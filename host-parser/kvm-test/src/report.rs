//! Prints each verdict when it is there, and what they come to.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::cases::Case;
use crate::verdict::{Outcome, Verdict};

/// The verdicts so far.
pub struct Report {
    wanted: Vec<&'static str>,
    verdicts: Vec<Verdict>,
    begin: Instant,
}

impl Report {
    /// A report on these cases.
    pub fn begin(wanted: &[&'static Case]) -> Self {
        let wanted = wanted.iter().map(|case| case.name).collect();
        Self { wanted, verdicts: Vec::new(), begin: Instant::now() }
    }

    /// Adds the verdict on a case, in the place of an earlier one.
    pub fn add(&mut self, case: &str, verdict: Verdict) {
        let place = format!("{} of {}", self.verdicts.len() + 1, self.wanted.len());
        let Verdict { outcome, took, note, .. } = &verdict;
        println!("{place:<10}{case:<32}{:<8}{:>6.1} s  {note}", outcome.word(), took.as_secs_f64());
        self.verdicts.retain(|earlier| earlier.case != case);
        self.verdicts.push(verdict);
    }

    /// Prints the sum. A case without a verdict has failed.
    pub fn end(mut self) -> ExitCode {
        for case in std::mem::take(&mut self.wanted) {
            if self.verdicts.iter().all(|verdict| verdict.case != case) {
                let (case, note) = (case.to_owned(), "no verdict".to_owned());
                self.verdicts.push(Verdict { case, outcome: Outcome::Failed, took: Duration::ZERO, note });
            }
        }
        let of = |outcome| self.verdicts.iter().filter(move |verdict| verdict.outcome == outcome);
        println!(
            "\n{} passed, {} failed, {} not run, in {:.0} s",
            of(Outcome::Passed).count(),
            of(Outcome::Failed).count(),
            of(Outcome::NotRun).count(),
            self.begin.elapsed().as_secs_f64()
        );
        of(Outcome::NotRun).for_each(|verdict| println!("not run: {}: {}", verdict.case, verdict.note));
        of(Outcome::Failed).for_each(|verdict| println!("FAILED: {}: {}", verdict.case, verdict.note));
        let good = of(Outcome::Failed).count() == 0 && of(Outcome::Passed).count() > 0;
        if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
