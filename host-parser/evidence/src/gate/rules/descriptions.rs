//! Whether the records that describe the machine, and the numbers of the pace checks, can be: each against every other
//! that it must agree with.

use std::collections::{BTreeMap, BTreeSet};

use abi::pace::WINDOW_US;
use abi::tsc;
use abi::wire::Timestamp;
use abi::wire::record::{
    Blob, Config, ConfigIgnored, Cpu, CpuState, Dmi, Gap, Machine, Memory, Phase, Platform, Rsdp, RsdpSource,
    SmbiosState, Sweep, System, SystemName, Topology, TopologySource, TscReading, Warp,
};

use super::Run;
use super::account::length_ns;
use crate::gate::facts::{At, Facts};
use crate::gate::reason::ReasonCode;

/// The fewest cycles in which a CPU makes one of a pace check's readings: its work has more instructions than any core
/// completes in this time.
const LEAST_CYCLES_PER_READING: u64 = 16;

/// The headers of an ELF file with one segment (System V ABI, "ELF Header" and "Program Header").
const LEAST_PROGRAM_BYTES: u64 = 64 + 56;

/// What is wrong, and the line that shows it.
type Wrong = (u64, String);

/// Compares them. Needs a log without losses.
pub(in crate::gate) fn descriptions(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    let rules =
        [memory, root, config, cpus, places, topology, platform, readings, warp, phases, blob, paces, calls];
    for (line, detail) in rules.into_iter().flat_map(|rule| rule(run.facts)) {
        run.add(ReasonCode::InconsistentRecord, line, detail);
    }
}

fn memory(facts: &Facts) -> Vec<Wrong> {
    let memory = facts.one::<Memory>();
    let bad = memory.filter(|at| at.is.regions == 0 || at.is.heap_bytes > at.is.usable_bytes);
    bad.map(|at| {
        let Memory { usable_bytes, regions, heap_bytes } = at.is;
        let detail =
            format!("{usable_bytes} bytes in {regions} regions cannot hold a heap of {heap_bytes} bytes");
        (at.line, detail)
    })
    .into_iter()
    .collect()
}

/// The root of the ACPI tables is where its source says: a run with CPUs has one.
fn root(facts: &Facts) -> Vec<Wrong> {
    let Some(At { line, is: Rsdp { source, at } }) = facts.one::<Rsdp>() else { return Vec::new() };
    let places = match source {
        RsdpSource::Named => 1..u64::MAX,
        RsdpSource::Ebda => 0x500..0xa_0000,
        RsdpSource::BiosArea => 0xe_0000..0x10_0000,
        RsdpSource::None => 0..0,
    };
    if places.contains(&at.0) {
        return Vec::new();
    }
    vec![(line, format!("the RSDP is at {:#x}, but its source is {source}", at.0))]
}

/// Every word that was ignored has its record.
fn config(facts: &Facts) -> Vec<Wrong> {
    let listed = facts.all::<ConfigIgnored>().count();
    let Some(config) = facts.one::<Config>() else { return Vec::new() };
    if usize::from(config.is.ignored) == listed {
        return Vec::new();
    }
    vec![(config.line, format!("`config` counts {} ignored words, the log has {listed}", config.is.ignored))]
}

