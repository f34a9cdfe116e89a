//! The two figures of a speed-up, undisturbed and as experienced, and what a claim needs of both.

use evidence::gate::{Ended, Gate, HostEvidence, ReasonCode, RunExpectation, VcpuDelay};
use evidence::transcript::Transcript;
use report::terminal_in_colour;
use results::{
    Claim, ClaimEvidence, ClaimRule, Completion, Conclusion, Environment, ExperiencedCase, Experiment,
    Pairing, Results, RunRecord, Scope, Shown,
};
use test_support::guest::{Guest, KHZ};

use super::rounds::{QUIET, RULE, experiment, refused, results, runs, said};
use super::set_aside::disturbed_run;

/// How many iterations a boot has here.
const ITERATIONS: u16 = 20;
/// What the whole takes on one CPU, in cycles: 26 ms.
const WORK: u64 = 55_000_000;

/// What happens to the iterations of case 2 in each boot.
#[derive(Clone, Copy)]
struct Spoilt {
    /// In how many of them, the first ones.
    iterations: u16,
    /// How long these take, in percent.
    percent: u64,
    /// Whether the host saw the vCPUs wait in them.
    seen: bool,
}

const NOTHING: Spoilt = Spoilt { iterations: 0, percent: 100, seen: false };

/// Rounds of both cases in boots of many iterations, of which case 2 is spoilt in the rounds `of`.
fn boots(rounds: u32, spoilt: Spoilt, of: impl Fn(u32) -> bool) -> Vec<RunRecord> {
    boots_of(rounds, |round, case| if case == 2 && of(round) { spoilt } else { NOTHING })
}

/// Rounds of both cases in boots of many iterations, each spoilt as `of` its round and case.
fn boots_of(rounds: u32, of: impl Fn(u32, u16) -> Spoilt) -> Vec<RunRecord> {
    let mut gate = Gate::default();
    let mut runs = Vec::new();
    for round in 0..rounds {
        for case in [1, 2] {
            let number = u32::try_from(runs.len()).expect("few");
            let (log, evidence) = boot(number, case, of(round, case));
            let verdict = gate.judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
            let run = RunRecord::new(number, round, verdict).with_evidence(evidence);
            runs.push(RunRecord { case: Some(case), ..run });
        }
    }
    runs
}

fn boot(number: u32, case: u16, spoilt: Spoilt) -> (Vec<u8>, HostEvidence) {
    let guest = Guest {
        nonce: 20_000 + u64::from(number),
        iterations: ITERATIONS,
        work_cycles: WORK,
        whole: [2, 3_000, 0, 0],
        first: (spoilt.iterations, spoilt.percent),
        ..Guest::of(case)
    };
    let evidence = HostEvidence {
        ended: Ended::DebugExit { value: 0x10 },
        vcpus: Some(case),
        host_cpus: Some(2),
        delays: waits(case, spoilt),
        ..HostEvidence::default()
    };
    (guest.log(), evidence)
}

/// The scheduler's account of the spoilt iterations, if it saw them: a vCPU waited for half of the time, which is what the
/// guest's log says and 4 ms around it.
fn waits(case: u16, spoilt: Spoilt) -> Vec<VcpuDelay> {
    let workers = u64::from(case);
    let cycles = WORK / workers * (97 + 3 * workers) / 100 * spoilt.percent / 100;
    let half = (cycles * 1_000_000 / KHZ + 4_200_000) / 2;
    let wait = |iteration| VcpuDelay {
        case,
        iteration,
        vcpu: 0,
        wall_ns: 2 * half,
        run_ns: half,
        delay_ns: half,
        involuntary_switches: 3,
    };
    (0..if spoilt.seen { spoilt.iterations } else { 0 }).map(wait).collect()
}

fn evidence(results: &Results) -> &ClaimEvidence {
    match &results.claim.as_ref().expect("a claim").claim {
        Claim::Holds(evidence)
        | Claim::HoldsUndisturbed(evidence)
        | Claim::DoesNotHold(evidence)
        | Claim::Inconclusive(evidence)
        | Claim::WithinBoot { evidence, .. } => evidence,
        Claim::NotMade { reason, detail } => panic!("{reason}: {detail}"),
    }
}

fn case(results: &Results, case: u16) -> &ExperiencedCase {
    results.experienced.iter().find(|of| of.case == case).expect("the case ran")
}

#[test]
fn a_quiet_host_gives_two_figures_that_agree_and_the_claim_holds() {
    let results = results(boots(7, NOTHING, |_| false));
    assert_eq!(results.conclusion(), Conclusion::Holds);
    let evidence = evidence(&results);
    let experienced = evidence.experienced.as_ref().expect("rounds");
    assert!((evidence.median - experienced.median).abs() < 0.01, "{evidence:?}");
    assert!((evidence.median - experienced.by_mean.ratio).abs() < 0.01, "{evidence:?}");
    assert!((evidence.used - 1.0).abs() < 1e-12);
    assert_eq!((case(&results, 2).runs, case(&results, 2).iterations), (7, 140));
}

