//! Load: other work on the host, now and in the last minutes.

use std::collections::BTreeSet;
use std::time::Duration;

use super::check::Check;
use super::finding::Finding;
use super::host::{Host, list};
use super::sample::{Program, Sample, Snapshot};

/// The length of the sample: about 50 ticks, the counters' unit.
pub(super) const SAMPLED: Duration = Duration::from_millis(500);
/// A warning from this many busy CPUs on: every host has some background work.
const BUSY: f64 = 0.25;
/// The least number of idle CPUs for two vCPUs.
const FREE: f64 = 1.5;
/// Programs below this part of a CPU are not named.
const NAMED: f64 = 0.05;
const MOST_NAMED: usize = 3;
/// A warning from this fraction of steal on.
const STEAL: f64 = 0.01;
/// Bad from this fraction of steal on.
const MUCH_STEAL: f64 = 0.1;
/// A warning from this load average for each CPU on.
const LOAD_PER_CPU: f64 = 0.1;
/// The lowest load average that is a warning.
const LOAD: f64 = 0.5;

/// The activity of the CPUs during half a second.
#[derive(Clone, Debug, Default)]
pub struct LoadSample {
    /// The guest's CPUs.
    pub guest: Option<Sample>,
    /// The other threads of their cores; `None` if there are none.
    pub siblings: Option<(BTreeSet<usize>, Sample)>,
    /// Steal since the host booted, as a fraction of the time of the guest's CPUs.
    pub steal_since_boot: f64,
}

/// Samples the load. Takes half a second.
pub fn sample(host: &Host) -> LoadSample {
    let (guest, siblings): (BTreeSet<usize>, _) = (host.cpus.iter().collect(), host.idle_siblings());
    let before = Snapshot::take(&host.root);
    std::thread::sleep(SAMPLED);
    let Some((before, after)) = before.zip(Snapshot::take(&host.root)) else { return LoadSample::default() };
    LoadSample {
        guest: before.until(&after, &guest),
        siblings: before.until(&after, &siblings).map(|sample| (siblings, sample)),
        steal_since_boot: after.steal_since_boot(&guest),
    }
}

/// The checks of the load.
pub fn probe(host: &Host, load: &LoadSample) -> Vec<Finding> {
    vec![average(host), busy(host, load), steal(load.guest.as_ref(), load.steal_since_boot)]
}

fn average(host: &Host) -> Finding {
    let Some((one, five)) = host.root.load_averages() else {
        return Check::Load.unknown("no /proc/loadavg");
    };
    let cpus = u32::try_from(host.online.len()).unwrap_or(u32::MAX);
    let limit = (f64::from(cpus) * LOAD_PER_CPU).max(LOAD);
    Check::Load.judge(format!("{one:.2} over 1 minute, {five:.2} over 5"), one >= limit, false)
}

fn busy(host: &Host, load: &LoadSample) -> Finding {
    let Some(sample) = &load.guest else { return Check::Busy.unknown(NO_COUNTERS) };
    let all = u32::try_from(host.cpus.len()).unwrap_or(u32::MAX);
    let mut value = format!("{:.1} of {all} CPUs{}", sample.busy_cpus, greedy(sample));
    let busy = sample.busy_cpus >= BUSY;
    let mut beside = false;
    if let Some((cpus, sample)) = &load.siblings {
        beside = sample.busy_cpus >= BUSY;
        let cpus = list(cpus.iter().copied());
        value += &format!("; of their siblings {cpus}: {:.1}{}", sample.busy_cpus, greedy(sample));
    }
    Check::Busy.judge(value, busy || beside, busy && f64::from(all) - sample.busy_cpus < FREE)
}

/// ` (rustc 97%, cc1 12%)`; empty if no program is worth naming.
fn greedy(sample: &Sample) -> String {
    let greedy = sample.programs.iter().filter(|program| program.part >= NAMED).take(MOST_NAMED);
    let greedy: Vec<String> = greedy.map(name).collect();
    // If the CPUs were idle, the tasks that ran there last have moved since.
    if sample.busy_cpus < NAMED || greedy.is_empty() {
        return String::new();
    }
    format!(" ({})", greedy.join(", "))
}

/// `rustc 97%`, `3 x rustc 171%`, in percent of one CPU.
fn name(program: &Program) -> String {
    let times = if program.processes > 1 { format!("{} x ", program.processes) } else { String::new() };
    format!("{times}{} {:.0}%", program.name, program.part * 100.0)
}

