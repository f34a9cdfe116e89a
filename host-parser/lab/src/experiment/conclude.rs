//! What came of the runs.

use host_parser::gate::Ended;
use host_parser::results::{Completion, Results, RunRecord, terminal, write_all};

use super::Session;
use super::rounds::hopeless;
use crate::console;
use crate::exit::{Coded, Exit, OrExit};

impl Session {
    pub(super) fn results(&self, runs: Vec<RunRecord>, cancelled: bool, stopped: Option<&Coded>) -> Results {
        let (made, planned) = (runs.len(), self.planned(&runs));
        let why = match stopped {
            Some(error) => Some(error.to_string()),
            None if cancelled => Some("interrupted".to_owned()),
            None if made == planned => None,
            None if self.too_disturbed(&runs) => Some("the host disturbed too many rounds".to_owned()),
            None => Some(hopeless(&runs).unwrap_or("still running, or killed").to_owned()),
        };
        let completion = why.map_or(Completion::Complete, |why| Completion::Partial {
            why: format!("{made} of {planned} runs were made: {why}"),
        });
        let environment = self.lab.environment(&self.manifest, self.systems.artifacts());
        let probes = self.prober.seen();
        Results::probed(self.experiment.clone(), environment, probes, runs, completion)
    }

    pub(super) fn write(&self, results: &Results) -> Result<(), Coded> {
        write_all(&self.folder, results).map(drop).or_exit(Exit::Output)
    }

    pub(super) fn conclude(
        &self,
        runs: Vec<RunRecord>,
        stopped: Option<Coded>,
        cancelled: bool,
    ) -> Result<Exit, Coded> {
        let cut_short = runs.last().is_some_and(|run| run.evidence.ended == Ended::Cancelled);
        // A signal that came when all was done has interrupted nothing.
        let cancelled = cancelled && (cut_short || runs.len() < self.planned(&runs));
        let results = self.results(runs, cancelled, stopped.as_ref());
        let written = self.write(&results);
        let mut text = terminal(&results);
        if written.is_ok() {
            let folder = self.folder.display();
            text += &format!("\nresults.json, samples.csv, summary.md and every run's log: {folder}\n");
        }
        let told = console::answer(&text);
        match stopped.map_or(written.and(told), Err) {
            Err(error) => Err(error),
            Ok(()) if cancelled => Ok(Exit::Interrupted),
            Ok(()) => Ok(Exit::of(results.conclusion())),
        }
    }
}
