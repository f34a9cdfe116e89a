//! The results of a session, worked out from its ledger and the verdicts on its logs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use experiment::manifest::{LifeGate, LifeRow, MIN_GATED_CYCLES, Manifest, Quantile};
use results::{Environment, Tool};
use serde::{Deserialize, Serialize};

use crate::compare::{ByRound, Paired};
use crate::figures::Figures;
use crate::judge::Refusal;
use crate::ledger::{Commitment, CycleEntry};
use crate::subject::Subject;

/// The version of lifecycle.json.
const SCHEMA: u32 = 1;

/// The results: the content of lifecycle.json.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct LifeResults {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The experiment's name.
    pub experiment: String,
    /// What recorded it.
    pub tool: Tool,
    /// When it began, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// Where, and with which files.
    pub environment: Environment,
    /// How many rounds there were to be.
    pub rounds: u32,
    /// Why not all cycles were made; `None` if they were.
    pub incomplete: Option<String>,
    /// How many cycles were made.
    pub cycles: usize,
    /// What came of it.
    pub conclusion: Conclusion,
    /// The steps of machines that live alone.
    pub rows: Vec<Row>,
    /// Our kernel beside the VMM's own start and the Linux guest.
    pub compared: Vec<Compared>,
    /// Machines that are started at once.
    pub bursts: Vec<BurstRow>,
    /// The gates.
    pub gates: Vec<GateResult>,
    /// The cycles that do not count.
    pub failures: Vec<Failure>,
    /// What the session left out, and why.
    pub left_out: Vec<String>,
}

/// What came of a session, the worst first.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// A cycle failed.
    Failed,
    /// Not all cycles were made.
    Incomplete,
    /// A gate is exceeded.
    GateExceeded,
    /// A gate has too few cycles to be judged.
    Undecided,
    /// Every cycle counts, and every gate holds.
    Passed,
}

/// What a row is of.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
pub struct RowKey {
    /// The machine.
    pub machine: String,
    /// What lives on it.
    pub subject: Subject,
    /// The step.
    pub row: LifeRow,
}

/// A step on a machine.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Row {
    /// What it is of.
    #[serde(flatten)]
    pub key: RowKey,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// A step of our kernel beside others, in the same rounds.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Compared {
    /// The machine.
    pub machine: String,
    /// The step.
    pub row: LifeRow,
    /// How much longer it took than the VMM alone needs for the same machine (`empty`, `provision`), in microseconds.
    pub over_empty_us: Option<Paired>,
    /// Its share of the Linux guest's time.
    pub of_linux: Option<Paired>,
}

/// Machines that are started at once.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct BurstRow {
    /// The machine.
    pub machine: String,
    /// What lives on it.
    pub subject: Subject,
    /// How many at once.
    pub at_once: u16,
    /// How long until all of them were ready: the figures of the bursts.
    pub all_ready: Figures,
    /// Machines ready per second, of the median burst.
    pub per_second: f64,
    /// How long each machine took to be ready: the figures of all machines of all bursts.
    pub ready: Figures,
}

/// A gate, judged.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct GateResult {
    /// Its name.
    pub name: String,
    /// The machine.
    pub machine: String,
    /// How long the step may take, in microseconds.
    pub at_most_us: u64,
    /// How long it took; `None` if no cycle counts.
    pub took_us: Option<u64>,
    /// How many cycles count.
    pub cycles: usize,
    /// Whether it holds.
    pub verdict: GateVerdict,
}

/// Whether a gate holds.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateVerdict {
    /// It does.
    Holds,
    /// It does not.
    Exceeded,
    /// There are too few cycles.
    Undecided,
}

/// A cycle that does not count.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Failure {
    /// Its number.
    pub cycle: u32,
    /// Its round, from 0.
    pub round: u32,
    /// The machine.
    pub machine: String,
    /// What lived on it.
    pub subject: Subject,
    /// The gate's reason, if it has refused the log.
    pub reason: Option<String>,
    /// What happened.
    pub detail: String,
}

