//! Selection: whether what was excluded depends on what was measured.
//!
//! An exclusion is harmless if the host's neighbours caused it: they do not know which case runs. If the platform itself
//! slows a case at times, the same evidence excludes just those iterations, and what is left shows a platform that does
//! not exist. Owns the excluded share of each case and system, their comparison, and the rule for a claim that only the
//! exclusions make hold. Owns no rule that excludes anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use evidence::gate::{ReasonCode, Scope, limits};
use evidence::ledger::{Ledger, Probes, enough_left};
use serde::Serialize;
use stats::{MadeRatio, ShareTest};

use crate::claim::ClaimRule;
use crate::run_record::RunRecord;
use crate::series::Pairing;
use crate::system::System;

/// How much was excluded of each case and system, and whether that depends on which it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Selection {
    /// Every case of every system that is held to speed.
    pub shares: Vec<ExcludedShare>,
    /// The comparisons: each case with the smallest one of its system, and each system with the first one. None if all
    /// cases ran in each boot, so that an iteration is excluded with all of them.
    pub tests: Vec<SelectionTest>,
    /// The share of native probes that were slow on one CPU, and on all of them together. A round with a slow probe before
    /// it is not run at all, so that only this shows a host whose CPUs are slow at times only when all are busy.
    pub probes: Option<ShareTest>,
}

/// How much of one case of one system was excluded for what the evidence of its own runs shows. A round that another run
/// or a native probe excludes is not in it: it takes all cases alike.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExcludedShare {
    /// What ran the workers.
    pub system: System,
    /// The case, named by how many workers it has.
    pub case: u16,
    /// The runs that were made, further attempts included, except those that failed for another reason.
    pub runs: usize,
    /// Of these, the runs that do not count at all: the gate refused them, or too few of their iterations are left.
    pub runs_excluded: usize,
    /// The mean over the first attempts of the part of its iterations that is excluded; 1 for a run that does not count. A
    /// further attempt was made because of what the one before it met, and so is no sample of the host.
    pub share: f64,
    /// The iterations of all these runs, if a run has several, and how many of them are excluded, alone or with their run.
    pub iterations: Lost,
}

/// How much of what was made is excluded.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lost {
    /// How much was made.
    pub made: usize,
    /// How much of it is excluded.
    pub excluded: usize,
}

/// One comparison of excluded shares.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SelectionTest {
    /// The first group.
    pub first_group: Group,
    /// The second group, which has as many workers or more.
    pub second_group: Group,
    /// The comparison. Its p-value is multiplied by the number of comparisons.
    #[serde(flatten)]
    pub test: ShareTest,
}

/// The runs of one case of one system.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Group {
    /// What ran the workers.
    pub system: System,
    /// The case.
    pub case: u16,
}

/// The share of each run that is a first attempt, by system and case.
type Shares = BTreeMap<Group, Vec<f64>>;

/// All runs of a case of a system.
#[derive(Default)]
struct Made {
    runs: usize,
    excluded: usize,
    iterations: Lost,
}

impl Selection {
    /// The shares of `runs`, whose excluded iterations and rounds are marked.
    #[must_use]
    pub fn of(pairing: Pairing, runs: &[RunRecord], ledger: &Ledger, probes: &Probes) -> Self {
        let (mut shares, mut made) = (Shares::new(), BTreeMap::<Group, Made>::new());
        for run in runs.iter().filter(|run| run.functional_only.is_none()) {
            let Some(share) = share_of(run, ledger) else { continue };
            for case in cases_of(run) {
                let group = Group { system: run.system, case };
                let of_first = shares.entry(group).or_default();
                of_first.extend(Some(share).filter(|_| run.attempt == 0));
                let of_all = made.entry(group).or_default();
                of_all.runs += 1;
                of_all.excluded += usize::from(share >= 1.0);
                let lost = lost_iterations(run, case, share >= 1.0);
                of_all.iterations.made += lost.made;
                of_all.iterations.excluded += lost.excluded;
            }
        }
        shares.retain(|_, of_first| !of_first.is_empty());
        let tests = if pairing == Pairing::Runs { tests(&shares) } else { Vec::new() };
        let shares = shares.into_iter().map(|(group, of_first)| {
            let Made { runs, excluded, iterations } = made.remove(&group).unwrap_or_default();
            let Group { system, case } = group;
            let share = of_first.iter().sum::<f64>() / of_first.len() as f64;
            ExcludedShare { system, case, runs, runs_excluded: excluded, share, iterations }
        });
        Self { shares: shares.collect(), tests, probes: of_probes(probes) }
    }

