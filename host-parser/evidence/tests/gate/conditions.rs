//! Conditions of a worker that the gate does not accept, clocks beside the TSC, and what an older kernel did not report.

use abi::CpuId;
use abi::wire::record::{Machine, Moment, Register, RegisterName, SecondClock, SecondSource};
use abi::wire::{Hex64, Record, Text};
use abi::worker::SCALE_SHIFT;
use evidence::gate::ReasonCode;

use super::{Trial, script};
use test_support::guest::{Guest, KHZ};
use test_support::script::Script;

/// A quarter of a second and a bit, in cycles.
const LATE: u64 = 300 * KHZ;

pub fn trials() -> Vec<Trial> {
    [stops(), registers(), seconds(), second_clocks(), evidence()].into_iter().flatten().collect()
}

/// The watch over worker 1 of these iterations came late.
fn stopped(script: Script, iter: fn(u16) -> bool) -> Script {
    script.edit(|record| match record {
        Record::Conditions(of) if of.worker == 1 && iter(of.iter) => {
            (of.watches, of.late) = (Some(1), Some(LATE));
        }
        _ => {}
    })
}

fn stops() -> Vec<Trial> {
    let several = || Script::of(&Guest { iterations: 3, ..Guest::of(2) }.log());
    let interrupted = edit!(script(2), Counters, |of| of.smis = Some(2 * u64::from(of.worker)));
    // Two seconds longer, and the watch did not notice.
    let unseen = super::longer(script(2), 2_000 * KHZ).edit(|record| match record {
        Record::Worker(worker) => {
            worker.cycles += 2_000 * KHZ;
            worker.scaled = u32::try_from(worker.cycles >> SCALE_SHIFT).expect("seconds, not days");
        }
        Record::Region(region) => region.returned += 2_000 * KHZ,
        Record::CaseEnd(end) => end.makespan += 2_000 * KHZ,
        Record::Counters(counters) => counters.mperf = Some(0),
        _ => {}
    });
    let cold = edit!(script(2), Conditions, |of| of.warm_up = 19 * KHZ);
    let no_time = edit!(script(2), Conditions, |of| of.warm_up = 22 * KHZ);
    let never = edit!(script(2), Conditions, |of| (of.watches, of.late) = (Some(0), Some(5)));
    let half = edit!(script(2), Conditions, |of| of.late = None);
    let elsewhere = edit!(script(2), Conditions, |of| of.cpu.0 = 0);
    let aperf_alone = edit!(script(2), Counters, |of| of.mperf = None);
    let inconsistent = |name, script: Script| Trial::new(name, ReasonCode::InconsistentRecord, script.log());
    vec![
        Trial::new("vm-stopped", ReasonCode::VmStopped, stopped(script(2), |_| true).log()),
        Trial::passing("good-vm-stopped-once", stopped(several(), |iter| iter == 1).log()),
        Trial::new("vm-stopped-often", ReasonCode::VmStopped, stopped(several(), |iter| iter > 0).log()),
        Trial::new("vm-stopped-unseen", ReasonCode::VmStopped, unseen.log()),
        Trial::new("smi", ReasonCode::Smi, interrupted.log()),
        inconsistent("inconsistent-record-watch-never", never),
        inconsistent("inconsistent-record-watch-half", half),
        inconsistent("inconsistent-record-warm-up-short", cold),
        inconsistent("inconsistent-record-warm-up-long", no_time),
        inconsistent("inconsistent-record-conditions-cpu", elsewhere),
        inconsistent("inconsistent-record-aperf-alone", aperf_alone),
    ]
}

/// CPU 1 has another value of a register.
fn differing(script: Script, name: RegisterName, value: u64) -> Script {
    let (cpu, found, value) = (CpuId(1), Hex64(0), Hex64(value));
    let register = Register { cpu, name, found, value };
    script.insert_before(register, |record| matches!(record, Record::TscReading(_)))
}

/// CPU 0 has a register with this value.
fn with(script: Script, name: RegisterName, value: u64) -> Script {
    let register = Register { cpu: CpuId(0), name, found: Hex64(value), value: Hex64(value) };
    script.insert_before(register, |record| matches!(record, Record::Register(_)))
}

/// No hypervisor is reported.
fn bare(script: Script) -> Script {
    edit!(script, Machine, |machine: &mut Machine| machine.hypervisor = Text::new(""))
}

