//! What the host did meanwhile: its probes, the pace of the guest's CPUs, waits and steal.

use evidence::ledger::{Pace, Probes};
use results::Results;

use crate::number::percent;

/// What the host's CPUs could do between the rounds, in a line.
pub(crate) fn probes(results: &Results) -> Option<String> {
    let Probes { cpus, missing, made, failed } = &results.probes;
    let capacity = made.iter().map(|probe| probe.capacity);
    let (least, most) = (capacity.clone().reduce(f64::min), capacity.reduce(f64::max));
    let (Some(least), Some(most), Some(spread)) = (least, most, results.probes.spread()) else {
        // A log from elsewhere has none, and no reason is given.
        return missing.as_ref().map(|why| format!("no native probe: {why}"));
    };
    let failed = if failed.is_empty() { String::new() } else { format!(", {} more failed", failed.len()) };
    let stopped = missing.as_ref().map(|why| format!("; then none: {why}")).unwrap_or_default();
    Some(format!(
        "native probe, {} times: {cpus} host CPUs had the capacity of {least:.2} to {most:.2}, {} % slower at worst{failed}{stopped}",
        made.len(),
        percent(spread)
    ))
}

/// The pace of the guest's CPUs beside their workers, in a line; `None` if no check was slow.
pub(crate) fn pace(results: &Results) -> Option<String> {
    let Pace { checks, slow, worst } = results.pace.filter(|pace| pace.slow > 0)?;
    let worst = percent(worst);
    Some(format!("guest CPU speed: {slow} of {checks} checks slow (worst {worst} % below baseline)"))
}

/// How long runs waited for the host's CPUs, in a line; `None` if less than a second in all.
pub(crate) fn waited(results: &Results) -> Option<String> {
    let each: Vec<u64> = results.runs.iter().filter_map(|run| run.made.waited_ms).collect();
    let seconds = each.iter().sum::<u64>() / 1_000;
    (seconds > 0).then(|| {
        format!(
            "host wait: {seconds} s in all before {} runs, until the host's CPUs were at baseline pace",
            each.len()
        )
    })
}

/// Why the steal of the host's own CPUs is unknown, in a line; `None` if it is known.
pub(crate) fn steal(results: &Results) -> Option<String> {
    let missing = results.runs.iter().find_map(|run| run.made.evidence.host_steal_missing.as_ref())?;
    Some(format!("steal time of the host's own CPUs is unknown: {missing}"))
}
