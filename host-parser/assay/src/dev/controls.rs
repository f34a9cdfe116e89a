//! `assay dev controls`: runs guests in which something goes wrong on purpose, and checks the reason that the gate gives.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use abi::control::{ControlKind, STRIKES_IN};
use abi::wire::Record;
use abi::wire::record::WorkerStatus;
use anyhow::{Context, anyhow};
use clap::Args;
use evidence::gate::{Gate, ReasonCode};
use evidence::transcript::Transcript;
use experiment::manifest::Manifest;
use host::CancelToken;
use lab::diagnosis::{self, Died};
use lab::{Coded, Exit, OrExit, Places, Run, RunKey, Slot, console, guest, label_of_time};
use results::System;

use crate::options::{GuestArgs, SymbolsArgs};

/// `assay dev controls`.
#[derive(Args, Debug)]
pub struct ControlsArgs {
    /// Folder of the controls' manifests
    #[arg(default_value_os_t = Places::here().in_manifests("controls"))]
    pub folder: PathBuf,
    /// Folder of workloads' manifests, for each program of which the control that skips work is run too
    #[arg(long, value_name = "DIR")]
    pub workloads: Option<PathBuf>,
    /// Only controls with this word in their names
    #[arg(long, value_name = "WORD")]
    pub only: Option<String>,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// Folder for logs, which go to DIR/controls/TIME
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().sessions())]
    pub out: PathBuf,
    /// Trace each guest that died in a second run under TCG, and show the cause
    #[arg(long)]
    pub diagnose: bool,
    /// Names for the kernel's addresses.
    #[command(flatten)]
    pub symbols: SymbolsArgs,
}

/// The worker that goes wrong, or whose result record is damaged. The others must be unharmed.
const WRONGDOER: u16 = 0;

/// The outcome of a control.
struct Outcome {
    expected: ReasonCode,
    got: Option<ReasonCode>,
    /// Whether the results that the control leaves unharmed are in the log and right; `None` if it leaves none.
    others_intact: Option<bool>,
    detail: String,
    /// The cause of the guest's death, with `--diagnose`.
    died_of: Option<String>,
}

