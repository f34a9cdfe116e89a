//! How good the verdict is, on a terminal.

use host_parser::results::Pace;
use host_parser::stats::{COMPARISON_LEVEL, Comparison, Design, Drawn, Goal, Rate, RealRow, Row};

use super::judge::{HostSeen, Judged, Real};

/// All of it.
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
            "case {case}: {rounds} rounds side by side ({aside} more set aside), {accelerator}, {pinned}, {host}"
        ),
        host_seen(&judged.host),
    ];
    if judged.by_pace {
        lines.push(
            "compared by the pace of the CPUs beside each iteration, and not by the clock alone".to_owned(),
        );
    }
    if let Some(why) = &judged.incomplete {
        lines.push(format!("not complete, and judged as far as it goes: {why}"));
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
        "alarms: of two sides that are the same, either way; tossed: a coin says which of them is which. found: slower."
            .to_owned(),
        "The rates are of draws from this one recording: what another day would be like they do not tell."
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
            format!("{probes} native probes, the slowest {:.1} % over the quick ones", spread * 100.0)
        }
        None => "no native probe: whether the host was quiet is not known".to_owned(),
    };
    let why = probes_missing.as_ref().map_or(String::new(), |why| format!(" ({why})"));
    let pace = pace.map_or(String::new(), |Pace { checks: looks, slow, worst }| {
        format!("; CPUs slow in {slow} of {looks} looks, {:.1} % at worst", worst * 100.0)
    });
    format!("host: {seen}{why}{pace}")
}

/// What was really run.
pub fn experiments(rows: &[RealRow]) -> Vec<String> {
    if rows.is_empty() {
        let rounds = Goal::ROUNDS;
        return vec![
            String::new(),
            format!("experiments really run: none, that takes {rounds} rounds in a row"),
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
    lines.extend(rows.iter().map(|row| {
        let RealRow { percent, against, design, verdicts, rate, .. } = row;
        let what = match percent {
            0 => "a2, the same,".to_owned(),
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
    }));
    lines
}

const fn name(design: Design) -> &'static str {
    match design {
        Design::Paired => "paired",
        Design::Unpaired => "unpaired",
    }
}

/// The draws of so many rounds.
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
        format!("{name}, {rounds} rounds a side"),
        "draws",
        "alarms",
        "tossed"
    );
    for percent in &slowed {
        head += &format!("{:>12}", format!("found +{percent} %"));
    }
    let mut lines = vec![String::new(), head];
    for drawn in Drawn::ALL {
        let find = |percent: u16, tossed: bool| {
            rows.iter().find(|row| (row.drawn, row.percent, row.tossed) == (drawn, percent, tossed))
        };
        let rate = |percent, tossed| find(percent, tossed).map(|row| row.rate);
        let Some(trials) = rate(0, false).or(rate(0, true)).map(|rate| rate.trials) else { continue };
        let mut line = format!("  {:<26}{trials:>7}", drawn.words());
        line += &format!("{:>19}{:>19}", with_interval(rate(0, false)), with_interval(rate(0, true)));
        for &percent in &slowed {
            line +=
                &format!("{:>12}", rate(percent, false).map_or("-".to_owned(), |rate| percents(rate.rate)));
        }
        lines.push(line);
    }
    lines
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
    let told =
        |part: &Option<f64>| part.map_or("not tried".to_owned(), |part| format!("{} %", percents(part)));
    format!(
        "{}: {name}, {} rounds: at most {} % false alarms: {} at worst; {} % found at least {} % of the time: {} at worst",
        match reached {
            Some(true) => "REACHED".to_owned(),
            Some(false) => "MISSED".to_owned(),
            None => format!("NOT TOLD, too few rounds (it takes {})", Goal::RECORDED),
        },
        Goal::ROUNDS,
        Goal::FALSE_ALARMS * 100.0,
        told(false_alarms),
        Goal::PERCENT,
        Goal::FOUND * 100.0,
        told(found)
    )
}
