//! How a command ended, and what to do next.

use evidence::gate::ReasonCode;
use export::Suite;
use host::doctor::{Host, culprit};
use host::{HostCpus, Root};
use lab::{Coded, Exit};

use crate::cli::Command;

/// How a command ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The exit code.
    pub exit: Exit,
    /// The gate's reason, if something was refused.
    pub reason: Option<ReasonCode>,
    /// What to do next.
    pub next: Next,
    /// The same as tests, if the command has something to test.
    pub suite: Option<Suite>,
}

/// What to do next.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Next {
    /// The remedy of the reason; without one, what the command, or the exit, says.
    #[default]
    ByTable,
    /// This: the command knows better.
    Is(String),
    /// No line: standard output has a file that another program reads.
    NoLine,
}

impl From<Exit> for Ending {
    fn from(exit: Exit) -> Self {
        Self { exit, reason: None, next: Next::ByTable, suite: None }
    }
}

impl From<&Coded> for Ending {
    fn from(error: &Coded) -> Self {
        Self { exit: error.exit, reason: error.reason, next: Next::ByTable, suite: None }
    }
}

impl Ending {
    /// The same, with what to do next.
    pub fn then(self, next: impl Into<String>) -> Self {
        Self { next: Next::Is(next.into()), ..self }
    }

    /// What to do next, in a sentence or two: what the command says, else the remedy of the reason, else of the exit. If the
    /// host was too busy for guests of this command, it begins with what is busy at this moment. `None` if standard output
    /// has a file for another program, or a test of the tool itself went well.
    pub fn next_of(&self, command: &Command) -> Option<String> {
        let next = match (&self.next, self.reason) {
            (Next::NoLine, _) => return None,
            (Next::Is(next), _) => next.clone(),
            (Next::ByTable, Some(reason)) => reason.remedy().to_owned(),
            (Next::ByTable, None) if self.exit == Exit::Holds => command.next()?,
            // What a test of the tool found is in its own words.
            (Next::ByTable, None)
                if matches!(command, Command::Dev(_))
                    && matches!(self.exit, Exit::DoesNotHold | Exit::Inconclusive) =>
            {
                return None;
            }
            (Next::ByTable, None) => self.exit.next().to_owned(),
        };
        match self.exit {
            Exit::Busy if command.runs_guests() => Some(format!("{} {next}", who_is_busy(command))),
            _ => Some(next),
        }
    }
}

/// What disturbs the CPUs of this command's guests at this moment, by the doctor's samples.
fn who_is_busy(command: &Command) -> String {
    let Ok(chosen) = HostCpus::choose(command.cpus()) else { return String::new() };
    let pinned = chosen.set.is_some();
    let cpus = chosen.set.unwrap_or(chosen.available);
    match culprit(&Host::new(Root::here(), cpus, pinned)) {
        Some(culprit) => format!("{culprit}."),
        None => "At this moment nothing takes much of these CPUs.".to_owned(),
    }
}
