//! A comparison on a terminal: plain ASCII lines.

use host_parser::session::{CaseVerdict, Differing, Session, SideBySide, TimeUnit};
use host_parser::stats::{Comparison, Design, Difference, LEAST_ROUNDS};

/// The longest value that is shown whole; of a digest the beginning is shown.
const SHOWN: usize = 60;

/// The whole of it.
pub fn text(comparison: &SideBySide, a: &Session, b: &Session) -> String {
    let mut lines = vec![side('A', a), side('B', b)];
    if comparison.refused.is_empty() {
        lines.push(format!("both: {}", subject(comparison, a)));
    }
    lines.extend(comparison.differing.iter().map(|differing| format!("differs: {}", contrast(differing))));
    lines.extend(comparison.host_changed.iter().map(|host| format!("differs: {}", contrast(host))));
    lines.push(String::new());
    if !comparison.refused.is_empty() {
        lines.push("REFUSED: the sessions were not given the same to do, in the same way:".to_owned());
        lines.extend(comparison.refused.iter().map(|differing| format!("  {}", contrast(differing))));
        if comparison.refused.iter().any(|differing| differing.what == "program") {
            lines.push("  two builds of one worker are compared with --across-blobs".to_owned());
        }
        return lines.join("\n") + "\n";
    }
    lines.push(header(comparison));
    lines.extend(comparison.cases.iter().map(|case| row(case, scale(comparison, a))));
    lines.extend(notes(comparison));
    lines.extend([String::new(), conclusion(comparison)]);
    lines.join("\n") + "\n"
}

fn side(name: char, session: &Session) -> String {
    let rounds = session.cases.values().map(|case| case.makespan.len()).max().unwrap_or(0);
    let aside = session.rounds_set_aside.len();
    let (folder, kernel) = (session.folder.display(), &session.identity.build);
    format!("{name}: {folder}, kernel {kernel}, {rounds} rounds ({aside} more set aside)")
}

fn subject(comparison: &SideBySide, session: &Session) -> String {
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

/// What a time is divided by to be in milliseconds, or in scaled cycles where no frequency is known.
fn scale(comparison: &SideBySide, a: &Session) -> f64 {
    match (comparison.unit, a.khz) {
        (TimeUnit::Nanos, _) => 1e6,
        (TimeUnit::Cycles, Some(khz)) => khz,
        (TimeUnit::Cycles, None) => (1_u64 << abi::worker::SCALE_SHIFT) as f64,
    }
}

fn header(comparison: &SideBySide) -> String {
    let interval = format!("{:.1} % interval", comparison.design.level_of_each(comparison.level) * 100.0);
    format!(
        "{:>7} {:>4} {:>4} {:>11} {:>11} {:>7}  {interval:<16} {:>9}  verdict",
        "workers", "nA", "nB", "median A", "median B", "B/A", "p"
    )
}

fn row(case: &CaseVerdict, scale: f64) -> String {
    let (a, b) = (case.median_a / scale, case.median_b / scale);
    let Some(comparison) = &case.comparison else {
        let why = if case.functional_only.is_some() { "functional only" } else { "no rounds to compare" };
        let (star, none) = (format!("{}*", case.case), "-");
        return format!(
            "{star:>7} {none:>4} {none:>4} {a:>11.3} {b:>11.3} {none:>7}  {none:<16} {none:>9}  {why}"
        );
    };
    let Comparison { rounds_a, rounds_b, ratio, interval, p_value, verdict, .. } = comparison;
    let interval = format!("{:.4} to {:.4}", interval.low, interval.high);
    format!(
        "{:>7} {rounds_a:>4} {rounds_b:>4} {a:>11.3} {b:>11.3} {ratio:>7.4}  {interval:<16} {p_value:>9.2e}  {}",
        case.case,
        verdict.word()
    )
}

fn notes(comparison: &SideBySide) -> Vec<String> {
    let unit = match comparison.unit {
        TimeUnit::Cycles if comparison.cases.iter().any(|case| case.by_pace) => {
            "times in ms by A's TSC frequency, compared in cycles, or by pace"
        }
        TimeUnit::Cycles => "times in ms by A's TSC frequency, compared in cycles",
        TimeUnit::Nanos => {
            "times in ms, each by its own TSC frequency, whose error is in the ratio: the clocks are two"
        }
    };
    let design = match comparison.design {
        Design::Paired => {
            "paired by round (Wilcoxon's signed ranks and Gastwirth's quick ranks, at half the error each; for no difference both)"
        }
        Design::Unpaired => {
            "two sessions (Gastwirth's ranks of the quicker half; for no difference all ranks as well)"
        }
    };
    let mut notes = vec![unit.to_owned(), format!("{design}; ratio by Hodges and Lehmann")];
    let asked = comparison.design.level_of_each(comparison.level);
    let levels = comparison.cases.iter().filter_map(|case| Some(case.comparison.as_ref()?.interval.level));
    if let Some(least) = levels.reduce(f64::min).filter(|&level| level < asked) {
        notes.push(format!("so few rounds give intervals of {:.1} % at most", least * 100.0));
    }
    let rounds = |compared: &Comparison| compared.rounds_a.min(compared.rounds_b);
    if comparison
        .cases
        .iter()
        .filter_map(|case| case.comparison.as_ref())
        .any(|compared| rounds(compared) < LEAST_ROUNDS)
    {
        notes.push(format!("fewer than {LEAST_ROUNDS} rounds of a side tell nothing"));
    }
    let only_quick = |case: &&CaseVerdict| case.comparison.is_some_and(|compared| compared.only_quick_alike);
    for case in comparison.cases.iter().filter(only_quick).map(|case| case.case) {
        notes.push(format!(
            "case {case}: the quick rounds are alike, the slower ones are not shown to be: the host's doing, or that of some boots"
        ));
    }
    for case in comparison.cases.iter().filter(|case| case.by_pace).map(|case| case.case) {
        notes.push(format!(
            "case {case}: compared by the pace of the CPUs beside each iteration, so that their clock's moves are gone; medians are of the clock"
        ));
    }
    if comparison.cases.iter().any(|case| case.longest_worker) {
        notes.push("times of the longest worker where the clocks were not shown to be in step".to_owned());
    }
    if comparison.cases.iter().any(|case| case.functional_only.is_some()) {
        notes.push("* more vCPUs than host CPUs: no verdict".to_owned());
    }
    notes
}

fn conclusion(comparison: &SideBySide) -> String {
    let several =
        if comparison.differing.len() > 1 { "; several things differ, and it is on all" } else { "" };
    match comparison.verdict {
        Some(Difference::Slower) => format!("SLOWER: B takes longer than A{several}"),
        Some(Difference::Faster) => format!("FASTER: B takes less time than A{several}"),
        Some(Difference::NoDifference) => "NO DIFFERENCE worth the name".to_owned(),
        Some(Difference::Inconclusive) if comparison.host_changed.is_some() => {
            "INCONCLUSIVE: the host itself was not alike in both sessions, by their native probes".to_owned()
        }
        Some(Difference::Inconclusive) => {
            "INCONCLUSIVE: the rounds do not tell; more of them might".to_owned()
        }
        None => "NO VERDICT: no case shows speed on these hosts".to_owned(),
    }
}
