//! Judges the verdict by rows that were recorded: false alarms, and regressions found.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use evidence::ledger::{Pace, Probes};
use judging::Opened;
use lab::{Coded, Exit, OrExit};
use results::Environment;
use results::session::{
    Accepted, Figure, SessionCase, SessionComparison, StoredSession, Whole, compare, has_comparable_paces,
};
use serde::Serialize;
use stats::{Comparison, Design, Measure, Quality, RealRow, Recorded, Thresholds, real_experiments};

use super::rows::{SAME, recorded};

/// Version of the form of verdict.json.
const SCHEMA: u32 = 2;

/// The content of verdict.json.
#[derive(Serialize)]
pub struct Judged {
    pub schema: u32,
    pub folder: PathBuf,
    pub case: u16,
    pub environment: Environment,
    /// Why the recording is incomplete; `None` if it is complete.
    pub incomplete: Option<String>,
    /// How much the host's speed varied meanwhile.
    pub host: HostSeen,
    /// Whether the times are scaled by the pace of the CPUs.
    pub by_pace: bool,
    /// Rounds that are undisturbed in every row.
    pub rounds: usize,
    /// Rounds that were excluded in any row.
    pub rounds_set_aside: usize,
    /// Each row compared with the first, by all rounds.
    pub real: Vec<Real>,
    /// The experiments that were really run: stretches of consecutive rounds.
    pub experiments: Vec<RealRow>,
    /// Experiments drawn from the rounds.
    pub quality: Quality,
}

/// How much the host's speed varied, by native probes and pace checks.
#[derive(Serialize)]
pub struct HostSeen {
    /// Number of native probes.
    pub probes: usize,
    /// Why there is no probe, or why there are no more.
    pub probes_missing: Option<String>,
    /// How much longer the slowest probe took than the baseline, as a fraction of the baseline.
    pub spread: Option<f64>,
    /// The pace of the guests' CPUs, just before and just after the timed regions.
    pub pace: Option<Pace>,
}

impl HostSeen {
    fn of(probes: &Probes, pace: Option<Pace>) -> Self {
        let (made, missing, spread) = (probes.made.len(), probes.missing.clone(), probes.spread());
        Self { probes: made, probes_missing: missing, spread, pace }
    }
}

/// A row compared with the first.
#[derive(Serialize)]
pub struct Real {
    pub side: &'static str,
    pub percent: u16,
    pub paired: Comparison,
    pub unpaired: Comparison,
}

impl Judged {
    /// Judges the rows in `folder`, and returns the times that this rests on too. The gate judges every log again, as
    /// for `assay compare`. The draws use `seed`, or else the seed of the recording.
    ///
    /// # Errors
    /// A row is missing, has no result, or cannot be compared with the first.
    pub fn of(folder: &Path, case: u16, trials: usize, seed: Option<u64>) -> Result<(Self, Recorded), Coded> {
        let opened = Opened::open(folder)?;
        opened.verified()?;
        let first = &opened.stored(&SAME[..1], Whole::AsFarAsItGoes)?[0];
        let name = &first.identity.workload;
        let workload = workloads::by_name(name.as_str())
            .ok_or_else(|| anyhow!("{}: unknown workload {name}", first.folder.display()))
            .or_exit(Exit::Invalid)?;
        let names = recorded(workload, folder);
        let folders: Vec<&str> = names.iter().map(|name| name.folder).collect();
        let sessions = opened.stored(&folders, Whole::AsFarAsItGoes)?;
        let cases: Vec<SessionCase> =
            sessions.iter().map(|session| session_case(session, case)).collect::<Result<_, _>>()?;
        // As in the verdict itself: if any row's clocks were not shown to be in step, no row's makespans are used.
        let longest_worker = cases.iter().any(|case| case.out_of_step);
        let by_pace = all_by_pace(&sessions, case);
        let timed = cases.iter().map(|case| case.figure(Figure::QuickQuartile, longest_worker));
        let times: Vec<&BTreeMap<u32, f64>> =
            timed.map(|timed| if by_pace { &timed.by_pace } else { &timed.clock }).collect();
        // Rounds that are undisturbed in every row, in the order in which they ran.
        let common: Vec<u32> = times[0]
            .keys()
            .copied()
            .filter(|round| times.iter().all(|row| row.contains_key(round)))
            .collect();
        let row = |place: usize| common.iter().map(|round| times[place][round]).collect::<Vec<f64>>();
        let slowed = names.iter().enumerate().filter(|(_, name)| name.percent > 0);
        let recorded = Recorded {
            same: [row(0), row(1)],
            slowed: slowed.map(|(place, name)| (name.percent, row(place))).collect(),
        };
        let real = names.iter().zip(&sessions).skip(1);
        let real = real.map(|(name, session)| {
            let [paired, unpaired] =
                [Design::Paired, Design::Unpaired].map(|design| against(&sessions[0], session, design));
            Ok(Real { side: name.folder, percent: name.percent, paired: paired?, unpaired: unpaired? })
        });
        let set_aside: BTreeSet<u32> =
            sessions.iter().flat_map(|session| session.rounds_set_aside.iter().copied()).collect();
        let seed = seed.or(sessions[0].order_seed).unwrap_or_default();
        let judged = Self {
            schema: SCHEMA,
            folder: folder.to_owned(),
            case,
            environment: sessions[0].environment.clone(),
            incomplete: sessions.iter().find_map(|session| session.incomplete.clone()),
            host: HostSeen::of(&sessions[0].probes, Pace::of_all(sessions.iter().filter_map(|row| row.pace))),
            by_pace,
            rounds: common.len(),
            rounds_set_aside: set_aside.len(),
            real: real.collect::<Result<_, Coded>>()?,
            experiments: real_experiments(&[&recorded]),
            quality: Quality::of(&recorded, trials, seed),
        };
        Ok((judged, recorded))
    }
}

fn session_case(session: &StoredSession, case: u16) -> Result<SessionCase, Coded> {
    let found = session.cases.get(&case).cloned();
    found.ok_or_else(|| anyhow!("{}: has no case {case}", session.folder.display())).or_exit(Exit::BadInput)
}

/// Whether no row's pace differs from that of the first, in pairs: all draws use one measure.
fn all_by_pace(sessions: &[StoredSession], case: u16) -> bool {
    let (first, others) = (&sessions[0], &sessions[1..]);
    others.iter().all(|other| {
        let accepted = Accepted { blobs: true, cases: BTreeSet::from([case]) };
        let compared = compare(first, other, Design::Paired, &accepted, Thresholds::default());
        let mut quick = compared.cases.iter().flat_map(|case| case.figures.first());
        has_comparable_paces(first, other, case) && quick.all(|figure| figure.measure != Measure::Clock)
    })
}

/// Compares a row with the first by all rounds and the quick quartile, as `assay compare` does.
fn against(first: &StoredSession, row: &StoredSession, design: Design) -> Result<Comparison, Coded> {
    let accepted = Accepted { blobs: true, ..Accepted::default() };
    let SessionComparison { refused, cases, .. } =
        compare(first, row, design, &accepted, Thresholds::default());
    let found = cases.into_iter().find_map(|case| case.figures.first()?.comparison);
    found
        .ok_or_else(|| {
            let row = row.folder.display();
            match refused.first() {
                Some(differing) => {
                    let (what, a, b) = (&differing.what, &differing.a, &differing.b);
                    anyhow!("{row}: not comparable: {what}: {a} and {b}")
                }
                None => anyhow!("{row}: no rounds to compare"),
            }
        })
        .or_exit(Exit::Invalid)
}
