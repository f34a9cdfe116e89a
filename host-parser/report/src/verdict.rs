//! A claim's verdict in words: the word, and the figures that it rests on. ASCII, one line each.

use results::{Claim, ClaimEvidence, ClaimReport, ClaimRule, Scope, Shown, Taken};
use stats::Interval;

use super::number::{grouped, percent};

/// A claim and its verdict in words.
pub(super) struct Verdict {
    /// The verdict.
    pub word: &'static str,
    /// What the figures show; `None` if nothing is claimed.
    pub shown: Option<Shown>,
    /// Whether that is of one boot only.
    pub within_boot: bool,
    /// What it rests on, or why nothing is claimed.
    pub lines: Vec<String>,
}

/// What is claimed.
pub(super) fn rule(rule: &ClaimRule) -> String {
    format!("speed-up from {} to {} workers of at least {:.2}", rule.from, rule.to, rule.min_speedup)
}

/// The claim's verdict.
pub(super) fn verdict(report: &ClaimReport) -> Verdict {
    let rule = &report.rule;
    let (word, shown, evidence) = match &report.claim {
        Claim::Holds(evidence) => ("HOLDS", Shown::Holds, evidence),
        Claim::HoldsUndisturbed(evidence) => ("HOLDS UNDISTURBED", Shown::HoldsUndisturbed, evidence),
        Claim::DoesNotHold(evidence) => ("DOES NOT HOLD", Shown::DoesNotHold, evidence),
        Claim::Inconclusive(evidence) => ("INCONCLUSIVE", Shown::Inconclusive, evidence),
        Claim::WithinBoot { within, evidence } => (within_word(*within), *within, evidence),
        Claim::NotMade { reason, detail } => {
            let lines = vec![format!("{reason}: {detail}")];
            return Verdict { word: "NOT MADE", shown: None, within_boot: false, lines };
        }
    };
    let within_boot = evidence.scope == Scope::WithinBoot;
    Verdict { word, shown: Some(shown), within_boot, lines: lines(rule, shown, evidence) }
}

fn within_word(within: Shown) -> &'static str {
    match within {
        Shown::Holds => "HOLDS WITHIN THIS BOOT",
        Shown::HoldsUndisturbed => "HOLDS UNDISTURBED WITHIN THIS BOOT",
        Shown::DoesNotHold => "DOES NOT HOLD WITHIN THIS BOOT",
        Shown::Inconclusive => "INCONCLUSIVE WITHIN THIS BOOT",
    }
}

fn lines(rule: &ClaimRule, shown: Shown, evidence: &ClaimEvidence) -> Vec<String> {
    let mut lines = undisturbed(evidence);
    lines.extend(experienced(evidence));
    lines.extend(contradiction(rule, evidence));
    if matches!(shown, Shown::HoldsUndisturbed) {
        lines.extend(neighbours(evidence));
    }
    if evidence.scope == Scope::WithinBoot {
        lines.push("one boot: this says nothing of other boots, so no claim is made".to_owned());
    }
    lines
}

fn undisturbed(evidence: &ClaimEvidence) -> Vec<String> {
    let scope = evidence.scope;
    let (rounds, of) = (evidence.rounds, rounds_word(scope));
    let mut lines = vec![format!(
        "undisturbed ({} % used): median {:.3}, {}, {} of {rounds} {of} reach it (sign test {} %)",
        percent(evidence.used),
        evidence.median,
        interval(Some(evidence.interval), scope),
        evidence.rounds_reaching,
        percent(evidence.sign_confidence)
    )];
    lines.extend(evidence.iterations_median.map(|of| {
        let median = of.median;
        format!("by the median of each boot's iterations: {median:.3}, {}", interval(of.interval, scope))
    }));
    lines
}

/// What a round is.
fn rounds_word(scope: Scope) -> &'static str {
    match scope {
        Scope::AcrossBoots => "rounds",
        Scope::WithinBoot => "iterations",
    }
}

fn experienced(evidence: &ClaimEvidence) -> Option<String> {
    let of = evidence.experienced.as_ref()?;
    Some(format!(
        "as experienced ({} {} made): median {:.3}, {}; by mean times {:.3}, {}",
        of.by_mean.rounds,
        rounds_word(of.scope),
        of.median,
        interval(of.interval, of.scope),
        of.by_mean.ratio,
        interval(of.by_mean.interval, of.scope)
    ))
}

/// An interval: `98.4 % interval 1.930 to 1.997`.
fn interval(interval: Option<Interval>, scope: Scope) -> String {
    let within = match scope {
        Scope::AcrossBoots => "",
        Scope::WithinBoot => " within this boot",
    };
    interval.map_or_else(
        || format!("no interval{within}"),
        |Interval { level, low, high }| {
            format!("{} % interval{within} {low:.3} to {high:.3}", percent(level))
        },
    )
}

/// That the quartile and the median of the iterations are on different sides of the claim.
fn contradiction(rule: &ClaimRule, evidence: &ClaimEvidence) -> Option<String> {
    let median = evidence.iterations_median?.interval?;
    let (quartile, least) = (evidence.interval, rule.min_speedup);
    if quartile.low >= least && median.low < least {
        return Some(
            "the fast quarter of each boot's iterations reaches it, their median does not".to_owned(),
        );
    }
    None
}

/// What the neighbours took.
fn neighbours(evidence: &ClaimEvidence) -> Option<String> {
    let taken = evidence.neighbours?;
    let mut parts = vec![
        format!("{:.3} of the speed-up by the median, {:.3} by mean times", taken.by_median, taken.by_mean),
        format!("{} % of the iterations excluded", percent(1.0 - evidence.used)),
    ];
    parts.extend(taken.waited.map(|taken| format!("vCPUs waited {}", millis(taken))));
    parts.extend(taken.stolen.map(|taken| format!("the hypervisor under the host took {}", millis(taken))));
    if taken.waited.is_none() && taken.stolen.is_none() {
        parts.push("waiting and stolen time not known".to_owned());
    }
    Some(format!("the neighbours took: {}", parts.join("; ")))
}

fn millis(taken: Taken) -> String {
    format!("{} of {} ms", grouped(taken.ms as f64, 0), grouped(taken.of_ms as f64, 0))
}