fn steal(sample: Option<&Sample>, since_boot: f64) -> Finding {
    let Some(sample) = sample else { return Check::Steal.unknown(NO_COUNTERS) };
    let value = format!("{:.1}% now, {:.1}% since boot", sample.steal * 100.0, since_boot * 100.0);
    Check::Steal.judge(value, sample.steal >= STEAL || since_boot >= STEAL, sample.steal >= MUCH_STEAL)
}

const NO_COUNTERS: &str = "the counters in /proc/stat are missing or do not move";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{Bad, Ok, Unknown, Warn};
    use crate::fixture::Fixture;

    fn cpu_sample(busy_cpus: f64, steal: f64) -> Sample {
        let programs = [("rustc", 2, 0.97), ("my shell", 1, 0.06), ("cron", 1, 0.02)];
        let programs = programs
            .map(|(name, processes, part)| Program { name: name.to_owned(), processes, part })
            .to_vec();
        Sample { busy_cpus, steal, programs }
    }

    #[test]
    fn a_loaded_host_is_reported_with_the_programs() {
        let judge = |cpus, busy_cpus| {
            let load = LoadSample { guest: Some(cpu_sample(busy_cpus, 0.0)), ..LoadSample::default() };
            Fixture::new().probe(cpus, true, |host| busy(host, &load))
        };
        let found = judge("0,1", 1.04);
        assert_eq!((found.status, found.value.as_str()), (Bad, "1.0 of 2 CPUs (2 x rustc 97%, my shell 6%)"));
        assert_eq!(judge("0-7", 1.04).status, Warn);
        assert_eq!(judge("0-7", 7.0).status, Bad);
        assert_eq!(judge("0,1", 0.1).status, Ok);
        assert_eq!(judge("0,1", 0.01).value, "0.0 of 2 CPUs");
    }

    #[test]
    fn warns_of_load_on_the_siblings_of_the_guests_cpus() {
        let judge = |busy_cpus| {
            let siblings = Some((BTreeSet::from([1, 3]), cpu_sample(busy_cpus, 0.0)));
            let guest = Some(Sample { programs: Vec::new(), ..cpu_sample(0.0, 0.0) });
            let load = LoadSample { guest, siblings, steal_since_boot: 0.0 };
            let found = Fixture::hybrid().probe("0,2", true, |host| busy(host, &load));
            (found.status, found.value)
        };
        let value = "0.0 of 2 CPUs; of their siblings 1,3: 1.0 (2 x rustc 97%, my shell 6%)";
        assert_eq!(judge(1.0), (Warn, value.to_owned()));
        assert_eq!(judge(0.0), (Ok, "0.0 of 2 CPUs; of their siblings 1,3: 0.0".to_owned()));
        Fixture::hybrid().probe("0,2", true, |host| assert_eq!(host.idle_siblings(), BTreeSet::from([1, 3])));
    }

    #[test]
    fn warns_of_steal_now_and_since_boot() {
        let judge = |now, since_boot| steal(Some(&cpu_sample(0.0, now)), since_boot).status;
        assert_eq!(
            (judge(0.0, 0.001), judge(0.02, 0.0), judge(0.0, 0.05), judge(0.2, 0.0)),
            (Ok, Warn, Warn, Bad)
        );
    }

    #[test]
    fn the_load_of_an_idle_host_grows_with_its_cpus() {
        let judge = |cpus: &str, load: &str| {
            let host = Fixture::with_cpus(cpus).file("/proc/loadavg", load);
            host.probe(cpus, false, average).status
        };
        assert_eq!(judge("0,1", "0.20 1.50 2.00 1/100 123"), Ok);
        assert_eq!(judge("0,1", "0.90 0.50 2.00 1/100 123"), Warn);
        assert_eq!(judge("0-15", "0.90 0.50 2.00 1/100 123"), Ok);
        assert_eq!(judge("0,1", "x"), Unknown);
    }

    #[test]
    fn a_host_whose_counters_stand_still_is_unknown() {
        let still = Fixture::new().file("/proc/stat", "cpu0 1 2 3 4 5 6 7 8");
        let found = still.probe("0", true, |host| probe(host, &sample(host)));
        assert!(found.iter().all(|finding| finding.status == Unknown), "{found:?}");
    }
}
