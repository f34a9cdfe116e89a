//! A comparison on a terminal: plain ASCII lines.

use results::session::{CaseVerdict, Differing, SessionComparison, StoredSession, TimeUnit};
use stats::{Design, Difference, HeldBack, least_rounds};

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

/// How many more rounds of each side would decide what is open, if they vary as those that were made. `None` if it would
/// take too many.
fn more_rounds(comparison: &SessionComparison) -> Option<u32> {
    let open = comparison.cases.iter().filter(|case| case.verdict == Some(Difference::Inconclusive));
    let figures = open.flat_map(|case| &case.figures).filter_map(|figure| figure.comparison.as_ref());
    let open = figures.filter(|compared| compared.verdict == Difference::Inconclusive);
    let several = comparison.cases.iter().any(|case| case.figures.len() > 1);
    let deciding = comparison.cases.len() * if several { 2 } else { 1 };
    let least = least_rounds(Design::Paired, comparison.error, deciding);
    let mut most = None;
    for compared in open {
        let made = u32::try_from(compared.rounds_a.min(compared.rounds_b)).unwrap_or(u32::MAX);
        most = most.max(Some(compared.more_rounds()?.max(least.saturating_sub(made))));
    }
    most
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
