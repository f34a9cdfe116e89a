//! `assay parse`: judges a serial log from any source by the gate that `assay run` uses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::tool::tool;
use anyhow::{Context, ensure};
use clap::Args;
use evidence::gate::{Gate, Measurement, RunExpectation, Verdict};
use evidence::transcript::Transcript;
use experiment::manifest::Manifest;
use lab::{Coded, Exit, OrExit, console};
use report::{Exporter, ResultsJson, terminal, terminal_in_colour, write_all};
use results::disclosure::{Disclosure, template};
use results::{ClaimRule, Completion, Environment, Experiment, Pairing, Results, RunRecord, cases};

/// `assay parse`.
#[derive(Args, Debug)]
pub struct ParseArgs {
    /// Serial log; - for standard input
    pub log: PathBuf,
    /// Manifest of the log's experiment, to judge its claim too
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Write results.json, samples.csv and summary.md into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print results.json instead of the table
    #[arg(long)]
    pub json: bool,
    /// Disclosure file (TOML) with what a guest cannot see: provider, region, instance type
    ///
    /// If a field is missing, the results are `disclosure-missing`: valid, but not publishable.
    #[arg(long, value_name = "FILE")]
    pub disclose: Option<PathBuf>,
    /// Print only a disclosure file to fill in, with what the log already shows
    #[arg(long, conflicts_with_all = ["disclose", "out", "json", "publish"])]
    pub disclose_template: bool,
    /// End with 5 if the results cannot be published
    #[arg(long)]
    pub publish: bool,
}

/// Judges the log, prints the results and returns the exit code.
///
/// # Errors
/// The log or the manifest cannot be read, or an output cannot be written.
pub fn run(args: &ParseArgs) -> Result<Exit, Coded> {
    let manifest = args.manifest.as_deref().map(Manifest::load).transpose().or_exit(Exit::BadInput)?;
    let bytes = read(&args.log).with_context(|| args.log.display().to_string()).or_exit(Exit::BadInput)?;
    let verdicts = Gate::default().judge_log(&Transcript::read(&bytes), &RunExpectation::default());
    if let Some(manifest) = &manifest {
        same_experiment(&verdicts, manifest)
            .with_context(|| args.log.display().to_string())
            .or_exit(Exit::BadInput)?;
    }
    if args.disclose_template {
        let measured = verdicts.iter().find_map(|verdict| verdict.outcome.measurement());
        return console::answer(&template(measured)).map(|()| Exit::Holds);
    }
    let disclosure = args.disclose.as_deref().map(Disclosure::load).transpose().or_exit(Exit::BadInput)?;
    let mut results = results(&args.log, verdicts, manifest.as_ref()).with_disclosure(disclosure);
    results.tool = tool();
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
        write_all(folder, &results).or_exit(Exit::Output)?;
    }
    if args.json {
        let mut json = Vec::new();
        ResultsJson.export(&results, &mut json).or_exit(Exit::Output)?;
        console::answer(&String::from_utf8_lossy(&json))?;
    } else {
        let text = if console::has_colours() { terminal_in_colour } else { terminal };
        console::answer(&text(&results))?;
    }
    let publishable = results.publication.as_ref().is_some_and(|publication| publication.publishable);
    match Exit::of(results.conclusion()) {
        Exit::Holds | Exit::HoldsUndisturbed | Exit::WithinBoot if args.publish && !publishable => {
            Ok(Exit::Invalid)
        }
        exit => Ok(exit),
    }
}

fn read(log: &Path) -> std::io::Result<Vec<u8>> {
    if log != Path::new("-") {
        return fs::read(log);
    }
    let mut bytes = Vec::new();
    std::io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Refuses the log of another experiment: it must not decide this manifest's claim.
fn same_experiment(verdicts: &[Verdict<Measurement>], manifest: &Manifest) -> anyhow::Result<()> {
    let wanted = describe(manifest.name().as_str(), manifest.program(), manifest.params());
    for measured in verdicts.iter().filter_map(|verdict| verdict.outcome.measurement()) {
        let identity = measured.identity();
        let found = describe(identity.experiment.as_str(), identity.workload.as_str(), identity.whole);
        ensure!(found == wanted, "is a log of {found}, but {} describes {wanted}", manifest.path().display());
    }
    Ok(())
}

fn describe(name: &str, program: &str, whole: [u64; 4]) -> String {
    format!("{name} ({program} {whole:?})")
}

/// The results of a log's boots. The n-th boot of a case, or of the same cases, belongs to round n. If there is only one
/// boot, and it has several cases, each iteration is a round, and shows something of this boot only.
fn results(log: &Path, verdicts: Vec<Verdict<Measurement>>, manifest: Option<&Manifest>) -> Results {
    let sweep = verdicts.iter().find_map(|verdict| verdict.outcome.measurement()?.sweep());
    let pairing = Pairing::of(&verdicts);
    let mut rounds: BTreeMap<BTreeSet<u16>, u32> = BTreeMap::new();
    let runs: Vec<RunRecord> =
        (0..).zip(verdicts).map(|(number, verdict)| record(log, number, verdict, &mut rounds)).collect();
    let measured = runs.iter().find_map(|run| run.verdict.outcome.measurement());
    let name = measured.map_or("unknown", |measured| measured.identity().experiment.as_str());
    let experiment = Experiment {
        name: name.to_owned(),
        label: None,
        manifest: manifest.map(|manifest| manifest.path().display().to_string()),
        manifest_sha256: manifest.map(|manifest| manifest.sha256().to_string()),
        pairing,
        rounds: None,
        set_aside_limit: 0,
        cases: manifest.map(|manifest| manifest.cases().to_vec()).unwrap_or_default(),
        order_seed: sweep.map(|sweep| sweep.order_seed),
        claim: manifest.and_then(Manifest::gate).map(|gate| ClaimRule {
            from: gate.from_workers,
            to: gate.to_workers,
            min_speedup: gate.min_speedup,
        }),
    };
    let firmware = measured.map(|measured| measured.machine().firmware.to_string());
    let environment = Environment { firmware, ..Environment::default() };
    Results::new(experiment, environment, runs, Completion::Complete)
}

/// The record of one boot. `rounds` counts the boots so far, for each set of cases.
fn record(
    log: &Path,
    number: u32,
    verdict: Verdict<Measurement>,
    rounds: &mut BTreeMap<BTreeSet<u16>, u32>,
) -> RunRecord {
    let cases = cases(&verdict);
    let round = rounds.entry(cases.clone()).or_default();
    let mut run = RunRecord::new(number, *round, verdict);
    *round += 1;
    run.case = cases.first().copied().filter(|_| cases.len() == 1);
    run.log = Some(log.display().to_string());
    run
}