impl LifeResults {
    /// The results of these cycles, with what was found of each.
    pub(crate) fn of(
        commitment: &Commitment,
        manifest: &Manifest,
        cycles: &[CycleEntry],
        refusals: &[Option<Refusal>],
        incomplete: Option<&str>,
    ) -> Self {
        let counting: Vec<&CycleEntry> = cycles
            .iter()
            .zip(refusals)
            .filter(|(_, refused)| refused.is_none())
            .map(|(cycle, _)| cycle)
            .collect();
        let alone = Alone::of(commitment, &counting);
        let gates = manifest.lifecycle().map_or(&[][..], |lifecycle| &lifecycle.gates);
        let gates: Vec<GateResult> = gates.iter().flat_map(|gate| alone.judge(commitment, gate)).collect();
        let failures: Vec<Failure> = cycles
            .iter()
            .zip(refusals)
            .filter_map(|(cycle, refused)| Some(failure(commitment, cycle, refused.as_ref()?)))
            .collect();
        let mut results = Self {
            schema: SCHEMA,
            experiment: manifest.name().to_string(),
            tool: commitment.tool.clone(),
            started_unix_ms: commitment.started_unix_ms,
            environment: commitment.environment.clone(),
            rounds: commitment.rounds,
            incomplete: incomplete.map(str::to_owned),
            cycles: cycles.len(),
            conclusion: Conclusion::Passed,
            rows: alone.rows(),
            compared: alone.compared(),
            bursts: bursts(commitment, cycles, refusals),
            gates,
            failures,
            left_out: commitment.left_out.clone(),
        };
        results.conclusion = results.concluded();
        results
    }

    fn concluded(&self) -> Conclusion {
        let has = |verdict| self.gates.iter().any(|gate| gate.verdict == verdict);
        if !self.failures.is_empty() {
            Conclusion::Failed
        } else if self.incomplete.is_some() {
            Conclusion::Incomplete
        } else if has(GateVerdict::Exceeded) {
            Conclusion::GateExceeded
        } else if has(GateVerdict::Undecided) {
            Conclusion::Undecided
        } else {
            Conclusion::Passed
        }
    }

    /// The text of lifecycle.json.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("text and numbers") + "\n"
    }

    /// Reads lifecycle.json.
    ///
    /// # Errors
    /// It is not of this form.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }
}

/// The times of machines that live alone, by row and round.
struct Alone(BTreeMap<RowKey, ByRound>);

impl Alone {
    fn of(commitment: &Commitment, counting: &[&CycleEntry]) -> Self {
        let mut times: BTreeMap<RowKey, ByRound> = BTreeMap::new();
        for cycle in counting.iter().filter(|cycle| cycle.at_once.is_none()) {
            let target = &commitment.targets[cycle.target];
            for &row in LifeRow::ALL {
                let Some(us) = cycle.times.of(row) else { continue };
                let key = RowKey { machine: target.machine.clone(), subject: target.subject, row };
                times.entry(key).or_default().insert(cycle.round, us);
            }
        }
        Self(times)
    }

    fn times(&self, machine: &str, subject: Subject, row: LifeRow) -> Option<&ByRound> {
        self.0.get(&RowKey { machine: machine.to_owned(), subject, row })
    }

    fn rows(&self) -> Vec<Row> {
        let row = |(key, times): (&RowKey, &ByRound)| {
            Some(Row { key: key.clone(), figures: Figures::of(times.values().copied().collect())? })
        };
        self.0.iter().filter_map(row).collect()
    }

    fn compared(&self) -> Vec<Compared> {
        let ours = self.0.iter().filter(|(key, _)| key.subject == Subject::Assay);
        let compared = ours.map(|(RowKey { machine, row, .. }, times)| {
            let empty = self.times(machine, Subject::Empty, LifeRow::Provision);
            let is_after = matches!(row, LifeRow::FirstRecord | LifeRow::Ready);
            let linux = self.times(machine, Subject::Linux, *row);
            Compared {
                machine: machine.clone(),
                row: *row,
                over_empty_us: empty
                    .filter(|_| is_after)
                    .and_then(|empty| Paired::of(times, empty, |ours, empty| ours - empty)),
                of_linux: linux.and_then(|linux| Paired::of(times, linux, |ours, linux| ours / linux)),
            }
        });
        compared.filter(|of| of.over_empty_us.is_some() || of.of_linux.is_some()).collect()
    }

