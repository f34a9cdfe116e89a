//! Reads logs boot by boot and sorts the boots into rows.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use abi::Digest;
use abi::wire::Record;
use abi::wire::record::SystemName;
use anyhow::{Context, bail};
use evidence::challenge;
use evidence::gate::{Gate, HostEvidence, JudgedBoot, ReasonCode, Row, RunExpectation};
use evidence::transcript::{Boot, Extent, Transcript};
use lab::{Coded, Exit, OrExit, console};
use results::seal::CHAIN;
use results::{Making, Results, RunRecord, System, Tool, cases};
use unwrap::Unwrapped;

use crate::ahead::Ahead;
use crate::rows;

/// The boots of all logs, judged.
#[derive(Debug, Default)]
pub struct JudgedLogs {
    /// What each row is; empty if no boot passed.
    pub rows: Vec<Row>,
    /// The runs of each row, and those of no row if there is none.
    pub runs: Vec<Vec<RunRecord>>,
    /// Whether each boot's challenge follows from the boot before it, so that none was left out between two.
    pub chained: bool,
}

/// Judges logs in the order in which they are given, by `gate`.
///
/// # Errors
/// A log cannot be read, or has nothing of ours in it; the message names it.
pub fn judge_logs(logs: &[PathBuf], expectation: &RunExpectation, gate: Gate) -> anyhow::Result<JudgedLogs> {
    let mut sorter = Sorter { gate, ..Sorter::default() };
    for log in logs {
        for log in files(log).with_context(|| log.display().to_string())? {
            sorter.log(&log, expectation).with_context(|| log.display().to_string())?;
        }
    }
    Ok(sorter.finish())
}

/// Judges the boots of one log that the caller reads, by `gate`. There may be none: then [`refusal_of_nothing`] says why the
/// log is refused.
///
/// # Errors
/// The log cannot be read.
pub fn judge_boots(
    mut boots: impl Iterator<Item = io::Result<Boot>>,
    expectation: &RunExpectation,
    gate: Gate,
) -> io::Result<JudgedLogs> {
    let mut sorter = Sorter { gate, ..Sorter::default() };
    sorter.boots(&mut boots, expectation, &Arc::default())?;
    Ok(sorter.finish())
}

/// Why a log of this extent in which no boot was found is refused.
///
/// # Panics
/// Never: the gate lets no log without a boot pass.
#[must_use]
pub fn refusal_of_nothing(extent: Extent) -> (ReasonCode, String) {
    let nothing = Transcript { extent, ..Transcript::default() };
    let verdict = Gate::default().judge(&nothing, &RunExpectation::default(), &HostEvidence::default());
    let (reason, detail) = verdict.outcome.refusal().expect("a log of nothing does not pass");
    (reason, detail.to_owned())
}

/// What a log has, by its rows, judged without a manifest by `tool`.
///
/// # Errors
/// It cannot be read, or has nothing of ours in it.
pub fn results_of(log: &Path, tool: &Tool) -> Result<Vec<Results>, Coded> {
    let logs = [log.to_owned()];
    let judged = judge_logs(&logs, &RunExpectation::default(), Gate::default()).or_exit(Exit::BadInput)?;
    Ok(judged.runs.into_iter().map(|runs| rows::results(runs, None, tool)).collect())
}

/// A log, or the logs in a folder in the order of their names.
fn files(log: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !log.is_dir() {
        return Ok(vec![log.to_owned()]);
    }
    let shown = log.display();
    if log.join(CHAIN).exists() {
        bail!(
            "a session's folder: `assay show {shown}` shows it, `assay verify {shown}` judges its logs again"
        );
    }
    let entries = fs::read_dir(log)?.collect::<Result<Vec<_>, _>>()?;
    let mut files: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    if files.is_empty() {
        bail!("a folder without a file: name the folder that the logs are in");
    }
    Ok(files)
}

/// Whether a stream of records answers a command. It is of the machine that booted before it: as boots of their own, answers
/// would make one boot look like many.
fn answers_a_command(boot: &Boot) -> bool {
    let of_command = |record: &Record| matches!(record, Record::CommandTaken(_) | Record::CommandRefused(_));
    boot.records.iter().take(2).any(|located| of_command(&located.envelope.record))
}

/// Sorts boots into rows.
#[derive(Default)]
struct Sorter {
    gate: Gate,
    boots: u32,
    runs: Vec<Vec<RunRecord>>,
    /// How many boots a row has so far, by their cases: the n-th is of round n.
    rounds: HashMap<(usize, Vec<u16>), u32>,
    /// Runs that did not pass before any row began.
    early: Vec<RunRecord>,
    /// The last row of each system.
    last: BTreeMap<&'static str, usize>,
    chain: Chain,
    /// How many boots did not pass.
    refused: u32,
    /// How many streams were answers to commands.
    answers: u64,
}

/// Of how many refused boots the particulars are kept. Of further ones only the reason is.
const PARTICULARS: u32 = 1_000;

