//! `assay parse`: judges serial logs from any source by the gate that `assay run` uses.

mod demand;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;
use evidence::gate::Gate;
use experiment::manifest::Manifest;
use judging::{JudgedLogs, introduction, judge_logs, measured, rank, row_results};
use lab::{Coded, Exit, OrExit, Places, console};
use report::{terminal, terminal_in_colour, write_all};
use results::disclosure::{Disclosure, PRICE, template};
use results::{Conclusion, Price, Results};

use crate::ending::{Ending, Next};
use crate::foreign_figures::{self, ForeignArgs};
use crate::show::{as_data, with_space_before};
use crate::tool::tool;
use demand::DemandArgs;

/// `assay parse`.
#[derive(Args, Debug)]
pub struct ParseArgs {
    /// Serial logs, in the order in which they were made, or folders of logs; - for standard input
    ///
    /// What collectors put around a log is undone: gzip, xz, UTF-16, base64, JSON of docker, of the journal and of
    /// clouds, prefixes, lines broken at a terminal's width. Every record has a checksum, so nothing is guessed.
    ///
    /// Boots are kept apart by what they say of system, machine, kernel, program and plan: each row has a result of its
    /// own, and no figure of one is divided by a figure of another.
    #[arg(required = true)]
    pub logs: Vec<PathBuf>,
    /// Manifest of the logs' experiment, to judge its claim too
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// What every boot must have.
    #[command(flatten)]
    pub demand: DemandArgs,
    /// Write results.json, samples.csv and summary.md into this folder; if there are several rows, into a folder for each
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Disclosure file (TOML) with what a guest cannot see: provider, region, instance type
    ///
    /// If a field is missing, the results are `disclosure-missing`: valid, but not publishable. The performance note that
    /// it fills in is printed after the results, and is part of summary.md.
    #[arg(long, value_name = "FILE")]
    pub disclose: Option<PathBuf>,
    /// Figures of other tools.
    #[command(flatten)]
    pub foreign: ForeignArgs,
    /// What the machine costs an hour, such as 0.096/h or "0.096 USD/h"; by default what the disclosure says
    #[arg(long, value_name = "PRICE")]
    pub price: Option<Price>,
    /// Print only a disclosure file to fill in, with what the logs already show
    #[arg(long, conflicts_with_all = ["disclose", "out", "publish"])]
    pub disclose_template: bool,
    /// End with 5 if the results cannot be published
    #[arg(long)]
    pub publish: bool,
}

/// Judges the logs, prints the results and returns the exit code.
///
/// # Errors
/// A log or another file cannot be read, or an output cannot be written.
pub fn run(args: &ParseArgs) -> Result<Ending, Coded> {
    let named = args.manifest.as_deref().map(|named| Places::here().manifest(named));
    let manifest = named.as_deref().map(Manifest::load).transpose().or_exit(Exit::BadInput)?;
    let disclosure = args.disclose.as_deref().map(Disclosure::load).transpose().or_exit(Exit::BadInput)?;
    let foreign = args.foreign.load()?;
    let gate = manifest.as_ref().map_or_else(Gate::default, |manifest| Gate::of(manifest.workload()));
    let judged = judge_logs(&args.logs, &args.demand.expectation()?, gate).or_exit(Exit::BadInput)?;
    if let Some(manifest) = &manifest {
        same_experiment(&judged, manifest).or_exit(Exit::BadInput)?;
    }
    if args.disclose_template {
        let template = template(measured(judged.runs.iter().flatten()));
        console::data("template", &template)?;
        console::answer(&template)?;
        // The file itself says what to do with it.
        return Ok(Ending { next: Next::NoLine, ..Exit::Holds.into() });
    }
    let JudgedLogs { rows, runs, chained } = judged;
    let not_known = not_known(args, chained);
    let several = runs.len() > 1;
    if several {
        console::answer(&introduction(&rows))?;
    }
    let mut endings: Vec<Ending> = Vec::new();
    let mut data = Vec::new();
    for (number, runs) in (1..).zip(runs) {
        let mut results = row_results(runs, manifest.as_ref(), &tool()).with_disclosure(disclosure.clone());
        results.not_known = not_known.iter().cloned().chain(results.not_known).collect();
        if several {
            console::answer(&format!("\nROW {number}\n"))?;
        }
        write(args, &results, several.then_some(number))?;
        if args.disclose.is_some() {
            console::answer(&format!("\nPERFORMANCE NOTE\n{}", report::note(&results)))?;
        }
        for figures in &foreign {
            console::answer(&report::foreign(&results, figures))?;
        }
        data.push(as_data(&results)?);
        endings.push(ending(args, &results));
    }
    console::data("rows", &data)?;
    foreign_figures::data(&foreign)?;
    Ok(endings.into_iter().min_by_key(|ending| rank(ending.exit)).unwrap_or(Exit::Holds.into()))
}

