//! One session on a simulated host, from its first boot to its results.

use evidence::gate::{Gate, RunExpectation};
use evidence::ledger::{Ledger, Probes};
use evidence::transcript::Transcript;
use lab::{Rounds, SPARE, Step};
use results::{ClaimRule, Completion, Environment, Experiment, Pairing, Results, RunRecord};

use crate::boot::Boot;
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
}

/// The shapes of our manifests: smp-process-scale.toml and verdict.toml.
pub const SHAPES: [Shape; 2] = [
    Shape { name: "1 x 650 ms", whole_ms: 650.0, iterations: 1, rounds: 7 },
    Shape { name: "20 x 26 ms", whole_ms: 26.0, iterations: 20, rounds: 7 },
];

/// The cases of a session, in whose terms the claim is.
const CASES: [u16; 2] = [1, 2];

/// Between two boots, in ms: the machine is torn down and made.
const BETWEEN_BOOTS: f64 = 400.0;

/// A session that was run.
pub(crate) struct Session {
    ledger: Ledger,
    runs: Vec<RunRecord>,
    experiment: Experiment,
    /// The ratio of the mean times of everything that it made, with nothing left out and no rule applied.
    pub own_truth: f64,
}

impl Session {
    /// Runs a session without native probes: they would exclude more, and all cases alike.
    pub fn of(pattern: &Pattern, shape: Shape, seed: u64) -> Self {
        let mut host = pattern.host(seed);
        let groups: Vec<Vec<u16>> = CASES.iter().map(|&case| vec![case]).collect();
        let rounds = Rounds::new(&groups, shape.rounds, SPARE, seed);
        let mut ledger = Ledger::new(Probes::none("simulated"));
        let mut gate = Gate::default();
        let mut runs: Vec<RunRecord> = Vec::new();
        let mut made = CASES.map(|_| Mean::default());
        let mut now = 0.0;
        for slot in rounds.order() {
            match rounds.step(slot.round, &ledger) {
                Step::Make => {}
                Step::PassOver => continue,
                Step::Stop => break,
            }
            let boot = Boot::of(&mut host, slot.item, shape, now);
            now = boot.over + BETWEEN_BOOTS;
            made[usize::from(slot.item == CASES[1])].add(&boot);
            let number = u32::try_from(runs.len()).unwrap_or(u32::MAX);
            let (log, evidence) = (boot.log(slot.item, u64::from(number) + 1), boot.evidence(slot.item));
            let verdict = gate.judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
            let mut run = RunRecord::new(number, slot.round, verdict).with_evidence(evidence);
            run.case = Some(slot.item);
            ledger.add_run(&run);
            runs.push(run);
        }
        let experiment = Experiment {
            name: pattern.name.to_owned(),
            label: None,
            manifest: None,
            manifest_sha256: None,
            pairing: Pairing::Runs,
            rounds: Some(u32::from(shape.rounds)),
            set_aside_limit: rounds.limit(),
            cases: CASES.to_vec(),
            order_seed: Some(seed),
            claim: None,
        };
        Self { ledger, runs, experiment, own_truth: made[0].mean() / made[1].mean() }
    }

    /// Its results, with the claim that two workers are at least `claim` times as fast as one.
    pub fn results(&self, claim: f64) -> Results {
        let rule = ClaimRule { from: CASES[0], to: CASES[1], min_speedup: claim };
        let experiment = Experiment { claim: Some(rule), ..self.experiment.clone() };
        let (environment, runs) = (Environment::default(), self.runs.clone());
        Results::of_session(experiment, environment, &self.ledger, runs, Completion::Complete)
    }
}

/// The mean time of boots.
#[derive(Clone, Copy, Default)]
struct Mean {
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
    mean(CASES[0]) / mean(CASES[1])
}
