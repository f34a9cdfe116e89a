//! `assay show` and `assay list`: sessions and logs again, as a page each.

mod found;
mod list;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use export::{Subject, Suite};
use foreign::Figures;
use judging::{Opened, is_archive, results_of};
use lab::{Coded, Exit, OrExit, Places, console};
use report::page::{Headline, Rates, Stored, Style, next_line, page, rates_of};
use report::{Exporter, ResultsJson, terminal, terminal_in_colour};
use results::osbench::BenchmarkFigures;
use results::{Conclusion, Price, Results};
use serde::Serialize;
use serde_json::Value;

use crate::ending::{Ending, Next};
use crate::foreign_figures::{self, ForeignArgs};
use crate::lifecycle;
use crate::tool::tool;
use found::{RESULTS, Session, sessions};

pub use list::{ListArgs, run as list};

/// `assay show`.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// Sessions (folders or archives) or serial logs; by default the newest session in --out
    #[arg(value_name = "SESSION|LOG")]
    pub of: Vec<PathBuf>,
    /// Where sessions are: DIR/EXPERIMENT/LABEL
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().sessions())]
    pub out: PathBuf,
    /// Everything: every figure, what was excluded and why, the conditions
    ///
    /// A session's logs are judged again for it, so it takes longer than the page. With --json it changes nothing: that
    /// has all of results.json.
    #[arg(long)]
    pub wide: bool,
    /// The rows that stand for benchmarks of lmbench, UnixBench, Kevlar and others (docs/OSBENCH.md), instead of the page
    #[arg(long, conflicts_with_all = ["wide", "price"])]
    pub suites: bool,
    /// What the machine costs an hour, such as 0.096/h or "0.096 USD/h": shows the work for one unit of money
    #[arg(long, value_name = "PRICE")]
    pub price: Option<Price>,
    /// Figures of other tools. Without SESSION they are shown by themselves; beside a session, whose logs are judged again
    #[command(flatten)]
    pub foreign: ForeignArgs,
}

/// Shows each session or log; the newest session if none is named. One that cannot be read does not stop the others.
///
/// # Errors
/// There is none, one cannot be read, or standard output cannot be written.
pub fn run(args: &ShowArgs) -> Result<Ending, Coded> {
    let foreign = args.foreign.load()?;
    if args.of.is_empty() && !foreign.is_empty() {
        return show_alone(&foreign);
    }
    let newest;
    let of = if args.of.is_empty() {
        let Some(found) = newest_in(&args.out)? else {
            let shown = args.out.display();
            console::note(&format!("assay: nothing to show yet: no session in {shown}"));
            return Ok(Ending::from(Exit::BadInput).then(list::FIRST));
        };
        newest = [found];
        &newest[..]
    } else {
        &args.of
    };
    let (wide, price, shown) = (args.wide, args.price.clone(), Vec::new());
    let suites = args.suites.then(Vec::new);
    let mut show = Show { wide, suites, price, foreign, shown, next: None };
    let mut failed = None;
    let mut unreadable = Vec::new();
    for path in of {
        match show.path(path) {
            Ok(()) => {}
            Err(error) if error.exit == Exit::Output || of.len() == 1 => return Err(error),
            Err(error) => {
                console::note(&format!("assay: {error}"));
                failed = Some(Ending::from(&error));
                unreadable.push(Unreadable { name: path.display().to_string(), message: error.to_string() });
            }
        }
    }
    console::data("sessions", &show.shown)?;
    if let Some(suites) = &show.suites {
        console::data("suites", suites)?;
    }
    console::data("unreadable", &unreadable)?;
    foreign_figures::data(&show.foreign)?;
    let well = Ending { next: show.next.map_or(Next::ByTable, Next::Is), ..Exit::Holds.into() };
    Ok(failed.unwrap_or(well))
}

/// Shows foreign figures that no session was named for.
fn show_alone(foreign: &[Figures]) -> Result<Ending, Coded> {
    for figures in foreign {
        console::answer(&report::foreign_alone(figures))?;
    }
    foreign_figures::data(foreign)?;
    let next = "`assay show SESSION --foreign TOOL=FILE` shows them beside a session of ours.".to_owned();
    Ok(Ending { next: Next::Is(next), ..Exit::Holds.into() })
}

