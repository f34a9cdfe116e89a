//! A comparison on a terminal: plain ASCII lines.

use results::session::{CaseVerdict, Differing, SessionComparison, StoredSession, TimeUnit};
use stats::{Comparison, Design, Difference, HeldBack};

use super::notes::notes;
use super::table::table;

/// The longest value that is shown whole, in characters. Of a digest only the beginning is shown.
const SHOWN: usize = 60;

/// The comparison as text.
pub fn text(comparison: &SessionComparison, a: &StoredSession, b: &StoredSession) -> String {
    let mut lines = vec![session_line('A', a), session_line('B', b)];
    if comparison.refused.is_empty() {
        lines.push(format!("both: {}", subject(comparison, a)));
    }
    lines.extend(comparison.differing.iter().map(|differing| format!("differs: {}", contrast(differing))));
    lines.extend(comparison.host_changed.iter().map(|host| format!("differs: {}", contrast(host))));
    lines.push(String::new());
    if !comparison.refused.is_empty() {
        lines.push("REFUSED: the sessions did not do the same work in the same way:".to_owned());
        lines.extend(comparison.refused.iter().map(|differing| format!("  {}", contrast(differing))));
        if comparison.refused.iter().any(|differing| differing.what == "program") {
            lines.push("  to compare two builds of one worker, use --across-blobs".to_owned());
        }
        return lines.join("\n") + "\n";
    }
    lines.extend(table(comparison, scale(comparison, a)).text().lines().map(str::to_owned));
    lines.extend(notes(comparison));
    lines.extend([String::new(), conclusion(comparison)]);
    lines.join("\n") + "\n"
}

fn session_line(name: char, session: &StoredSession) -> String {
    let rounds = session.cases.values().map(|case| case.rounds()).max().unwrap_or(0);
    let excluded = session.rounds_set_aside.len();
    let (folder, kernel) = (session.folder.display(), &session.identity.build);
    format!("{name}: {folder}, kernel {kernel}, {rounds} rounds ({excluded} more excluded)")
}

fn subject(comparison: &SessionComparison, session: &StoredSession) -> String {
    let identity = &session.identity;
    let whole = identity.whole.map(|param| param.to_string());
    let used = whole.iter().rposition(|param| param != "0").map_or(0, |last| last + 1);
    let one = comparison.a.program == comparison.b.program;
    let program = if one {
        format!("program {}, ", shortened(&identity.blob_sha256.to_string()))
    } else {
        String::new()
    };
    let accelerator =
        session.environment.accelerator.as_ref().map_or("", |accelerator| accelerator.name.as_str());
    let (workload, whole) = (&identity.workload, whole[..used].join(" "));
    format!("{workload} {whole}, {program}{accelerator}, boot: {}", session.machine.firmware)
}

fn contrast(Differing { what, a, b }: &Differing) -> String {
    format!("{what}: A {}, B {}", shortened(a), shortened(b))
}

fn shortened(value: &str) -> String {
    let digest = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let shown = if digest { 16 } else { SHOWN };
    let mut short: String = value.chars().take(shown).collect();
    if short.len() < value.len() {
        short += "...";
    }
    if short.is_empty() { "none".to_owned() } else { short }
}

/// The divisor that makes a time milliseconds, or scaled cycles if the frequency is unknown.
fn scale(comparison: &SessionComparison, a: &StoredSession) -> f64 {
    match (comparison.unit, a.khz) {
        (TimeUnit::Nanos, _) => 1e6,
        (TimeUnit::Cycles, Some(khz)) => khz,
        (TimeUnit::Cycles, None) => (1_u64 << abi::worker::SCALE_SHIFT) as f64,
    }
}

fn conclusion(comparison: &SessionComparison) -> String {
    let several = if comparison.differing.len() > 1 {
        "; several things differ, and any of them may be the cause"
    } else {
        ""
    };
    match comparison.verdict {
        Some(Difference::Slower) => format!("SLOWER: B takes longer than A{several}"),
        Some(Difference::Faster) => format!("FASTER: B takes less time than A{several}"),
        Some(Difference::NoDifference) => {
            format!("NO DIFFERENCE of {:.1} % or more, by any figure", comparison.margin * 100.0)
        }
        Some(Difference::Inconclusive) => format!("INCONCLUSIVE: {}", why_inconclusive(comparison)),
        None => "NO VERDICT: no case can show speed on these hosts".to_owned(),
    }
}

fn why_inconclusive(comparison: &SessionComparison) -> &'static str {
    match held_back(comparison) {
        Some(HeldBack::HostNotAlike) => "the native probes do not prove that the host was alike",
        Some(HeldBack::HostUnknown) if comparison.unit == TimeUnit::Nanos => {
            "of two hosts or clocks, no probe shows what else a session adds"
        }
        Some(HeldBack::HostUnknown) => "too few native probes show what the host did to each session",
        Some(HeldBack::DependentRounds) => "the rounds of a session depend on those before them",
        Some(HeldBack::DependenceUnknown) => "too few rounds to show whether they depend on each other",
        None if comparison.cases.iter().any(figures_disagree) => "the figures do not agree",
        None => "the rounds do not decide; more rounds might",
    }
}

/// Why two sessions get no verdict: of all figures, the first reason.
fn held_back(comparison: &SessionComparison) -> Option<HeldBack> {
    let figures = comparison.cases.iter().flat_map(|case| &case.figures);
    figures.filter_map(|figure| figure.comparison.as_ref()).find_map(|compared| compared.held_back)
}

/// Whether the figures of a case, each by itself, say different things.
fn figures_disagree(case: &CaseVerdict) -> bool {
    let mut verdicts = case.figures.iter().filter_map(|figure| Some(figure.comparison.as_ref()?.verdict));
    let first = verdicts.next();
    verdicts.any(|verdict| Some(verdict) != first)
}

