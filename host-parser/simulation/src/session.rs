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

/// Runs a session that claims a speed-up of `claim` from one worker to two, without native probes: they would exclude
/// more, and all cases alike.
pub(crate) fn session(pattern: &Pattern, shape: Shape, claim: f64, seed: u64) -> Results {
    let mut host = pattern.host(seed);
    let groups: Vec<Vec<u16>> = CASES.iter().map(|&case| vec![case]).collect();
    let rounds = Rounds::new(&groups, shape.rounds, SPARE, seed);
    let mut ledger = Ledger::new(Probes::none("simulated"));
    let mut gate = Gate::default();
    let mut runs: Vec<RunRecord> = Vec::new();
    let mut now = 0.0;
    for slot in rounds.order() {
        match rounds.step(slot.round, &ledger) {
            Step::Make => {}
            Step::PassOver => continue,
            Step::Stop => break,
        }
        let boot = Boot::of(&mut host, slot.item, shape, now);
        now = boot.over + BETWEEN_BOOTS;
        let number = u32::try_from(runs.len()).unwrap_or(u32::MAX);
        let (log, evidence) = (boot.log(slot.item, u64::from(number) + 1), boot.evidence(slot.item));
        let verdict = gate.judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
        let mut run = RunRecord::new(number, slot.round, verdict).with_evidence(evidence);
        run.case = Some(slot.item);
        ledger.add_run(&run);
        runs.push(run);
    }
    let rule = ClaimRule { from: CASES[0], to: CASES[1], min_speedup: claim };
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
        claim: Some(rule),
    };
    Results::of_session(experiment, Environment::default(), &ledger, runs, Completion::Complete)
}

/// The ratio of the mean times of one worker and of two on such a host, from `boots` boots of each: what a platform with
/// these neighbours gives, with nothing left out and no rule applied.
pub(crate) fn truth(pattern: &Pattern, shape: Shape, boots: u32, seed: u64) -> f64 {
    let mean = |case| {
        let (mut sum, mut count) = (0.0, 0.0);
        for boot in 0..boots {
            let mut host = pattern.host(seed ^ u64::from(boot) << 20);
            for time in Boot::of(&mut host, case, shape, 0.0).times() {
                sum += time;
                count += 1.0;
            }
        }
        sum / count
    };
    mean(CASES[0]) / mean(CASES[1])
}
