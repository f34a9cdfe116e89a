//! The costs of the platform and of the mechanisms: a table by row, the matrix of transfers, the gaps, and the page for a person. The boot is the
//! unit: each figure is the median of the boots' figures, and the coefficient of variation is over the boots.

mod mechanisms;
mod page;
mod relations;

use std::collections::BTreeMap;

use abi::series::{SeriesClass, SeriesRow, Tier, Unavailable};
use evidence::gate::{Costs, Figures, Measurement, PlatformSeries, SeriesPlace, SeriesState};
use results::{Results, RunRecord, System};

use self::page::page;
use self::relations::{Relations, legend};
use super::lines::wrapped;
use super::number::percent;
use super::table::{Table, none};

/// The series of one place in all boots of a system.
#[derive(Default)]
struct OverBoots<'r> {
    passed: Vec<&'r Figures>,
    failed: usize,
    unsupported: Option<Unavailable>,
}

/// The runs of a system that measured the platform and count.
struct Boots<'r> {
    system: System,
    measured: Vec<&'r Measurement>,
}

/// Everything about the platform, as lines; empty if no run measured it.
pub(super) fn lines(results: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    for boots in by_system(results) {
        let places = boots.places(Tier::Platform);
        if places.is_empty() {
            continue;
        }
        lines.push(String::new());
        lines.push(format!("PLATFORM, {}: {}", boots.system, boots.unit()));
        let relations = Relations::of(boots.measured.first().copied());
        lines.extend(text(&table(&places, &relations)));
        lines.extend(legend(places.iter().map(|(place, _)| *place), &relations));
        lines.extend(matrix(&places).iter().flat_map(text));
        lines.extend(gaps(&places).iter().flat_map(text));
        lines.extend(missing(&places));
        lines.extend(boots.failed(Tier::Platform));
        let page = boots.measured.first().map(|first| page(first)).unwrap_or_default();
        lines.extend(page.lines().map(str::to_owned));
    }
    lines.extend(mechanisms::lines(&by_system(results)));
    lines
}

fn text(table: &Table) -> Vec<String> {
    table.text().lines().map(str::to_owned).collect()
}

fn by_system(results: &Results) -> Vec<Boots<'_>> {
    let mut systems: BTreeMap<System, Vec<&Measurement>> = BTreeMap::new();
    let counted = |run: &&RunRecord| run.excluded.is_none();
    for run in results.runs.iter().filter(counted) {
        let measured = run.verdict.outcome.measurement().filter(|measured| measured.platform().is_some());
        if let Some(measured) = measured {
            systems.entry(run.system).or_default().push(measured);
        }
    }
    systems.into_iter().map(|(system, measured)| Boots { system, measured }).collect()
}

impl<'r> Boots<'r> {
    /// What a figure is made of.
    fn unit(&self) -> String {
        match self.measured.len() {
            1 => "one boot, so there is no spread over boots".to_owned(),
            boots => format!("medians over {boots} boots; cv is over boots"),
        }
    }

