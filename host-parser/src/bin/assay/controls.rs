//! `assay controls`: for everything that can go wrong, a guest in which it does, and the reason that the gate gives.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use abi::wire::Record;
use anyhow::{Context, anyhow};
use host_parser::gate::{Gate, ReasonCode};
use host_parser::manifest::Manifest;
use host_parser::results::System;
use host_parser::transcript::Transcript;
use qemu::CancelToken;

use crate::cli::ControlsArgs;
use crate::console;
use crate::diagnosis::{self, Died};
use crate::exit::{Coded, Exit, OrExit};
use crate::guest;
use crate::lab::Lab;
use crate::label;
use crate::run::{Run, Task};
use crate::schedule::Slot;
use crate::signals;

/// The worker that does wrong, where a worker does; the others must come through unharmed.
const WRONGDOER: u16 = 0;

/// What came of a control.
struct Outcome {
    expected: ReasonCode,
    got: Option<ReasonCode>,
    /// Whether the other workers' answers are in the log, and right; `None` where it is the kernel that does wrong.
    others_intact: Option<bool>,
    detail: String,
    /// What killed its guest, if that was asked for.
    died_of: Option<String>,
}

/// Runs every control of a folder and prints what the gate said of each.
///
/// # Errors
/// A control that is none, or a guest that cannot be run at all.
pub fn run(args: &ControlsArgs) -> Result<Exit, Coded> {
    let manifests = manifests(&args.folder)?;
    let cancel = signals::cancel_on_signals().or_exit(Exit::Environment)?;
    let folder = args.out.join("controls").join(label::of_time(SystemTime::now()));
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
    console::answer(&format!(
        "{:<28}{:<22}{:<22}{:<10}{:>5}\n",
        "control", "expected", "got", "others", "s"
    ))?;
    let (mut tried, mut wrong) = (0, 0);
    for manifest in &manifests {
        let begin = Instant::now();
        let outcome = try_out(args, manifest, &folder, &cancel)?;
        if cancel.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        tried += 1;
        wrong += usize::from(!outcome.holds());
        console::answer(&outcome.line(manifest.name().as_str(), begin.elapsed().as_secs_f64()))?;
    }
    let logs = folder.display();
    console::answer(&format!("\n{} of {tried} controls ended as they must; logs: {logs}\n", tried - wrong))?;
    Ok(if wrong == 0 { Exit::Holds } else { Exit::DoesNotHold })
}

/// The manifests of a folder, by name.
fn manifests(folder: &Path) -> Result<Vec<Manifest>, Coded> {
    let entries =
        fs::read_dir(folder).with_context(|| folder.display().to_string()).or_exit(Exit::BadInput)?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|e| e == "toml")).collect();
    paths.sort();
    if paths.is_empty() {
        return Err(anyhow!("{}: no manifest in it", folder.display())).or_exit(Exit::BadInput);
    }
    paths.iter().map(|path| Manifest::load(path).or_exit(Exit::BadInput)).collect()
}

fn try_out(
    args: &ControlsArgs,
    manifest: &Manifest,
    folder: &Path,
    cancel: &CancelToken,
) -> Result<Outcome, Coded> {
    let path = manifest.path().display();
    let control =
        manifest.control().with_context(|| format!("{path}: not a control")).or_exit(Exit::BadInput)?;
    let case =
        *manifest.cases().first().with_context(|| format!("{path}: no case")).or_exit(Exit::BadInput)?;
    let lab = Lab::find(&args.guest, manifest)?;
    let folder = folder.join(manifest.name().as_str());
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
    let image = lab.image(manifest, &[case], &folder)?;
    image.build(cancel)?;
    let mut last_cpus = Vec::new();
    let run = Run {
        manifest,
        number: 0,
        slot: Slot { round: 0, item: Task { system: System::Assay, case } },
        folder: &folder,
        gate: &mut Gate::default(),
        session: cancel,
        on_record: &mut || (),
        last_cpus: &mut last_cpus,
    };
    let run = guest::run(&lab, &image, run)?;
    let died = Died { lab: &lab, manifest, image: &image, record: &run, last_cpus: &last_cpus };
    let died_of = (args.diagnose && diagnosis::is_due(&run)).then(|| died_of(&died, args, cancel));
    let log = run.log.as_deref().unwrap_or_default();
    let bytes = fs::read(log).with_context(|| log.to_owned()).or_exit(Exit::Output)?;
    let kernel_errs = control.kernel.kind != abi::control::ControlKind::None;
    let refusal = run.verdict.outcome.refusal();
    Ok(Outcome {
        expected: control.expect,
        got: refusal.map(|(reason, _)| reason),
        others_intact: (!kernel_errs).then(|| others_intact(&Transcript::read(&bytes), manifest, case)),
        detail: refusal.map_or("the run passed", |(_, detail)| detail).to_owned(),
        died_of,
    })
}

/// What killed a guest, or why that cannot be said: a control is judged by its own run alone.
fn died_of(died: &Died<'_>, args: &ControlsArgs, cancel: &CancelToken) -> String {
    let diagnosis = diagnosis::diagnose(died, &args.symbols.symbols, cancel);
    diagnosis.map_or_else(|error| format!("no diagnosis: {error}"), |diagnosis| diagnosis.summary)
}

/// Whether every worker but the one that does wrong answered, and rightly.
fn others_intact(log: &Transcript<'_>, manifest: &Manifest, case: u16) -> bool {
    let parts = manifest.workload().splits(manifest.params(), case);
    let records = log.boots.iter().flat_map(|boot| &boot.records);
    let answers: Vec<_> = records
        .filter_map(|located| match located.envelope.record {
            Record::Answer(answer) if answer.worker != WRONGDOER => Some(answer),
            _ => None,
        })
        .collect();
    let right = answers.iter().filter(|answer| {
        let part = parts.get(usize::from(answer.worker));
        let expected = part.map(|&params| manifest.workload().expected(params));
        expected
            .is_some_and(|e| (e.answer, e.work, e.digest) == (answer.answer, answer.work, answer.digest.0))
    });
    right.count() + 1 == usize::from(case)
}

impl Outcome {
    fn holds(&self) -> bool {
        self.got == Some(self.expected) && self.others_intact != Some(false)
    }

    fn line(&self, name: &str, seconds: f64) -> String {
        let got = self.got.map_or("passed", ReasonCode::code);
        let others = match self.others_intact {
            None => "-",
            Some(true) => "intact",
            Some(false) => "HARMED",
        };
        let expected = self.expected.code();
        let mut line = format!("{name:<28}{expected:<22}{got:<22}{others:<10}{seconds:>5.1}\n");
        if !self.holds() {
            line += &format!("  NOT AS IT MUST: {}\n", self.detail);
        }
        if let Some(died_of) = &self.died_of {
            line += &format!("  {died_of}\n");
        }
        line
    }
}