/// Runs every control of a folder and prints the verdict of the gate on each.
///
/// # Errors
/// A manifest is not a control, or a guest cannot be run.
pub fn run(args: &ControlsArgs) -> Result<Exit, Coded> {
    let mut manifests = manifests(&args.folder)?;
    if let Some(folder) = &args.workloads {
        manifests.extend(of_workloads(folder)?);
    }
    manifests
        .retain(|manifest| args.only.as_deref().is_none_or(|word| manifest.name().as_str().contains(word)));
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    let folder = args.out.join("controls").join(label_of_time(SystemTime::now()));
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
    console::answer(&format!(
        "{:<32}{:<22}{:<22}{:<10}{:>5}\n",
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
    console::answer(&format!("\n{} of {tried} controls ended as expected; logs: {logs}\n", tried - wrong))?;
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

/// For each program of the workloads of a folder, the manifest of the control that skips its work. A build for other
/// instructions is of the same source: it has none.
fn of_workloads(folder: &Path) -> Result<Vec<Manifest>, Coded> {
    let measured = manifests(folder)?;
    let mut programs = BTreeSet::new();
    let measured = measured.iter().filter(|manifest| manifest.needs().requires.is_none());
    let measured = measured.filter(|manifest| programs.insert(manifest.program()));
    let control = |manifest: &Manifest| {
        let path = manifest.path();
        let source =
            fs::read_to_string(path).with_context(|| path.display().to_string()).or_exit(Exit::BadInput)?;
        Manifest::parse(path, skipping(&source).as_bytes()).or_exit(Exit::BadInput)
    };
    measured.map(control).collect()
}

/// The manifest of a workload as that of its control: two workers, once, of whom the first skips work.
fn skipping(source: &str) -> String {
    let line = |line: &str| match line.split_once(" = ") {
        Some(("tier", _)) => Some("tier = \"control\"".to_owned()),
        Some((key @ ("name" | "program"), value)) => {
            Some(format!("{key} = \"control-{}", value.trim_start_matches('"')))
        }
        Some(("workers", _)) => Some("workers = [2]".to_owned()),
        Some(("iterations", _)) => None,
        _ => Some(line.to_owned()),
    };
    let lines: Vec<String> = source.lines().filter_map(line).collect();
    format!("{}\n\n[control]\nexpect = \"{}\"\n", lines.join("\n"), ReasonCode::VerifierMismatch.code())
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
    let cases = manifest.cases();
    // One boot runs them all, on a machine for the largest.
    let case = *cases.iter().max().with_context(|| format!("{path}: no case")).or_exit(Exit::BadInput)?;
    let lab = args.guest.env(manifest)?;
    let folder = folder.join(manifest.name().as_str());
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
    let image = lab.image(manifest, cases, &folder)?;
    image.build(cancel)?;
    let mut last_cpus = Vec::new();
    let run = Run {
        manifest,
        number: 0,
        slot: Slot { round: 0, item: RunKey { system: System::Assay, case } },
        challenge: 0,
        folder: &folder,
        gate: &mut Gate::default(),
        session: cancel,
        on_record: &mut || (),
        last_cpus: &mut last_cpus,
    };
    let run = guest::run(&lab, &image, run)?;
    let died = Died { env: &lab, manifest, image: &image, record: &run, last_cpus: &last_cpus };
    let died_of = (args.diagnose && diagnosis::is_due(&run)).then(|| died_of(&died, args, cancel));
    let log = run.made.log.as_deref().unwrap_or_default();
    let bytes = fs::read(log).with_context(|| log.to_owned()).or_exit(Exit::Output)?;
    let unharmed = unharmed(control.kernel.kind, cases);
    let refusal = run.verdict.outcome.refusal();
    Ok(Outcome {
        expected: control.expect,
        got: refusal.map(|(reason, _)| reason),
        others_intact: (!unharmed.is_empty()).then(|| intact(&Transcript::read(&bytes), manifest, &unharmed)),
        detail: refusal.map_or("the run passed", |(_, detail)| detail).to_owned(),
        died_of,
    })
}

/// The cause of a guest's death, or why it is unknown. It does not affect the outcome of the control.
fn died_of(died: &Died<'_>, args: &ControlsArgs, cancel: &CancelToken) -> String {
    let diagnosis = diagnosis::diagnose(died, &args.symbols.symbols, cancel);
    diagnosis.map_or_else(|error| format!("no diagnosis: {error}"), |diagnosis| diagnosis.summary)
}

/// A worker's run in a log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Place {
    case: u16,
    iter: u16,
    worker: u16,
}

/// The workers' runs that a control leaves alone, out of all that its plan has.
fn unharmed(kernel: ControlKind, cases: &[u16]) -> Vec<Place> {
    use ControlKind as Kind;
    let iterations = if kernel == Kind::None { 1 } else { STRIKES_IN + 1 };
    let largest = cases.iter().copied().max();
    let first = cases.first().map(|&case| Place { case, iter: 0, worker: WRONGDOER });
    let is_unharmed = |place: &Place| match kernel {
        Kind::None => place.worker != WRONGDOER,
        Kind::LoseRecord | Kind::DoubleRecord | Kind::TearRecord => Some(*place) != first,
        Kind::Panic | Kind::Reset | Kind::TripleFault | Kind::Hang => {
            Some(place.case) == first.map(|first| first.case) && place.iter < STRIKES_IN
        }
        // The largest case has a worker for every CPU.
        Kind::SkipAp | Kind::TakeHeap => Some(place.case) != largest,
        Kind::TscAhead | Kind::Interrupt | Kind::HalveTimes | Kind::StrayInterrupt | Kind::Nmi => true,
        // No worker runs.
        Kind::FaultEntry
        | Kind::FaultConsole
        | Kind::FaultMemory
        | Kind::FaultAcpi
        | Kind::FaultBsp
        | Kind::FaultClock
        | Kind::FaultAps
        | Kind::FaultAp
        | Kind::FaultMachine => false,
    };
    let places = cases.iter().flat_map(|&case| {
        (0..iterations).flat_map(move |iter| (0..case).map(move |worker| Place { case, iter, worker }))
    });
    places.filter(is_unharmed).collect()
}

/// Whether the log reports each of these runs as done, with the right answer and nothing refused.
fn intact(log: &Transcript, manifest: &Manifest, unharmed: &[Place]) -> bool {
    let records = || log.boots.iter().flat_map(|boot| &boot.records).map(|located| &located.envelope.record);
    let challenge = records().find_map(|record| match record {
        Record::Challenge(challenge) => Some(challenge.value.0),
        _ => None,
    });
    let challenge = challenge.unwrap_or(0);
    unharmed.iter().all(|&place| {
        let parts = manifest.parts(place.case);
        let part = parts.get(usize::from(place.worker));
        let expected = part.map(|&params| manifest.workload().expectation(params, challenge));
        let answered = records().any(|record| match record {
            Record::Answer(is) if (Place { case: is.case, iter: is.iter, worker: is.worker }) == place => {
                let said = (is.answer, is.work, is.digest.0);
                expected.is_some_and(|expected| (expected.answer, expected.work, expected.digest) == said)
            }
            _ => false,
        });
        let done = records().any(|record| match record {
            Record::WorkerEnd(is) if (Place { case: is.case, iter: is.iter, worker: is.worker }) == place => {
                is.status == WorkerStatus::Done && is.refused == 0
            }
            _ => false,
        });
        answered && done
    })
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
        let mut line = format!("{name:<32}{expected:<22}{got:<22}{others:<10}{seconds:>5.1}\n");
        if !self.holds() {
            line += &format!("  UNEXPECTED: {}\n", self.detail);
        }
        if let Some(died_of) = &self.died_of {
            line += &format!("  {died_of}\n");
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use abi::CpuId;
    use abi::wire::record::{Answer, WorkerEnd};
    use abi::wire::{Hex64, StreamWriter, Timestamp};

    use super::*;

    #[test]
    fn every_control_but_those_of_the_boot_leaves_something_unharmed() {
        for &kind in ControlKind::ALL {
            let loses_a_case = matches!(kind, ControlKind::SkipAp | ControlKind::TakeHeap);
            let cases: &[u16] = if loses_a_case { &[2, 3] } else { &[2] };
            assert_eq!(unharmed(kind, cases).is_empty(), kind.word().starts_with("fault-"), "{kind}");
        }
        let only = |case, iter, worker| vec![Place { case, iter, worker }];
        assert_eq!(unharmed(ControlKind::None, &[2]), only(2, 0, 1));
        assert_eq!(unharmed(ControlKind::Panic, &[1]), only(1, 0, 0));
        assert_eq!(unharmed(ControlKind::LoseRecord, &[1]), only(1, 1, 0));
    }

    #[test]
    fn a_result_is_intact_if_it_is_right_and_its_worker_is_done() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests/controls/kernel-panic.toml");
        let manifest = Manifest::load(&path).unwrap();
        let params = manifest.parts(2)[1];
        let right = manifest.workload().expectation(params, 0);
        let is_intact = |more: u64, status, refused| {
            let (case, iter, worker, cpu) = (2, 0, 1, CpuId(1));
            let (answer, work, digest) = (right.answer + more, right.work, Hex64(right.digest));
            let end = WorkerEnd { case, iter, worker, cpu, status, refused, first_refused: 0 };
            let mut writer = StreamWriter::default();
            let log: String = [Answer { case, iter, worker, answer, work, digest }.into(), end.into()]
                .map(|record: Record| format!("{}\r\n", writer.line(Timestamp::UNKNOWN, record).as_str()))
                .concat();
            intact(&Transcript::read(log.as_bytes()), &manifest, &[Place { case, iter, worker }])
        };
        assert!(is_intact(0, WorkerStatus::Done, 0));
        assert!(!is_intact(1, WorkerStatus::Done, 0));
        assert!(!is_intact(0, WorkerStatus::Incomplete, 0));
        assert!(!is_intact(0, WorkerStatus::Done, 1));
    }
}