/// CPUs that were started are numbered from 0 without gaps; the first is the boot CPU; each has its own APIC ID.
fn cpus(facts: &Facts) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut numbers = BTreeSet::new();
    let mut apics = BTreeSet::new();
    let native = is_native(facts);
    for cpu in facts.all::<Cpu>() {
        let Cpu { cpu: number, apic, state, cycles } = cpu.is;
        if !apics.insert(apic) && !native {
            wrong.push((cpu.line, format!("another CPU has APIC ID {apic} too")));
        }
        if state != CpuState::Skipped {
            numbers.insert(number.0);
        }
        // Under Linux no CPU is known to be the boot CPU.
        if state == CpuState::Bsp && number.0 != 0 {
            wrong.push((cpu.line, format!("CPU {number} is the boot CPU, which is CPU 0")));
        }
        if state != CpuState::Online && cycles != 0 {
            wrong.push((cpu.line, format!("CPU {number} has the state `{state}` and a check-in")));
        }
        if longer(cycles, facts.iterations.first().and_then(|first| first.ready), facts) {
            wrong.push((
                cpu.line,
                format!("CPU {number} checked in after {cycles} cycles, which had not passed yet"),
            ));
        }
    }
    let gap = (0..)
        .zip(0..numbers.len())
        .map(|(number, _): (u16, _)| number)
        .find(|number| !numbers.contains(number));
    if let Some((number, first)) = gap.zip(facts.all::<Cpu>().next()) {
        wrong.push((first.line, format!("the CPUs are not numbered without gaps: there is no CPU {number}")));
    }
    wrong
}

/// Natively several workers may have one of the host's CPUs, which is listed for each.
fn is_native(facts: &Facts) -> bool {
    facts.one::<System>().is_some_and(|system| system.is.name == SystemName::Native)
}

/// Whether `cycles` are more than had passed since the kernel's start at this time.
fn longer(cycles: u64, at: Option<Timestamp>, facts: &Facts) -> bool {
    let khz = facts.khz();
    let passed = at.and_then(Timestamp::micros).zip(khz);
    // A stamp is a whole number of microseconds.
    passed.is_some_and(|(micros, khz)| cycles > tsc::cycles(micros + 1, khz))
}

/// If one online CPU has its place, all have.
fn places(facts: &Facts) -> Vec<Wrong> {
    // A sweep needs all of them, which is its own rule.
    let first = facts.topology.values().next().filter(|_| facts.one::<Sweep>().is_none());
    let silent = facts.online_cpus().find(|cpu| !facts.topology.contains_key(cpu));
    let silent = first.zip(silent);
    silent
        .map(|(at, cpu)| (at.line, format!("CPU {cpu} has no `topology` record, others have one")))
        .into_iter()
        .collect()
}

/// No two CPUs are in the same place, and CPUs of one core are of one package.
fn topology(facts: &Facts) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut threads = BTreeSet::new();
    let mut packages: BTreeMap<u32, (Option<u32>, Option<u32>)> = BTreeMap::new();
    for At { line, is } in facts.topology.values() {
        let Topology { cpu, source, package, die, core, thread, node, .. } = *is;
        if source == TopologySource::None && [package, die, core, thread].iter().any(Option::is_some) {
            wrong.push((*line, format!("CPU {cpu} has a place, but no source of it")));
        }
        if core.zip(thread).is_some_and(|place| !threads.insert(place)) && !is_native(facts) {
            wrong.push((*line, format!("CPU {cpu} is the same thread of the same core as another CPU")));
        }
        let Some(core) = core else { continue };
        if *packages.entry(core).or_insert((package, node)) != (package, node) {
            wrong
                .push((*line, format!("CPU {cpu} shares core {core} with a CPU of another package or node")));
        }
    }
    wrong
}

fn platform(facts: &Facts) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut fields = BTreeSet::new();
    for dmi in facts.all::<Dmi>().filter(|dmi| !fields.insert(dmi.is.field)) {
        wrong.push((dmi.line, format!("the log has `{}` of the SMBIOS tables twice", dmi.is.field)));
    }
    let Some(platform) = facts.one::<Platform>() else { return wrong };
    if !fields.is_empty() && platform.is.smbios != SmbiosState::Found {
        wrong.push((platform.line, "the log has strings of SMBIOS tables that were not found".to_owned()));
    }
    let hypervisor = facts.one::<Machine>().is_some_and(|machine| !machine.is.hypervisor.is_empty());
    if platform.is.hypervisor_leaf.0 != 0 && !hypervisor {
        wrong
            .push((platform.line, "there are leaves of a hypervisor, but there is no hypervisor".to_owned()));
    }
    wrong
}

