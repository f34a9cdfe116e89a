//! The rows of the platform and of the mechanisms: whether the records of each series fit together, and whether its oracle holds. A log whose
//! records contradict each other does not pass. A row whose oracle fails has no figure, and the others keep theirs.

use std::collections::BTreeMap;

use abi::series::{Counts, SeriesClass, SeriesRow, Shortened, Tier, bounds, bucket, due};
use abi::wire::Message;
use abi::wire::record::{
    MechanismRows, PlatformNote, PlatformRows as Begin, Series, SeriesCounts, SeriesNone, SeriesOracle,
    SeriesRange,
};

use super::{Run, mechanisms, platform_places};
use crate::gate::facts::{At, Facts};
use crate::gate::platform_rows::{
    Figures, Histogram, PlatformRows, PlatformSeries, SeriesPlace, SeriesState, nanos, ratio,
};
use crate::gate::reason::ReasonCode;

/// The records of one series.
pub(super) struct Parts {
    pub series: At<Series>,
    oracle: Option<At<SeriesOracle>>,
    range: Option<At<SeriesRange>>,
    counts: Vec<At<SeriesCounts>>,
}

/// Judges the rows. Needs a log without losses.
pub(in crate::gate) fn platform_rows(run: &mut Run<'_>) {
    let facts = run.facts;
    if !run.whole || run.refused() {
        return;
    }
    platform_places::asked(run);
    mechanisms::asked(run);
    strays(run);
    let asked = Asked::of(facts);
    if asked.platform.is_none() && asked.mechanisms.is_none() {
        return;
    }
    let (parts, orphans) = parts(facts);
    for parts in &parts {
        places(run, parts);
    }
    for line in orphans {
        run.add(ReasonCode::InconsistentRecord, line, "the record is of no series before it");
    }
    for parts in &parts {
        let of = format!("series {}, {}", parts.series.is.id, parts.series.is.row);
        if let Some(lacks) = lacks(parts) {
            run.add(ReasonCode::EvidenceMissing, parts.series.line, format!("{of}: it has no `{lacks}`"));
            continue;
        }
        let contradicts = match histogram(parts) {
            Ok(found) => platform_places::samples(facts, parts, &found),
            Err(wrong) => Some(wrong),
        };
        if let Some((line, detail)) = contradicts {
            run.add(ReasonCode::InconsistentRecord, line, format!("{of}: {detail}"));
        }
    }
    platform_places::census(run, asked);
    mechanisms::judge(run, &parts);
    for tier in [Tier::Platform, Tier::Mechanism] {
        let of_tier: Vec<_> = parts.iter().filter(|parts| parts.series.is.row.spec().tier == tier).collect();
        control(run, asked.short(tier), &of_tier);
    }
}

/// What a log says that its plan asks for.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub platform: Option<At<Begin>>,
    pub mechanisms: Option<At<MechanismRows>>,
}

impl Asked {
    pub(super) fn of(facts: &Facts) -> Self {
        Self { platform: facts.one(), mechanisms: facts.one() }
    }

    /// The rows of a tier that do less than they report, and the line that says so.
    fn short(self, tier: Tier) -> Option<(u64, Shortened)> {
        match tier {
            Tier::Platform => self.platform.map(|at| (at.line, at.is.short)),
            Tier::Mechanism => self.mechanisms.map(|at| (at.line, at.is.short)),
        }
    }

    /// The rows that must be there.
    pub(super) fn rows(self) -> impl Iterator<Item = SeriesRow> {
        let Self { platform, mechanisms } = self;
        let of_platform = SeriesRow::of_tier(Tier::Platform).filter(move |_| platform.is_some());
        let of_mechanisms = SeriesRow::of_tier(Tier::Mechanism)
            .filter(move |&row| mechanisms.is_some_and(|asked| asked.is.rows.has(row)));
        of_platform.chain(of_mechanisms)
    }
}

