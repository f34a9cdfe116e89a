//! Load: what else runs on the host, now and of late.

use std::collections::BTreeSet;
use std::time::Duration;

use super::check::Check;
use super::finding::Finding;
use super::host::{Host, list};
use super::sample::{Program, Sample, Snapshot};

/// Long enough for some 50 ticks, which is what the counters are made of.
const SAMPLED: Duration = Duration::from_millis(500);
/// A CPU's worth: less is what every host does.
const BUSY: f64 = 0.25;
/// What two vCPUs cannot do without.
const FREE: f64 = 1.5;
/// A program below this part of a CPU is not named.
const NAMED: f64 = 0.05;
const MOST_NAMED: usize = 3;
const STEAL: f64 = 0.01;
const MUCH_STEAL: f64 = 0.1;
/// The load average of an idle host, for each CPU and at the least.
const LOAD_PER_CPU: f64 = 0.1;
const LOAD: f64 = 0.5;

/// What the CPUs did while the load was sampled.
#[derive(Clone, Debug, Default)]
pub struct LoadSample {
    /// Those of the guest.
    pub guest: Option<Sample>,
    /// The other threads of their cores; none where there are none.
    pub siblings: Option<(BTreeSet<usize>, Sample)>,
    /// The part of the guest's CPUs' time that was stolen since the host booted.
    pub steal_since_boot: f64,
}

/// Samples the load. Takes half a second.
pub fn sample_load(host: &Host) -> LoadSample {
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

/// All of it.
pub fn probe(host: &Host, sampled: &LoadSample) -> Vec<Finding> {
    vec![average(host), busy(host, sampled), steal(sampled.guest.as_ref(), sampled.steal_since_boot)]
}

/// The load averages over 1 and 5 minutes.
pub fn averages(host: &Host) -> Option<(f64, f64)> {
    let line = host.root.line("/proc/loadavg")?;
    let mut words = line.split_ascii_whitespace().map(str::parse::<f64>);
    Some((words.next()?.ok()?, words.next()?.ok()?))
}

fn average(host: &Host) -> Finding {
    let Some((one, five)) = averages(host) else { return Check::Load.unknown("no /proc/loadavg") };
    let cpus = u32::try_from(host.online.len()).unwrap_or(u32::MAX);
    let limit = (f64::from(cpus) * LOAD_PER_CPU).max(LOAD);
    Check::Load.judge(format!("{one:.2} over 1 minute, {five:.2} over 5"), one >= limit, false)
}

fn busy(host: &Host, sampled: &LoadSample) -> Finding {
    let Some(sample) = &sampled.guest else { return Check::Busy.unknown("no /proc/stat that moves") };
    let all = u32::try_from(host.cpus.len()).unwrap_or(u32::MAX);
    let mut value = format!("{:.1} of {all} CPUs{}", sample.busy_cpus, greedy(sample));
    let busy = sample.busy_cpus >= BUSY;
    let mut beside = false;
    if let Some((cpus, sample)) = &sampled.siblings {
        beside = sample.busy_cpus >= BUSY;
        let cpus = list(cpus.iter().copied());
        value += &format!("; of their siblings {cpus}: {:.1}{}", sample.busy_cpus, greedy(sample));
    }
    Check::Busy.judge(value, busy || beside, busy && f64::from(all) - sample.busy_cpus < FREE)
}

/// ` (rustc 97%, cc1 12%)`; nothing where nothing ran.
fn greedy(sample: &Sample) -> String {
    let greedy = sample.programs.iter().filter(|program| program.part >= NAMED).take(MOST_NAMED);
    let greedy: Vec<String> = greedy.map(name).collect();
    // If the CPUs were idle, what ran there last has moved meanwhile.
    if sample.busy_cpus < NAMED || greedy.is_empty() {
        return String::new();
    }
    format!(" ({})", greedy.join(", "))
}

/// `rustc 97%`, `3 x rustc 171%`: of one CPU.
fn name(program: &Program) -> String {
    let times = if program.processes > 1 { format!("{} x ", program.processes) } else { String::new() };
    format!("{times}{} {:.0}%", program.name, program.part * 100.0)
}

fn steal(sample: Option<&Sample>, since_boot: f64) -> Finding {
    let Some(sample) = sample else { return Check::Steal.unknown("no /proc/stat that moves") };
    let value = format!("{:.1}% now, {:.1}% since boot", sample.steal * 100.0, since_boot * 100.0);
    Check::Steal.judge(value, sample.steal >= STEAL || since_boot >= STEAL, sample.steal >= MUCH_STEAL)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{Bad, Ok, Unknown, Warn};
    use crate::fixture::Fixture;

    fn sample(busy_cpus: f64, steal: f64) -> Sample {
        let programs = [("rustc", 2, 0.97), ("my shell", 1, 0.06), ("cron", 1, 0.02)];
        let programs = programs
            .map(|(name, processes, part)| Program { name: name.to_owned(), processes, part })
            .to_vec();
        Sample { busy_cpus, steal, programs }
    }

    #[test]
    fn a_loaded_host_is_told_with_the_names() {
        let sampled = |worth| LoadSample { guest: Some(sample(worth, 0.0)), ..LoadSample::default() };
        let judge = |cpus, worth| Fixture::new().probe(cpus, true, |host| busy(host, &sampled(worth)));
        let found = judge("0,1", 1.04);
        assert_eq!((found.status, found.value.as_str()), (Bad, "1.0 of 2 CPUs (2 x rustc 97%, my shell 6%)"));
        assert_eq!(judge("0-7", 1.04).status, Warn);
        assert_eq!(judge("0-7", 7.0).status, Bad);
        assert_eq!(judge("0,1", 0.1).status, Ok);
        assert_eq!(judge("0,1", 0.01).value, "0.0 of 2 CPUs");
    }

    #[test]
    fn load_on_the_siblings_of_the_guests_cpus_is_told() {
        let judge = |worth| {
            let siblings = Some((BTreeSet::from([1, 3]), sample(worth, 0.0)));
            let guest = Some(Sample { programs: Vec::new(), ..sample(0.0, 0.0) });
            let sampled = LoadSample { guest, siblings, steal_since_boot: 0.0 };
            let found = Fixture::hybrid().probe("0,2", true, |host| busy(host, &sampled));
            (found.status, found.value)
        };
        let told = "0.0 of 2 CPUs; of their siblings 1,3: 1.0 (2 x rustc 97%, my shell 6%)";
        assert_eq!(judge(1.0), (Warn, told.to_owned()));
        assert_eq!(judge(0.0), (Ok, "0.0 of 2 CPUs; of their siblings 1,3: 0.0".to_owned()));
        Fixture::hybrid().probe("0,2", true, |host| assert_eq!(host.idle_siblings(), BTreeSet::from([1, 3])));
    }

    #[test]
    fn stolen_time_is_told_even_if_it_has_just_stopped() {
        let judge = |now, since_boot| steal(Some(&sample(0.0, now)), since_boot).status;
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
        let found = still.probe("0", true, |host| probe(host, &sample_load(host)));
        assert!(found.iter().all(|finding| finding.status == Unknown), "{found:?}");
    }
}
