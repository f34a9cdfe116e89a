//! What a reader must know to read the table, in lines of at most 80 columns where they are fixed.

use results::session::{CaseVerdict, SessionComparison, TimeUnit};
use stats::{Comparison, Design, LEAST_FOR_DEPENDENCE, LEAST_ROUNDS, Measure};

/// The notes below the table.
pub fn notes(comparison: &SessionComparison) -> Vec<String> {
    let mut notes = vec![unit(comparison).to_owned()];
    notes.extend(method(comparison.design).map(str::to_owned));
    let level = comparison.design.level_of_each(comparison.level) * 100.0;
    let error = comparison.error * 100.0;
    notes.push(format!("intervals: {level:.2} %, so that all figures and cases share an error of {error} %"));
    notes.extend(figures(comparison));
    notes.push(format!(
        "no-difference: the whole interval of every figure is within {:.1} % of 1",
        comparison.margin * 100.0
    ));
    notes.extend(few_rounds(comparison));
    if comparison.design == Design::Unpaired {
        notes.extend(between_sessions(comparison));
    }
    for case in &comparison.cases {
        notes.extend(of_case(case));
    }
    if comparison.cases.iter().any(|case| case.longest_worker) {
        notes.push("times are of the longest worker: clocks were not shown to be in step".to_owned());
    }
    if comparison.cases.iter().any(|case| case.functional_only.is_some()) {
        notes.push("* more vCPUs than host CPUs: no verdict".to_owned());
    }
    notes
}

fn unit(comparison: &SessionComparison) -> &'static str {
    match comparison.unit {
        TimeUnit::Cycles => "A, B: median over the rounds, in ms by A's TSC frequency; compared in cycles",
        TimeUnit::Nanos => "A, B: in ms, each by its session's own TSC frequency, whose error is in B/A",
    }
}

const fn method(design: Design) -> [&'static str; 2] {
    match design {
        Design::Paired => [
            "paired by round: Wilcoxon's signed ranks and Gastwirth's ranks of the fastest",
            "rounds, half the error each; ratio: Hodges-Lehmann",
        ],
        Design::Unpaired => [
            "two sessions: Gastwirth's ranks of the faster half, no-difference by all ranks",
            "too; ratio: Hodges-Lehmann; p assumes independent rounds, the interval does not",
        ],
    }
}

fn figures(comparison: &SessionComparison) -> Vec<String> {
    if comparison.cases.iter().all(|case| case.figures.len() < 2) {
        return Vec::new();
    }
    vec![
        "of each boot: quick quartile and median of the undisturbed iterations, and the".to_owned(),
        "mean of all of them with none left out; slower by either of the first two".to_owned(),
    ]
}

fn compared(comparison: &SessionComparison) -> impl Iterator<Item = &Comparison> {
    let figures = comparison.cases.iter().flat_map(|case| &case.figures);
    figures.filter_map(|figure| figure.comparison.as_ref())
}

fn few_rounds(comparison: &SessionComparison) -> Vec<String> {
    let mut notes = Vec::new();
    let asked = comparison.design.level_of_each(comparison.level);
    let levels = compared(comparison).map(|compared| compared.interval.level);
    if let Some(least) = levels.reduce(f64::min).filter(|&level| level < asked) {
        notes.push(format!("so few rounds give intervals of {:.1} % at most", least * 100.0));
    }
    let least = match comparison.design {
        Design::Paired => LEAST_ROUNDS,
        Design::Unpaired => LEAST_FOR_DEPENDENCE,
    };
    if compared(comparison).any(|compared| compared.rounds_a.min(compared.rounds_b) < least) {
        notes.push(format!("fewer than {least} rounds in A or B decide nothing"));
    }
    notes
}

/// What widens the intervals of two sessions.
fn between_sessions(comparison: &SessionComparison) -> Vec<String> {
    let mut notes = Vec::new();
    let dependence = compared(comparison).filter_map(|compared| compared.dependence);
    if let Some(most) = dependence.max_by(|one, other| one.a.max(one.b).total_cmp(&other.a.max(other.b))) {
        notes.push(format!(
            "autocorrelation of the rounds: A {:.2}, B {:.2} at most{}",
            most.a,
            most.b,
            if most.evident { ": they depend on those before" } else { "; widens the intervals" }
        ));
    }
    notes.push(match &comparison.host_shift {
        Some(shift) => format!(
            "session offset by native probes: {:.4} to {:.4}{}",
            shift.interval.low,
            shift.interval.high,
            if shift.alike { "; widens the intervals" } else { ": not shown to be alike" }
        ),
        None => "session offset: not known; two sessions without probes get no verdict".to_owned(),
    });
    notes
}

fn of_case(case: &CaseVerdict) -> Vec<String> {
    let number = case.case;
    let mut notes = Vec::new();
    if let Some(compared) = case.figures.first().and_then(|figure| figure.comparison.as_ref()) {
        let (a, b) = (compared.rounds_a, compared.rounds_b);
        notes.push(format!("case {number}: {a} rounds of A, {b} of B"));
    }
    let [a, b] = case.excluded;
    if a.excluded + b.excluded > 0 {
        notes.push(format!(
            "case {number}: iterations excluded: A {} of {}, B {} of {}",
            a.excluded, a.iterations, b.excluded, b.iterations
        ));
    }
    if let Some(test) = case.selection.filter(|test| test.first + test.second > 0.0) {
        let (a, b) = (test.first * 100.0, test.second * 100.0);
        notes.push(format!(
            "case {number}: excluded of all boots made: A {a:.1} %, B {b:.1} %, p = {:.2e}",
            test.p
        ));
    }
    if case.is_selected() {
        notes.push(format!(
            "case {number}: selection: one side lost more, so what is left of it looks too fast"
        ));
    }
    let only_fastest_alike = |compared: &Comparison| compared.only_quick_alike;
    if case.figures.iter().any(|figure| figure.comparison.as_ref().is_some_and(only_fastest_alike)) {
        notes.push(format!(
            "case {number}: the fastest rounds are alike, the slower ones are not shown to be"
        ));
    }
    let by = |measure: Measure| case.figures.iter().any(|figure| figure.measure == measure);
    if by(Measure::Pace) {
        notes.push(format!("case {number}: compared by pace: the paces are shown to be within the margin"));
    }
    if by(Measure::PaceAndClock) {
        notes.push(format!(
            "case {number}: compared by pace and confirmed by the clock: the paces may differ"
        ));
    }
    notes
}