/// What to do next, if the verdict says: what settles an open comparison, or shows more of a regression.
pub fn next(comparison: &SessionComparison) -> Option<String> {
    match comparison.verdict {
        Some(Difference::Inconclusive) => what_settles_it(comparison),
        Some(Difference::Slower) => {
            Some("`assay report A B --html FILE` shows both sessions' rounds side by side.".to_owned())
        }
        Some(Difference::Faster | Difference::NoDifference) => Some("nothing: B is not slower.".to_owned()),
        None if comparison.refused.is_empty() => None,
        None => Some("measure again with only one of these things changed.".to_owned()),
    }
}

/// How many more rounds of each side would decide what is open, if they vary as those that were made: the width of an
/// interval falls with the root of their number. `None` if it would take more than [`MOST_ROUNDS`].
fn more_rounds(comparison: &SessionComparison) -> Option<u32> {
    let open = comparison.cases.iter().filter(|case| case.verdict == Some(Difference::Inconclusive));
    let figures = open.flat_map(|case| &case.figures).filter_map(|figure| figure.comparison.as_ref());
    let open = figures.filter(|compared| compared.verdict == Difference::Inconclusive);
    let mut most = None;
    for compared in open {
        let made = compared.rounds_a.min(compared.rounds_b);
        let missing = u32::try_from(least_rounds(comparison).saturating_sub(made)).unwrap_or(u32::MAX);
        let needed = rounds_needed(compared, comparison.margin)?;
        most = most.max(Some(needed.max(missing).max(1)));
    }
    most
}

/// The fewest rounds with which every figure of every case can reach its level: 9, and one more for each doubling of the
/// figures that share the error.
fn least_rounds(comparison: &SessionComparison) -> usize {
    let several = comparison.cases.iter().any(|case| case.figures.len() > 1);
    let figures = comparison.cases.len() * if several { 2 } else { 1 };
    9 + figures.next_power_of_two().ilog2() as usize
}

/// The most rounds that are worth a hint.
const MOST_ROUNDS: u32 = 1_000;

/// How many more rounds the interval needs to leave 1, or to lie within the margin, whichever is nearer.
fn rounds_needed(compared: &Comparison, margin: f64) -> Option<u32> {
    let shift = compared.ratio.ln().abs();
    let half = (compared.interval.high / compared.interval.low).ln() / 2.0;
    let margin = margin.ln_1p();
    // A difference must be certain, and at least as large as the margin; equality must be certain within it.
    let narrow = if shift >= margin { shift } else { margin - shift };
    let made = compared.rounds_a.min(compared.rounds_b) as f64;
    let needed = (made * (half / narrow).powi(2)).ceil() - made;
    // Not a number, or infinite, if nothing is narrow enough.
    let more = (1..=MOST_ROUNDS).find(|&more| f64::from(more) >= needed);
    more.filter(|_| needed.is_finite())
}

/// The command that settles what two sessions cannot.
fn what_settles_it(comparison: &SessionComparison) -> Option<String> {
    if comparison.design == Design::Paired || held_back(comparison).is_none() {
        return Some(match more_rounds(comparison) {
            Some(more) => {
                format!("about {more} more rounds of each side would decide it, if they are as these.")
            }
            None if comparison.cases.iter().any(figures_disagree) => {
                "find out why the figures do not agree: more rounds alone may not change that.".to_owned()
            }
            None => {
                "the ratio is too near the margin to say how many more rounds would decide it.".to_owned()
            }
        });
    }
    if comparison.unit == TimeUnit::Nanos {
        return Some("to settle it: compare several sessions of each host.".to_owned());
    }
    let differs = |what: &str| comparison.differing.iter().any(|differing| differing.what == what);
    let mut options = Vec::new();
    for (what, option) in
        [("kernel", "--b-kernel KERNEL"), ("program", "--b-workers DIR"), ("QEMU", "--b-qemu PROGRAM")]
    {
        if differs(what) {
            options.push(option);
        }
    }
    if options.is_empty() {
        options.push("[--b-kernel KERNEL]");
    }
    Some(format!("to settle it: assay ab MANIFEST {}", options.join(" ")))
}

#[cfg(test)]
mod tests {
    use stats::{Interval, RankTest};

    use super::*;

    fn compared(ratio: f64, low: f64, high: f64) -> Comparison {
        Comparison {
            design: Design::Paired,
            rounds_a: 16,
            rounds_b: 16,
            test: RankTest::SignedRank,
            ratio,
            interval: Interval { low, high, level: 0.99 },
            p_value: 0.5,
            verdict: Difference::Inconclusive,
            only_quick_alike: false,
            dependence: None,
            held_back: None,
        }
    }

    #[test]
    fn an_interval_twice_too_wide_needs_four_times_the_rounds() {
        // 3 % slower, the interval from 3 % faster to 9 % slower.
        let (ratio, half) = (0.03_f64, 0.06_f64);
        let wide = compared(ratio.exp(), (ratio - half).exp(), (ratio + half).exp());
        assert_eq!(rounds_needed(&wide, 0.015), Some(48));
        // Equal, the interval twice as wide as the margin.
        let half = 2.0 * 0.015_f64.ln_1p();
        assert_eq!(rounds_needed(&compared(1.0, (-half).exp(), half.exp()), 0.015), Some(48));
    }

    #[test]
    fn what_lies_at_the_margin_is_not_promised_a_number() {
        let just = 1.015 - 1e-6;
        assert_eq!(rounds_needed(&compared(just, 0.9, 1.2), 0.015), None);
        assert_eq!(rounds_needed(&compared(f64::NAN, 0.9, 1.2), 0.015), None);
    }
}