/// Prints and writes the results of one row.
fn write(args: &ParseArgs, results: &Results, row: Option<u32>) -> Result<(), Coded> {
    if let Some(folder) = &args.out {
        let folder = row.map_or_else(|| folder.clone(), |row| folder.join(format!("row-{row}")));
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
        write_all(&folder, results).or_exit(Exit::Output)?;
    }
    let text = if console::has_colours() { terminal_in_colour } else { terminal };
    let price = price(args, results);
    console::answer(&[text(results), with_space_before(&report::rates(results, price.as_ref()))].concat())
}

/// The price of the machine: the one of the command line, else that of the disclosure.
fn price(args: &ParseArgs, results: &Results) -> Option<Price> {
    let disclosed = || results.publication.as_ref()?.disclosure.get(PRICE)?.parse().ok();
    args.price.clone().or_else(disclosed)
}

fn ending(args: &ParseArgs, results: &Results) -> Ending {
    let publishable = results.publication.as_ref().is_some_and(|publication| publication.publishable);
    let conclusion = results.conclusion();
    match (Exit::of(conclusion), conclusion) {
        (Exit::Holds | Exit::HoldsUndisturbed | Exit::WithinBoot, _) if args.publish && !publishable => {
            Ending::from(Exit::Invalid).then("`--disclose-template` prints what a publication must disclose.")
        }
        (exit, Conclusion::Refused(reason)) => Ending { reason: Some(reason), ..exit.into() },
        (exit, _) => exit.into(),
    }
}

/// What the logs leave open.
fn not_known(args: &ParseArgs, chained: bool) -> Vec<String> {
    let unchecked = args.demand.unchecked();
    let mut lines = Vec::new();
    if !unchecked.is_empty() {
        let (what, options): (Vec<_>, Vec<_>) = unchecked.into_iter().unzip();
        lines.push(format!(
            "whether {} are the ones you mean: not demanded by {}",
            what.join(", "),
            options.join(", ")
        ));
    }
    lines.push(match chained {
        true => {
            "whether more boots followed the last; by their challenges none is missing before it".to_owned()
        }
        false => {
            "whether boots were left out or picked: nothing in these logs shows that none was".to_owned()
        }
    });
    lines.push(
        "whether the guest falsified all of its clocks alike: no host timed these boots, as `assay run` does"
            .to_owned(),
    );
    lines
}

/// Refuses the log of another experiment: it must not decide this manifest's claim.
fn same_experiment(judged: &JudgedLogs, manifest: &Manifest) -> anyhow::Result<()> {
    let wanted = describe(manifest.name().as_str(), manifest.program(), manifest.params());
    for run in judged.runs.iter().flatten() {
        let Some(measured) = run.verdict.outcome.measurement() else { continue };
        let identity = measured.identity();
        let found = describe(identity.experiment.as_str(), identity.workload.as_str(), identity.whole);
        let log = run.made.log.as_deref().map_or(Path::new("-"), Path::new).display();
        let manifest = manifest.path().display();
        ensure!(found == wanted, "{log}: is a log of {found}, but {manifest} describes {wanted}");
    }
    Ok(())
}

fn describe(name: &str, program: &str, whole: [u64; 4]) -> String {
    format!("{name} ({program} {whole:?})")
}
