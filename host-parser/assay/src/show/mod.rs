//! `assay show` and `assay list`: sessions and logs again, as a page each.

mod found;
mod list;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use lab::{Coded, Exit, OrExit, console};
use report::page::{Stored, Style, page};
use report::{Exporter, ResultsJson, terminal, terminal_in_colour};
use results::Results;

use crate::verify::Opened;
use crate::{archive, parse};
use found::{RESULTS, Session, sessions};

pub use list::{ListArgs, run as list};

/// `assay show`.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// Sessions (folders or archives) or serial logs; by default the newest session in --out
    #[arg(value_name = "SESSION|LOG")]
    pub of: Vec<PathBuf>,
    /// Where sessions are: DIR/EXPERIMENT/LABEL
    #[arg(long, value_name = "DIR", default_value = "target")]
    pub out: PathBuf,
    /// Everything: every figure, what was excluded and why, the conditions
    ///
    /// A session's logs are judged again for it, so it takes longer than the page.
    #[arg(long, conflicts_with = "json")]
    pub wide: bool,
    /// Print results.json instead of the page
    #[arg(long)]
    pub json: bool,
}

/// Shows each session or log; the newest session if none is named. One that cannot be read does not stop the others.
///
/// # Errors
/// There is none, one cannot be read, or standard output cannot be written.
pub fn run(args: &ShowArgs) -> Result<Exit, Coded> {
    let newest;
    let of = if args.of.is_empty() {
        newest = [newest_in(&args.out)?];
        &newest[..]
    } else {
        &args.of
    };
    let mut exit = Exit::Holds;
    for (number, path) in of.iter().enumerate() {
        if number > 0 && !args.json {
            console::answer("\n")?;
        }
        match show(args, path) {
            Ok(()) => {}
            Err(error) if error.exit == Exit::Output => return Err(error),
            Err(error) => {
                console::note(&format!("assay: {error}"));
                exit = error.exit;
            }
        }
    }
    Ok(exit)
}

/// The page of results that were just made.
pub fn page_of(results: &Results, name: &str) -> Result<String, Coded> {
    let stored = Stored::read(&json_of(results)?).or_exit(Exit::Output)?;
    Ok(page(&stored, name, style()))
}

fn newest_in(out: &Path) -> Result<PathBuf, Coded> {
    let newest = sessions(out).or_exit(Exit::BadInput)?.into_iter().next();
    let shown = out.display();
    newest
        .map(|session| session.folder)
        .ok_or_else(|| {
            anyhow!("{shown}: no session in it; `assay run MANIFEST` makes one, --out DIR looks elsewhere")
        })
        .or_exit(Exit::BadInput)
}

fn show(args: &ShowArgs, path: &Path) -> Result<(), Coded> {
    let name = path.display().to_string();
    if let Some(session) = Session::at(path) {
        if args.wide {
            return wide(path);
        }
        for file in session.results() {
            let json = fs::read(&file).with_context(|| file.display().to_string()).or_exit(Exit::BadInput)?;
            let stored =
                Stored::read(&json).with_context(|| file.display().to_string()).or_exit(Exit::BadInput)?;
            let folder = file.parent().map_or_else(|| name.clone(), |of| of.display().to_string());
            print(args, &json, || page(&stored, &folder, style()))?;
        }
        return Ok(());
    }
    if archive::is_archive(path) {
        if args.wide {
            return wide(path);
        }
        let opened = Opened::open(path)?;
        for set in 0..opened.session.sets().len() {
            each(args, &opened.session.results(set), &name)?;
        }
        return Ok(());
    }
    if path.is_dir() {
        let problem = anyhow!("{name}: has no {RESULTS}: no session, or one that was killed early");
        return Err(problem).or_exit(Exit::BadInput);
    }
    for results in parse::results_of(path)? {
        each(args, &results, &name)?;
    }
    Ok(())
}

/// Shows results that were worked out just now.
fn each(args: &ShowArgs, results: &Results, name: &str) -> Result<(), Coded> {
    if args.wide {
        return console::answer(&full(results));
    }
    let json = json_of(results)?;
    let stored = Stored::read(&json).or_exit(Exit::BadInput)?;
    print(args, &json, || page(&stored, name, style()))
}

/// Shows everything of a session, whose logs are judged again.
fn wide(path: &Path) -> Result<(), Coded> {
    let opened = Opened::open(path)?;
    for set in 0..opened.session.sets().len() {
        console::answer(&full(&opened.session.results(set)))?;
    }
    Ok(())
}

fn print(args: &ShowArgs, json: &[u8], page: impl FnOnce() -> String) -> Result<(), Coded> {
    console::answer(&if args.json { String::from_utf8_lossy(json).into_owned() } else { page() })
}

fn full(results: &Results) -> String {
    if console::has_colours() { terminal_in_colour(results) } else { terminal(results) }
}

fn json_of(results: &Results) -> Result<Vec<u8>, Coded> {
    let mut json = Vec::new();
    ResultsJson.export(results, &mut json).or_exit(Exit::Output)?;
    Ok(json)
}

fn style() -> Style {
    Style { colours: console::has_colours() }
}