/// The page of results that were just made.
pub struct Page {
    /// The page.
    pub text: String,
    headline: Headline,
}

impl Page {
    /// How a command ends that made these results, which the user can name as `name`.
    pub fn ending(&self, results: &Results, name: &str) -> Ending {
        let conclusion = results.conclusion();
        let reason = match conclusion {
            Conclusion::Refused(reason) => Some(reason),
            _ => None,
        };
        let next = Next::Is(self.headline.next(name));
        let suite = Some(Suite::of(&Subject { name, results }));
        Ending { exit: Exit::of(conclusion), reason, next, suite }
    }
}

/// The page of results that were just made.
///
/// # Errors
/// Their form cannot be read, which no known results cause.
pub fn page_of(results: &Results) -> Result<Page, Coded> {
    let stored = Stored::read(&json_of(results)?).or_exit(Exit::Output)?;
    Ok(Page { text: page(&stored, style()), headline: Headline::of(&stored) })
}

/// Results as data for a program, in the form of results.json; nothing for a person.
///
/// # Errors
/// As of [`page_of`].
pub fn as_data(results: &Results) -> Result<Value, Coded> {
    if !console::is_for_a_program() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&json_of(results)?).or_exit(Exit::Output)
}

/// The newest session, if there is one.
fn newest_in(out: &Path) -> Result<Option<PathBuf>, Coded> {
    Ok(sessions(out).or_exit(Exit::BadInput)?.into_iter().next().map(|session| session.folder))
}

/// A session or a row of it, for a program.
#[derive(Serialize)]
struct Shown {
    /// As the user can name it.
    name: String,
    /// results.json.
    results: Value,
    /// The work of each case in a second.
    rates: Rates,
}

/// The benchmarks of other suites, for a program.
#[derive(Serialize)]
struct Suites {
    /// As the user can name the session.
    name: String,
    suites: Vec<BenchmarkFigures>,
}

/// One that cannot be read, for a program.
#[derive(Serialize)]
struct Unreadable {
    name: String,
    message: String,
}

/// What is shown, one after the other.
struct Show {
    wide: bool,
    /// The benchmarks of other suites, if they are asked for.
    suites: Option<Vec<Suites>>,
    price: Option<Price>,
    foreign: Vec<Figures>,
    shown: Vec<Shown>,
    /// What to do next about the last one; it stands at the end of its page.
    next: Option<String>,
}

impl Show {
    fn path(&mut self, path: &Path) -> Result<(), Coded> {
        let name = path.display().to_string();
        if self.suites.is_some() {
            return self.suites(path, &name);
        }
        if path.join(::lifecycle::RESULTS).is_file() {
            return lifecycle::show(path);
        }
        if let Some(session) = Session::at(path) {
            if self.is_judged_again() {
                return self.wide(path);
            }
            // What they stand beside is not in results.json as measurements: the logs are judged again.
            if !self.foreign.is_empty() {
                return self.opened(path, &name);
            }
            for file in session.results() {
                let json =
                    fs::read(&file).with_context(|| file.display().to_string()).or_exit(Exit::BadInput)?;
                let folder = file.parent().map_or_else(|| name.clone(), |of| of.display().to_string());
                self.page(&json, &folder).map_err(|error| error.context(file.display().to_string()))?;
            }
            return Ok(());
        }
        if is_archive(path) {
            if self.is_judged_again() {
                return self.wide(path);
            }
            return self.opened(path, &name);
        }
        if path.is_dir() {
            let problem = anyhow!("{name}: has no {RESULTS}: no session, or one that was killed early");
            return Err(problem).or_exit(Exit::BadInput);
        }
        if !path.exists() {
            return Err(anyhow!("{name}: no such session or log; `assay list` has all sessions"))
                .or_exit(Exit::BadInput);
        }
        for results in results_of(path, &tool())? {
            self.results(&results, &name)?;
        }
        Ok(())
    }