/// A source has one reading of the TSC's frequency.
fn readings(facts: &Facts) -> Vec<Wrong> {
    let mut sources = BTreeSet::new();
    let twice = facts.all::<TscReading>().filter(|reading| !sources.insert(reading.is.source));
    twice.map(|reading| (reading.line, format!("source {} has two readings", reading.is.source))).collect()
}

/// Each CPU's handovers are among all handovers, and these among all readings.
fn warp(facts: &Facts) -> Vec<Wrong> {
    let Some(At { line, is: Warp { cpus, samples, handovers, least, .. } }) = facts.one::<Warp>() else {
        return Vec::new();
    };
    let of_all = least.saturating_mul(cpus.into());
    if of_all <= handovers && handovers <= samples && (cpus > 1 || handovers == 0) {
        return Vec::new();
    }
    let detail = format!(
        "the warp test of {cpus} CPUs has {handovers} handovers in {samples} readings, and {least} of each CPU"
    );
    vec![(line, detail)]
}

/// The steps of the boot were over when they were printed, and have different names.
fn phases(facts: &Facts) -> Vec<Wrong> {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    let mut sum = 0_u64;
    for phase in facts.all::<Phase>() {
        sum = sum.saturating_add(phase.is.cycles);
        if !names.insert(phase.is.name) {
            wrong.push((phase.line, format!("the step `{}` is there twice", phase.is.name)));
        }
        if longer(sum, facts.iterations.first().map(|first| first.begun), facts) {
            wrong.push((phase.line, format!("the steps so far took {sum} cycles, which had not passed yet")));
        }
    }
    wrong
}

fn blob(facts: &Facts) -> Vec<Wrong> {
    let Some(At { line, is }) = facts.one::<Blob>() else { return Vec::new() };
    let most = facts.one::<Memory>().map_or(u64::MAX, |memory| memory.is.usable_bytes);
    if (LEAST_PROGRAM_BYTES..=most).contains(&u64::from(is.bytes)) {
        return Vec::new();
    }
    vec![(line, format!("no program of this machine has {} bytes (at most {most} are usable)", is.bytes))]
}

/// A pace check lasts half a millisecond, and its longest gap is at least the mean one.
fn paces(facts: &Facts) -> Vec<Wrong> {
    let Some(khz) = facts.khz() else { return Vec::new() };
    let window = tsc::cycles(WINDOW_US, khz);
    let mut wrong = Vec::new();
    for At { line, is } in facts.all::<Gap>() {
        for (side, longest, reads) in
            [("before", is.before, is.reads_before), ("after", is.after, is.reads_after)]
        {
            let reads = u64::from(reads);
            // Numbers of 0 are missing evidence.
            let few = longest.saturating_mul(reads) < window;
            let many = reads.saturating_mul(LEAST_CYCLES_PER_READING) > window.saturating_add(longest);
            if longest > 0 && reads > 0 && (few || many) {
                let detail = format!(
                    "CPU {} cannot make {reads} readings just {side} its worker in {window} cycles, at most {longest} \
                     cycles apart",
                    is.cpu
                );
                wrong.push((line, detail));
            }
        }
        let took = || facts.iterations_of(is.case, is.iter).rev().find_map(|it| length_ns(it, khz));
        if is.steal_ns.is_some_and(|steal| steal > took().unwrap_or(u64::MAX)) {
            let detail = format!("CPU {} has more steal time than its iteration has time", is.cpu);
            wrong.push((line, detail));
        }
    }
    wrong
}

/// A worker without refused syscalls has no first one.
fn calls(facts: &Facts) -> Vec<Wrong> {
    let ends = facts.iterations.iter().flat_map(|iteration| iteration.workers.values());
    let odd =
        ends.filter_map(|worker| worker.end).filter(|end| end.is.refused == 0 && end.is.first_refused != 0);
    odd.map(|end| {
        (end.line, format!("worker {} has a first refused syscall, but none was refused", end.is.worker))
    })
    .collect()
}
