//! The results, and their files.

use anyhow::Context;
use evidence::gate::Ended as RunEnded;
use report::write_all;
use results::seal::incomplete;
use results::{Artifact, Completion, Environment, Results, RunRecord};

use super::{Ended, Layout, Part, Session, millis};
use crate::exit::{Coded, Exit, OrExit};

impl Session {
    /// Writes the results of a session that is over.
    pub(super) fn end(&mut self, stopped: Option<Coded>, cancelled: bool) -> Ended {
        let cut_short = self.runs.last().is_some_and(|run| run.made.evidence.ended == RunEnded::Cancelled);
        // A signal that came when all was done has interrupted nothing.
        let interrupted = cancelled && (cut_short || self.runs.len() < self.planned());
        let completion = self.completion(stopped.as_ref(), interrupted);
        let results = self.results(&completion);
        let written = self.write(&results).and_then(|()| self.end_chain(&completion));
        let is_written = written.is_ok();
        Ended { results, interrupted, error: stopped.or(written.err()), written: is_written }
    }

    /// Writes what there is while the session goes on.
    pub(super) fn write_partial(&self) -> Result<(), Coded> {
        self.write(&self.results(&self.completion(None, false)))
    }

    fn completion(&self, stopped: Option<&Coded>, interrupted: bool) -> Completion {
        let (made, planned) = (self.runs.len(), self.planned());
        let why = match stopped {
            Some(error) => error.to_string(),
            None if interrupted => "interrupted".to_owned(),
            None if let Some(after) = self.out_of_patience => {
                return Completion::OutOfPatience { after_ms: millis(after) };
            }
            None if made == planned => return Completion::Complete,
            None if self.too_disturbed() => "the host disturbed too many of them".to_owned(),
            None => self.hopeless().unwrap_or("still running, or killed").to_owned(),
        };
        Completion::Partial { why: incomplete(made, planned, &why) }
    }

    /// The results of all rows, or of each.
    fn results(&self, completion: &Completion) -> Vec<Results> {
        match self.spec.layout {
            Layout::Together => vec![self.results_of(None, completion)],
            Layout::Apart => {
                (0..self.spec.rows.len()).map(|row| self.results_of(Some(row), completion)).collect()
            }
        }
    }

    fn results_of(&self, row: Option<usize>, completion: &Completion) -> Results {
        let experiment = self.experiment(row.map(|row| &self.spec.rows[row]));
        let of_row = |of: &Part| row.is_none_or(|row| row == of.row);
        let runs = self.runs.iter().zip(&self.parts).filter(|(_, of)| of_row(of));
        let runs: Vec<RunRecord> = runs.map(|(run, _)| run.clone()).collect();
        let environment = self.environments[row.unwrap_or(0)].clone();
        let completion = completion.clone();
        let mut results = Results::of_session(experiment, environment, &self.ledger, runs, completion);
        results.tool = self.spec.tool.clone();
        results
    }

    pub(super) fn environment(&self, row: Option<usize>) -> Environment {
        let rows = match row {
            Some(row) => &self.spec.rows[row..=row],
            None => &self.spec.rows,
        };
        let mut artifacts: Vec<Artifact> = Vec::new();
        for artifact in rows.iter().flat_map(|row| row.artifacts()) {
            if !artifacts.contains(artifact) {
                artifacts.push(artifact.clone());
            }
        }
        let env = row.map_or(&self.spec.env, |row| self.spec.rows[row].env());
        env.environment(&self.spec.manifest, artifacts)
    }

    fn write(&self, results: &[Results]) -> Result<(), Coded> {
        for (row, results) in self.spec.rows.iter().zip(results) {
            let folder = match self.spec.layout {
                Layout::Together => self.folder().to_owned(),
                Layout::Apart => self.folder().join(&row.name),
            };
            write_all(&folder, results)
                .map(drop)
                .with_context(|| folder.display().to_string())
                .or_exit(Exit::Output)?;
        }
        Ok(())
    }
}