    /// Shows the page of a session, whose logs are judged again.
    fn opened(&mut self, path: &Path, name: &str) -> Result<(), Coded> {
        let opened = Opened::open(path)?;
        (0..opened.session.sets().len()).try_for_each(|set| self.results(&opened.session.results(set), name))
    }

    /// Shows the rows of a session or a log that stand for benchmarks of other suites. Its logs are judged again.
    fn suites(&mut self, path: &Path, name: &str) -> Result<(), Coded> {
        if Session::at(path).is_none() && !is_archive(path) {
            if !path.is_file() {
                return Err(anyhow!("{name}: no such session or log")).or_exit(Exit::BadInput);
            }
            return results_of(path, &tool())?.iter().try_for_each(|results| self.suites_of(results, name));
        }
        let opened = Opened::open(path)?;
        (0..opened.session.sets().len())
            .try_for_each(|set| self.suites_of(&opened.session.results(set), name))
    }

    fn suites_of(&mut self, results: &Results, name: &str) -> Result<(), Coded> {
        let figures = ::results::osbench::figures(results);
        let text = report::osbench(&figures);
        self.suites.get_or_insert_default().push(Suites { name: name.to_owned(), suites: figures });
        self.answer(&text, None)
    }

    /// Whether all is shown to a person, for which a session's logs are judged again.
    fn is_judged_again(&self) -> bool {
        self.wide && !console::is_for_a_program()
    }

    /// Shows results that were worked out just now.
    fn results(&mut self, results: &Results, name: &str) -> Result<(), Coded> {
        if self.is_judged_again() {
            self.answer(&full(results, self.price.as_ref()), None)?;
        } else {
            self.page(&json_of(results)?, name)?;
        }
        self.beside(results)
    }

    /// Shows the foreign figures beside results.
    fn beside(&self, results: &Results) -> Result<(), Coded> {
        self.foreign.iter().try_for_each(|figures| console::answer(&report::foreign(results, figures)))
    }

    /// Shows everything of a session, whose logs are judged again.
    fn wide(&mut self, path: &Path) -> Result<(), Coded> {
        let opened = Opened::open(path)?;
        for set in 0..opened.session.sets().len() {
            let results = opened.session.results(set);
            self.answer(&full(&results, self.price.as_ref()), None)?;
            self.beside(&results)?;
        }
        Ok(())
    }

    /// Shows results.json.
    fn page(&mut self, json: &[u8], name: &str) -> Result<(), Coded> {
        let stored = Stored::read(json).or_exit(Exit::BadInput)?;
        if console::is_for_a_program() {
            let results = serde_json::from_slice(json).or_exit(Exit::BadInput)?;
            let rates = rates_of(&stored, self.price.as_ref());
            self.shown.push(Shown { name: name.to_owned(), results, rates });
        }
        let next = Headline::of(&stored).next(name);
        let text = page(&stored, Style { price: self.price.as_ref(), ..style() });
        self.answer(&text, Some(next))
    }

    /// Prints a page, after the end of the one before it.
    fn answer(&mut self, text: &str, next: Option<String>) -> Result<(), Coded> {
        if let Some(before) = std::mem::replace(&mut self.next, next) {
            console::answer(&format!("{}\n", next_line(&before)))?;
        }
        console::answer(text)
    }
}

fn full(results: &Results, price: Option<&Price>) -> String {
    let text = if console::has_colours() { terminal_in_colour(results) } else { terminal(results) };
    [text, with_space_before(&report::rates(results, price))].concat()
}

/// Lines after an empty one; nothing if there is none.
pub fn with_space_before(lines: &[String]) -> String {
    if lines.is_empty() { String::new() } else { format!("\n{}\n", lines.join("\n")) }
}

fn json_of(results: &Results) -> Result<Vec<u8>, Coded> {
    let mut json = Vec::new();
    ResultsJson.export(results, &mut json).or_exit(Exit::Output)?;
    Ok(json)
}

fn style() -> Style<'static> {
    Style { colours: console::has_colours(), price: None }
}