#[test]
fn a_failure_to_scale_in_most_iterations_does_not_hide_behind_the_quartile() {
    for iterations in [10, 12, 14, 15] {
        let spoilt = Spoilt { iterations, percent: 195, seen: false };
        let results = results(boots(7, spoilt, |_| true));
        let evidence = evidence(&results);
        assert!(
            evidence.interval.low > 1.6 || iterations == 15,
            "the quartile alone would pass: {evidence:?}"
        );
        assert_ne!(results.conclusion(), Conclusion::Holds, "{iterations} of 20");
        assert_ne!(results.conclusion(), Conclusion::HoldsUndisturbed, "{iterations} of 20");
    }
    let results = results(boots(7, Spoilt { iterations: 14, percent: 195, seen: false }, |_| true));
    let text = said(&results);
    assert!(text.contains("INCONCLUSIVE") && text.contains("their median does not"), "{text}");
}

/// So many rounds that the bound of the spells that were met is near to what was made.
const MANY: u32 = 100;
/// A claim to which that is near.
const NEAR: f64 = 1.86;

/// The results of these runs by that claim.
fn near(runs: Vec<RunRecord>) -> Results {
    let rule = ClaimRule { min_speedup: NEAR, ..RULE };
    Results::new(experiment(Some(rule)), Environment::default(), runs, Completion::Complete)
}

/// Boots of which a little less than half of the iterations are a little too slow for the claim, unseen.
fn barely_spoilt() -> Results {
    near(boots(MANY, Spoilt { iterations: 9, percent: 110, seen: false }, |_| true))
}

#[test]
fn what_the_median_of_iterations_hides_the_mean_shows() {
    let near = barely_spoilt();
    assert_eq!(near.conclusion(), Conclusion::HoldsUndisturbed);
    let experienced = evidence(&near).experienced.as_ref().expect("rounds");
    assert!(experienced.median > NEAR && experienced.by_mean.ratio < NEAR, "{experienced:?}");
    // Far from the claim, the undisturbed figure is no claim either. Nothing was excluded, so nothing was selected.
    let far = results(boots(7, Spoilt { iterations: 9, percent: 195, seen: false }, |_| true));
    assert_eq!(far.conclusion(), Conclusion::Inconclusive);
}

#[test]
fn what_evidence_excludes_stays_in_the_figure_as_experienced() {
    // Neighbours in a tenth of the iterations, of which the two-CPU case loses more.
    let spoilt = |case| match case {
        1 => Spoilt { iterations: 2, percent: 105, seen: true },
        _ => Spoilt { iterations: 2, percent: 143, seen: true },
    };
    let results = near(boots_of(MANY, |_, case| spoilt(case)));
    let two = case(&results, 2);
    assert_eq!((two.iterations, two.iterations_counted), (2000, 1800));
    let evidence = evidence(&results);
    assert!((evidence.used - 0.9).abs() < 1e-9, "{evidence:?}");
    assert_eq!(results.conclusion(), Conclusion::HoldsUndisturbed);
    let neighbours = evidence.neighbours.expect("both figures");
    assert!(neighbours.by_mean > 0.05, "{neighbours:?}");
    let waited = neighbours.waited.expect("an account");
    assert!(waited.of_ms.abs_diff(2 * waited.ms) <= 1, "{waited:?}");
    let text = said(&results);
    for words in [
        "HOLDS UNDISTURBED: speed-up from 1 to 2 workers of at least 1.86",
        "undisturbed (90.0 % used): median 1.",
        "as experienced (100 rounds made): median 1.",
        "10.0 % of the iterations excluded; vCPUs waited",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn a_run_that_only_the_host_spoilt_is_in_the_figure_as_experienced() {
    let spoilt = Spoilt { iterations: ITERATIONS, percent: 180, seen: true };
    let results = results(boots(9, spoilt, |round| round < 2));
    assert_eq!(results.excluded_rounds.keys().copied().collect::<Vec<_>>(), [1, 2]);
    let two = case(&results, 2);
    assert_eq!((two.runs, two.runs_counted, two.runs_without_time), (9, 7, 0));
    assert!(two.cycles.mean > 1.1 * two.cycles.median, "the slow runs are in the mean: {two:?}");
    assert_eq!(two.speedup.as_ref().map(|of| of.by_mean.rounds), Some(9));
}

#[test]
fn the_times_of_a_spoilt_run_are_no_measurement() {
    let disturbed = disturbed_run(&runs(1, &[(2, QUIET)], 2)[0]);
    let outcome = &disturbed.verdict.outcome;
    assert!(outcome.measurement().is_none());
    let times = outcome.disturbed_times().expect("only the host is to blame");
    assert_eq!((times.times().len(), times.times()[0].case), (1, 2));
    let json = serde_json::to_value(&disturbed).expect("JSON");
    assert!(json["experienced"]["times"][0]["cycles"].is_u64(), "{json}");
    assert!(json.get("measurement").is_none());
}

#[test]
fn runs_without_a_time_are_counted_and_named() {
    let mut runs = runs(7, &[(1, QUIET), (2, QUIET)], 2);
    runs.push(refused());
    let results = results(runs);
    assert_eq!((case(&results, 1).runs_without_time, case(&results, 2).runs_without_time), (0, 1));
    assert!(said(&results).contains("2 workers: 1 more runs were made and have no time"));
}

#[test]
fn nothing_is_claimed_if_less_than_half_of_what_was_made_counts() {
    let spoilt = Spoilt { iterations: ITERATIONS, percent: 180, seen: true };
    let of = |disturbed: u32| {
        let runs = boots(5 + disturbed, spoilt, |round| round < disturbed);
        let experiment = Experiment { set_aside_limit: 20, ..experiment(Some(RULE)) };
        Results::new(experiment, Environment::default(), runs, Completion::Complete)
    };
    assert!(case(&of(5), 2).is_enough());
    let results = of(6);
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::HostContended));
    assert!(said(&results).contains("100 of the 220 iterations of case 1 that were made count (45 %)"));
    assert_eq!(results.cases[1].stats.cycles.n, 5, "what was measured is shown");
}

