//! Whether the rows of the platform are all there: every row that the plan asks for, each at every place that it has on the
//! machine, and every sample, if the plan asks for them. What a log leaves out is missing evidence, whatever else it has.

use std::collections::BTreeSet;

use abi::CpuId;
use abi::series::place::{LEAST_BUFFER, Places, is_on_linux};
use abi::series::{Numbers, SeriesClass, SeriesRow, Tier, Unavailable, bucket};
use abi::wire::record::{
    PlatformNote, PlatformRows as Begin, Series, SeriesNone, SeriesSamples, System, SystemName,
};

use super::Run;
use super::platform_rows::Asked;
use super::series::Parts;
use crate::gate::evidence::AskedRows;
use crate::gate::facts::{At, Facts};
use crate::gate::platform_rows::Histogram;
use crate::gate::reason::ReasonCode;

/// Compares the rows with the plan, if it is known.
pub(super) fn asked(run: &mut Run<'_>) {
    let Some(AskedRows { noise_ms, short, samples }) = run.expectation.platform else { return };
    let Some(begin) = run.facts.one::<Begin>() else {
        let detail = "the plan asks for the rows of the platform, and the log has no `platform-rows`";
        return run.add(ReasonCode::EvidenceMissing, None, detail);
    };
    if (begin.is.noise_ms, begin.is.short) != (noise_ms, short) {
        let detail = format!(
            "gaps for {} ms and short={}; the plan has {noise_ms} ms and short={short}",
            begin.is.noise_ms, begin.is.short
        );
        run.add(ReasonCode::PlanMismatch, begin.line, detail);
    }
    if samples {
        samples_of(run, Tier::Platform);
    }
}

/// Every series of a tier has its samples, which the plan asks for. Gaps are counted as they come, and are not kept.
pub(super) fn samples_of(run: &mut Run<'_>, tier: Tier) {
    let lacks = |series: &At<Series>| {
        series.is.class != SeriesClass::Gaps
            && series.is.row.spec().tier == tier
            && run.facts.all::<SeriesSamples>().all(|at| at.is.id != series.is.id)
    };
    if let Some(series) = run.facts.all::<Series>().find(lacks) {
        let detail = format!("series {} has no `series-samples`, and the plan asks for them", series.is.id);
        run.add(ReasonCode::EvidenceMissing, series.line, detail);
    }
}

/// One place of a row in the log: a series, or the reason why there is none.
#[derive(Clone, Copy)]
struct Entry {
    line: u64,
    cpu: CpuId,
    peer: Option<u32>,
    arg: u64,
    none: Option<Unavailable>,
}

impl Entry {
    /// Whether it says of its whole row that it is not there.
    fn is_whole_row(&self, places: Places) -> bool {
        self.none.is_some() && self.peer.is_none() && self.arg == 0 && places != Places::Each
    }

    /// What no two entries of a row have alike. A pair is the same in either order.
    fn key(&self) -> (u32, Option<u32>, u64) {
        let cpu = u32::from(self.cpu.0);
        match self.peer {
            Some(peer) => (cpu.min(peer), Some(cpu.max(peer)), self.arg),
            None => (cpu, None, self.arg),
        }
    }
}

/// Judges the places of every row, and the end of the rows.
pub(super) fn census(run: &mut Run<'_>, asked: Asked) {
    let cpus = usize::from(run.facts.online());
    for row in asked.rows() {
        let entries = entries(run.facts, row);
        for (reason, line, detail) in of_row(run.facts, row, &entries, cpus) {
            run.add(reason, line, format!("{row}: {detail}"));
        }
    }
    first_cpu(run);
    buffers(run);
    let is_stray = |at: &At<SeriesSamples>| run.facts.all::<Series>().all(|series| series.is.id != at.is.id);
    if let Some(stray) = run.facts.all::<SeriesSamples>().find(is_stray) {
        run.add(ReasonCode::InconsistentRecord, stray.line, "samples of no series");
    }
    if asked.platform.is_some() && run.facts.one::<PlatformNote>().is_none() {
        run.add(ReasonCode::EvidenceMissing, None, "the log has no `platform-note`");
    }
}

/// All rows of one CPU, and of one with others, are led by the same CPU.
fn first_cpu(run: &mut Run<'_>) {
    let mut first = None;
    for &row in SeriesRow::ALL {
        if matches!(Places::of(row), Places::Each | Places::Pairs) {
            continue;
        }
        for Entry { line, cpu, .. } in entries(run.facts, row) {
            let led_by = *first.get_or_insert(cpu);
            if cpu != led_by {
                let detail = format!("{row}: led by CPU {}, and other rows by CPU {}", cpu.0, led_by.0);
                run.add(ReasonCode::InconsistentRecord, line, detail);
            }
        }
    }
}

fn entries(facts: &Facts, row: SeriesRow) -> Vec<Entry> {
    let series = facts.all::<Series>().filter(|at| at.is.row == row).map(|At { line, is }| {
        let Series { cpu, peer, arg, .. } = is;
        Entry { line, cpu, peer, arg, none: None }
    });
    let none = facts.all::<SeriesNone>().filter(|at| at.is.row == row).map(|At { line, is }| {
        let SeriesNone { cpu, peer, arg, reason, .. } = is;
        Entry { line, cpu, peer, arg, none: Some(reason) }
    });
    series.chain(none).collect()
}

type Found = (ReasonCode, Option<u64>, String);

