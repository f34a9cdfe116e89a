//! The table of cases: for each, what it took undisturbed and what it took as experienced, one row under the other.

use std::collections::BTreeSet;

use results::{CaseStats, ExperiencedCase, Results, System};
use stats::{Interval, Summary};

use super::number::{grouped, percent};
use super::table::{Table, marked, none, quoted, workers};

const SHORT: [&str; 9] =
    ["workers", "figure", "n", "used %", "median", "mean", "CV %", "speed-up", "by mean"];
const LONG: [&str; 16] = [
    "workers",
    "figure",
    "n",
    "used %",
    "median",
    "min",
    "max",
    "stdev",
    "CV %",
    "median ms",
    "mean ms",
    "speed-up",
    "interval",
    "by mean",
    "interval",
    "effic. %",
];

/// The column of the figure's name.
const FIGURE: usize = 1;
const UNDISTURBED: &str = "undisturbed";
const EXPERIENCED: &str = "experienced";

/// A case of one system: both of its figures, if there are.
struct Pair<'a> {
    system: System,
    case: u16,
    /// Whether each worker does the whole: then the ratio of times is the efficiency.
    weak: bool,
    /// Whether there is no other case: then there is no ratio.
    alone: bool,
    undisturbed: Option<&'a CaseStats>,
    experienced: Option<&'a ExperiencedCase>,
}

/// The table for a terminal. It begins with a column for the system if there are several.
pub(super) fn short(results: &Results) -> Table {
    let unit = if in_millis(results) { Unit::Millis } else { Unit::Scaled };
    let mut header = SHORT.map(str::to_owned);
    if unit == Unit::Millis {
        header[4] += " ms";
        header[5] += " ms";
    }
    table(results, &header, |pair| {
        [
            pair.undisturbed.map(|_| pair.short_undisturbed(unit)),
            pair.experienced.map(|of| pair.short_experienced(of, unit)),
        ]
    })
}

/// The table for Markdown, with every figure there is.
pub(super) fn long(results: &Results) -> Table {
    table(results, &LONG.map(str::to_owned), |pair| {
        [
            pair.undisturbed.map(|of| pair.long_undisturbed(of)),
            pair.experienced.map(|of| pair.long_experienced(of)),
        ]
    })
}

/// Whether every time can be shown in milliseconds. Otherwise they are shown in scaled cycles.
fn in_millis(results: &Results) -> bool {
    results.cases.iter().all(|row| row.stats.nanos.is_some())
        && results.experienced.iter().all(|of| of.nanos.is_some())
}

/// The unit of the short table's times.
pub(super) fn short_note(results: &Results) -> String {
    let unit = if in_millis(results) { "ms" } else { "scaled cycles (TSC cycles / 2^20)" };
    format!("times in {unit}; {}", ratio_note(results))
}

/// The units of the long table's times.
pub(super) fn long_note(results: &Results) -> String {
    format!("times without a unit in scaled cycles (TSC cycles / 2^20); {}", ratio_note(results))
}

/// The ratio of times, and what it is.
fn ratio_note(results: &Results) -> &'static str {
    if results.experiment.is_weak() {
        "weak scaling, every worker does the whole; efficiency: the time of the smallest case divided by the case's, by \
         round, median over rounds"
    } else {
        "speed-up: ratio by round, median over rounds"
    }
}

/// The name of the ratio of times.
pub(super) fn ratio_name(results: &Results) -> &'static str {
    if results.experiment.is_weak() { "efficiency" } else { SPEEDUP }
}

const SPEEDUP: &str = "speed-up";

fn table(
    results: &Results,
    header: &[String],
    rows: impl Fn(&Pair<'_>) -> [Option<Vec<String>>; 2],
) -> Table {
    let mut table = Table { header: header.to_vec(), rows: Vec::new(), left: vec![FIGURE] };
    for name in table.header.iter_mut().filter(|name| *name == SPEEDUP) {
        ratio_name(results).clone_into(name);
    }
    let several = results.comparison.is_some();
    for pair in pairs(results) {
        for mut row in rows(&pair).into_iter().flatten() {
            if several {
                row.insert(0, pair.system.to_string());
            }
            table.rows.push(row);
        }
    }
    if several {
        table.header.insert(0, "system".to_owned());
        table.left = vec![0, FIGURE + 1];
    }
    table
}

fn pairs(results: &Results) -> Vec<Pair<'_>> {
    let undisturbed = results.cases.iter().map(|row| (row.system, row.stats.case));
    let experienced = results.experienced.iter().map(|of| (of.system, of.case));
    let names: BTreeSet<(System, u16)> = undisturbed.chain(experienced).collect();
    let cases: BTreeSet<u16> = names.iter().map(|(_, case)| *case).collect();
    let pair = |(system, case)| Pair {
        system,
        case,
        alone: cases.len() < 2,
        weak: results.experiment.is_weak(),
        undisturbed: results
            .cases
            .iter()
            .find(|row| (row.system, row.stats.case) == (system, case))
            .map(|row| &row.stats),
        experienced: results.experienced.iter().find(|of| (of.system, of.case) == (system, case)),
    };
    names.into_iter().map(pair).collect()
}

/// The unit of the times in the table for a terminal.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Unit {
    Millis,
    Scaled,
}

