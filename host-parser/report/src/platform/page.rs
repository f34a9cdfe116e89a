//! The page for a person who rents the machine, from the log of a boot: the same as its console shows.

use abi::series::Tier;
use evidence::gate::Measurement;
use harness::platform::page::{Facts, Page};

use super::count;

/// The page of a boot.
pub(super) fn page(first: &Measurement) -> String {
    let machine = first.machine();
    let (cpu, hypervisor) = (machine.brand.to_string(), machine.hypervisor_name());
    let hypervisor = if machine.hypervisor.to_string().is_empty() { String::new() } else { hypervisor };
    Page {
        cpu: &cpu,
        hypervisor: &hypervisor,
        cpus: machine.cpus_online,
        memory_bytes: machine.usable_bytes,
        facts: facts(first),
    }
    .to_string()
}

/// The figures of one boot for the page.
fn facts(boot: &Measurement) -> Facts {
    let mut facts = Facts::default();
    let (mut gaps, mut window) = (0.0, 0.0);
    let Some(platform) = boot.platform() else { return facts };
    for series in platform.series.iter().filter(|series| series.place.row.spec().tier == Tier::Platform) {
        let Some(figures) = series.figures() else { continue };
        facts.take(
            series.place.row,
            series.place.arg,
            picoseconds(figures.costs.median),
            picoseconds(figures.costs.p99),
        );
        if let Some(length) = figures.window {
            gaps += figures.costs.mean * count(figures.count);
            window += length;
            facts.longest(picoseconds(figures.costs.max));
        }
    }
    facts.taken_ppm = (window > 0.0).then(|| picoseconds(gaps / window * 1000.0));
    facts.failed = platform.failed().count() as u64;
    facts
}

/// Nanoseconds in whole picoseconds.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time is neither negative nor that long"
)]
fn picoseconds(nanos: f64) -> u64 {
    (nanos * 1000.0).round() as u64
}
