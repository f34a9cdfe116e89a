//! Whether a boot is a copy of an earlier one: the same clock readings under another nonce, or nearly the same.
//!
//! Two boots never repeat each other's fine readings: the last digits of a time are noise. What is compared does not change
//! if all clocks are moved by a constant, because it is made of differences; and it is made so that a copy is still found
//! after one more change:
//!
//! | readings | a copy has the same even if |
//! |---|---|
//! | times: of each worker, of the warm-up, from the common start to the end | its clocks, stamps and pace checks differ |
//! | details: the way in and out of each worker, and its pace checks | the workers' times are others |
//! | steps: from one worker's time to the next one's | a constant is added to every worker's time |
//! | ratios: of one worker's time to the next one's | every worker's time is scaled |
//!
//! Of each kind a few readings are taken, at places spread over the boot, so memory is bounded. A forger who adds noise of
//! his own to every reading is not found, nor one who changes a boot with few readings in two of these ways at once.
//! Nothing in a log can show him; the challenge and the seal of a session do (docs/SEALING.md).

use std::collections::{HashMap, HashSet};

use abi::random::mix;

use abi::wire::Hex64;
use abi::wire::record::{Moment, Region, Start, Worker};

use super::Run;
use crate::gate::facts::{Facts, Iteration};
use crate::gate::reason::ReasonCode;
use crate::gate::seeded::Seeded;

/// The readings of all boots so far.
#[derive(Debug, Default)]
pub(in crate::gate) struct Boots {
    /// The nonces of the boots that are remembered in detail.
    nonces: Vec<Hex64>,
    /// By kind, place and value of a reading: the first boot that has it.
    readings: HashMap<u64, u32, Seeded>,
    /// All times of each boot, in one number.
    exact: HashSet<u64, Seeded>,
}

/// How many boots are remembered in detail. Of later ones only exact copies of each other are found.
const MOST_BOOTS: usize = 4_096;

/// A kind of readings, and how many equal ones make a copy.
struct Kind {
    /// Its place in [`kinds`].
    number: u8,
    name: &'static str,
    values: Vec<u64>,
    /// How many places are compared, at most.
    most: usize,
    /// How many readings must be equal, in quarters of those compared, and at least.
    quarters: usize,
    least: usize,
}

impl Kind {
    fn of_equals(number: u8, name: &'static str, values: Vec<u64>, least: usize) -> Self {
        Self { number, name, values, most: 8, quarters: 2, least }
    }

    /// Each follows from a neighbour, so that many must be equal before chance cannot have made them so.
    fn of_neighbours(number: u8, name: &'static str, values: Vec<u64>) -> Self {
        Self { number, name, values, most: 16, quarters: 3, least: 6 }
    }

    /// The readings that are compared, with their places: spread evenly, so the same in every boot of the same length.
    fn compared(&self) -> impl Iterator<Item = (usize, u64)> {
        let (all, taken) = (self.values.len(), self.values.len().min(self.most));
        (0..taken).map(move |at| at * all / taken).map(|at| (at, self.values[at]))
    }

    fn needed(&self) -> usize {
        let compared = self.values.len().min(self.most);
        (compared * self.quarters).div_ceil(4).max(self.least)
    }

    /// Whether there are as many as that. They are as many in every boot that could be a copy.
    fn are_enough(&self) -> bool {
        self.values.len().min(self.most) >= self.needed()
    }
}

/// Compares the boot with those before it, and remembers it. Needs a log without losses.
pub(in crate::gate) fn copies(run: &mut Run<'_>, boots: &mut Boots) {
    // That a whole log was given twice is a finding already.
    if !run.whole || run.refused() || run.findings.has(ReasonCode::NonceReused) {
        return;
    }
    let Some(start) = run.facts.one::<Start>() else { return };
    if let Some(detail) = within(run.facts) {
        return run.add(ReasonCode::ReadingsRepeated, start.line, detail);
    }
    let kinds = kinds(run.facts);
    let found = boots.exact_copy(&kinds).or_else(|| kinds.iter().find_map(|kind| boots.copy(kind)));
    match found {
        Some(detail) => run.add(ReasonCode::ReadingsRepeated, start.line, detail),
        None => boots.remember(start.is.nonce, &kinds),
    }
}

/// Whether iterations of the boot are copies of one another, as a detail: the same times to the last digit, again and again.
fn within(facts: &Facts) -> Option<String> {
    // As nearly always in a boot of one case.
    if facts.iterations.len() <= REPEATED_BY_CHANCE {
        return None;
    }
    let (mut seen, mut repeated) = (HashSet::new(), 0);
    for iteration in &facts.iterations {
        let cycles = iteration.workers.values().filter_map(|worker| Some(worker.timing?.is.cycles));
        let times: Vec<u64> = around(iteration).chain(cycles).collect();
        let is_new = times.len() < LEAST_TIMES
            || seen.insert(number([u64::from(iteration.case)].into_iter().chain(times)));
        repeated += usize::from(!is_new);
    }
    let all = facts.iterations.len();
    (repeated > REPEATED_BY_CHANCE && 4 * repeated > all).then(|| {
        format!("{repeated} of {all} iterations have the times of another one of the boot, to the last digit")
    })
}

/// How many times must be equal, at least.
const LEAST_TIMES: usize = 3;

/// How many iterations of a boot may repeat another's times.
const REPEATED_BY_CHANCE: usize = 1;