/// Series of rows that the log does not announce.
fn strays(run: &mut Run<'_>) {
    let asked: Vec<_> = Asked::of(run.facts).rows().collect();
    let series = run.facts.all::<Series>().map(|at| (at.line, at.is.row));
    let none = run.facts.all::<SeriesNone>().map(|at| (at.line, at.is.row));
    let stray = series.chain(none).filter(|(_, row)| !asked.contains(row)).min();
    if let Some((line, row)) = stray {
        let before = match row.spec().tier {
            Tier::Platform => Begin::NAME,
            Tier::Mechanism => MechanismRows::NAME,
        };
        run.add(ReasonCode::InconsistentRecord, line, format!("a `series` without `{before}` before it"));
    }
}

/// The CPUs of a series are online, and gaps were looked for as long as the plan says.
fn places(run: &mut Run<'_>, parts: &Parts) {
    let (line, series) = (parts.series.line, parts.series.is);
    let peer = series.peer.map(|peer| u16::try_from(peer).unwrap_or(u16::MAX));
    let all_online = [Some(series.cpu.0), peer].into_iter().flatten().all(|cpu| run.facts.is_online(cpu));
    if !all_online || peer == Some(series.cpu.0) {
        run.add(
            ReasonCode::InconsistentRecord,
            line,
            format!("{}: a CPU that is not online", place(&series)),
        );
    }
    let Some(begin) = run.facts.one::<Begin>().filter(|_| series.class == SeriesClass::Gaps) else { return };
    // A series without one is a finding of its own.
    let window = parts.oracle.map_or(u64::MAX, |oracle| oracle.is.due);
    // Gaps are at least as long as the window lasts, and counted from its first reading.
    let least = u64::from(begin.is.noise_ms).saturating_mul(run.facts.khz().unwrap_or(0));
    if series.arg != u64::from(begin.is.noise_ms) || window < least {
        let detail =
            format!("{}: a window of {window} cycles, and the plan asks for {least}", place(&series));
        run.add(ReasonCode::InconsistentRecord, line, detail);
    }
}

/// The series of a boot; `None` if the plan asked for none.
pub(in crate::gate) fn rows(facts: &Facts) -> Option<PlatformRows> {
    let asked = Asked::of(facts);
    let begin = asked.platform.map(|at| at.is);
    begin.map(drop).or(asked.mechanisms.map(drop))?;
    let khz = facts.khz()?;
    let (parts, _) = parts(facts);
    let measured = parts.iter().filter_map(|parts| {
        let (series, line) = (parts.series.is, parts.series.line);
        let state = state(facts, parts, khz)?;
        let shown = histogram(parts).ok().filter(|_| matches!(state, SeriesState::Passed { .. }));
        let histogram = shown.map(|found| found.in_nanos(series.n, khz)).unwrap_or_default();
        Some((line, PlatformSeries { place: place(&series), state, histogram }))
    });
    let none = facts.all::<SeriesNone>().map(|at| {
        let SeriesNone { row, cpu, peer, arg, reason } = at.is;
        let place = SeriesPlace { row, arg, cpu: cpu.0, peer };
        let state = SeriesState::Unsupported { why: reason };
        (at.line, PlatformSeries { place, state, histogram: Box::default() })
    });
    let mut all: Vec<_> = measured.chain(none).collect();
    all.sort_by_key(|&(line, _)| line);
    Some(PlatformRows {
        noise_ms: begin.map_or(0, |begin| begin.noise_ms),
        shortened: [Tier::Platform, Tier::Mechanism]
            .into_iter()
            .filter_map(|tier| asked.short(tier))
            .any(|(_, short)| short != Shortened::None),
        note: facts.one::<PlatformNote>().map(|at| at.is),
        series: all.into_iter().map(|(_, series)| series).collect(),
        mechanisms: asked.mechanisms.map(|_| mechanisms::setting(facts)),
    })
}

const fn place(series: &Series) -> SeriesPlace {
    SeriesPlace { row: series.row, arg: series.arg, cpu: series.cpu.0, peer: series.peer }
}

