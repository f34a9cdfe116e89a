//! Topology: how many CPUs a guest can have, and what they share.

use std::collections::BTreeSet;

use super::check::Check;
use super::finding::Finding;
use super::host::{Host, common, count, list};

/// A speed-up needs two; with as many as the largest usual case has workers nothing is functional only.
const CORES_WANTED: usize = 4;

/// All of it.
pub fn probe(host: &Host) -> Vec<Finding> {
    vec![cpus(host), pinning(host), smt(host), caches(host), numa(host)]
}

fn cpus(host: &Host) -> Finding {
    let (usable, cores) = (host.cpus.len(), host.cores());
    let packages: BTreeSet<_> = host.each_cpu().iter().filter_map(|cpu| cpu.package).collect();
    let sockets = if packages.is_empty() {
        String::new()
    } else {
        format!(", {}", count(packages.len(), "socket"))
    };
    let of = match host.online.len() {
        online if online == usable => format!("{} online", count(usable, "CPU")),
        online => format!("{} of {online} online", count(usable, "CPU")),
    };
    let value = format!("{of} ({}): {}{sockets}", host.cpus, count(cores, "core"));
    match cores {
        0 | 1 => Check::Cpus.bad(value),
        cores if cores < CORES_WANTED => {
            let value = format!("{value}; cases of more than {cores} workers are functional only");
            Check::Cpus.warn(value)
        }
        _ => Check::Cpus.ok(value),
    }
}

fn pinning(host: &Host) -> Finding {
    if host.pinned {
        return Check::Pinning.ok(format!("to CPUs {}", host.cpus));
    }
    Check::Pinning
        .warn("none")
        .remedy(format!("`assay run ... --cpus {}`: one thread of each core.", host.suggestion()))
}

fn smt(host: &Host) -> Finding {
    let cpus = host.each_cpu();
    let shared: Vec<usize> =
        cpus.iter().filter(|cpu| cpu.core.contains([',', '-'])).map(|cpu| cpu.id).collect();
    if shared.is_empty() {
        return match host.root.line("/sys/devices/system/cpu/smt/control") {
            Some(control) if control != "on" => Check::Smt.ok(format!("none ({control})")),
            _ => Check::Smt.ok("none"),
        };
    }
    if host.cores() < cpus.len() {
        let value = format!("CPUs {} have siblings among the guest's", list(siblings(host)));
        let pin = format!("`--cpus {}`, one thread of each core; or switch it off: ", host.suggestion());
        return Check::Smt.warn(value).remedy(pin + "`echo off | sudo tee /sys/devices/system/cpu/smt/control`.");
    }
    Check::Smt.ok("on; the guest has one thread of each core (keep the others idle)")
}

/// The CPUs whose sibling is the guest's too.
fn siblings(host: &Host) -> Vec<usize> {
    let cpus = host.each_cpu();
    let twice = |core: &str| cpus.iter().filter(|cpu| cpu.core == core).count() > 1;
    cpus.iter().filter(|cpu| twice(&cpu.core)).map(|cpu| cpu.id).collect()
}

fn caches(host: &Host) -> Finding {
    let Some(level) = host.cpus.iter().next().and_then(|cpu| last_level(host, cpu)) else {
        return Check::Caches.unknown("no /sys/devices/system/cpu/cpu*/cache");
    };
    let shared: BTreeSet<String> =
        host.cpus.iter().filter_map(|cpu| last_level(host, cpu)).map(|cache| cache.shared).collect();
    let Cache { level, size, shared: of_first } = level;
    if shared.len() == 1 {
        return Check::Caches.ok(format!("one L{level} of {size} for CPUs {of_first}"));
    }
    let value = format!("{} of {size}", count(shared.len(), &format!("L{level}")));
    // Where each vCPU stays on its CPU, what it shares with whom is the same in every run.
    Check::Caches.judge(value, !host.pinned, false)
}

struct Cache {
    level: u64,
    size: String,
    shared: String,
}

fn last_level(host: &Host, cpu: usize) -> Option<Cache> {
    let at = format!("/sys/devices/system/cpu/cpu{cpu}/cache");
    let caches = host.root.names(&at).into_iter().filter_map(|name| {
        Some(Cache {
            level: host.root.number(&format!("{at}/{name}/level"))?,
            size: size(&host.root.line(&format!("{at}/{name}/size"))?),
            shared: host.root.line(&format!("{at}/{name}/shared_cpu_list"))?,
        })
    });
    caches.max_by_key(|cache| cache.level)
}

/// `32768K` in the larger unit.
fn size(text: &str) -> String {
    match text.strip_suffix('K').and_then(|kib| kib.parse::<u64>().ok()) {
        Some(kib) if kib >= 1024 => format!("{} MiB", kib / 1024),
        Some(kib) => format!("{kib} KiB"),
        None => text.to_owned(),
    }
}

fn numa(host: &Host) -> Finding {
    let nodes = host.nodes();
    match nodes.as_slice() {
        [] => Check::Numa.unknown("no /sys/devices/system/node"),
        [(name, _)] => Check::Numa.ok(format!("one node ({name})")),
        [(first, cpus), ..] => {
            let own = host.root.cpus(&format!("/sys/devices/system/node/{first}/cpulist"));
            let own = own.map_or_else(|| cpus.clone(), |own| common(&own, &host.cpus));
            let remedy = format!("Stay on one: `--cpus` with CPUs of {}, or of another node.", list(own));
            Check::Numa.warn(format!("the guest's CPUs are in {} nodes", nodes.len())).remedy(remedy)
        }
    }
}
