//! One session on a simulated host, from its first boot to its results.

use std::collections::BTreeSet;

use abi::random::SplitMix64;
use evidence::gate::{Gate, RunExpectation};
use evidence::ledger::{Ledger, Probes};
use evidence::transcript::Transcript;
use lab::{Rounds, SPARE, Step};
use results::{ClaimRule, Completion, Environment, Experiment, Pairing, Results, RunRecord};

use crate::boot::Boot;
use crate::host::{Host, Stay};
use crate::pattern::Pattern;

/// How a session divides the time that it measures.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Its name.
    pub name: &'static str,
    /// How long the whole takes on one CPU, in ms.
    pub whole_ms: f64,
    /// How often a boot runs it.
    pub iterations: u16,
    /// How many rounds are to count.
    pub rounds: u16,
    /// How many CPUs the larger case has; the smaller one has one.
    pub workers: u16,
}

impl Shape {
    /// The cases of a session, in whose terms the claim is.
    const fn cases(self) -> [u16; 2] {
        [1, self.workers]
    }
}

/// The shapes of our manifests: smp-process-scale.toml and verdict.toml.
pub const SHAPES: [Shape; 2] = [
    Shape { name: "1 x 650 ms", whole_ms: 650.0, iterations: 1, rounds: 7, workers: 2 },
    Shape { name: "20 x 26 ms", whole_ms: 26.0, iterations: 20, rounds: 7, workers: 2 },
];

/// Other shapes: what a user may choose. All but what they are named for is as in the second one of [`SHAPES`].
pub const OTHER_SHAPES: [Shape; 5] = [
    Shape { name: "10 x 26 ms", iterations: 10, ..SHAPES[1] },
    Shape { name: "40 x 26 ms", iterations: 40, ..SHAPES[1] },
    Shape { name: "3 CPUs", workers: 3, ..SHAPES[1] },
    Shape { name: "4 CPUs", workers: 4, ..SHAPES[1] },
    Shape { name: "15 rounds", rounds: 15, ..SHAPES[1] },
];

/// Between two boots, in ms: the machine is torn down and made.
const BETWEEN_BOOTS: f64 = 400.0;

/// A session that was run.
pub(crate) struct Session {
    ledger: Ledger,
    runs: Vec<RunRecord>,
    experiment: Experiment,
    workers: u16,
    /// By case: everything that it made, with nothing left out and no rule applied.
    pub made: [Mean; 2],
    /// The same of the first attempts: what it would have made without a repeat.
    pub first: [Mean; 2],
    /// How many boots of the larger case something slowed that had slowed none before: two boots within one stay of a
    /// neighbour are one.
    pub met: usize,
}

/// A session while it is made.
struct Maker<'h> {
    host: &'h mut Host,
    shape: Shape,
    ledger: Ledger,
    gate: Gate,
    runs: Vec<RunRecord>,
    /// By case: everything that was made, and the first attempts.
    made: [Mean; 2],
    first: [Mean; 2],
    met: usize,
    stays: BTreeSet<Stay>,
    now: f64,
}

impl Maker<'_> {
    /// Makes a run, and has it judged.
    fn make(&mut self, round: u32, case: u16) {
        let boot = Boot::of(self.host, case, self.shape, self.now);
        self.now = boot.over + BETWEEN_BOOTS;
        let number = u32::try_from(self.runs.len()).unwrap_or(u32::MAX);
        // Far from each other: what a guest has by chance follows from its nonce.
        let nonce = SplitMix64::new(u64::from(number)).draw();
        let (log, evidence) = (boot.log(case, nonce), boot.evidence(case));
        let verdict = self.gate.judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
        let mut run = RunRecord::new(number, round, verdict).with_evidence(evidence);
        run.case = Some(case);
        self.ledger.add_run(&run);
        let at = usize::from(case > 1);
        self.made[at].add(&boot);
        if case > 1 {
            let known = self.stays.len();
            self.stays.extend(&boot.met);
            self.met += usize::from(self.stays.len() > known);
        }
        if self.ledger.attempt(round, number) == 0 {
            self.first[at].add(&boot);
        }
        self.runs.push(run);
    }
}