/// The records by series, and the lines of records that belong to none.
fn parts(facts: &Facts) -> (Vec<Parts>, Vec<u64>) {
    let mut all: BTreeMap<u16, Parts> = BTreeMap::new();
    let mut orphans = Vec::new();
    for (series, number) in facts.all::<Series>().zip(0_u16..) {
        if series.is.id != number {
            orphans.push(series.line);
        }
        all.entry(series.is.id).or_insert(Parts { series, oracle: None, range: None, counts: Vec::new() });
    }
    for oracle in facts.all::<SeriesOracle>() {
        match all.get_mut(&oracle.is.id).filter(|parts| parts.oracle.is_none()) {
            Some(parts) => parts.oracle = Some(oracle),
            None => orphans.push(oracle.line),
        }
    }
    for range in facts.all::<SeriesRange>() {
        match all.get_mut(&range.is.id).filter(|parts| parts.range.is_none()) {
            Some(parts) => parts.range = Some(range),
            None => orphans.push(range.line),
        }
    }
    for counts in facts.all::<SeriesCounts>() {
        let next = |parts: &&mut Parts| parts.counts.len() == usize::from(counts.is.part);
        match all.get_mut(&counts.is.id).filter(next) {
            Some(parts) => parts.counts.push(counts),
            None => orphans.push(counts.line),
        }
    }
    (all.into_values().collect(), orphans)
}

/// The record that a series lacks, if it lacks one.
fn lacks(parts: &Parts) -> Option<&'static str> {
    match () {
        () if parts.oracle.is_none() => Some(SeriesOracle::NAME),
        () if parts.range.is_none() => Some(SeriesRange::NAME),
        () if parts.counts.is_empty() && parts.series.is.count > 0 => Some(SeriesCounts::NAME),
        () => None,
    }
}

/// The histogram of a series, if its records fit together; else the line and what is wrong.
fn histogram(parts: &Parts) -> Result<Histogram, (u64, String)> {
    let (line, series) = (parts.series.line, parts.series.is);
    let wrong = |detail: String| Err((line, detail));
    let spec = series.row.spec();
    if series.class != spec.class {
        return wrong(format!("its class is {}, and the row's is {}", series.class, spec.class));
    }
    if series.n == 0 || series.count == 0 && series.class != SeriesClass::Gaps {
        return wrong("it has no samples, or they have no operations".to_owned());
    }
    if series.n != 1 && series.class != SeriesClass::Batch {
        return wrong(format!("{} operations in a sample, and its class has one", series.n));
    }
    let (Some(oracle), Some(range)) = (parts.oracle, parts.range) else {
        return wrong("it is not whole".to_owned());
    };
    let wanted = due(series.row, series.arg, series.n, series.count.into());
    if let Some(wanted) = wanted.filter(|&wanted| wanted != oracle.is.due) {
        return wrong(format!("{} operations are due, and the record says {}", wanted, oracle.is.due));
    }
    let mut found = Histogram {
        min: range.is.min,
        max: range.is.max,
        sum: range.is.sum,
        count: series.count.into(),
        buckets: Vec::new(),
    };
    let mut reader = Counts::default();
    for part in &parts.counts {
        let read = reader.read(part.is.counts.decoded(), |bucket, count| {
            let (least, greatest) = bounds(bucket).unwrap_or_default();
            found.buckets.push((least, greatest, count));
        });
        read.map_err(|error| (part.line, error.to_string()))?;
    }
    match contradiction(&found) {
        Some(detail) => wrong(detail),
        None => Ok(found),
    }
}

