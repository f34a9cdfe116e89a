//! Times that are too short for the clock readings around them, and evidence that is not there. Each log is a good one
//! with one thing changed; just inside its limit it passes.

use abi::wire::Record;
use abi::wire::record::{Moment, SecondSource};
use evidence::gate::ReasonCode;

use super::{Trial, longer, script, three_cases, with_makespan};
use test_support::guest::{Guest, KHZ, PER_MICRO};
use test_support::script::Script;

pub fn trials() -> Vec<Trial> {
    let mut trials = short();
    trials.extend(bracketed());
    trials.extend(second());
    trials.extend(absent());
    trials.extend(superlinear());
    trials
}

const fn cycles(micros: u64) -> u64 {
    micros * KHZ / 1_000
}

fn missing(name: &'static str, script: Script) -> Trial {
    Trial::new(name, ReasonCode::TimeMissing, script.log())
}

fn inconsistent(name: &'static str, script: Script) -> Trial {
    Trial::new(name, ReasonCode::InconsistentRecord, script.log())
}

/// Every worker's time, with all that is made of it, is this many cycles less.
fn shorter(script: Script, less: u64) -> Script {
    script.edit(move |record| match record {
        Record::Worker(worker) => {
            worker.cycles -= less;
            worker.scaled = u32::try_from(worker.cycles >> 20).expect("not for ever");
        }
        Record::CaseEnd(end) => end.makespan -= less,
        _ => {}
    })
}

/// Every worker reports half of its time, and nothing else is changed.
fn halved(script: Script) -> Script {
    script.edit(|record| match record {
        Record::Worker(worker) => {
            worker.cycles /= 2;
            worker.scaled = u32::try_from(worker.cycles >> 20).expect("not for ever");
        }
        Record::CaseEnd(end) => end.makespan = 0,
        _ => {}
    })
}

/// A case of 26 ms.
fn brief() -> Script {
    super::good(&Guest { work_cycles: cycles(26_000) * 2, ..Guest::of(2) })
}

/// The kernel also reports that the workers were back earlier by this.
fn back_earlier(script: Script, less: u64) -> Script {
    shorter(script, less).edit(move |record| {
        if let Record::Region(region) = record {
            region.returned -= less;
        }
    })
}

fn short() -> Vec<Trial> {
    vec![
        missing("time-missing-halved", with_makespan(halved(script(2)))),
        missing("time-missing-halved-short", with_makespan(halved(brief()))),
        missing("time-missing-way-out", shorter(script(2), cycles(3_010))),
        // A slice of the host's scheduler: the run does not pass, and is made again.
        Trial::new(
            "vcpu-preempted-way-out",
            ReasonCode::VcpuPreempted,
            shorter(script(2), cycles(1_010)).log(),
        ),
        Trial::passing("good-way-out", shorter(script(2), cycles(980)).log()),
        missing("time-missing-return", back_earlier(script(2), cycles(2_050))),
        Trial::passing("good-return", back_earlier(script(2), cycles(1_980)).log()),
        // Of an older kernel. The pace check takes 0.34 ms of the 0.9 ms from the last return to `done`.
        missing("time-missing-return-older", back_earlier(without_back(), cycles(1_700))),
        Trial::passing("good-return-older", back_earlier(without_back(), cycles(1_600)).log()),
    ]
}

/// Without the clock reading at the last worker's return, as older kernels are.
fn without_back() -> Script {
    script(2).without(|record| of_moment(record, Moment::Back))
}

/// The moment's readings are moved by this many cycles, by both clocks.
fn moved(script: Script, moment: Moment, cycles: i64) -> Script {
    let counts =
        cycles * 1_000 / i64::try_from(KHZ).expect("small") * i64::try_from(PER_MICRO).expect("small");
    script.edit(move |record| match record {
        Record::Mark(mark) if mark.moment == moment => {
            mark.tsc = mark.tsc.saturating_add_signed(cycles);
            mark.count = mark.count.saturating_add_signed(counts);
        }
        _ => {}
    })
}