impl Session {
    /// Runs a session without native probes: they would exclude more, and all cases alike.
    pub fn of(pattern: &Pattern, shape: Shape, seed: u64) -> Self {
        let mut host = pattern.host(seed);
        let groups: Vec<Vec<u16>> = shape.cases().map(|case| vec![case]).to_vec();
        let rounds = Rounds::new(&groups, shape.rounds, SPARE, seed);
        let mut maker = Maker {
            host: &mut host,
            shape,
            ledger: Ledger::new(Probes::none("simulated")).repeating(rounds.repeats().times),
            gate: Gate::default(),
            runs: Vec::new(),
            made: [Mean::default(); 2],
            first: [Mean::default(); 2],
            met: 0,
            stays: BTreeSet::new(),
            now: 0.0,
        };
        for slot in rounds.order() {
            // As in `assay run`, an excluded round is made whole.
            match rounds.step(slot.round, &maker.ledger) {
                Step::Make | Step::PassOver => maker.make(slot.round, slot.item),
                Step::Stop => break,
            }
            while let Some(again) = rounds.again(slot.round, &maker.ledger) {
                let case = maker.runs[again as usize].case.unwrap_or_default();
                maker.make(slot.round, case);
            }
        }
        let Maker { ledger, runs, made, first, met, .. } = maker;
        let experiment = Experiment {
            name: pattern.name.to_owned(),
            label: None,
            manifest: None,
            manifest_sha256: None,
            pairing: Pairing::Runs,
            rounds: Some(u32::from(shape.rounds)),
            set_aside_limit: rounds.limit(),
            repeats: Some(rounds.repeats()),
            patience_ms: None,
            cases: shape.cases().to_vec(),
            order_seed: Some(seed),
            claim: None,
            scaling: None,
            work_unit: None,
        };
        Self { ledger, runs, experiment, workers: shape.workers, made, first, met }
    }

    /// The ratio of the mean times of everything that it made.
    pub fn own_truth(&self) -> f64 {
        Mean::ratio(self.made)
    }

    /// Its results, with the claim that two workers are at least `claim` times as fast as one.
    pub fn results(&self, claim: f64) -> Results {
        let rule = ClaimRule { from: 1, to: self.workers, min_speedup: claim };
        let experiment = Experiment { claim: Some(rule), ..self.experiment.clone() };
        let (environment, runs) = (Environment::default(), self.runs.clone());
        Results::of_session(experiment, environment, &self.ledger, runs, Completion::Complete)
    }
}

/// The mean time of boots.
#[derive(Clone, Copy, Default)]
pub(crate) struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, boot: &Boot) {
        for time in boot.times() {
            self.sum += time;
            self.count += 1.0;
        }
    }

    fn mean(self) -> f64 {
        self.sum / self.count
    }

    /// Adds what another one has.
    pub fn join(&mut self, other: Self) {
        self.sum += other.sum;
        self.count += other.count;
    }

    /// The mean of the smaller case divided by that of the larger one.
    pub fn ratio([small, large]: [Self; 2]) -> f64 {
        small.mean() / large.mean()
    }
}

/// The ratio of the mean times of one worker and of two on such a host, from `boots` boots of each: what a platform with
/// these neighbours gives, with nothing left out and no rule applied.
pub(crate) fn truth(pattern: &Pattern, shape: Shape, boots: u32, seed: u64) -> f64 {
    let mean = |case| {
        let mut mean = Mean::default();
        for boot in 0..boots {
            let mut host = pattern.host(seed ^ u64::from(boot) << 20);
            mean.add(&Boot::of(&mut host, case, shape, 0.0));
        }
        mean.mean()
    };
    mean(1) / mean(shape.workers)
}
