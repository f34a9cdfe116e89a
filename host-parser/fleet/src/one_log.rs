//! One log as rows of the tables.

use std::io;
use std::path::Path;

use abi::Digest;
use abi::wire::{Hex64, Label, Record};
use evidence::gate::{Gate, Measurement, RunExpectation};
use evidence::transcript::{Boot, Boots};
use judging::{JudgedLogs, judge_boots, rank, refusal_of_nothing, row_results};
use lab::Exit;
use parquet::data_type::ByteArray;
use results::{Conclusion, MachineKey, Results, RunRecord, Tool};
use serde::Serialize;

use crate::cell::{Micros, Rows, text};
use crate::figures::add_figures;
use crate::hashing::Hashing;
use crate::samples::add_samples;
use crate::tables::{BootRow, FigureRow, LogRow, SampleRow};

/// What became of a log.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every boot passed.
    Judged,
    /// Some boots passed.
    Partly,
    /// No boot passed, or there is none of ours.
    Refused,
    /// It has no bytes.
    Empty,
    /// It could not be read.
    Unreadable,
    /// Another file has the same bytes.
    Copy,
}

impl Outcome {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Judged, Self::Partly, Self::Refused, Self::Empty, Self::Unreadable, Self::Copy];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Judged => "judged",
            Self::Partly => "partly",
            Self::Refused => "refused",
            Self::Empty => "empty",
            Self::Unreadable => "unreadable",
            Self::Copy => "copy",
        }
    }
}

/// A log as rows.
#[derive(Clone, Debug)]
pub struct LogRows {
    /// SHA-256 of its bytes; `None` if it could not be read.
    pub sha256: Option<Digest>,
    /// Its size, in bytes.
    pub bytes: u64,
    /// What became of it.
    pub outcome: Outcome,
    /// The experiment that its boots name: `several` if they do not agree, `unknown` if none names one.
    pub experiment: String,
    /// The code of the weightiest reason.
    pub reason: Option<&'static str>,
    /// The same in words, or the error.
    pub detail: Option<String>,
    exit: Exit,
    boots: usize,
    passed: usize,
    rows: usize,
    chained: Option<bool>,
    lines: u64,
    undone: Option<String>,
    /// Rows of [`crate::BOOTS`].
    pub boot_rows: Rows,
    /// Rows of [`crate::FIGURES`].
    pub figure_rows: Rows,
    /// Rows of [`crate::SAMPLES`].
    pub sample_rows: Rows,
}

impl LogRows {
    /// A log without rows.
    fn nothing(outcome: Outcome, exit: Exit) -> Self {
        Self {
            sha256: None,
            bytes: 0,
            outcome,
            experiment: UNKNOWN.to_owned(),
            reason: None,
            detail: None,
            exit,
            boots: 0,
            passed: 0,
            rows: 0,
            chained: None,
            lines: 0,
            undone: None,
            boot_rows: BootRow::none(),
            figure_rows: FigureRow::none(),
            sample_rows: SampleRow::none(),
        }
    }

    fn unreadable(error: &io::Error) -> Self {
        let detail = Some(error.to_string());
        Self { detail, ..Self::nothing(Outcome::Unreadable, Exit::BadInput) }
    }

    /// A file that has the same bytes as another one.
    pub(crate) fn copy(sha256: Digest, bytes: u64) -> Self {
        Self { sha256: Some(sha256), bytes, ..Self::nothing(Outcome::Copy, Exit::Holds) }
    }

    /// Adds its row of [`crate::LOGS`].
    pub(crate) fn add_log_row(&self, file: &Path, tool: &Tool, judged_at: Micros, rows: &mut Rows) {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
        let row = LogRow {
            file: file.to_string_lossy().into_owned(),
            file_name: name.unwrap_or_default(),
            log_sha256: self.sha256.map(|sha256| text(&sha256.to_string())),
            outcome: self.outcome.word(),
            exit_code: (self.outcome != Outcome::Copy).then_some(self.exit as i64),
            reason: self.reason,
            detail: self.detail.clone(),
            boots: count(self.boots),
            passed: count(self.passed),
            rows: count(self.rows),
            chained: self.chained,
            bytes: i64::try_from(self.bytes).unwrap_or(i64::MAX),
            lines: i64::try_from(self.lines).unwrap_or(i64::MAX),
            undone: self.undone.clone(),
            tool: tool.to_string(),
            judged_at,
        };
        row.add(rows);
    }