    /// The comparison with the least p-value of those that show a selection.
    #[must_use]
    pub fn found(&self) -> Option<&SelectionTest> {
        let found = self.tests.iter().filter(|test| test.shows_selection());
        found.min_by(|a, b| a.test.p.total_cmp(&b.test.p))
    }

    /// The refusal, if the exclusions depend on case or system.
    pub(crate) fn refusal(&self) -> Option<(ReasonCode, String)> {
        let of_runs = self.found().map(ToString::to_string);
        let of_probes = self.probes.filter(shows_selection);
        let of_probes = of_probes
            .map(|test| words(&test, "native probes on one CPU", "those on all CPUs together", "slow"));
        Some((ReasonCode::Selection, of_runs.or(of_probes)?))
    }
}

impl SelectionTest {
    /// Whether the second group lost more or less than the first by more than chance and exposure explain.
    #[must_use]
    pub fn shows_selection(&self) -> bool {
        shows_selection(&self.test)
    }
}

impl fmt::Display for SelectionTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |Group { system, case }| format!("{system} case {case}");
        f.write_str(&words(&self.test, &name(self.first_group), &name(self.second_group), "excluded"))
    }
}

/// The shares of the first attempts at each case of a system: what a comparison of two sessions tests.
pub(crate) fn first_shares(runs: &[RunRecord], system: System) -> BTreeMap<u16, Vec<f64>> {
    let ledger = Ledger::of(runs, Probes::default());
    let mut shares: BTreeMap<u16, Vec<f64>> = BTreeMap::new();
    let first = |run: &&RunRecord| run.system == system && run.attempt == 0 && run.functional_only.is_none();
    for run in runs.iter().filter(first) {
        let Some(share) = share_of(run, &ledger) else { continue };
        cases_of(run).into_iter().for_each(|case| shares.entry(case).or_default().push(share));
    }
    shares
}

/// Whether two groups lost so differently that what is left is a selection.
pub(crate) fn shows_selection(test: &ShareTest) -> bool {
    test.p * 1e3 < limits::SELECTION_P_PER_MILLE as f64
        && test.excess.abs() * 1e3 > limits::SELECTION_SHARE_PER_MILLE as f64
}

/// Both shares, and by how much they differ.
fn words(test: &ShareTest, first: &str, second: &str, lost: &str) -> String {
    format!(
        "{:.0} % of {first} and {:.0} % of {second} are {lost}, {:.0} points {} than their numbers of CPUs explain (p = {:.2e})",
        test.first * 100.0,
        test.second * 100.0,
        test.excess.abs() * 100.0,
        if test.excess < 0.0 { "less" } else { "more" },
        test.p,
    )
}

fn of_probes(probes: &Probes) -> Option<ShareTest> {
    let slow = probes.slow();
    let share = |of: usize| slow.iter().map(|slow| f64::from(u8::from(slow[of]))).collect::<Vec<f64>>();
    ShareTest::of(&share(0), &share(1), f64::from(probes.cpus.max(1)))
}