    /// A gate on each machine that it is about and that this session has.
    fn judge(&self, commitment: &Commitment, gate: &LifeGate) -> Vec<GateResult> {
        let name = gate.machine.map(|machine| machine.to_string());
        let ours = commitment.targets.iter().filter(|target| target.subject == Subject::Assay);
        let machines = ours.filter(|target| name.as_ref().is_none_or(|name| *name == target.machine));
        let judged = machines.map(|target| {
            let times = self.times(&target.machine, Subject::Assay, gate.row);
            let figures = times.and_then(|times| Figures::of(times.values().copied().collect()));
            let (at_most_us, cycles) =
                (u64::from(gate.at_most_ms) * 1000, figures.map_or(0, |figures| figures.cycles));
            let took_us = figures.map(|figures| figures.quantile(gate.of));
            let verdict = match took_us {
                Some(us) if cycles >= MIN_GATED_CYCLES => {
                    if us <= at_most_us {
                        GateVerdict::Holds
                    } else {
                        GateVerdict::Exceeded
                    }
                }
                // The longest of few is at most the longest of all.
                Some(us) if gate.of == Quantile::Max && us > at_most_us => GateVerdict::Exceeded,
                _ => GateVerdict::Undecided,
            };
            GateResult {
                name: gate.name(),
                machine: target.machine.clone(),
                at_most_us,
                took_us,
                cycles,
                verdict,
            }
        });
        judged.collect()
    }
}

/// The rows of the bursts. A burst of which a machine does not count does not count.
fn bursts(commitment: &Commitment, cycles: &[CycleEntry], refusals: &[Option<Refusal>]) -> Vec<BurstRow> {
    let mut turns: BTreeMap<u32, Vec<(&CycleEntry, bool)>> = BTreeMap::new();
    for (cycle, refused) in cycles.iter().zip(refusals).filter(|(cycle, _)| cycle.at_once.is_some()) {
        turns.entry(cycle.turn).or_default().push((cycle, refused.is_none()));
    }
    let mut by_count: BTreeMap<u16, (Vec<u64>, Vec<u64>)> = BTreeMap::new();
    for members in turns.values().filter(|members| members.iter().all(|(_, counts)| *counts)) {
        let Some(at_once) = members.first().and_then(|(cycle, _)| cycle.at_once) else { continue };
        let ready = members.iter().filter_map(|(cycle, _)| cycle.times.of(LifeRow::Ready));
        let over = members.iter().filter_map(|(cycle, _)| Some(cycle.times.begun_us + cycle.times.ready_us?));
        let (all_ready, each_ready) = by_count.entry(at_once).or_default();
        all_ready.extend(over.max());
        each_ready.extend(ready);
    }
    let target = commitment.targets.first();
    let row = |(at_once, (all, each)): (u16, (Vec<u64>, Vec<u64>))| {
        let (target, all_ready, ready) = (target?, Figures::of(all)?, Figures::of(each)?);
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a burst are far below 2^52")]
        let per_second = f64::from(at_once) / (all_ready.median_us.max(1) as f64 / 1e6);
        let (machine, subject) = (target.machine.clone(), target.subject);
        Some(BurstRow { machine, subject, at_once, all_ready, per_second, ready })
    };
    by_count.into_iter().filter_map(row).collect()
}

fn failure(commitment: &Commitment, cycle: &CycleEntry, refused: &Refusal) -> Failure {
    let target = commitment.targets.get(cycle.target);
    Failure {
        cycle: cycle.cycle,
        round: cycle.round,
        machine: target.map_or_else(String::new, |target| target.machine.clone()),
        subject: target.map_or(Subject::Empty, |target| target.subject),
        reason: refused.reason.map(|reason| reason.code().to_owned()),
        detail: refused.detail.clone(),
    }
}

/// The text of lifecycle.csv: the times of every cycle, in microseconds.
pub(crate) fn samples(commitment: &Commitment, cycles: &[CycleEntry]) -> String {
    let rows = || LifeRow::ALL.iter().filter(|&&row| row != LifeRow::Exec || commitment.exec);
    let steps: Vec<_> = rows().map(|row| format!("{}_us", row.word().replace('-', "_"))).collect();
    let mut text = format!("cycle,turn,round,at_once,machine,subject,{},rss_kib\n", steps.join(","));
    for cycle in cycles {
        let (machine, subject) = commitment
            .targets
            .get(cycle.target)
            .map_or(("", ""), |target| (target.machine.as_str(), target.subject.word()));
        let (at_once, rss_kib) = (cell(cycle.at_once), cell(cycle.rss_kib));
        let CycleEntry { cycle: number, turn, round, .. } = cycle;
        let times: Vec<String> = rows().map(|&row| cell(cycle.times.of(row))).collect();
        let times = times.join(",");
        let _ = writeln!(text, "{number},{turn},{round},{at_once},{machine},{subject},{times},{rss_kib}");
    }
    text
}

fn cell(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

#[cfg(test)]
#[path = "outcome_tests.rs"]
mod tests;
