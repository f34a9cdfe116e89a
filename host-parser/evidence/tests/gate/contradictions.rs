//! Records that contradict each other, in logs that arrived whole: each log is a good one with one thing changed.

use abi::CpuId;
use abi::wire::record::{
    CaseEnd, CaseReady, CaseSkipped, CoreKind, Fault, Memory, Rsdp, RsdpSource, SkipReason, Split, Topology,
    TopologySource, TscSource,
};
use abi::wire::{Envelope, Hex64, Record, Timestamp};
use evidence::gate::{ReasonCode, RunExpectation};

use super::{Trial, script, two_cases, with_makespan};
use test_support::guest::{KHZ, WHOLE, label};
use test_support::script::Script;

pub fn trials() -> Vec<Trial> {
    let mut trials = single();
    for (name, script) in
        [records(), courses(), workers(), stamps(), roots(), clocks(), gaps(), census()].concat()
    {
        trials.push(Trial::new(name, ReasonCode::InconsistentRecord, script.log()));
    }
    trials
}

/// A contradiction of what was expected, and changes close to a contradiction that pass or trip another reason.
fn single() -> Vec<Trial> {
    let one = RunExpectation { cpus: Some(1), ..RunExpectation::default() };
    let slow = script(2).later(22_000, super::is_begin);
    let places = (0..2).rev().map(|cpu| place(cpu, 0));
    let one_core = places.fold(script(2), |script, place| script.insert_before(place, is_reading));
    vec![
        Trial::new("inconsistent-record-cpus-given", ReasonCode::InconsistentRecord, script(2).log())
            .expecting(one),
        Trial::passing("good-slow-to-begin", script(2).later(20_000, super::is_begin).log()),
        Trial::new("time-missing-stamps", ReasonCode::TimeMissing, slow.log()),
        // Every line takes 40 ms, and the first a bit more: the serial port is slow. Or all lines but one: it is not.
        Trial::passing("good-slow-to-begin-on-a-slow-port", on_slow_port(|_| false).log()),
        Trial::new(
            "time-missing-stamps-on-a-fast-port",
            ReasonCode::TimeMissing,
            on_slow_port(super::is_end).log(),
        ),
        // Siblings that do not report which thread of their core they are.
        Trial::passing("good-one-core", one_core.log()),
    ]
}

/// The line of `case-ready` takes 45 ms, and each line from `case-begin` on 40 ms, but for the one before a record that is
/// `quick`.
fn on_slow_port(quick: impl Fn(&Record) -> bool) -> Script {
    let mut script = script(2).later(45_000, super::is_begin);
    for after in script.place(super::is_begin) + 1..script.records.len() {
        let micros = if quick(&script.records[after].record) { 0 } else { 40_000 };
        for envelope in &mut script.records[after..] {
            envelope.ts =
                Timestamp::from_micros(envelope.ts.micros().expect("it is after the clock") + micros);
        }
    }
    script
}

fn is_reading(record: &Record) -> bool {
    matches!(record, Record::TscReading(_))
}

fn place(cpu: u16, core: u32) -> Topology {
    Topology {
        cpu: CpuId(cpu),
        source: TopologySource::Cpuid0b,
        package: Some(0),
        die: None,
        core: Some(core),
        thread: None,
        kind: CoreKind::Alike,
        node: None,
    }
}

/// Worker 1 has this number and this CPU in all of its records.
fn renamed(number: u16, cpu: u16) -> Script {
    script(2).edit(|record| match record {
        Record::Worker(is) if is.worker == 1 => (is.worker, is.cpu.0) = (number, cpu),
        Record::Answer(is) if is.worker == 1 => is.worker = number,
        Record::Region(is) if is.worker == 1 => (is.worker, is.cpu.0) = (number, cpu),
        Record::WorkerEnd(is) if is.worker == 1 => (is.worker, is.cpu.0) = (number, cpu),
        Record::Conditions(is) if is.worker == 1 => (is.worker, is.cpu.0) = (number, cpu),
        Record::Counters(is) if is.worker == 1 => (is.worker, is.cpu.0) = (number, cpu),
        Record::Gap(is) if is.worker == 1 => (is.worker, is.cpu.0) = (number, cpu),
        _ => {}
    })
}