    /// About how many bytes of memory it takes.
    pub(crate) fn memory(&self) -> usize {
        self.boot_rows.bytes() + self.figure_rows.bytes() + self.sample_rows.bytes()
    }
}

fn count(of: usize) -> i64 {
    i64::try_from(of).unwrap_or(i64::MAX)
}

const UNKNOWN: &str = "unknown";

/// What a boot says of itself, also if it is refused. Nothing of it is proven then.
struct Named {
    nonce: Option<Hex64>,
    experiment: Option<Label>,
}

impl Named {
    fn of(boot: &Boot) -> Self {
        let experiment = boot.records.iter().find_map(|located| match located.envelope.record {
            Record::Experiment(experiment) => Some(experiment.name),
            _ => None,
        });
        Self { nonce: boot.start().map(|start| start.nonce), experiment }
    }
}

/// Judges the log at `path` by a gate of its own, as `assay parse` does. An error of reading is a row too.
#[must_use]
pub fn judge_log(path: &Path, gate: Gate, tool: &Tool) -> LogRows {
    read(path, gate, tool).unwrap_or_else(|error| LogRows::unreadable(&error))
}

fn read(path: &Path, gate: Gate, tool: &Tool) -> io::Result<LogRows> {
    let file = Hashing::open(path)?;
    let log = unwrap::open(file.clone())?;
    let undone = log.undone();
    let (mut boots, mut named) = (Boots::of(log), Vec::new());
    let noted = boots.by_ref().inspect(|boot| named.extend(boot.as_ref().ok().map(Named::of)));
    let judged = judge_boots(noted, &RunExpectation::default(), gate)?;
    let extent = boots.extent();
    let (sha256, bytes) = file.finish()?;
    let whole = LogRows {
        sha256: Some(sha256),
        bytes,
        lines: extent.lines,
        undone: (!undone.is_empty()).then(|| undone.to_string()),
        ..LogRows::nothing(Outcome::Refused, Exit::BadInput)
    };
    if bytes == 0 {
        return Ok(LogRows { outcome: Outcome::Empty, ..whole });
    }
    if named.is_empty() {
        let (reason, detail) = refusal_of_nothing(extent);
        return Ok(LogRows { reason: Some(reason.code()), detail: Some(detail), ..whole });
    }
    Ok(of_boots(whole, judged, &named, tool))
}

/// The rows of a log with boots.
fn of_boots(whole: LogRows, judged: JudgedLogs, named: &[Named], tool: &Tool) -> LogRows {
    let sha256 = text(&whole.sha256.map(|of| of.to_string()).unwrap_or_default());
    let JudgedLogs { rows, runs, chained } = judged;
    let row_count = rows.len();
    let mut log = LogRows {
        experiment: experiment(named),
        boots: named.len(),
        rows: row_count,
        chained: (named.len() > 1).then_some(chained),
        exit: Exit::Holds,
        ..whole
    };
    for (row, runs) in runs.into_iter().enumerate() {
        let results = row_results(runs, None, tool);
        log.note(&results);
        // Without a boot that passed there is no row.
        add_boots(&results, (row_count > 0).then_some(row), named, &sha256, &mut log.boot_rows);
        add_figures(&results, row, &sha256, &mut log.figure_rows);
        add_samples(&results, &sha256, &mut log.sample_rows);
    }
    log.outcome = match log.passed {
        passed if passed == log.boots => Outcome::Judged,
        0 => Outcome::Refused,
        _ => Outcome::Partly,
    };
    log
}

