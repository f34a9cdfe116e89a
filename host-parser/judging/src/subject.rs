//! A session or log as a command line names it, judged again: what every command that shows or exports results begins with.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use lab::{Coded, Exit, OrExit};
use results::{Results, Tool};

use crate::logs::results_of;
use crate::opened::{Opened, is_archive};

/// The results of one set of runs, and what holds them together.
pub struct Judged {
    /// As the path was given.
    pub name: String,
    /// The results, derived from the logs.
    pub results: Results,
    /// The seal; `None` for logs without a chain.
    pub seal: Option<Seal>,
}

/// What a session's chain shows.
pub struct Seal {
    /// The head of the chain, in hex.
    pub head: String,
    /// What does not verify; empty if all does.
    pub problems: Vec<String>,
    /// The folder of its logs, if they are not in an archive.
    pub runs: Option<PathBuf>,
}

impl Judged {
    /// Whether nothing in it fails to verify. Logs without a chain have nothing that could.
    #[must_use]
    pub fn is_verified(&self) -> bool {
        self.seal.as_ref().is_none_or(|seal| seal.problems.is_empty())
    }

    /// The same as an error.
    ///
    /// # Errors
    /// Something does not verify.
    pub fn verified(&self) -> Result<(), Coded> {
        let first = self.seal.as_ref().and_then(|seal| seal.problems.first());
        first.map_or(Ok(()), |first| {
            Err(anyhow!("{}: does not verify: {first} (`assay verify {}` lists all)", self.name, self.name))
                .or_exit(Exit::NotVerified)
        })
    }
}

/// The results at `path`: of a session each set, of a log each row. All logs are judged again, those without a session
/// by `tool`.
///
/// # Errors
/// It cannot be read, or is neither.
pub fn judge(path: &Path, tool: &Tool) -> Result<Vec<Judged>, Coded> {
    let name = path.display().to_string();
    if !path.is_dir() && !is_archive(path) {
        let rows = results_of(path, tool)?;
        return Ok(rows
            .into_iter()
            .map(|results| Judged { name: name.clone(), results, seal: None })
            .collect());
    }
    let opened = Opened::open(path)?;
    let problems: Vec<String> = opened.problems().iter().map(ToString::to_string).collect();
    let head = opened.session.chain.head.to_string();
    let sets = opened.session.sets();
    let chosen = (0..sets.len()).filter(|&set| opened.row.is_none() || sets[set].row == opened.row);
    let of_set = |set: usize| {
        let runs = path.is_dir().then(|| opened.session.folder_of(set).join("runs"));
        let seal = Seal { head: head.clone(), problems: problems.clone(), runs };
        Judged { name: name.clone(), results: opened.session.results(set), seal: Some(seal) }
    };
    let judged: Vec<Judged> = chosen.map(of_set).collect();
    if judged.is_empty() {
        return Err(anyhow!("{name}: has no such row")).or_exit(Exit::BadInput);
    }
    Ok(judged)
}