fn registers() -> Vec<Trial> {
    let mitigated = differing(script(2), RegisterName::SpecCtrl, 1);
    let slow_memory =
        || differing(with(script(2), RegisterName::MtrrDefType, 0xc06), RegisterName::MtrrDefType, 0);
    let in_use = differing(with(script(2), RegisterName::Xinuse, 1), RegisterName::Xinuse, 0x207);
    vec![
        Trial::new("cpus-differ", ReasonCode::CpusDiffer, mitigated.log()),
        Trial::new("cpus-differ-memory-types", ReasonCode::CpusDiffer, bare(slow_memory()).log()),
        // The memory types of a guest are the hypervisor's.
        Trial::passing("good-memory-types-of-a-guest", slow_memory().log()),
        Trial::passing("good-in-use", in_use.log()),
        Trial::new(
            "inconsistent-record-register-same",
            ReasonCode::InconsistentRecord,
            differing(script(2), RegisterName::SpecCtrl, 0).log(),
        ),
    ]
}

/// The last reading of the real-time clock is changed.
fn last_seconds(change: fn(&mut u64, &mut u64)) -> Script {
    let mut count = 0;
    script(2).edit(|record| {
        if let Record::Seconds(seconds) = record {
            count += 1;
            if count == 2 {
                change(&mut seconds.tsc, &mut seconds.count);
            }
        }
    })
}

fn seconds() -> Vec<Trial> {
    let first_only = {
        let mut count = 0;
        script(2).without(move |record| {
            count += u8::from(matches!(record, Record::Seconds(_)));
            count == 2 && matches!(record, Record::Seconds(_))
        })
    };
    let early = edit!(script(2), Seconds, |seconds| seconds.tsc -= KHZ * 1_000);
    vec![
        // A whole turn of a PM timer of 24 bits is missing.
        Trial::new("time-missing-turn", ReasonCode::TimeMissing, last_seconds(|_, count| *count += 5).log()),
        Trial::new(
            "tsc-disagree-rtc",
            ReasonCode::TscDisagree,
            last_seconds(|tsc, _| *tsc += KHZ * 5_000).log(),
        ),
        Trial::new(
            "inconsistent-record-rtc-backwards",
            ReasonCode::InconsistentRecord,
            last_seconds(|_, count| *count -= 5).log(),
        ),
        Trial::new("evidence-missing-seconds", ReasonCode::EvidenceMissing, first_only.log()),
        Trial::new("evidence-missing-seconds-early", ReasonCode::EvidenceMissing, early.log()),
    ]
}

/// The log of a machine whose second clock is this one; `count` makes its count of the HPET's.
fn beside(clock: SecondClock, count: fn(u64) -> u64) -> Script {
    script(2).edit(|record| match record {
        Record::SecondClock(second) => *second = clock,
        Record::Mark(mark) => mark.count = count(mark.count),
        _ => {}
    })
}

fn second_clocks() -> Vec<Trial> {
    let kvmclock =
        SecondClock { source: SecondSource::Kvmclock, hz: 1_000_000_000, bits: 64, independent: false };
    let rtc = SecondClock { source: SecondSource::Rtc, hz: 1, bits: 64, independent: true };
    let in_ns = |count| count * 10;
    let in_s = |count| 1_795_262_400 + count / 100_000_000;
    let longer = beside(rtc, in_s).edit(|record| match record {
        Record::Mark(mark) if matches!(mark.moment, Moment::Back | Moment::Done) => mark.count += 3,
        _ => {}
    });
    let independent = SecondClock { independent: true, ..kvmclock };
    let fine = SecondClock { hz: 1_000, ..rtc };
    vec![
        Trial::passing("good-kvmclock", beside(kvmclock, in_ns).log()),
        Trial::passing("good-rtc", beside(rtc, in_s).log()),
        Trial::new("tsc-disagree-rtc-second", ReasonCode::TscDisagree, longer.log()),
        Trial::new(
            "inconsistent-record-kvmclock",
            ReasonCode::InconsistentRecord,
            beside(independent, in_ns).log(),
        ),
        Trial::new("inconsistent-record-rtc", ReasonCode::InconsistentRecord, beside(fine, in_s).log()),
    ]
}

fn evidence() -> Vec<Trial> {
    let without = |name, here: fn(&Record) -> bool| {
        Trial::new(name, ReasonCode::EvidenceMissing, script(2).without(here).log())
    };
    let older = script(2).without(|record| {
        matches!(
            record,
            Record::Register(_)
                | Record::Offset(_)
                | Record::WarmUp(_)
                | Record::Conditions(_)
                | Record::Counters(_)
                | Record::Seconds(_)
        )
    });
    let worker_1 = |record: &Record| matches!(record, Record::Counters(of) if of.worker == 1);
    vec![
        Trial::passing("good-older-kernel", older.log()),
        without("evidence-missing-conditions", |record| matches!(record, Record::Conditions(_))),
        without("evidence-missing-warm-up", |record| matches!(record, Record::WarmUp(_))),
        without("evidence-missing-offset", |record| matches!(record, Record::Offset(_))),
        without("evidence-missing-register", |record| matches!(record, Record::Register(_))),
        without("evidence-missing-counters", worker_1),
    ]
}