    fn series(&self) -> impl Iterator<Item = &'r PlatformSeries> + use<'r, '_> {
        self.measured.iter().filter_map(|measured| measured.platform()).flat_map(|platform| &platform.series)
    }

    fn places(&self, tier: Tier) -> Vec<(SeriesPlace, OverBoots<'r>)> {
        let mut places: BTreeMap<SeriesPlace, OverBoots<'r>> = BTreeMap::new();
        for series in self.series().filter(|series| series.place.row.spec().tier == tier) {
            let over = places.entry(series.place).or_default();
            match &series.state {
                SeriesState::Passed { figures } => over.passed.push(figures),
                SeriesState::Failed { .. } | SeriesState::Invalid { .. } => over.failed += 1,
                SeriesState::Unsupported { why } => over.unsupported = Some(*why),
            }
        }
        places.into_iter().collect()
    }

    /// The series without a figure because their oracle failed, one line each, the first of each place.
    fn failed(&self, tier: Tier) -> Vec<String> {
        let mut seen = BTreeMap::new();
        for platform in self.measured.iter().filter_map(|measured| measured.platform()) {
            for (place, reason, detail) in
                platform.failed().filter(|(place, ..)| place.row.spec().tier == tier)
            {
                let (count, _) =
                    seen.entry(*place).or_insert((0_usize, format!("{}: {detail}", reason.code())));
                *count += 1;
            }
        }
        let lines = seen.into_iter().map(|(place, (count, why))| {
            let line = format!("NO FIGURE: {place}, in {count} of {} boots: {why}", self.measured.len());
            line.chars().take(240).collect::<String>()
        });
        lines.flat_map(|line| wrapped(&line, "")).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of samples are small")]
const fn count(number: u64) -> f64 {
    number as f64
}

/// One line for each place, except those that have a table of their own.
fn table(places: &[(SeriesPlace, OverBoots<'_>)], relations: &Relations) -> Table {
    let header = ["row", "arg", "cpu", "min", "median", "p99", "max", "cv %"];
    let shown = places.iter().filter(|(place, over)| {
        !over.passed.is_empty() && ![SeriesRow::CoreToCore, SeriesRow::HwNoise].contains(&place.row)
    });
    Table {
        header: header.map(str::to_owned).to_vec(),
        rows: shown.map(|(place, over)| over.cells(*place, relations.mark(*place))).collect(),
        left: vec![0],
    }
}

impl OverBoots<'_> {
    fn cells(&self, place: SeriesPlace, mark: &str) -> Vec<String> {
        let figure =
            |of: fn(&Costs) -> f64| median(self.passed.iter().map(|figures| of(&figures.costs)).collect());
        let shown = |of| shown(place.row, figure(of));
        let peer = place.peer.map(|peer| format!(">{peer}")).unwrap_or_default();
        vec![
            name(place.row),
            argument(place),
            format!("{}{peer}{mark}", place.cpu),
            shown(|costs| costs.min),
            shown(|costs| costs.median),
            shown(|costs| costs.p99),
            shown(|costs| costs.max),
            self.variation().map_or_else(none, percent),
        ]
    }

    /// The coefficient of variation of the boots' medians; `None` for one boot.
    fn variation(&self) -> Option<f64> {
        let medians: Vec<f64> = self.passed.iter().map(|figures| figures.costs.median).collect();
        let boots = count(medians.len() as u64);
        let mean = medians.iter().sum::<f64>() / boots;
        let squares = medians.iter().map(|median| (median - mean).powi(2)).sum::<f64>();
        (medians.len() > 1 && mean > 0.0).then(|| (squares / (boots - 1.0)).sqrt() / mean)
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    f64::midpoint(values[last / 2], values[values.len() / 2])
}

/// A row's name; a batch row, whose percentiles are of batch means, is marked.
pub(super) fn name(row: SeriesRow) -> String {
    let mark = if row.spec().class == SeriesClass::Batch { " b" } else { "" };
    format!("{row}{mark}")
}

pub(super) fn argument(place: SeriesPlace) -> String {
    match place.row {
        SeriesRow::HltWake | SeriesRow::TimerSpin | SeriesRow::TimerHalt | SeriesRow::TimerWake => {
            format!("{} us", place.arg)
        }
        SeriesRow::Switch | SeriesRow::ShmXfer => format!("{}K", place.arg >> 10),
        SeriesRow::MemLat4k | SeriesRow::MemLat2m if place.arg >= 1 << 20 => format!("{}M", place.arg >> 20),
        SeriesRow::MemLat4k | SeriesRow::MemLat2m => format!("{}K", place.arg >> 10),
        row if row.spec().arg.is_empty() => String::new(),
        _ => place.arg.to_string(),
    }
}

/// A cost; of a bandwidth row, what moves in a second.
pub(super) fn shown(row: SeriesRow, ns: f64) -> String {
    match row {
        // A word has 8 bytes.
        SeriesRow::MemRead | SeriesRow::MemWrite | SeriesRow::MemCopy => {
            format!("{:.2}G", 8.0 / ns.max(1e-9))
        }
        _ => time(ns),
    }
}

fn time(ns: f64) -> String {
    match ns {
        _ if ns < 1e3 => format!("{ns:.1}ns"),
        _ if ns < 1e6 => format!("{:.2}us", ns / 1e3),
        _ => format!("{:.2}ms", ns / 1e6),
    }
}

/// Transfers between CPUs: half of the median round trip, of each pair. As many tables as it takes for 80 columns.
fn matrix(places: &[(SeriesPlace, OverBoots<'_>)]) -> Vec<Table> {
    const ACROSS: usize = 8;
    let pairs: BTreeMap<(u32, u32), f64> = places
        .iter()
        .filter(|(place, over)| place.row == SeriesRow::CoreToCore && !over.passed.is_empty())
        .filter_map(|(place, over)| {
            let half = median(over.passed.iter().map(|figures| figures.costs.median / 2.0).collect());
            Some(((place.cpu.into(), place.peer?), half))
        })
        .collect();
    let mut cpus: Vec<u32> = pairs.keys().flat_map(|&(one, other)| [one, other]).collect();
    cpus.sort_unstable();
    cpus.dedup();
    let cell = |one: u32, other: u32| {
        let found = pairs.get(&(one, other)).or(pairs.get(&(other, one)));
        found.map_or_else(none, |&ns| time(ns))
    };
    let columns = cpus.chunks(ACROSS);
    let tables = columns.map(|columns| Table {
        header: std::iter::once("c2c".to_owned())
            .chain(columns.iter().map(|cpu| format!("CPU {cpu}")))
            .collect(),
        rows: cpus
            .iter()
            .map(|&one| {
                let cells = columns.iter().map(|&other| cell(one, other));
                std::iter::once(format!("CPU {one}")).chain(cells).collect()
            })
            .collect(),
        left: vec![0],
    });
    tables.collect()
}

/// What was taken from each CPU.
fn gaps(places: &[(SeriesPlace, OverBoots<'_>)]) -> Option<Table> {
    let header = ["hwnoise", "gaps/s", "taken %", "median", "p99", "longest"];
    let noise =
        places.iter().filter(|(place, over)| place.row == SeriesRow::HwNoise && !over.passed.is_empty());
    let rows: Vec<_> = noise
        .map(|(place, over)| {
            let of = |figure: fn(&Figures) -> f64| median(over.passed.iter().map(|it| figure(it)).collect());
            let seconds = |it: &Figures| it.window.unwrap_or(0.0).max(1.0) / 1e9;
            let longest = over.passed.iter().map(|it| it.costs.max).fold(0.0, f64::max);
            let gaps = median(over.passed.iter().map(|it| count(it.count) / seconds(it)).collect());
            let taken = over.passed.iter().map(|it| it.costs.mean * count(it.count) / (seconds(it) * 1e9));
            vec![
                format!("CPU {}", place.cpu),
                format!("{gaps:.1}"),
                format!("{:.4}", 100.0 * median(taken.collect())),
                time(of(|it| it.costs.median)),
                time(of(|it| it.costs.p99)),
                time(longest),
            ]
        })
        .collect();
    (!rows.is_empty()).then(|| Table { header: header.map(str::to_owned).to_vec(), rows, left: vec![0] })
}

/// The rows that the system or the machine does not have, by reason.
fn missing(places: &[(SeriesPlace, OverBoots<'_>)]) -> Vec<String> {
    let mut by_reason: BTreeMap<Unavailable, Vec<SeriesRow>> = BTreeMap::new();
    for (place, over) in places {
        let rows = over.unsupported.map(|why| by_reason.entry(why).or_default());
        if let Some(rows) = rows.filter(|rows| !rows.contains(&place.row)) {
            rows.push(place.row);
        }
    }
    let lines = by_reason.into_iter().map(|(why, rows)| {
        let rows: Vec<_> = rows.iter().map(|row| row.word()).collect();
        format!("{why}: {}", rows.join(", "))
    });
    lines.flat_map(|line| wrapped(&line, "")).collect()
}