/// The last iteration of three cases, with all of its clock readings this many microseconds earlier.
fn earlier(micros: u64) -> Script {
    let less = cycles(micros);
    three_cases().edit(move |record| match record {
        Record::Mark(mark) if (mark.case, mark.iter) == (4, 4) => {
            mark.tsc -= less;
            mark.count -= micros * PER_MICRO;
        }
        Record::CaseBegin(begin) if (begin.case, begin.iter) == (4, 4) => begin.start_tsc -= less,
        _ => {}
    })
}

fn bracketed() -> Vec<Trial> {
    let start = |to: u64| {
        script(2).edit(move |record| {
            if let Record::CaseBegin(begin) = record {
                begin.start_tsc = to
            }
        })
    };
    let late = || {
        longer(script(1), cycles(1_100)).edit(|record| match record {
            Record::Worker(worker) => worker.skew += cycles(1_100),
            Record::Region(region) => region.returned += cycles(1_100),
            _ => {}
        })
    };
    let backwards = {
        let mut script = script(2);
        let at = script.place(super::is_end);
        script.records[at].ts = script.records[0].ts;
        script
    };
    vec![
        inconsistent("inconsistent-record-start-0", start(1)),
        inconsistent("inconsistent-record-start-max", start(u64::MAX)),
        inconsistent(
            "inconsistent-record-start-1",
            edit!(script(2), CaseBegin, |begin| begin.start_tsc += 1),
        ),
        inconsistent(
            "inconsistent-record-region",
            edit!(script(2), Region, |region| region.returned -= 7_001),
        ),
        inconsistent(
            "inconsistent-record-entered",
            edit!(script(2), Region, |region| region.entered = 4_200_001),
        ),
        inconsistent("inconsistent-record-region-cpu", edit!(script(2), Region, |region| region.cpu.0 ^= 1)),
        inconsistent("inconsistent-record-done-early", moved(script(2), Moment::Done, -2_000_000)),
        inconsistent("inconsistent-record-back-early", moved(script(2), Moment::Back, -50_000)),
        inconsistent("inconsistent-record-back-late", moved(script(2), Moment::Back, 2_000_000)),
        inconsistent("inconsistent-record-done-early-older", moved(without_back(), Moment::Done, -2_000_000)),
        inconsistent("inconsistent-record-ready-late", moved(script(2), Moment::Ready, 3_000_000)),
        inconsistent("inconsistent-record-overlap", earlier(80_000)),
        inconsistent("inconsistent-record-backwards", backwards),
        Trial::new("late-start-alone", ReasonCode::LateStart, late().log()),
    ]
}

/// The second clock is ahead by this many microseconds from the `back` of case 2's third iteration on.
fn ahead(micros: i64) -> Script {
    let counts = micros * i64::try_from(PER_MICRO).expect("small");
    let mut reached = false;
    three_cases().edit(move |record| {
        if let Record::Mark(mark) = record {
            reached |= (mark.case, mark.iter, mark.moment) == (2, 2, Moment::Back);
            mark.count = mark.count.saturating_add_signed(if reached { counts } else { 0 });
        }
    })
}

/// The second clock runs faster by this many parts per million.
fn faster(ppm: u64) -> Script {
    script(2).edit(move |record| {
        if let Record::Mark(mark) = record {
            mark.count += mark.count * ppm / 1_000_000;
        }
    })
}

/// A PM timer in the place of the HPET. It begins again every 4.7 s.
fn pm_timer() -> Script {
    let counted =
        |count: u64| u64::try_from(u128::from(count) * 3_579_545 / 100_000_000).expect("fits") % (1 << 24);
    three_cases().edit(move |record| match record {
        Record::SecondClock(clock) => {
            (clock.source, clock.hz, clock.bits) = (SecondSource::PmTimer, 3_579_545, 24)
        }
        Record::Mark(mark) => mark.count = counted(mark.count),
        _ => {}
    })
}