impl Unit {
    fn times(self, cycles: &Summary, nanos: Option<&Summary>) -> [String; 2] {
        match (self, nanos) {
            (Self::Millis, Some(nanos)) => [millis(nanos.median), millis(nanos.mean)],
            _ => [scaled(cycles.median), scaled(cycles.mean)],
        }
    }
}

impl Pair<'_> {
    fn name(&self) -> String {
        match self.undisturbed {
            Some(stats) if stats.smt => marked(&stats.label, self.is_functional()),
            _ => workers(self.case, self.is_functional()),
        }
    }

    fn is_functional(&self) -> bool {
        self.undisturbed.is_some_and(|stats| stats.functional_only.is_some())
    }

    /// Whether a speed-up must not be cited: of a case that shows function only, or whose workers shared cores.
    fn is_no_claim(&self) -> bool {
        self.is_functional() || self.undisturbed.is_some_and(|stats| stats.smt)
    }

    fn used(&self) -> String {
        self.experienced.map_or_else(none, |of| percent(of.used()))
    }

    fn speedup(&self, speedup: Option<f64>) -> String {
        speedup.map_or_else(none, |speedup| quoted(self.is_no_claim(), format!("{speedup:.3}")))
    }

    /// The ratio to another case, on a terminal: a case that is alone has none. summary.md has that to itself, which older
    /// sessions have too.
    fn ratio(&self, speedup: Option<f64>) -> String {
        self.speedup(speedup.filter(|_| !self.alone))
    }

    fn interval(&self, interval: Option<Interval>) -> String {
        let text = interval.map(|of| format!("{:.3} to {:.3}", of.low, of.high));
        text.map_or_else(none, |text| quoted(self.is_no_claim(), text))
    }

    fn efficiency(&self, against: u16, speedup: f64) -> String {
        let efficiency =
            if self.weak { speedup } else { speedup * f64::from(against) / f64::from(self.case) };
        quoted(self.is_no_claim(), percent(efficiency))
    }

    fn short_undisturbed(&self, unit: Unit) -> Vec<String> {
        let Some(stats) = self.undisturbed else { return Vec::new() };
        let [median, mean] = unit.times(&stats.cycles, stats.nanos.as_ref());
        vec![
            self.name(),
            UNDISTURBED.to_owned(),
            stats.cycles.n.to_string(),
            self.used(),
            median,
            mean,
            stats.cycles.cv.map_or_else(none, percent),
            self.ratio(stats.speedup.as_ref().map(|of| of.median)),
            none(),
        ]
    }

    fn short_experienced(&self, of: &ExperiencedCase, unit: Unit) -> Vec<String> {
        let [median, mean] = unit.times(&of.cycles, of.nanos.as_ref());
        let speedup = of.speedup.as_ref();
        vec![
            if self.undisturbed.is_some() { String::new() } else { self.name() },
            EXPERIENCED.to_owned(),
            of.runs.to_string(),
            percent(1.0),
            median,
            mean,
            of.cycles.cv.map_or_else(none, percent),
            self.ratio(speedup.map(|of| of.median)),
            self.ratio(speedup.map(|of| of.by_mean.ratio)),
        ]
    }

    fn long_undisturbed(&self, stats: &CaseStats) -> Vec<String> {
        let speedup = stats.speedup.as_ref();
        let mut cells = vec![self.name(), UNDISTURBED.to_owned(), stats.cycles.n.to_string(), self.used()];
        cells.extend(times(&stats.cycles, stats.nanos.as_ref()));
        cells.extend([
            self.speedup(speedup.map(|of| of.median)),
            self.interval(speedup.and_then(|of| of.interval)),
            none(),
            none(),
            speedup.map_or_else(none, |of| self.efficiency(of.against, of.median)),
        ]);
        cells
    }

    fn long_experienced(&self, of: &ExperiencedCase) -> Vec<String> {
        let speedup = of.speedup.as_ref();
        let mut cells = vec![self.name(), EXPERIENCED.to_owned(), of.runs.to_string(), percent(1.0)];
        cells.extend(times(&of.cycles, of.nanos.as_ref()));
        cells.extend([
            self.speedup(speedup.map(|of| of.median)),
            self.interval(speedup.and_then(|of| of.interval)),
            self.speedup(speedup.map(|of| of.by_mean.ratio)),
            self.interval(speedup.and_then(|of| of.by_mean.interval)),
            speedup.map_or_else(none, |of| self.efficiency(of.against, of.median)),
        ]);
        cells
    }
}

/// Median, minimum, maximum, deviation in scaled cycles; CV; median and mean in ms.
fn times(cycles: &Summary, nanos: Option<&Summary>) -> [String; 7] {
    [
        scaled(cycles.median),
        scaled(cycles.min),
        scaled(cycles.max),
        cycles.stdev.map_or_else(none, scaled),
        cycles.cv.map_or_else(none, percent),
        nanos.map_or_else(none, |nanos| millis(nanos.median)),
        nanos.map_or_else(none, |nanos| millis(nanos.mean)),
    ]
}

/// Cycles in the unit of the tables: 2^20 of them.
fn scaled(cycles: f64) -> String {
    const SCALE: f64 = (1_u64 << abi::worker::SCALE_SHIFT) as f64;
    grouped(cycles / SCALE, 1)
}

fn millis(nanos: f64) -> String {
    grouped(nanos / 1e6, 1)
}
