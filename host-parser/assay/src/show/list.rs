//! `assay list`: every session in a line.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use lab::{Coded, Exit, OrExit, Places, console};
use report::Table;
use report::page::{Headline, Stored};
use serde::Serialize;

use super::found::sessions;
use crate::ending::Ending;

/// `assay list`.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// Where sessions are: DIR/EXPERIMENT/LABEL
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().sessions())]
    pub out: PathBuf,
    /// At most so many, the newest first
    #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
    pub newest: usize,
}

/// A session in a line.
#[derive(Serialize)]
struct Line {
    /// Its folder, or the folder of its row.
    session: PathBuf,
    experiment: Option<String>,
    /// When the first run was started (UTC).
    started: Option<String>,
    runs: Option<usize>,
    verdict: &'static str,
    /// The figures, or why there are none.
    figures: Option<String>,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What to do where nothing was measured yet.
pub(super) const FIRST: &str =
    "`assay doctor` checks this host; `assay run manifests/smp-process-scale.toml` measures.";

/// Lists the sessions, the newest first. That there is none yet is an answer too.
///
/// # Errors
/// The folder cannot be read, or standard output cannot be written.
pub fn run(args: &ListArgs) -> Result<Ending, Coded> {
    let found = sessions(&args.out).or_exit(Exit::BadInput)?;
    let lines: Vec<Line> = found
        .iter()
        .flat_map(super::found::Session::results)
        .take(args.newest)
        .map(|file| line(&file))
        .collect();
    console::data("sessions", &lines)?;
    if found.is_empty() {
        let shown = args.out.display();
        console::answer(&format!("no session yet in {shown}: each measurement adds one\n"))?;
        return Ok(Ending::from(Exit::Holds).then(FIRST));
    }
    let mut text = table(&lines, &args.out).text();
    if found.len() > args.newest {
        text += &format!("and {} older (-n N lists more)\n", found.len() - args.newest);
    }
    console::answer(&text).map(|()| Exit::Holds.into())
}

fn table(lines: &[Line], out: &Path) -> Table {
    let header = ["started (UTC)", "session", "runs", "verdict"].map(str::to_owned).to_vec();
    let none = || "-".to_owned();
    let rows = lines.iter().map(|line| {
        let session = line.session.strip_prefix(out).unwrap_or(&line.session).display().to_string();
        let started = line.started.as_ref().map_or_else(none, |time| time.replace('T', " ").replace('Z', ""));
        vec![
            started,
            session,
            line.runs.map_or_else(none, |runs| runs.to_string()),
            line.verdict.to_lowercase(),
        ]
    });
    Table { header, rows: rows.collect(), left: vec![0, 1, 3] }
}

fn line(file: &Path) -> Line {
    let session = file.parent().unwrap_or(Path::new(".")).to_owned();
    let read = fs::read(file).map_err(|error| error.to_string());
    match read.and_then(|json| Stored::read(&json).map_err(|error| error.to_string())) {
        Ok(stored) => {
            let headline = Headline::of(&stored);
            Line {
                session,
                experiment: Some(stored.name().to_owned()),
                started: stored.started_text(),
                runs: Some(stored.runs()),
                verdict: headline.word,
                figures: headline.lines.into_iter().next(),
                error: None,
            }
        }
        Err(error) => Line {
            session,
            experiment: None,
            started: None,
            runs: None,
            verdict: "UNREADABLE",
            figures: None,
            error: Some(error),
        },
    }
}