impl Sorter {
    fn log(&mut self, path: &Path, expectation: &RunExpectation) -> anyhow::Result<()> {
        let made = Arc::new(Making { log: Some(path.display().to_string().into()), ..Making::default() });
        let log = open(path)?;
        let undone = log.undone();
        let mut boots = Ahead::of(log);
        let before = (self.boots, self.answers);
        self.boots(&mut boots, expectation, &made)?;
        let answers = self.answers - before.1;
        if self.boots == before.0 && answers > 0 {
            bail!(
                "{answers} answers to commands, and not the boot before them: is the log's beginning lost?"
            );
        }
        if self.boots == before.0 {
            let (reason, detail) = refusal_of_nothing(boots.extent());
            let how = match undone.forms().next() {
                Some((form, _)) => {
                    format!("it was {undone}; is the log in it? {} gives one to look at", form.better())
                }
                None => "is this the log of the machine's first serial port?".to_owned(),
            };
            bail!("{reason}: {detail}; {how}");
        }
        if !undone.is_empty() {
            console::note(&format!("{}: undone: {undone}", path.display()));
        }
        if answers > 0 {
            let shown = path.display();
            console::note(&format!("{shown}: {answers} answers to commands left out: they are no boots"));
        }
        Ok(())
    }

    fn boots(
        &mut self,
        boots: &mut dyn Iterator<Item = io::Result<Boot>>,
        expectation: &RunExpectation,
        made: &Arc<Making>,
    ) -> io::Result<()> {
        for boot in boots {
            let boot = boot?;
            if answers_a_command(&boot) {
                self.answers += 1;
                continue;
            }
            self.chain.add(&boot);
            let judged = self.gate.judge_boot(&boot, expectation);
            self.add(judged, made);
        }
        Ok(())
    }

    fn add(&mut self, judged: JudgedBoot, made: &Arc<Making>) {
        let JudgedBoot { verdict, row, system } = judged;
        let word = system.map_or("", SystemName::word);
        let cases = cases(&verdict);
        let is_refused = verdict.outcome.refusal().is_some();
        self.refused += u32::from(is_refused);
        let verdict = if is_refused && self.refused > PARTICULARS { verdict.in_brief() } else { verdict };
        let mut run = RunRecord::new(self.boots, 0, verdict);
        self.boots += 1;
        run.system = system.map_or(run.system, System::of_log);
        run.case = cases.first().copied().filter(|_| cases.len() == 1);
        run.made = Arc::clone(made);
        // A boot that did not pass does not show its row: it counts against the last one of its system, or of all.
        let last = || self.last.get(word).or_else(|| self.last.values().max()).copied();
        let Some(row) = row.or_else(last) else { return self.early.push(run) };
        self.last.insert(word, row);
        if self.runs.len() <= row {
            self.runs.resize_with(row + 1, Vec::new);
        }
        self.place(row, cases, run);
    }

    /// Adds a run to its row, in its round.
    fn place(&mut self, row: usize, cases: Vec<u16>, mut run: RunRecord) {
        let round = self.rounds.entry((row, cases)).or_default();
        run.round = *round;
        *round += 1;
        self.runs[row].push(run);
    }

    fn finish(mut self) -> JudgedLogs {
        if self.runs.is_empty() {
            self.runs.push(Vec::new());
        }
        // Early runs come before those of the first row, as in the logs.
        if !self.early.is_empty() {
            let first = std::mem::take(&mut self.runs[0]);
            for run in std::mem::take(&mut self.early) {
                self.place(0, cases(&run.verdict), run);
            }
            self.runs[0].extend(first);
        }
        let chained = self.chain.holds();
        JudgedLogs { rows: self.gate.rows().to_vec(), runs: self.runs, chained }
    }
}

/// The chain of challenges through all boots, in the order in which they were given.
#[derive(Default)]
struct Chain {
    boots: u32,
    last: Option<(u64, Digest)>,
    broken: bool,
}

impl Chain {
    fn add(&mut self, boot: &Boot) {
        self.boots += 1;
        // Once broken, it stays so, and a digest a boot is saved.
        if self.broken {
            return;
        }
        let before = self.boots - 1;
        let challenge = boot.challenge().map(|challenge| challenge.value.0);
        let ended = boot.end().map(|end| end.digest).filter(|_| boot.defects.is_empty());
        let due = self.last.map(|(challenge, ended)| challenge::next(challenge, ended, before));
        self.broken |= due.is_some() && due != challenge;
        self.last = challenge.zip(ended);
        self.broken |= self.last.is_none();
    }

    fn holds(&self) -> bool {
        self.boots > 1 && !self.broken
    }
}

fn open(log: &Path) -> anyhow::Result<Unwrapped> {
    if log == Path::new("-") {
        return Ok(unwrap::open(io::stdin())?);
    }
    Ok(unwrap::open(File::open(log)?)?)
}
