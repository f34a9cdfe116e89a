//! One series: whether its records fit together, and whether its oracle holds.

use std::collections::BTreeMap;

use abi::series::{Counts, SeriesClass, bounds, bucket, due};
use abi::wire::Message;
use abi::wire::record::{Series, SeriesCounts, SeriesOracle, SeriesRange};

use crate::gate::facts::{At, Facts};
use crate::gate::platform_rows::{Figures, Histogram, SeriesPlace, SeriesState, nanos, ratio};
use crate::gate::reason::ReasonCode;

/// The records of one series.
pub(super) struct Parts {
    pub series: At<Series>,
    pub oracle: Option<At<SeriesOracle>>,
    range: Option<At<SeriesRange>>,
    counts: Vec<At<SeriesCounts>>,
}

/// The records by series, and the lines of records that belong to none.
pub(super) fn parts(facts: &Facts) -> (Vec<Parts>, Vec<u64>) {
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
pub(super) fn lacks(parts: &Parts) -> Option<&'static str> {
    match () {
        () if parts.oracle.is_none() => Some(SeriesOracle::NAME),
        () if parts.range.is_none() => Some(SeriesRange::NAME),
        () if parts.counts.is_empty() && parts.series.is.count > 0 => Some(SeriesCounts::NAME),
        () => None,
    }
}

/// The histogram of a series, if its records fit together; else the line and what is wrong.
pub(super) fn histogram(parts: &Parts) -> Result<Histogram, (u64, String)> {
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

/// What a series shows, of a row that does less than it reports or not; `None` if its records do not fit together.
pub(super) fn state(parts: &Parts, shortened: bool, khz: u64) -> Option<SeriesState> {
    let found = histogram(parts).ok()?;
    let (series, oracle, range) = (parts.series.is, parts.oracle?.is, parts.range?.is);
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
pub(super) fn mismatch(oracle: &SeriesOracle, series: &Series) -> Option<String> {
    let SeriesOracle { due, done, wrong, .. } = *oracle;
    let spec = series.row.spec();
    if done != due {
        return Some(format!("{done} of {due} counted: {}", spec.oracle.done));
    }
    (wrong > 0).then(|| format!("{wrong} wrong: {}", spec.oracle.wrong))
}

/// Where a series was measured.
pub(super) const fn place(series: &Series) -> SeriesPlace {
    SeriesPlace { row: series.row, arg: series.arg, cpu: series.cpu.0, peer: series.peer }
}