fn tests(shares: &Shares) -> Vec<SelectionTest> {
    let mut pairs = BTreeSet::new();
    for &group in shares.keys() {
        let smallest = shares.keys().find(|other| other.system == group.system);
        let first = shares.keys().find(|other| other.case == group.case);
        pairs.extend(smallest.into_iter().chain(first).map(|&other| (other, group)));
    }
    pairs.retain(|(first, second)| first != second);
    let of_pair = |&(first_group, second_group): &(Group, Group)| {
        let exposure = f64::from(second_group.case) / f64::from(first_group.case.max(1));
        let test = ShareTest::of(&shares[&first_group], &shares[&second_group], exposure.max(1.0))?;
        Some(SelectionTest { first_group, second_group, test: test.one_of(pairs.len()) })
    };
    pairs.iter().filter_map(of_pair).collect()
}

/// The part of a run's iterations that its own evidence excludes; `None` if it did not pass for another reason.
fn share_of(run: &RunRecord, ledger: &Ledger) -> Option<f64> {
    let Some(measured) = run.verdict.outcome.measurement() else {
        let (reason, _) = run.verdict.outcome.refusal()?;
        return reason.is_the_hosts().then_some(1.0);
    };
    if let [sample] = measured.samples() {
        let lost = sample.excluded.is_some() || named(run) || ledger.is_spoilt(run.run);
        return Some(f64::from(u8::from(lost)));
    }
    let all: BTreeSet<u16> = measured.samples().iter().map(|sample| sample.iteration).collect();
    let left = measured.samples().iter().filter(|sample| sample.excluded.is_none());
    let left: BTreeSet<u16> = left.map(|sample| sample.iteration).collect();
    if named(run) || ledger.is_spoilt(run.run) || !enough_left(left.len(), all.len()) {
        return Some(1.0);
    }
    Some(1.0 - left.len() as f64 / all.len().max(1) as f64)
}

/// Whether it or its round is excluded for what this very run shows.
fn named(run: &RunRecord) -> bool {
    let scope = run.excluded.as_ref().map(|exclusion| exclusion.scope);
    matches!(scope, Some(Scope::Run { run: number } | Scope::Round { run: Some(number), .. }) if number == run.run)
}

/// The iterations of a case in a run, and how many of them are excluded: all if the run is.
fn lost_iterations(run: &RunRecord, case: u16, all: bool) -> Lost {
    let outcome = &run.verdict.outcome;
    if let Some(measured) = outcome.measurement() {
        let of_case = || measured.samples().iter().filter(|sample| sample.case == case);
        let excluded = of_case().filter(|sample| all || sample.excluded.is_some()).count();
        return Lost { made: of_case().count(), excluded };
    }
    let times = outcome.disturbed_times().into_iter().flat_map(|times| times.times());
    let made = times.filter(|time| time.case == case).count();
    Lost { made, excluded: made }
}

/// The cases of a run, even if it was refused.
fn cases_of(run: &RunRecord) -> BTreeSet<u16> {
    let outcome = &run.verdict.outcome;
    let measured = outcome.measurement().into_iter().flat_map(|measured| measured.samples());
    let disturbed = outcome.disturbed_times().into_iter().flat_map(|times| times.times());
    let of_log = measured.map(|sample| sample.case).chain(disturbed.map(|time| time.case));
    run.case.into_iter().chain(of_log).collect()
}

/// Why a claim that holds undisturbed holds only by what is left out: everything that was made does not show that the
/// speed-up of the mean times is near it. `None` if it does.
pub(crate) fn decides(rule: &ClaimRule, made: Option<MadeRatio>) -> Option<String> {
    let MadeRatio { ratio, low, .. } = made?;
    let least = rule.min_speedup * (1.0 - limits::SELECTION_GAP_PER_MILLE as f64 / 1e3);
    let near = low.is_some_and(|low| low >= least);
    (!near).then(|| {
        format!(
            "{:.3} is reached by the undisturbed figure, but the mean times of everything that was made give {ratio:.3}, and may be \
             as low as {:.3}: more than {} % below it",
            rule.min_speedup,
            low.unwrap_or(0.0),
            limits::SELECTION_GAP_PER_MILLE / 10
        )
    })
}
