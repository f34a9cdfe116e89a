//! The rows of the platform and of the mechanisms: whether all that the plan asks for is there, each series whole and on
//! CPUs that are online. A log whose records contradict each other does not pass. A row whose oracle fails has no figure,
//! and the others keep theirs.

use abi::series::{SeriesClass, SeriesRow, Shortened, Tier};
use abi::wire::Message;
use abi::wire::record::{MechanismRows, PlatformNote, PlatformRows as Begin, Series, SeriesNone};

use super::series::{Parts, histogram, lacks, mismatch, parts, place, state};
use super::{Run, mechanisms, platform_places};
use crate::gate::facts::{At, Facts};
use crate::gate::platform_rows::{PlatformRows, PlatformSeries, SeriesPlace, SeriesState};
use crate::gate::reason::ReasonCode;

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
        let short = asked.short(series.row.spec().tier);
        let state = state(parts, short.is_some_and(|(_, short)| short.has(series.row)), khz)?;
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
