//! Kinds of cores: on a hybrid CPU some are faster than others.

use std::collections::BTreeSet;

use super::check::Check;
use super::finding::Finding;
use super::host::{Host, common, list};
use crate::{CpuSet, HostTopology, Root};

/// Cores count as one kind if the slowest has at least this part of the fastest one's rate: a favoured core may be clocked
/// a little above the rest.
const ALIKE_PERCENT: u64 = 80;

/// A kind of core.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// Its name.
    pub name: String,
    /// The CPUs of this kind.
    pub cpus: BTreeSet<usize>,
}

/// The kinds of `cpus`, the fastest first; empty if the host does not show them. The kernel names Intel's kinds; others
/// differ by the scheduler's capacity, or by their highest clock rate.
pub fn of(root: &Root, cpus: &CpuSet) -> Vec<Kind> {
    let named = by_name(root, cpus);
    if named.iter().map(|kind| kind.cpus.len()).sum::<usize>() == cpus.len() {
        return named;
    }
    let by_capacity = by_speed(root, cpus, "cpu_capacity", "capacity", 1);
    if by_capacity.len() > 1 {
        return by_capacity;
    }
    let by_rate = by_speed(root, cpus, "cpufreq/cpuinfo_max_freq", "MHz", 1000);
    if by_rate.is_empty() { by_capacity } else { by_rate }
}

/// The kinds that the kernel names.
fn by_name(root: &Root, cpus: &CpuSet) -> Vec<Kind> {
    const NAMES: [(&str, &str); 3] =
        [("performance", "cpu_core"), ("efficient", "cpu_atom"), ("low-power", "cpu_lowpower")];
    let mut kinds = Vec::new();
    for (name, device) in NAMES {
        let Some(all) = root.cpus(&format!("/sys/devices/{device}/cpus")) else { continue };
        let cpus = common(cpus, &all);
        if !cpus.is_empty() {
            kinds.push(Kind { name: name.to_owned(), cpus });
        }
    }
    kinds
}

/// The kinds by the number in each CPU's `file`; empty if a CPU has none. A kind's name is its number over `divisor`.
fn by_speed(root: &Root, cpus: &CpuSet, file: &str, unit: &str, divisor: u64) -> Vec<Kind> {
    let speeds: Option<Vec<(u64, usize)>> = cpus
        .iter()
        .map(|cpu| Some((root.number(&format!("/sys/devices/system/cpu/cpu{cpu}/{file}"))?, cpu)))
        .collect();
    speeds.map(|speeds| grouped(speeds, unit, divisor)).unwrap_or_default()
}

/// The kinds of the guest's CPUs, the fastest first; empty if the host does not show them.
pub fn of_guest(host: &Host) -> Vec<Kind> {
    of(&host.root, &host.cpus)
}

/// A suggestion for `--cpus`: one thread of each core, of one kind, on the first node with more than one CPU, four at most
/// for the four workers of the largest usual case. Takes the fastest kind with four cores, else the kind with the most.
pub fn suggestion(host: &Host) -> String {
    let topology = host.topology();
    let node = host.nodes().into_iter().map(|(_, cpus)| cpus).find(|cpus| cpus.len() > 1);
    let node = node.unwrap_or_else(|| host.cpus.iter().collect());
    let kinds: Vec<Vec<usize>> = of_guest(host)
        .into_iter()
        .filter_map(|kind| one_of_each_core(&topology, node.intersection(&kind.cpus).copied().collect()))
        .collect();
    // `max_by_key` takes the last of several equals: reversed, that is the fastest kind.
    let best = kinds.into_iter().rev().max_by_key(Vec::len);
    best.or_else(|| one_of_each_core(&topology, node)).map_or_else(|| host.cpus.to_string(), list)
}

/// One thread of each core of `cpus`, four at most; `None` if `cpus` is empty.
fn one_of_each_core(topology: &HostTopology, cpus: BTreeSet<usize>) -> Option<Vec<usize>> {
    const WORKERS: usize = 4;
    let cpus: CpuSet = list(cpus).parse().ok()?;
    let cores = topology.cores_at_most(&cpus).min(WORKERS);
    Some(topology.spread(&cpus).into_iter().take(cores).collect())
}