/// In what a histogram contradicts its own range.
fn contradiction(found: &Histogram) -> Option<String> {
    let count = found.buckets.iter().fold(0_u64, |sum, (_, _, count)| sum.saturating_add(*count));
    if count != found.count {
        return Some(format!("its buckets have {count} samples of {}", found.count));
    }
    let least_of = |value| bounds(bucket(value)).map(|(least, _)| least);
    let ends = found.buckets.first().zip(found.buckets.last());
    let ends_fit = match ends {
        Some((first, last)) => {
            least_of(found.min) == Some(first.0)
                && least_of(found.max) == Some(last.0)
                && found.min <= found.max
        }
        None => found.min == 0 && found.max == 0 && found.sum == 0,
    };
    if !ends_fit {
        return Some("its least or greatest sample is not in the first or last bucket".to_owned());
    }
    let sum = |of: fn(&(u64, u64, u64)) -> u64| {
        found.buckets.iter().map(|bucket| u128::from(of(bucket)) * u128::from(bucket.2)).sum::<u128>()
    };
    let (least, greatest) = (sum(|bucket| bucket.0), sum(|bucket| bucket.1));
    // A sum that does not fit 64 bits stands at the greatest number that does.
    let fits = (least..=greatest).contains(&u128::from(found.sum)) || found.sum == u64::MAX;
    (!fits).then(|| format!("its sum is {}, and its buckets allow {least} to {greatest}", found.sum))
}

/// What a series shows; `None` if its records do not fit together.
fn state(facts: &Facts, parts: &Parts, khz: u64) -> Option<SeriesState> {
    let found = histogram(parts).ok()?;
    let (series, oracle, range) = (parts.series.is, parts.oracle?.is, parts.range?.is);
    let short = Asked::of(facts).short(series.row.spec().tier);
    let shortened = short.is_some_and(|(_, short)| short.has(series.row));
    if let Some(detail) = mismatch(&oracle, &series) {
        return Some(SeriesState::Failed { reason: ReasonCode::VerifierMismatch, detail });
    }
    if shortened {
        let detail = "the row did one operation less, and its oracle did not notice it".to_owned();
        return Some(SeriesState::Failed { reason: ReasonCode::ControlUnnoticed, detail });
    }
    if found.min == 0 && found.count > 0 {
        let detail = "a sample is 0 cycles long, or less: no operation takes no time".to_owned();
        return Some(SeriesState::Invalid { reason: ReasonCode::VerifierMismatch, detail });
    }
    let is_gaps = series.class == SeriesClass::Gaps;
    let figures = Figures {
        class: series.class,
        n: series.n,
        count: found.count,
        cold: nanos(ratio(range.cold), khz),
        costs: found.costs(series.n, khz),
        window: is_gaps.then(|| nanos(ratio(oracle.due), khz)),
    };
    Some(SeriesState::Passed { figures })
}

/// How an oracle fails, if it does.
fn mismatch(oracle: &SeriesOracle, series: &Series) -> Option<String> {
    let SeriesOracle { due, done, wrong, .. } = *oracle;
    let spec = series.row.spec();
    if done != due {
        return Some(format!("{done} of {due} counted: {}", spec.oracle.done));
    }
    (wrong > 0).then(|| format!("{wrong} wrong: {}", spec.oracle.wrong))
}

/// A run whose plan shortens rows never passes: each of them must fail its oracle.
fn control(run: &mut Run<'_>, short: Option<(u64, Shortened)>, parts: &[&Parts]) {
    let Some((begin, short)) = short.filter(|(_, short)| *short != Shortened::None) else { return };
    let shortened: Vec<_> = parts.iter().filter(|parts| short.has(parts.series.is.row)).collect();
    let holds = |parts: &&&&Parts| {
        parts.oracle.is_some_and(|oracle| mismatch(&oracle.is, &parts.series.is).is_none())
    };
    let unnoticed: Vec<_> = shortened.iter().filter(holds).collect();
    for parts in &unnoticed {
        let detail = format!("{} did one operation less, and its oracle holds", place(&parts.series.is));
        run.add(ReasonCode::ControlUnnoticed, parts.series.line, detail);
    }
    if unnoticed.is_empty() {
        let detail = match shortened.as_slice() {
            [] => "the plan shortens a row that this system does not have".to_owned(),
            [first, ..] => format!(
                "{} of {} series failed as the plan makes them: {}",
                shortened.len(),
                parts.len(),
                first.oracle.and_then(|oracle| mismatch(&oracle.is, &first.series.is)).unwrap_or_default()
            ),
        };
        let reason =
            if shortened.is_empty() { ReasonCode::ControlUnnoticed } else { ReasonCode::VerifierMismatch };
        run.add(reason, begin, detail);
    }
}
