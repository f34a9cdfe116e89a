//! The quality of the verdict as text for a terminal.

use evidence::ledger::Pace;
use stats::{COMPARISON_LEVEL, Comparison, Design, Drawn, Goal, Rate, RealRow, Row};

use super::judge::{HostSeen, Judged, Real};

/// The whole report.
pub fn text(judged: &Judged) -> String {
    let environment = &judged.environment;
    let accelerator = environment.accelerator.as_ref().map_or("", |accelerator| &accelerator.name);
    let host = environment.host.as_ref().map_or("", |host| &host.cpu);
    let pinned = environment
        .pinning
        .as_ref()
        .map_or("not pinned".to_owned(), |pinning| format!("pinned to host CPUs {}", pinning.host_cpus));
    let (case, rounds, aside) = (judged.case, judged.rounds, judged.rounds_set_aside);
    let level = Design::Paired.level_of_each(COMPARISON_LEVEL) * 100.0;
    let interval = format!("{level:.1} % interval");
    let mut lines = vec![
        format!(
            "case {case}: {rounds} rounds side by side ({aside} more excluded), {accelerator}, {pinned}, {host}"
        ),
        host_seen(&judged.host),
    ];
    if judged.by_pace {
        lines.push("times are scaled by the pace of the CPUs beside each iteration".to_owned());
    }
    if let Some(why) = &judged.incomplete {
        lines.push(format!("incomplete ({why}); judged on the rounds that were made"));
    }
    lines.extend([
        String::new(),
        format!("{:<20}{:>8}  {interval:<20}{:<15}unpaired", "all rounds, to A1", "ratio", "paired"),
    ]);
    lines.extend(judged.real.iter().map(real));
    lines.extend(experiments(&judged.experiments));
    for design in [Design::Unpaired, Design::Paired] {
        for &rounds in &[7, 15, 30] {
            lines.extend(block(judged, design, rounds));
        }
    }
    lines.extend([
        String::new(),
        "alarms: a difference found between identical rows; tossed: the same, A and B by coin toss; found: slower."
            .to_owned(),
        "The rates come from draws of this one recording. They do not predict another day."
            .to_owned(),
        String::new(),
    ]);
    lines.extend(judged.quality.goals.iter().map(goal));
    lines.join("\n") + "\n"
}

fn real(real: &Real) -> String {
    let Comparison { ratio, interval, verdict, .. } = real.paired;
    let interval = format!("{:.4} to {:.4}", interval.low, interval.high);
    let (side, paired, unpaired) = (real.side, verdict.word(), real.unpaired.verdict.word());
    format!("{side:<20}{ratio:>8.4}  {interval:<20}{paired:<15}{unpaired}")
}

fn host_seen(host: &HostSeen) -> String {
    let HostSeen { probes, probes_missing, spread, pace } = host;
    let seen = match spread {
        Some(spread) => {
            format!("{probes} native probes, the slowest {:.1} % over the baseline", spread * 100.0)
        }
        None => "no native probe: it is unknown whether the host was undisturbed".to_owned(),
    };
    let why = probes_missing.as_ref().map_or(String::new(), |why| format!(" ({why})"));
    let pace = pace.map_or(String::new(), |Pace { checks, slow, worst }| {
        format!("; CPUs slow in {slow} of {checks} pace checks, {:.1} % at worst", worst * 100.0)
    });
    format!("host: {seen}{why}{pace}")
}

/// The table of the experiments that were really run.
pub fn experiments(rows: &[RealRow]) -> Vec<String> {
    if rows.is_empty() {
        let rounds = Goal::ROUNDS;
        return vec![
            String::new(),
            format!("experiments really run: none (one takes {rounds} consecutive rounds)"),
        ];
    }
    let mut lines = vec![
        String::new(),
        format!(
            "{:<34}{:>8}{:>8}{:>15}{:>14}  slower or alarms, 95 %",
            format!("experiments really run, {} rounds", Goal::ROUNDS),
            "slower",
            "faster",
            "no difference",
            "inconclusive"
        ),
    ];
    lines.extend(rows.iter().map(experiment));
    lines
}

