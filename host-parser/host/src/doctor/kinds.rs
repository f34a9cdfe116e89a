//! Kinds of cores: on a hybrid CPU some are faster than others.

use std::collections::BTreeSet;

use super::check::Check;
use super::finding::Finding;
use super::host::{Host, list};
use crate::{CpuSet, Root};

/// Cores of one kind may differ by what a favoured one is clocked above the rest. A kind below is slower by more.
const ALIKE_PERCENT: u64 = 80;

/// A kind of core that the guest's CPUs are of.
#[derive(Clone, Debug, PartialEq)]
pub struct Kind {
    /// What it is called.
    pub name: String,
    /// The guest's CPUs of it.
    pub cpus: BTreeSet<usize>,
}

/// The kinds of `cpus`, the fastest first; none if nothing shows them. The kernel names Intel's; others show by
/// the capacity that the scheduler works with, or by how fast they can be clocked.
pub fn of(root: &Root, cpus: &CpuSet) -> Vec<Kind> {
    let named = [("performance", "cpu_core"), ("efficient", "cpu_atom"), ("low-power", "cpu_lowpower")];
    let named = named.into_iter().filter_map(|(name, device)| {
        let all = root.cpus(&format!("/sys/devices/{device}/cpus"))?;
        let cpus = cpus.iter().filter(|cpu| all.contains(*cpu)).collect();
        Some(Kind { name: name.to_owned(), cpus })
    });
    let named: Vec<Kind> = named.filter(|kind| !kind.cpus.is_empty()).collect();
    if named.iter().map(|kind| kind.cpus.len()).sum::<usize>() == cpus.len() {
        return named;
    }
    let by = |file: &str, unit: &str, divisor| {
        let each = cpus
            .iter()
            .map(|cpu| Some((root.number(&format!("/sys/devices/system/cpu/cpu{cpu}/{file}"))?, cpu)));
        each.collect::<Option<Vec<_>>>().map(|each| grouped(each, unit, divisor)).unwrap_or_default()
    };
    let by_capacity = by("cpu_capacity", "capacity", 1);
    if by_capacity.len() > 1 {
        return by_capacity;
    }
    let by_rate = by("cpufreq/cpuinfo_max_freq", "MHz", 1000);
    if by_rate.is_empty() { by_capacity } else { by_rate }
}

/// The kinds of cores that the guest's CPUs are of, the fastest first; none if nothing shows them.
pub fn of_guest(host: &Host) -> Vec<Kind> {
    of(&host.root, &host.cpus)
}

/// One thread of each core, of one kind and of the first node that has any, as many as the largest usual case has
/// workers: what `--cpus` might be given. The fastest kind that has so many, or else most.
pub fn suggestion(host: &Host) -> String {
    const WORKERS: usize = 4;
    let topology = host.topology();
    let node = host.nodes().into_iter().map(|(_, cpus)| cpus).find(|cpus| cpus.len() > 1);
    let node = node.unwrap_or_else(|| host.cpus.iter().collect());
    let kinds = of_guest(host).into_iter().map(|kind| node.intersection(&kind.cpus).copied().collect());
    let one_of_each = |cpus: BTreeSet<usize>| {
        let cpus: CpuSet = list(cpus).parse().ok()?;
        let cores = topology.cores_at_most(&cpus).min(WORKERS);
        Some(topology.spread(&cpus).into_iter().take(cores).collect::<Vec<_>>())
    };
    // Of several that have as many, the last one is taken: that is the fastest.
    let kinds: Vec<Vec<usize>> = kinds.filter_map(one_of_each).collect();
    let best = kinds.into_iter().rev().max_by_key(Vec::len);
    best.or_else(|| one_of_each(node)).map_or_else(|| host.cpus.to_string(), list)
}

/// CPUs grouped by speed.
fn grouped(mut each: Vec<(u64, usize)>, unit: &str, divisor: u64) -> Vec<Kind> {
    each.sort_unstable_by(|one, other| other.cmp(one));
    let mut kinds: Vec<(u64, BTreeSet<usize>)> = Vec::new();
    for (speed, cpu) in each {
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

/// Whether a guest's workers would get cores that are not alike.
pub fn probe(host: &Host) -> Finding {
    let tell = |kind: &Kind| format!("{} {}", kind.name, list(kind.cpus.iter().copied()));
    match of_guest(host).as_slice() {
        [] => Check::CoreKinds.unknown("this kernel does not say"),
        [one] => match of(&host.root, &host.online).len() {
            0 | 1 => Check::CoreKinds.ok("one"),
            many => Check::CoreKinds.ok(format!("{}, of {many} kinds on this host", tell(one))),
        },
        kinds => {
            let told: Vec<String> = kinds.iter().map(tell).collect();
            let remedy = format!("Stay on one kind: `--cpus {}`.", suggestion(host));
            Check::CoreKinds.warn(format!("{} kinds: {}", kinds.len(), told.join("; "))).remedy(remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{Ok, Unknown, Warn};
    use crate::fixture::Fixture;

    #[test]
    fn a_guest_on_both_kinds_of_cores_is_told_and_one_of_each_is_not() {
        Fixture::hybrid().probe("0-15", false, |host| {
            let found = probe(host);
            assert_eq!(
                (found.status, found.value.as_str()),
                (Warn, "2 kinds: performance 0-7; efficient 8-15")
            );
            assert_eq!(found.help(), "Stay on one kind: `--cpus 0,2,4,6`.");
        });
        // Of a kind with too few cores none are suggested where another has enough.
        Fixture::hybrid().probe("0-3,8-15", false, |host| assert_eq!(suggestion(host), "8-11"));
        Fixture::hybrid().probe("0-3,8", false, |host| assert_eq!(suggestion(host), "0,2"));
        let found = Fixture::hybrid().probe("8-11", true, probe);
        assert_eq!((found.status, found.value.as_str()), (Ok, "efficient 8-11, of 2 kinds on this host"));
    }

    #[test]
    fn kinds_show_by_capacity_or_rate_and_favoured_cores_are_no_kind() {
        let host = |file: &str, values: [u64; 4]| {
            let at = |cpu| format!("/sys/devices/system/cpu/cpu{cpu}/{file}");
            let host = Fixture::with_cpus("0-3");
            values.iter().enumerate().fold(host, |host, (cpu, value)| host.file(&at(cpu), &value.to_string()))
        };
        let judge = |host: Fixture| {
            let found = host.probe("0-3", true, probe);
            (found.status, found.value)
        };
        let told = |value: &str| value.to_owned();
        assert_eq!(
            judge(host("cpu_capacity", [1024, 446, 1024, 446])),
            (Warn, told("2 kinds: capacity 1024 0,2; capacity 446 1,3"))
        );
        let rate = "cpufreq/cpuinfo_max_freq";
        assert_eq!(judge(host(rate, [5_700_000, 5_700_000, 5_500_000, 5_200_000])), (Ok, told("one")));
        assert_eq!(
            judge(host(rate, [5_000_000, 5_000_000, 3_800_000, 3_800_000])),
            (Warn, told("2 kinds: MHz 5000 0,1; MHz 3800 2,3"))
        );
        assert_eq!(Fixture::with_cpus("0-3").probe("0-3", true, probe).status, Unknown);
    }
}