#[test]
fn sixteen_of_twenty_iterations_excluded_cost_the_boot() {
    let spoilt = Spoilt { iterations: 16, percent: 125, seen: true };
    let results = results(boots(7, spoilt, |round| round == 3));
    assert_eq!(results.excluded_rounds.keys().copied().collect::<Vec<_>>(), [4]);
}

fn sweep(nonce: u64) -> RunRecord {
    let guest = Guest { nonce, iterations: 7, ..Guest::sweeping(4, 1) };
    let log = guest.log();
    let verdict =
        Gate::default().judge(&Transcript::read(&log), &RunExpectation::default(), &HostEvidence::default());
    let round = u32::try_from(nonce).expect("small");
    RunRecord::new(round, round, verdict)
}

fn of_sweeps(runs: Vec<RunRecord>) -> Results {
    let pairing = Pairing::of(runs.iter().map(|run| &run.verdict));
    let experiment = Experiment { pairing, ..experiment(Some(ClaimRule { to: 4, ..RULE })) };
    Results::new(experiment, Environment::default(), runs, Completion::Complete)
}

#[test]
fn one_boot_makes_no_claim_across_boots() {
    let results = of_sweeps(vec![sweep(0)]);
    assert_eq!(results.conclusion(), Conclusion::WithinBoot);
    let Claim::WithinBoot { within, evidence } = &results.claim.as_ref().expect("a claim").claim else {
        panic!("{:?}", results.claim)
    };
    assert_eq!((*within, evidence.scope, evidence.rounds), (Shown::Holds, Scope::WithinBoot, 7));
    let text = said(&results);
    for words in
        ["HOLDS WITHIN THIS BOOT: ", "98.4 % interval within this boot", "7 of 7 iterations reach it"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    let json = serde_json::to_value(&results).expect("JSON");
    assert_eq!(
        (&json["claim"]["verdict"], &json["claim"]["within"]),
        (&"within-boot".into(), &"holds".into())
    );
    assert_eq!(json["cases"][1]["speedup"]["scope"], "within-boot");
    assert_eq!(json["experienced"][1]["speedup"]["scope"], "within-boot");
}

#[test]
fn several_boots_of_a_sweep_are_its_rounds() {
    let results = of_sweeps((0..5).map(sweep).collect());
    assert_eq!(results.conclusion(), Conclusion::Holds);
    assert_eq!((evidence(&results).scope, evidence(&results).rounds), (Scope::AcrossBoots, 5));
    let few = of_sweeps((0..4).map(sweep).collect());
    assert_eq!(few.conclusion(), Conclusion::Refused(ReasonCode::TooFewRounds));
}

#[test]
fn each_verdict_has_its_colour() {
    let colour = |results: &Results| {
        let text = terminal_in_colour(results);
        let at = text.find("\x1b[1;").expect("a colour");
        text[at + 4..at + 6].to_owned()
    };
    let poor = results(runs(7, &[(1, QUIET), (2, [130; 7])], 2));
    let undisturbed = barely_spoilt();
    let colours = [
        colour(&results(runs(7, &[(1, QUIET), (2, QUIET)], 2))),
        colour(&undisturbed),
        colour(&poor),
        colour(&of_sweeps(vec![sweep(0)])),
    ];
    assert_eq!(colours, ["32", "33", "31", "34"]);
}