impl Boots {
    /// Whether every time of an earlier boot is the same, as a detail.
    fn exact_copy(&mut self, kinds: &[Kind; 4]) -> Option<String> {
        let times = &kinds[0].values;
        let known = times.len() >= kinds[0].least && !self.exact.insert(number(times.iter().copied()));
        known.then(|| format!("all {} times are those of an earlier run, to the last digit", times.len()))
    }

    /// The boot that this kind of readings is copied from, as a detail.
    fn copy(&self, kind: &Kind) -> Option<String> {
        if !kind.are_enough() {
            return None;
        }
        let mut equal: HashMap<u32, usize> = HashMap::new();
        for (place, value) in kind.compared() {
            if let Some(&boot) = near(kind, place, value).find_map(|key| self.readings.get(&key)) {
                *equal.entry(boot).or_default() += 1;
            }
        }
        let (boot, count) = equal.into_iter().max_by_key(|&(boot, count)| (count, boot))?;
        let nonce = self.nonces.get(usize::try_from(boot).ok()?)?;
        let (name, of) = (kind.name, kind.values.len().min(kind.most));
        (count >= kind.needed())
            .then(|| format!("{count} of {of} {name} are those of an earlier run, whose nonce is {nonce}"))
    }

    fn remember(&mut self, nonce: Hex64, kinds: &[Kind; 4]) {
        let Some(boot) = u32::try_from(self.nonces.len()).ok().filter(|_| self.nonces.len() < MOST_BOOTS)
        else {
            return;
        };
        self.nonces.push(nonce);
        for kind in kinds.iter().filter(|kind| kind.are_enough()) {
            for (place, value) in kind.compared() {
                self.readings.entry(reading(kind, place, value)).or_insert(boot);
            }
        }
    }
}

/// What a reading may have been before it was rounded: only ratios are.
fn near(kind: &Kind, place: usize, value: u64) -> impl Iterator<Item = u64> + '_ {
    let around = u64::from(kind.number == RATIOS);
    (value.saturating_sub(around)..=value.saturating_add(around))
        .map(move |value| reading(kind, place, value))
}

/// The number of the kind that is made by division.
const RATIOS: u8 = 3;

/// Ratios are compared to 2 to the power of -25: rounded times of fewer cycles do not keep them that well.
const RATIO_BITS: u32 = 25;

/// Several numbers as one.
fn number(of: impl IntoIterator<Item = u64>) -> u64 {
    of.into_iter().fold(0, |number, next| mix(number.rotate_left(32) ^ mix(next)))
}

/// The number of a reading at its place.
fn reading(kind: &Kind, place: usize, value: u64) -> u64 {
    number([u64::from(kind.number), place as u64, value])
}

/// All readings of a boot that are compared.
fn kinds(facts: &Facts) -> [Kind; 4] {
    let (mut times, mut details, mut cycles) = (Vec::new(), Vec::new(), Vec::new());
    for iteration in &facts.iterations {
        times.extend(around(iteration));
        for (&worker, records) in &iteration.workers {
            let Some(timing) = records.timing.map(|timing| timing.is) else { continue };
            times.push(timing.cycles);
            cycles.push(timing.cycles);
            details.extend(records.region.map(|region| way(timing, region.is)));
            let gap = facts.gap(iteration.case, iteration.iter, worker).map(|gap| gap.is);
            details.extend(
                gap.map(|gap| {
                    number([gap.before, gap.after, gap.reads_before.into(), gap.reads_after.into()])
                }),
            );
        }
    }
    let pairs = || cycles.windows(2).map(|pair| (pair[0], pair[1]));
    let steps = pairs().map(|(one, next)| next.wrapping_sub(one)).collect();
    let ratios = pairs().filter_map(|(one, next)| ratio(one, next)).collect();
    [
        Kind::of_equals(0, "times", times, LEAST_TIMES),
        Kind::of_equals(1, "ways in and out and pace checks", details, 4),
        Kind::of_neighbours(2, "steps from one worker's time to the next", steps),
        Kind::of_neighbours(RATIOS, "ratios of one worker's time to the next", ratios),
    ]
}

/// The times of an iteration that are no worker's: the warm-up, and from the common start to the last return and to the end.
fn around(iteration: &Iteration) -> impl Iterator<Item = u64> {
    let [ready, warm, back, done] = [Moment::Ready, Moment::Warm, Moment::Back, Moment::Done]
        .map(|at| iteration.mark(at).map(|mark| mark.is.tsc));
    let warm_up = warm.zip(ready).map(|(warm, ready)| warm.wrapping_sub(ready));
    let whole = done.map(|done| done.wrapping_sub(iteration.start_tsc));
    let timed = back.map(|back| back.wrapping_sub(iteration.start_tsc));
    warm_up.into_iter().chain(timed).chain(whole)
}

/// From the kernel's reading before a worker to the common start and its own first reading, and from its last to the
/// kernel's.
fn way(timing: Worker, region: Region) -> u64 {
    let ended = timing.skew.wrapping_add(timing.cycles);
    number([region.entered, timing.skew, region.returned.wrapping_sub(ended)])
}

fn ratio(one: u64, next: u64) -> Option<u64> {
    if one >> RATIO_BITS == 0 || next >> RATIO_BITS == 0 {
        return None;
    }
    let ratio = ((u128::from(next) << RATIO_BITS) + u128::from(one / 2)) / u128::from(one);
    u64::try_from(ratio).ok()
}
