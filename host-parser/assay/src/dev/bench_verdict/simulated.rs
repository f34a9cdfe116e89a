//! The tables of the verdict on simulated hosts, as docs/COMPARING.md publishes them.

use stats::{Design, Goal, PacedRow, Rate, Sessions, SimulatedRow, Slowed, Tally, paced, simulated};

/// Seed of the simulations, so that a second run prints the same figures.
const SEED: u64 = 23;

/// The tables, of `trials` comparisons for each figure.
pub fn text(trials: usize) -> String {
    let mut lines = vec![
        String::new(),
        format!("simulated hosts, {} rounds a side, {trials} comparisons a figure, in %", Goal::ROUNDS),
        "alarms: equal programs said to differ; alike: said no-difference; found: slower;".to_owned(),
        "hidden: 2 % slower said no-difference; cover: intervals with the true ratio".to_owned(),
    ];
    for sessions in Sessions::ALL {
        lines.extend([
            String::new(),
            format!(
                "{:<32}{:>7}{:>6}{:>6}{:>6}{:>6}{:>7}",
                sessions.words(),
                "alarms",
                "alike",
                "2 %",
                "5 %",
                "10 %",
                "hidden"
            ) + "  cover",
        ]);
        lines.extend(simulated(sessions, trials, SEED).iter().map(row));
    }
    lines.extend([
        String::new(),
        "by pace, the clock varying and B lowering its own clock or doing more work:".to_owned(),
        format!(
            "{:<10}{:>9}{:>9}{:>8}{:>10}{:>9}{:>9}{:>9}",
            "design", "varies", "clock", "work", "by pace", "slower", "faster", "alike"
        ),
    ]);
    lines.extend(paced(trials, SEED).iter().map(|row| paced_row(row, trials)));
    lines.join("\n") + "\n"
}

fn row(row: &SimulatedRow) -> String {
    let SimulatedRow { host, false_alarms, shown_alike, found, missed, covered, .. } = row;
    let percent = |rate: &Rate| format!("{:.1}", rate.rate * 100.0);
    let mut line = format!("  {:<30}{:>7}{:>6}", host.words(), percent(false_alarms), percent(shown_alike));
    for (_, rate) in found {
        line += &format!("{:>6}", percent(rate));
    }
    line + &format!("{:>7}{:>7}", percent(missed), percent(covered))
}

fn paced_row(row: &PacedRow, trials: usize) -> String {
    let PacedRow { design, clock, slowed: Slowed { clock: lower, work }, by_pace, verdicts } = row;
    let Tally { slower, faster, no_difference, .. } = verdicts;
    let design = match design {
        Design::Paired => "paired",
        Design::Unpaired => "unpaired",
    };
    let percent = |part: f64| format!("{:.1}", part * 100.0);
    let [varies, lower, work] = [clock, lower, work].map(|part| percent(*part));
    let [by_pace, slower, faster, alike] =
        [by_pace, slower, faster, no_difference].map(|count| percent(*count as f64 / trials as f64));
    format!("{design:<10}{varies:>9}{lower:>9}{work:>8}{by_pace:>10}{slower:>9}{faster:>9}{alike:>9}")
}
