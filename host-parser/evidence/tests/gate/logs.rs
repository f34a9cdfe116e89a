//! Good logs that the trials start from, and changes that several trials make.

use abi::wire::Record;
use abi::wire::record::Moment;
use test_support::guest::{Guest, KHZ, PER_MICRO};
use test_support::script::Script;

/// The log of a guest that did everything right, as records.
pub fn good(guest: &Guest) -> Script {
    Script::of(&guest.log())
}

/// The good log of a guest with this many CPUs, which runs one case on all of them.
pub fn script(cpus: u16) -> Script {
    good(&Guest::of(cpus))
}

/// The good log of a guest with two CPUs, which runs cases 1 and 2.
pub fn two_cases() -> Script {
    good(&Guest { cases: vec![1, 2], ..Guest::of(2) })
}

/// The good log of a guest with four CPUs, which runs cases 1, 2 and 4 five times each.
pub fn three_cases() -> Script {
    good(&Guest { cases: vec![1, 2, 4], iterations: 5, ..Guest::of(4) })
}

/// Whether a record is `end`.
pub fn is_end(record: &Record) -> bool {
    matches!(record, Record::End(_))
}

/// Whether a record is a `case-begin`.
pub fn is_begin(record: &Record) -> bool {
    matches!(record, Record::CaseBegin(_))
}

/// Whether a record is about an iteration of this case.
pub fn is_of_case(record: &Record, case: u16) -> bool {
    let of = match record {
        Record::CaseReady(ready) => ready.case,
        Record::CaseBegin(begin) => begin.case,
        Record::Worker(worker) => worker.case,
        Record::Answer(answer) => answer.case,
        Record::WorkerEnd(end) => end.case,
        Record::CaseEnd(end) => end.case,
        Record::Gap(gap) => gap.case,
        Record::Region(region) => region.case,
        Record::Conditions(conditions) => conditions.case,
        Record::Counters(counters) => counters.case,
        Record::Mark(mark) => mark.case,
        _ => return false,
    };
    of == case
}

/// The same log with clocks that are apart by this much, as the warp test saw it.
pub fn warped(script: Script, cycles: u64) -> Script {
    let ns = i64::try_from(cycles * 1_000_000 / KHZ).expect("not for ever");
    script.edit(|record| match record {
        Record::Warp(warp) => warp.max_warp = cycles,
        Record::Offset(offset) if cycles > 0 => (offset.least_ns, offset.most_ns) = (-ns - 400, -ns),
        _ => {}
    })
}

/// The same log with the makespan corrected after a change of its workers. It must have one case.
pub fn with_makespan(script: Script) -> Script {
    let timings: Vec<(u64, u64)> = script
        .records
        .iter()
        .filter_map(|envelope| match envelope.record {
            Record::Worker(worker) => Some((worker.skew, worker.skew + worker.cycles)),
            _ => None,
        })
        .collect();
    let first = timings.iter().map(|&(start, _)| start).min().expect("a worker");
    let last = timings.iter().map(|&(_, end)| end).max().expect("a worker");
    script.edit(|record| {
        if let Record::CaseEnd(end) = record {
            end.makespan = last - first;
        }
    })
}

/// The same log with its iterations' ends this many cycles later, by every clock. It must have one iteration.
pub fn longer(script: Script, cycles: u64) -> Script {
    let micros = cycles * 1_000 / KHZ;
    let mut ended = false;
    script.later(micros.try_into().expect("not for ever"), is_begin).edit(|record| match record {
        Record::Seconds(seconds) if ended => {
            seconds.tsc += cycles;
            seconds.count += micros / 1_000_000;
        }
        Record::Mark(mark) if matches!(mark.moment, Moment::Back | Moment::Done) => {
            ended = true;
            mark.tsc += cycles;
            mark.count += micros * PER_MICRO;
        }
        _ => {}
    })
}