impl LogRows {
    /// Takes what came of a row into account.
    fn note(&mut self, results: &Results) {
        self.passed += results.runs.iter().filter(|run| run.verdict.outcome.measurement().is_some()).count();
        let conclusion = results.conclusion();
        let exit = Exit::of(conclusion);
        if rank(exit) < rank(self.exit) {
            self.exit = exit;
            if let Conclusion::Refused(reason) = conclusion {
                self.reason = Some(reason.code());
                self.detail = results.refusal().map(|(_, detail)| detail);
            }
        }
    }
}

fn experiment(named: &[Named]) -> String {
    let mut names: Vec<Label> = named.iter().filter_map(|boot| boot.experiment).collect();
    names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    match names.as_slice() {
        [] => UNKNOWN.to_owned(),
        [one] => one.to_string(),
        _ => "several".to_owned(),
    }
}

fn add_boots(results: &Results, row: Option<usize>, named: &[Named], sha256: &ByteArray, to: &mut Rows) {
    let key = MachineKey::of(results);
    for run in &results.runs {
        let of = BootRow::of(run, row, &key, sha256);
        let said = usize::try_from(run.run).ok().and_then(|at| named.get(at));
        let hex = |nonce: Hex64| nonce.to_string();
        BootRow {
            nonce: said.and_then(|said| said.nonce).map(hex),
            boot_experiment: said.and_then(|said| said.experiment).map(|name| name.to_string()),
            ..of
        }
        .add(to);
    }
}

impl BootRow {
    fn of(run: &RunRecord, row: Option<usize>, key: &MachineKey, sha256: &ByteArray) -> Self {
        let refusal = run.verdict.outcome.refusal();
        let empty = Self {
            log_sha256: sha256.clone(),
            boot: run.run.into(),
            row: row.map(count),
            outcome: run.verdict.outcome.word(),
            reason: refusal.map(|(reason, _)| reason.code()),
            detail: refusal.map(|(_, detail)| detail.to_owned()),
            system: Some(run.system.word()),
            boot_experiment: None,
            workload: None,
            nonce: None,
            kernel_build: None,
            work: None,
            program_sha256: None,
            release: None,
            machine_id: None,
            epoch_id: None,
            cpu_vendor: None,
            cpu_model: None,
            cpu_signature: None,
            hypervisor: None,
            boot_path: None,
            cpus: None,
            cores: None,
            memory_bytes: None,
            tsc_khz: None,
            second_clock: None,
            iterations: 0,
            excluded: 0,
        };
        match run.verdict.outcome.measurement() {
            Some(measured) => empty.measured(measured, key),
            None => empty,
        }
    }

    fn measured(self, measured: &Measurement, key: &MachineKey) -> Self {
        let (identity, machine, clock) = (measured.identity(), measured.machine(), measured.clock());
        let samples = measured.samples();
        Self {
            workload: Some(identity.workload.to_string()),
            kernel_build: Some(identity.build.to_string()),
            work: Some(identity.work.to_string()),
            program_sha256: Some(identity.blob_sha256.to_string()),
            release: Some(machine.release.to_string()),
            machine_id: Some(key.machine_id()),
            epoch_id: Some(key.epoch_id()),
            cpu_vendor: Some(machine.vendor.to_string()),
            cpu_model: Some(machine.brand.to_string()),
            cpu_signature: Some(machine.signature.to_string()),
            hypervisor: Some(machine.hypervisor_name()),
            boot_path: Some(machine.firmware.word()),
            cpus: Some(machine.cpus_online.into()),
            cores: machine.topology.cores.map(i64::from),
            memory_bytes: i64::try_from(machine.usable_bytes).ok(),
            tsc_khz: clock.tsc.and_then(|tsc| i64::try_from(tsc.khz).ok()),
            second_clock: clock.second.map(|second| second.source.word()),
            iterations: count(samples.len()),
            excluded: count(samples.iter().filter(|sample| sample.excluded.is_some()).count()),
            ..self
        }
    }
}