/// The first record for which `what` holds comes just before the last.
fn to_the_end(mut script: Script, what: impl Fn(&Record) -> bool) -> Script {
    let at = script.place(what);
    let moved: Envelope = script.records.remove(at);
    let last = script.records.len() - 1;
    script.records.insert(last, moved);
    script
}

/// Logs, each with the name of its trial.
type Named = Vec<(&'static str, Script)>;

/// The log of two CPUs without the records for which `gone` holds.
fn without(gone: fn(&Record) -> bool) -> Script {
    script(2).without(gone)
}

/// Records with a wrong value, records that are missing, and records that are one too many.
fn records() -> Named {
    let memory = Memory { usable_bytes: 1 << 27, regions: 6, heap_bytes: 1 << 20 };
    let fault = Fault {
        worker: 1,
        exception: label("page-fault"),
        error: Hex64(7),
        rip: Hex64(0x1042),
        address: Hex64(8),
    };
    vec![
        ("inconsistent-record-scaled", edit!(script(2), Worker, |worker| worker.scaled += 1)),
        ("inconsistent-record-makespan", edit!(script(2), CaseEnd, |end| end.makespan += 1)),
        ("inconsistent-record-done", edit!(script(2), CaseEnd, |end| end.done = 1)),
        ("inconsistent-record-cpu", edit!(script(2), Worker, |worker| worker.cpu.0 = 1)),
        ("inconsistent-record-no-result", without(|record| matches!(record, Record::Answer(_)))),
        ("inconsistent-record-no-end", without(|record| matches!(record, Record::WorkerEnd(_)))),
        ("inconsistent-record-no-worker", without(|record| matches!(record, Record::Worker(_)))),
        ("inconsistent-record-no-split", without(|record| matches!(record, Record::Split(_)))),
        ("inconsistent-record-program", edit!(script(2), Blob, |blob| blob.name = label("chunk-hash"))),
        ("inconsistent-record-second", script(2).insert_before(memory, is_reading)),
        ("inconsistent-record-fault-outside", script(2).insert_before(fault, super::is_end)),
    ]
}

/// Cases that begin or end in the wrong place.
fn courses() -> Named {
    let ends = |case| move |record: &Record| matches!(record, Record::CaseEnd(end) if end.case == case);
    let again = CaseEnd { case: 2, iter: 1, done: 2, makespan: 884_777_134, verified: true };
    let elsewhere = edit!(script(2), Answer, |answer| answer.iter = answer.worker);
    vec![
        ("inconsistent-record-no-case-end", script(2).without(ends(2))),
        ("inconsistent-record-case-inside", to_the_end(two_cases(), ends(1))),
        ("inconsistent-record-end-without-begin", script(2).insert_before(again, super::is_end)),
        ("inconsistent-record-other-case", elsewhere),
    ]
}

/// Workers with an impossible number, CPU or time.
fn workers() -> Named {
    let instant = edit!(script(2), Worker, |worker| if worker.worker == 1 {
        (worker.cycles, worker.scaled) = (0, 0);
    });
    vec![
        ("inconsistent-record-numbers", renamed(2, 1)),
        ("inconsistent-record-shared-cpu", renamed(1, 0)),
        ("inconsistent-record-cpu-not-online", renamed(1, 7)),
        ("inconsistent-record-no-time", with_makespan(instant)),
    ]
}

/// Cases that took more time than their records' stamps leave, or whose stamps or records are missing.
fn stamps() -> Named {
    let at = script(2).place(super::is_begin);
    let mut unstamped = script(2);
    unstamped.records[at].ts = Timestamp::UNKNOWN;
    let again = CaseReady { case: 2, iter: 1 };
    vec![
        ("inconsistent-record-stamps", script(2).later(-100_000, super::is_begin)),
        ("inconsistent-record-unstamped", unstamped),
        ("inconsistent-record-not-ready", script(2).without(|it| matches!(it, Record::CaseReady(_)))),
        ("inconsistent-record-never-begun", script(2).insert_before(again, super::is_end)),
    ]
}

/// An RSDP that is not where its source says, or that is missing although there are CPUs.
fn roots() -> Named {
    let with = |source, at| script(2).insert_before(Rsdp { source, at: Hex64(at) }, super::is_begin);
    vec![
        ("inconsistent-record-rsdp-place", with(RsdpSource::BiosArea, 0x7fe_0000)),
        ("inconsistent-record-rsdp-none", with(RsdpSource::None, 0)),
    ]
}

/// A TSC frequency that its sources do not bear out.
fn clocks() -> Named {
    // The slowest clock and the longest time: the time overflows in any unit.
    let endless = script(2).edit(|record| match record {
        Record::TscReading(reading) => reading.khz = 1,
        Record::Tsc(tsc) => tsc.khz = 1,
        Record::Worker(worker) => (worker.cycles, worker.scaled) = (1 << 60, u32::MAX),
        Record::Gap(gap) => (gap.before, gap.after, gap.steal_ns) = (1, 1, Some(1)),
        _ => {}
    });
    vec![
        ("inconsistent-record-tsc-source", edit!(script(2), Tsc, |tsc| tsc.source = TscSource::Pit)),
        ("inconsistent-record-tsc-khz", edit!(script(2), Tsc, |tsc| tsc.khz = KHZ + 1)),
        ("inconsistent-record-tsc-sources", edit!(script(2), Tsc, |tsc| tsc.sources = 3)),
        ("inconsistent-record-tsc-spread", edit!(script(2), Tsc, |tsc| tsc.spread_ppm = 90_000)),
        ("inconsistent-record-tsc-0", edit!(script(2), Tsc, |tsc| tsc.khz = 0)),
        ("inconsistent-record-tsc-1", with_makespan(endless)),
    ]
}

fn is_gap_1(record: &Record) -> bool {
    matches!(record, Record::Gap(gap) if gap.worker == 1)
}

/// A second gap record of worker 1, of this iteration.
fn second_gap(iter: u16) -> Script {
    let script = script(2);
    let mut gap = script.records[script.place(is_gap_1)].record;
    if let Record::Gap(gap) = &mut gap {
        gap.iter = iter;
    }
    script.insert_before(gap, super::is_end)
}

/// Gaps that are missing, or that no sampling of the clock could have found.
fn gaps() -> Named {
    vec![
        ("inconsistent-record-no-gap", script(2).without(is_gap_1)),
        ("inconsistent-record-gap-twice", second_gap(0)),
        ("inconsistent-record-gap-of-nothing", second_gap(1)),
        ("inconsistent-record-gap-cpu", edit!(script(2), Gap, |gap| gap.cpu.0 ^= 1)),
    ]
}

/// This case is skipped although the log has two CPUs; `online` is what the record says.
fn skipped(case: u16, online: u16) -> Script {
    script(2).insert_before(CaseSkipped { case, reason: SkipReason::Cpus, online }, super::is_end)
}

/// The one iteration of the one case is called the second.
fn second_iteration() -> Script {
    script(2).edit(|record| match record {
        Record::CaseReady(is) => is.iter = 1,
        Record::CaseBegin(is) => is.iter = 1,
        Record::Worker(is) => is.iter = 1,
        Record::Answer(is) => is.iter = 1,
        Record::Region(is) => is.iter = 1,
        Record::Mark(is) => is.iter = 1,
        Record::WorkerEnd(is) => is.iter = 1,
        Record::CaseEnd(is) => is.iter = 1,
        Record::Gap(is) => is.iter = 1,
        _ => {}
    })
}

/// CPUs and cases that are impossible.
fn census() -> Named {
    let is_cpu_1 = |record: &Record| matches!(record, Record::Cpu(cpu) if cpu.cpu.0 == 1);
    let cpu = script(2).records[script(2).place(is_cpu_1)].record;
    let [p0, p1, p2, p3] = WHOLE;
    let split = Split { case: 1, worker: 0, p0, p1, p2, p3 };
    let orphan = script(2).insert_before(split, |record| matches!(record, Record::Split(_)));
    vec![
        ("inconsistent-record-cpu-twice", script(2).insert_before(cpu, is_reading)),
        ("inconsistent-record-place", script(2).insert_before(place(5, 5), is_reading)),
        ("inconsistent-record-warp-cpus", edit!(script(2), Warp, |warp| warp.cpus = 3)),
        ("inconsistent-record-skipped-online", skipped(4, 3)),
        ("inconsistent-record-skipped-fits", skipped(2, 2)),
        ("inconsistent-record-turns", second_iteration()),
        ("inconsistent-record-orphan-split", orphan),
    ]
}
