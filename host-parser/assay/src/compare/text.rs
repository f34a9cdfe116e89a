//! A comparison on a terminal: plain ASCII lines.

use report::Table;
use results::session::{CaseVerdict, Differing, SessionComparison, StoredSession, TimeUnit};
use stats::{Comparison, Design, Difference, LEAST_ROUNDS};

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
    let rounds = session.cases.values().map(|case| case.makespan.len()).max().unwrap_or(0);
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

/// The table of the cases. Times are divided by `scale`.
fn table(comparison: &SessionComparison, scale: f64) -> Table {
    let level = comparison.design.level_of_each(comparison.level) * 100.0;
    let interval = format!("{level:.1} % interval");
    let header = ["workers", "n A", "n B", "median A", "median B", "B/A", &interval, "p", "verdict"];
    let rows = comparison.cases.iter().map(|case| row(case, scale)).collect();
    Table { header: header.map(str::to_owned).to_vec(), rows, left: vec![6, 8] }
}

fn row(case: &CaseVerdict, scale: f64) -> Vec<String> {
    let (a, b) = (format!("{:.3}", case.median_a / scale), format!("{:.3}", case.median_b / scale));
    let Some(comparison) = &case.comparison else {
        let why = if case.functional_only.is_some() { "functional only" } else { "no rounds to compare" };
        let name = format!("{}*", case.case);
        return [&name, "-", "-", &a, &b, "-", "-", "-", why].map(str::to_owned).to_vec();
    };
    let Comparison { rounds_a, rounds_b, ratio, interval, p_value, verdict, .. } = comparison;
    vec![
        case.case.to_string(),
        rounds_a.to_string(),
        rounds_b.to_string(),
        a,
        b,
        format!("{ratio:.4}"),
        format!("{:.4} to {:.4}", interval.low, interval.high),
        format!("{p_value:.2e}"),
        verdict.word().to_owned(),
    ]
}

fn notes(comparison: &SessionComparison) -> Vec<String> {
    let unit = match comparison.unit {
        TimeUnit::Cycles if comparison.cases.iter().any(|case| case.by_pace) => {
            "times in ms by A's TSC frequency; compared in cycles, or by pace"
        }
        TimeUnit::Cycles => "times in ms by A's TSC frequency; compared in cycles",
        TimeUnit::Nanos => {
            "times in ms, each by its session's own TSC frequency: the error of both is in the ratio"
        }
    };
    let design = match comparison.design {
        Design::Paired => {
            "paired by round (Wilcoxon's signed ranks and Gastwirth's ranks of the fastest rounds, half the error each; no-difference needs both)"
        }
        Design::Unpaired => {
            "two sessions (Gastwirth's ranks of the faster half; no-difference needs all ranks too)"
        }
    };
    let mut notes = vec![unit.to_owned(), format!("{design}; ratio: Hodges-Lehmann")];
    let asked = comparison.design.level_of_each(comparison.level);
    let levels = comparison.cases.iter().filter_map(|case| Some(case.comparison.as_ref()?.interval.level));
    if let Some(least) = levels.reduce(f64::min).filter(|&level| level < asked) {
        notes.push(format!("so few rounds give intervals of {:.1} % at most", least * 100.0));
    }
    let mut compared = comparison.cases.iter().filter_map(|case| case.comparison.as_ref());
    if compared.any(|case| case.rounds_a.min(case.rounds_b) < LEAST_ROUNDS) {
        notes.push(format!("fewer than {LEAST_ROUNDS} rounds in A or B decide nothing"));
    }
    for case in comparison.cases.iter().filter(only_fastest_alike).map(|case| case.case) {
        notes.push(format!(
            "case {case}: the fastest rounds are alike, the slower ones are not shown to be: the host slowed some, or some boots differ"
        ));
    }
    for case in comparison.cases.iter().filter(|case| case.by_pace).map(|case| case.case) {
        notes.push(format!(
            "case {case}: compared by the pace of the CPUs beside each iteration, which removes changes of their clock; medians are by the clock"
        ));
    }
    if comparison.cases.iter().any(|case| case.longest_worker) {
        notes.push(
            "times are of the longest worker in cases whose clocks were not shown to be in step".to_owned(),
        );
    }
    if comparison.cases.iter().any(|case| case.functional_only.is_some()) {
        notes.push("* more vCPUs than host CPUs: no verdict".to_owned());
    }
    notes
}

fn only_fastest_alike(case: &&CaseVerdict) -> bool {
    case.comparison.is_some_and(|compared| compared.only_quick_alike)
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
        Some(Difference::NoDifference) => "NO DIFFERENCE of practical size".to_owned(),
        Some(Difference::Inconclusive) if comparison.host_changed.is_some() => {
            "INCONCLUSIVE: the host itself changed between the sessions, by their native probes".to_owned()
        }
        Some(Difference::Inconclusive) => {
            "INCONCLUSIVE: the rounds do not decide; more rounds might".to_owned()
        }
        None => "NO VERDICT: no case can show speed on these hosts".to_owned(),
    }
}
