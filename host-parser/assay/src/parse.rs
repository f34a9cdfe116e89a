//! `assay parse`: a serial log from anywhere, judged by the same gate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use clap::Args;
use host_parser::disclosure::{Disclosure, template};
use host_parser::gate::{Gate, Measurement, RunExpectation, Verdict};
use host_parser::manifest::Manifest;
use host_parser::results::{
    Completion, Environment, Experiment, Exporter, Results, ResultsJson, RunRecord, terminal, write_all,
};
use host_parser::stats::{ClaimRule, Pairing};
use host_parser::transcript::Transcript;
use lab::{Coded, Exit, OrExit, console};

/// `assay parse`.
#[derive(Args, Debug)]
pub struct ParseArgs {
    /// Serial log; - for standard input
    pub log: PathBuf,
    /// The experiment that the log is of: its claim is then judged too
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Write results.json, samples.csv and summary.md into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print results.json instead of the table
    #[arg(long)]
    pub json: bool,
    /// What the guest cannot see of where it ran: provider, region, instance type ... (TOML)
    ///
    /// A missing field makes the results `disclosure-missing`: good, and not to be published.
    #[arg(long, value_name = "FILE")]
    pub disclose: Option<PathBuf>,
    /// Print a disclosure file to be filled in, with what the log tells already, and nothing else
    #[arg(long, conflicts_with_all = ["disclose", "out", "json", "publish"])]
    pub disclose_template: bool,
    /// End with 5 where the results cannot be published
    #[arg(long)]
    pub publish: bool,
}

/// Judges the log, prints the results and says how it ended.
///
/// # Errors
/// A log or a manifest that cannot be read, files that cannot be written.
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
    let results = results(&args.log, verdicts, manifest.as_ref()).with_disclosure(disclosure);
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
        write_all(folder, &results).or_exit(Exit::Output)?;
    }
    if args.json {
        let mut json = Vec::new();
        ResultsJson.export(&results, &mut json).or_exit(Exit::Output)?;
        console::answer(&String::from_utf8_lossy(&json))?;
    } else {
        console::answer(&terminal(&results))?;
    }
    let publishable = results.publication.as_ref().is_some_and(|publication| publication.publishable);
    match Exit::of(results.conclusion()) {
        Exit::Holds if args.publish && !publishable => Ok(Exit::Invalid),
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

/// A manifest's claim is about its own experiment: another's log must not answer it.
fn same_experiment(verdicts: &[Verdict<Measurement>], manifest: &Manifest) -> anyhow::Result<()> {
    let describe = |name: &str, program: &str, whole: [u64; 4]| format!("{name} ({program} {whole:?})");
    let wanted = describe(manifest.name().as_str(), manifest.program(), manifest.params());
    for measured in verdicts.iter().filter_map(|verdict| verdict.outcome.measurement()) {
        let identity = measured.identity();
        let found = describe(identity.experiment.as_str(), identity.workload.as_str(), identity.whole);
        ensure!(found == wanted, "is of the experiment {found}, {} of {wanted}", manifest.path().display());
    }
    Ok(())
}

/// The results of a log's boots. The n-th boot of a case belongs to round n; a sweep, and any boot that has several cases,
/// is a set of rounds by itself, by its iterations.
fn results(log: &Path, verdicts: Vec<Verdict<Measurement>>, manifest: Option<&Manifest>) -> Results {
    let sweep = verdicts.iter().find_map(|verdict| verdict.outcome.measurement()?.sweep());
    let several = sweep.is_some() || verdicts.iter().any(|verdict| cases(verdict).len() > 1);
    let pairing = if several { Pairing::Iterations } else { Pairing::Runs };
    let mut rounds: BTreeMap<Vec<u16>, u32> = BTreeMap::new();
    let runs: Vec<RunRecord> = (0..)
        .zip(verdicts)
        .map(|(number, verdict)| {
            let cases = cases(&verdict);
            let round = rounds.entry(cases.clone()).or_default();
            let mut run = RunRecord::new(number, *round, verdict);
            *round += 1;
            run.case = cases.first().copied().filter(|_| cases.len() == 1);
            run.log = Some(log.display().to_string());
            run
        })
        .collect();
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

/// The cases that a boot has samples of.
fn cases(verdict: &Verdict<Measurement>) -> Vec<u16> {
    let samples = verdict.outcome.measurement().map(Measurement::samples).unwrap_or_default();
    let cases: BTreeSet<u16> = samples.iter().map(|sample| sample.case).collect();
    cases.into_iter().collect()
}