/// Groups CPUs of about the same speed.
fn grouped(mut speeds: Vec<(u64, usize)>, unit: &str, divisor: u64) -> Vec<Kind> {
    speeds.sort_unstable_by(|one, other| other.cmp(one));
    let mut kinds: Vec<(u64, BTreeSet<usize>)> = Vec::new();
    for (speed, cpu) in speeds {
        match kinds.last_mut() {
            Some((fastest, cpus)) if speed * 100 >= *fastest * ALIKE_PERCENT => {
                cpus.insert(cpu);
            }
            _ => kinds.push((speed, BTreeSet::from([cpu]))),
        }
    }
    let kind = |(speed, cpus)| Kind { name: format!("{unit} {}", speed / divisor), cpus };
    kinds.into_iter().map(kind).collect()
}

/// Whether a guest's workers would get cores of different kinds.
pub fn probe(host: &Host) -> Finding {
    match of_guest(host).as_slice() {
        [] => Check::CoreKinds.unknown("the host's kernel does not show them"),
        [one] => match of(&host.root, &host.online).len() {
            0 | 1 => Check::CoreKinds.ok("one"),
            many => Check::CoreKinds.ok(format!("{}, of {many} kinds on this host", describe(one))),
        },
        kinds => {
            let described: Vec<String> = kinds.iter().map(describe).collect();
            let remedy = format!("Stay on one kind: `--cpus {}`.", suggestion(host));
            Check::CoreKinds.warn(format!("{} kinds: {}", kinds.len(), described.join("; "))).remedy(remedy)
        }
    }
}

/// `performance 0-7`.
fn describe(kind: &Kind) -> String {
    format!("{} {}", kind.name, list(kind.cpus.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{Ok, Unknown, Warn};
    use crate::fixture::Fixture;

    #[test]
    fn warns_of_a_guest_on_two_kinds_of_cores_but_not_on_one() {
        Fixture::hybrid().probe("0-15", false, |host| {
            let found = probe(host);
            assert_eq!(
                (found.status, found.value.as_str()),
                (Warn, "2 kinds: performance 0-7; efficient 8-15")
            );
            assert_eq!(found.help(), "Stay on one kind: `--cpus 0,2,4,6`.");
        });
        // A kind with enough cores is preferred to a faster one with too few.
        Fixture::hybrid().probe("0-3,8-15", false, |host| assert_eq!(suggestion(host), "8-11"));
        Fixture::hybrid().probe("0-3,8", false, |host| assert_eq!(suggestion(host), "0,2"));
        let found = Fixture::hybrid().probe("8-11", true, probe);
        assert_eq!((found.status, found.value.as_str()), (Ok, "efficient 8-11, of 2 kinds on this host"));
    }

    #[test]
    fn kinds_differ_by_capacity_or_rate_and_favoured_cores_are_no_kind() {
        let host = |file: &str, values: [u64; 4]| {
            let at = |cpu| format!("/sys/devices/system/cpu/cpu{cpu}/{file}");
            let host = Fixture::with_cpus("0-3");
            values.iter().enumerate().fold(host, |host, (cpu, value)| host.file(&at(cpu), &value.to_string()))
        };
        let judge = |host: Fixture| {
            let found = host.probe("0-3", true, probe);
            (found.status, found.value)
        };
        assert_eq!(
            judge(host("cpu_capacity", [1024, 446, 1024, 446])),
            (Warn, "2 kinds: capacity 1024 0,2; capacity 446 1,3".to_owned())
        );
        let rate = "cpufreq/cpuinfo_max_freq";
        assert_eq!(judge(host(rate, [5_700_000, 5_700_000, 5_500_000, 5_200_000])), (Ok, "one".to_owned()));
        assert_eq!(
            judge(host(rate, [5_000_000, 5_000_000, 3_800_000, 3_800_000])),
            (Warn, "2 kinds: MHz 5000 0,1; MHz 3800 2,3".to_owned())
        );
        assert_eq!(Fixture::with_cpus("0-3").probe("0-3", true, probe).status, Unknown);
    }
}