/// What is wrong with the entries of one row on a machine of so many CPUs.
fn of_row(facts: &Facts, row: SeriesRow, entries: &[Entry], cpus: usize) -> Vec<Found> {
    let places = Places::of(row);
    let wrong = |line: u64, detail: &str| (ReasonCode::InconsistentRecord, Some(line), detail.to_owned());
    let missing = |detail: String| (ReasonCode::EvidenceMissing, None, detail);
    if entries.is_empty() {
        return vec![missing("the row has neither a series nor a reason".to_owned())];
    }
    let mut found: Vec<Found> = entries
        .iter()
        .filter_map(|entry| Some((entry.line, excuse(facts, row, entry.arg, entry.none?, cpus)?)))
        .map(|(line, detail)| wrong(line, detail))
        .collect();
    if let Some(whole) = entries.iter().find(|entry| entry.is_whole_row(places)) {
        if entries.len() > 1 && places != Places::Here {
            found
                .push(wrong(whole.line, "the whole row has a reason, and yet there are other records of it"));
            return found;
        }
        if places != Places::Here {
            return found;
        }
    }
    let mut seen = BTreeSet::new();
    for entry in entries {
        if !seen.insert(entry.key()) {
            found.push(wrong(entry.line, "the log has two records of one place"));
        }
        // A CPU without memory for its gaps has no argument.
        let fits = places.has_argument(entry.arg, cpus) && entry.peer.is_some() == Places::has_peer(row);
        if !fits {
            found.push(wrong(entry.line, "the row has no such argument, or not this other CPU"));
        }
    }
    let due = places.count(cpus).unwrap_or_else(|| sizes(entries));
    if seen.len() < due {
        found.push(missing(format!("{} of its {due} places are in the log", seen.len())));
    } else if seen.len() > due {
        found.push(wrong(entries[0].line, "the row has more places than the machine"));
    }
    found
}

/// Why a reason cannot be the one.
fn excuse(facts: &Facts, row: SeriesRow, arg: u64, why: Unavailable, cpus: usize) -> Option<&'static str> {
    let is_kernel = facts.one::<System>().is_none_or(|system| system.is.name == SystemName::Assay);
    match why {
        Unavailable::OneCpu if cpus > 1 => Some("`one-cpu`, and the machine has several"),
        Unavailable::NotApplicable if is_kernel => Some("`not-applicable` is no reason of a kernel"),
        Unavailable::NotApplicable if is_on_linux(row, arg) => {
            Some("`not-applicable`, and a process can measure the row")
        }
        Unavailable::TaskLost => Some("its tasks did not come to their end"),
        Unavailable::NotGranted if row.spec().tier == Tier::Platform => {
            Some("`not-granted`, and the row needs no handle")
        }
        _ => None,
    }
}

/// How many sizes there are up to the largest one.
fn sizes(entries: &[Entry]) -> usize {
    let largest = entries.iter().map(|entry| entry.arg).max().unwrap_or(0);
    (largest / LEAST_BUFFER).checked_ilog2().map_or(1, |doublings| doublings as usize + 1)
}

/// All rows of memory have the same buffer, so none of them can leave out its largest sizes.
fn buffers(run: &mut Run<'_>) {
    let largest = |row: SeriesRow| {
        let of_row = run.facts.all::<Series>().filter(|at| at.is.row == row);
        of_row.max_by_key(|at| at.is.arg).map(|at| (at.line, at.is.arg))
    };
    let read_by_one = run.facts.all::<Series>().find(|at| at.is.row == SeriesRow::MemRead && at.is.arg == 1);
    let read = read_by_one.map(|at| (at.line, at.is.n.saturating_mul(8)));
    let all = [largest(SeriesRow::MemLat4k), largest(SeriesRow::MemLat2m), read];
    let mut all = all.into_iter().flatten();
    let Some((_, bytes)) = all.next() else { return };
    if let Some((line, other)) = all.find(|&(_, other)| other != bytes) {
        let detail = format!("the rows of memory have buffers of {bytes} and of {other} bytes");
        run.add(ReasonCode::EvidenceMissing, line, detail);
    }
}

/// In what the samples of a series contradict its histogram, if the log has any of them.
pub(super) fn samples(facts: &Facts, parts: &Parts, found: &Histogram) -> Option<(u64, String)> {
    let id = parts.series.is.id;
    let mut samples = Vec::new();
    let mut next = 0;
    for at in facts.all::<SeriesSamples>().filter(|at| at.is.id == id) {
        if at.is.part != next {
            return Some((at.line, format!("part {} of its samples, not {next}", at.is.part)));
        }
        next += 1;
        for number in Numbers::of(at.is.samples.decoded()) {
            match number {
                Ok(sample) => samples.push(sample),
                Err(error) => return Some((at.line, error.to_string())),
            }
        }
    }
    if next == 0 {
        return None;
    }
    samples.sort_unstable();
    let ends = (samples.first().copied(), samples.last().copied());
    let sum = samples.iter().fold(0_u64, |sum, &sample| sum.saturating_add(sample));
    let counted = samples.chunk_by(|a, b| bucket(*a) == bucket(*b));
    let counted = counted.map(|same| (bucket(same[0]), same.len() as u64));
    let histogram = found.buckets.iter().map(|&(least, _, count)| (bucket(least), count));
    let agrees = samples.len() as u64 == found.count
        && ends == (Some(found.min), Some(found.max))
        && sum == found.sum
        && counted.eq(histogram);
    (!agrees).then(|| (parts.series.line, "its samples are not those of its histogram".to_owned()))
}
