//! What the recorded sides say of the verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use host_parser::results::{Environment, Pace, Probes};
use host_parser::session::{Accepted, Session, SessionCase, SideBySide, by_pace, compare};
use host_parser::stats::{
    COMPARISON_LEVEL, Comparison, Design, Quality, RealRow, Recorded, real_experiments,
};
use lab::{Coded, Exit, OrExit};
use serde::Serialize;

use super::side::{SAME, recorded};

/// The version of the form of verdict.json.
const SCHEMA: u32 = 2;

/// verdict.json.
#[derive(Serialize)]
pub struct Judged {
    pub schema: u32,
    pub folder: PathBuf,
    pub case: u16,
    pub environment: Environment,
    /// Why the recording is not complete; none where it is.
    pub incomplete: Option<String>,
    /// What the host's own CPUs gave meanwhile.
    pub host: HostSeen,
    /// Whether the sides are compared by the pace of their CPUs, and not by the clock alone.
    pub by_pace: bool,
    /// Rounds that count for every side.
    pub rounds: usize,
    /// Rounds that were set aside.
    pub rounds_set_aside: usize,
    /// Each side against the first, by all rounds.
    pub real: Vec<Real>,
    /// The experiments that were really run: stretches of rounds.
    pub experiments: Vec<RealRow>,
    /// Experiments drawn from the rounds.
    pub quality: Quality,
}

/// How quiet the host was, by its own CPUs.
#[derive(Serialize)]
pub struct HostSeen {
    /// Native probes that were made.
    pub probes: usize,
    /// Why there are none, or no more.
    pub probes_missing: Option<String>,
    /// By how much the slowest took longer than the quick ones, as a part of these.
    pub spread: Option<f64>,
    /// How quick the guests' CPUs were beside their workers.
    pub pace: Option<Pace>,
}

impl HostSeen {
    fn of(probes: &Probes, pace: Option<Pace>) -> Self {
        let (made, missing, spread) = (probes.made.len(), probes.missing.clone(), probes.spread());
        Self { probes: made, probes_missing: missing, spread, pace }
    }
}

/// A side against the first.
#[derive(Serialize)]
pub struct Real {
    pub side: &'static str,
    pub percent: u16,
    pub paired: Comparison,
    pub unpaired: Comparison,
}

impl Judged {
    /// Judges the sides in `folder`: every log again, by the gate, as `assay compare` does; with what was recorded. The
    /// draws are by `seed`, or that of the recording.
    ///
    /// # Errors
    /// A side that is not there, has no result, or cannot be compared with the first.
    pub fn of(folder: &Path, case: u16, trials: usize, seed: Option<u64>) -> Result<(Self, Recorded), Coded> {
        let load =
            |side: &str| Session::load_as_far_as_it_goes(&folder.join(side)).map_err(crate::compare::coded);
        let first = load(SAME[0])?;
        let name = &first.identity.workload;
        let workload = workloads::by_name(name.as_str())
            .ok_or_else(|| anyhow!("{}: unknown workload {name}", first.folder.display()))
            .or_exit(Exit::Invalid)?;
        let names = recorded(workload, folder);
        let others = names[1..].iter().map(|name| load(name.folder));
        let sessions: Vec<Session> = std::iter::once(Ok(first)).chain(others).collect::<Result<_, _>>()?;
        let of_case = |session: &Session| {
            let found = session.cases.get(&case).cloned();
            found.ok_or_else(|| anyhow!("{}: has no case {case}", session.folder.display()))
        };
        let cases: Vec<SessionCase> =
            sessions.iter().map(of_case).collect::<Result<_, _>>().or_exit(Exit::BadInput)?;
        // As for the verdict itself: one clock that was not shown to be in step takes all makespans away.
        let longest_worker = cases.iter().any(|case| case.out_of_step);
        // Likewise for the pace: all draws are by one measure.
        let others = &sessions[1..];
        let by_pace = others.iter().all(|other| {
            [Design::Paired, Design::Unpaired]
                .into_iter()
                .all(|design| by_pace(&sessions[0], other, case, design, COMPARISON_LEVEL))
        });
        let times: Vec<&BTreeMap<u32, f64>> =
            cases.iter().map(|case| case.times(longest_worker, by_pace)).collect();
        // Rounds that count for every side, in the order in which they were made.
        let common: Vec<u32> = times[0]
            .keys()
            .copied()
            .filter(|round| times.iter().all(|side| side.contains_key(round)))
            .collect();
        let side = |place: usize| common.iter().map(|round| times[place][round]).collect::<Vec<f64>>();
        let slowed = names.iter().enumerate().filter(|(_, name)| name.percent > 0);
        let recorded = Recorded {
            same: [side(0), side(1)],
            slowed: slowed.map(|(place, name)| (name.percent, side(place))).collect(),
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
            host: HostSeen::of(
                &sessions[0].probes,
                Pace::of_all(sessions.iter().filter_map(|side| side.pace)),
            ),
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

/// A side against the first, by all rounds, as `assay compare` would have it.
fn against(first: &Session, side: &Session, design: Design) -> Result<Comparison, Coded> {
    let accepted = Accepted { blobs: true, ..Accepted::default() };
    let SideBySide { refused, cases, .. } = compare(first, side, design, &accepted);
    let found = cases.into_iter().find_map(|case| case.comparison);
    found
        .ok_or_else(|| {
            let side = side.folder.display();
            match refused.first() {
                Some(differing) => {
                    let (what, a, b) = (&differing.what, &differing.a, &differing.b);
                    anyhow!("{side}: not comparable: {what}: {a} and {b}")
                }
                None => anyhow!("{side}: no rounds to compare"),
            }
        })
        .or_exit(Exit::Invalid)
}