/// No second clock.
fn tsc_alone() -> Script {
    script(2).edit(|record| match record {
        Record::SecondClock(clock) => {
            (clock.source, clock.hz, clock.bits, clock.independent) = (SecondSource::None, 0, 0, false);
        }
        Record::Mark(mark) => mark.count = 0,
        _ => {}
    })
}

fn second() -> Vec<Trial> {
    let counted = edit!(tsc_alone(), Mark, |mark| mark.count = 1);
    let wide = edit!(pm_timer(), Mark, |mark| mark.count += 1 << 24);
    let hz = edit!(script(2), SecondClock, |clock| clock.hz = 1);
    vec![
        missing("time-missing-second-clock", ahead(1_000)),
        Trial::new("tsc-disagree-ahead", ReasonCode::TscDisagree, ahead(-1_000).log()),
        Trial::passing("good-second-clock", ahead(500).log()),
        Trial::new("tsc-disagree-rate", ReasonCode::TscDisagree, faster(7_000).log()),
        Trial::passing("good-rate", faster(5_000).log()),
        Trial::passing("good-pm-timer", pm_timer().log()),
        Trial::passing("good-tsc-alone", tsc_alone().log()),
        inconsistent("inconsistent-record-count-of-none", counted),
        inconsistent("inconsistent-record-count-too-wide", wide),
        inconsistent("inconsistent-record-hz", hz),
    ]
}

/// A boot whose two workers are this many thousandths as fast as twice one worker.
fn boosted(boost: u64) -> Script {
    super::good(&Guest { cases: vec![1, 2], iterations: 3, boost, ..Guest::of(2) })
}

fn superlinear() -> Vec<Trial> {
    vec![
        // Two workers lose 3 % of their speed by themselves.
        Trial::new("superlinear", ReasonCode::Superlinear, boosted(1_300).log()),
        Trial::passing("good-superlinear", boosted(1_270).log()),
    ]
}

/// The log of two CPUs without the records for which `gone` holds.
fn without(name: &'static str, gone: fn(&Record) -> bool) -> Trial {
    Trial::new(name, ReasonCode::EvidenceMissing, script(2).without(gone).log())
}

fn of_moment(record: &Record, moment: Moment) -> bool {
    matches!(record, Record::Mark(mark) if mark.moment == moment)
}

fn absent() -> Vec<Trial> {
    let absent = |name, script: Script| Trial::new(name, ReasonCode::EvidenceMissing, script.log());
    let some_steal = edit!(script(2), Gap, |gap| gap.steal_ns = (gap.worker == 0).then_some(0));
    let unstarted = edit!(script(2), CaseBegin, |begin| begin.start_tsc = 0);
    let unstarted = unstarted.without(|record| of_moment(record, Moment::Warm));
    let older = super::good(&Guest { challenge: 0, ..Guest::of(2) }).without(|record| {
        let kinds = ["second-clock", "challenge", "region", "mark"];
        kinds.contains(&record.name())
    });
    vec![
        absent("evidence-missing-older-kernel", older),
        without("evidence-missing-second-clock", |record| matches!(record, Record::SecondClock(_))),
        without("evidence-missing-region", |record| matches!(record, Record::Region(_))),
        without("evidence-missing-marks", |record| matches!(record, Record::Mark(_))),
        without("evidence-missing-ready", |record| of_moment(record, Moment::Ready)),
        without("evidence-missing-warm", |record| of_moment(record, Moment::Warm)),
        without("evidence-missing-done", |record| of_moment(record, Moment::Done)),
        absent("evidence-missing-start", unstarted),
        absent("evidence-missing-gap", edit!(script(2), Gap, |gap| gap.after *= u64::from(gap.worker))),
        absent(
            "evidence-missing-reads",
            edit!(script(2), Gap, |gap| gap.reads_before *= u32::from(gap.worker)),
        ),
        absent("evidence-missing-steal", some_steal),
        absent(
            "evidence-missing-warp",
            edit!(script(2), Warp, |warp| {
                (warp.samples, warp.handovers, warp.least) = (0, 0, 0);
            }),
        ),
    ]
}