fn experiment(row: &RealRow) -> String {
    let RealRow { percent, against, design, verdicts, rate, .. } = row;
    let what = match percent {
        0 => "a2 (identical)".to_owned(),
        percent => format!("+{percent} %"),
    };
    let kind = format!("  {}, {what} to {against}", name(*design));
    format!(
        "{kind:<34}{:>8}{:>8}{:>15}{:>14}  {} of {}: {} to {} %",
        verdicts.slower,
        verdicts.faster,
        verdicts.no_difference,
        verdicts.inconclusive,
        rate.hits,
        rate.trials,
        percents(rate.interval.low),
        percents(rate.interval.high)
    )
}

const fn name(design: Design) -> &'static str {
    match design {
        Design::Paired => "paired",
        Design::Unpaired => "unpaired",
    }
}

/// The table of the draws of `rounds` rounds.
fn block(judged: &Judged, design: Design, rounds: usize) -> Vec<String> {
    let rows: Vec<&Row> =
        judged.quality.rows.iter().filter(|row| (row.design, row.rounds) == (design, rounds)).collect();
    if rows.is_empty() {
        return Vec::new();
    }
    let name = name(design);
    let slowed: Vec<u16> =
        judged.real.iter().map(|real| real.percent).filter(|&percent| percent > 0).collect();
    let mut head = format!(
        "{:<28}{:>7}{:>19}{:>19}",
        format!("{name}, {rounds} rounds a row"),
        "draws",
        "alarms",
        "tossed"
    );
    for percent in &slowed {
        head += &format!("{:>12}", format!("found +{percent} %"));
    }
    let mut lines = vec![String::new(), head];
    for drawn in Drawn::ALL {
        let (alarms, tossed) = (rate(&rows, drawn, 0, false), rate(&rows, drawn, 0, true));
        let Some(trials) = alarms.or(tossed).map(|rate| rate.trials) else { continue };
        let mut line = format!("  {:<26}{trials:>7}", drawn.words());
        line += &format!("{:>19}{:>19}", with_interval(alarms), with_interval(tossed));
        for &percent in &slowed {
            let found = rate(&rows, drawn, percent, false);
            line += &format!("{:>12}", found.map_or("-".to_owned(), |rate| percents(rate.rate)));
        }
        lines.push(line);
    }
    lines
}

fn rate(rows: &[&Row], drawn: Drawn, percent: u16, tossed: bool) -> Option<Rate> {
    let wanted = (drawn, percent, tossed);
    rows.iter().find(|row| (row.drawn, row.percent, row.tossed) == wanted).map(|row| row.rate)
}

fn with_interval(rate: Option<Rate>) -> String {
    rate.map_or("-".to_owned(), |Rate { rate, interval, .. }| {
        format!("{} ({} to {})", percents(rate), percents(interval.low), percents(interval.high))
    })
}

fn percents(part: f64) -> String {
    format!("{:.1}", part * 100.0)
}

fn goal(goal: &Goal) -> String {
    let Goal { design, false_alarms, found, reached } = goal;
    let name = name(*design);
    format!(
        "{}: {name}, {} rounds: at most {} % false alarms: {} at worst; {} % found at least {} % of the time: {} at worst",
        match reached {
            Some(true) => "REACHED".to_owned(),
            Some(false) => "MISSED".to_owned(),
            None => format!("NOT DECIDED, too few rounds (it takes {})", Goal::RECORDED),
        },
        Goal::ROUNDS,
        Goal::FALSE_ALARMS * 100.0,
        percents_or_not_tried(*false_alarms),
        Goal::PERCENT,
        Goal::FOUND * 100.0,
        percents_or_not_tried(*found)
    )
}

fn percents_or_not_tried(part: Option<f64>) -> String {
    part.map_or("not tried".to_owned(), |part| format!("{} %", percents(part)))
}
