//! A kernel that halves its times, one step further each time. Every clock that it leaves alone shows it. If it falsifies
//! all of its clocks alike, only the host's own clock does, which no guest reaches.

use abi::wire::Record;
use abi::wire::record::{Moment, SecondClock, SecondSource};
use abi::worker::SCALE_SHIFT;
use evidence::gate::{Gate, HostEvidence, ReasonCode, RunExpectation, VcpuDelay};
use evidence::transcript::Transcript;

use crate::attack::{Attack, judge, repel};
use crate::boots::{ROUNDS, boot, rounds, short};
use crate::guest::{Guest, KHZ, PER_MICRO};
use crate::script::Script;

/// How far the liar goes; each step includes those before it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Step {
    /// The workers' times.
    Times,
    /// The kernel's readings around the workers.
    Regions,
    /// The TSC at the last mark.
    Mark,
    /// The time stamps, which are made of the same TSC.
    Stamps,
    /// The second clock.
    SecondClock,
}

/// The log of a boot with one iteration, whose times were halved up to this step.
fn halve(script: Script, step: Step) -> Script {
    let honest = makespan(&script);
    let mut of_worker = 0;
    let halved = script.edit(|record| match record {
        Record::Worker(worker) => {
            of_worker = worker.cycles - worker.cycles / 2;
            worker.cycles /= 2;
            worker.scaled = u32::try_from(worker.cycles >> SCALE_SHIFT).unwrap();
        }
        Record::Region(region) if step >= Step::Regions => region.returned -= of_worker,
        _ => {}
    });
    let ends = workers(&halved).map(|(skew, cycles)| skew + cycles).max().unwrap();
    let lied = ends - workers(&halved).map(|(skew, _)| skew).min().unwrap();
    let gone = honest - lied;
    let gone_us = gone * 1_000 / KHZ;
    let halved = halved.edit(|record| match record {
        Record::CaseEnd(end) => end.makespan = lied,
        Record::Mark(mark) if matches!(mark.moment, Moment::Back | Moment::Done) => {
            mark.tsc -= if step >= Step::Mark { gone } else { 0 };
            mark.count -= if step >= Step::SecondClock { gone_us * PER_MICRO } else { 0 };
        }
        _ => {}
    });
    let earlier = if step >= Step::Stamps { -i64::try_from(gone_us).unwrap() } else { 0 };
    let halved = if step >= Step::Regions { halved.watched(KHZ) } else { halved };
    halved.later(earlier, |record| matches!(record, Record::CaseBegin(_)))
}

/// Skew and time of each worker.
fn workers(script: &Script) -> impl Iterator<Item = (u64, u64)> {
    script.records.iter().filter_map(|line| match &line.record {
        Record::Worker(worker) => Some((worker.skew, worker.cycles)),
        _ => None,
    })
}

fn makespan(script: &Script) -> u64 {
    let found = script.records.iter().find_map(|line| match &line.record {
        Record::CaseEnd(end) => Some(end.makespan),
        _ => None,
    });
    found.unwrap()
}

/// A boot with one iteration as short as one of twenty.
fn one_short(round: u16, case: u16) -> Guest {
    Guest { iterations: 1, ..short(round, case) }
}

/// Rounds of such boots, in which the case of two is halved up to this step.
fn halved(guest: fn(u16, u16) -> Guest, step: Step) -> Vec<Vec<u8>> {
    rounds(guest, |case, script| if case == 2 { halve(script, step) } else { script })
}

/// Rounds of twenty iterations whose workers of the case of two report less than they took.
fn short_times(divisor: u64) -> Vec<Vec<u8>> {
    let lie = |script: Script| {
        let mut ends = Vec::new();
        let script = script.edit(|record| {
            let Record::Worker(worker) = record else { return };
            worker.cycles /= divisor;
            worker.scaled = u32::try_from(worker.cycles >> SCALE_SHIFT).unwrap();
            ends.push((worker.skew, worker.skew + worker.cycles));
        });
        let mut pairs = ends.chunks(2).map(<[_]>::to_vec).collect::<Vec<_>>().into_iter();
        script.edit(|record| {
            let Record::CaseEnd(end) = record else { return };
            let pair = pairs.next().unwrap();
            end.makespan = pair[0].1.max(pair[1].1) - pair[0].0.min(pair[1].0);
        })
    };
    rounds(short, |case, script| if case == 2 { lie(script) } else { script })
}

#[test]
fn each_clock_shows_times_that_were_halved() {
    let long =
        |step: fn() -> Vec<Vec<u8>>, name, says| Attack { name, logs: step, options: &[], code: 4, says };
    repel(&[
        long(|| halved(boot, Step::Times), "the workers' times", &["time-missing"]),
        long(|| halved(boot, Step::Regions), "and the readings around them", &["time-missing"]),
        long(|| halved(boot, Step::Mark), "and the last mark", &["time-missing", "time stamps"]),
        long(|| halved(boot, Step::Stamps), "and the stamps", &["time-missing", "second clock"]),
        long(|| halved(one_short, Step::Times), "short: the workers' times", &["time-missing"]),
        long(|| halved(one_short, Step::Regions), "short: and the readings", &["time-missing"]),
        long(|| halved(one_short, Step::Mark), "short: and the last mark", &["time-missing", "second clock"]),
        long(|| halved(one_short, Step::Stamps), "short: and the stamps", &["time-missing", "second clock"]),
        long(|| short_times(2), "01: halves of 20 short iterations", &["time-missing"]),
        long(|| short_times(100), "01: hundredths of 20 short iterations", &["time-missing"]),
    ]);
    let says = &["superlinear"];
    repel(&[
        Attack { code: 5, ..long(|| halved(boot, Step::SecondClock), "all clocks of the guest", says) },
        Attack { code: 5, ..long(|| halved(one_short, Step::SecondClock), "short: all clocks", says) },
    ]);
}

#[test]
fn a_quarter_less_of_a_long_run_is_missing() {
    let boots = rounds(boot, |case, script| {
        if case == 1 {
            return script;
        }
        // 02: 1.25 times as fast as it was.
        let mut last = (u64::MAX, 0);
        let script = script.edit(|record| {
            let Record::Worker(worker) = record else { return };
            worker.cycles = worker.cycles * 4 / 5;
            worker.scaled = u32::try_from(worker.cycles >> SCALE_SHIFT).unwrap();
            last = (last.0.min(worker.skew), last.1.max(worker.skew + worker.cycles));
        });
        script.edit(|record| {
            let Record::CaseEnd(end) = record else { return };
            end.makespan = last.1 - last.0;
        })
    });
    let said = judge(&boots, &[]);
    said.expect_exit(4).expect_answer(&["time-missing"]);
}

/// What the host saw of a boot whose iteration took this long by its clock, and during which every vCPU ran.
fn watched(case: u16, wall_ns: u64) -> HostEvidence {
    let delays = (0..case).map(|vcpu| VcpuDelay {
        case,
        iteration: 0,
        vcpu: vcpu.into(),
        wall_ns,
        run_ns: wall_ns - 100_000,
        delay_ns: 100_000,
        involuntary_switches: 2,
    });
    let delays = delays.collect();
    HostEvidence { vcpus: Some(case), host_cpus: Some(2), watched: true, delays, ..HostEvidence::default() }
}

/// The reason with which the gate ends if it has the host's evidence.
fn reason(log: &[u8], evidence: &HostEvidence) -> Option<ReasonCode> {
    let transcript = Transcript::read(log);
    let verdict = Gate::default().judge(&transcript, &RunExpectation::default(), evidence);
    verdict.outcome.refusal().map(|(reason, _)| reason)
}

/// The honest limit of a log: a kernel that falsifies every clock of every case alike passes `assay parse`, which says
/// that no host watched. Under `assay run` it does not pass: these iterations take 0.4 to 0.8 s. In one of
/// 20 ms and less, the limit for the host's clock leaves room for it.
#[test]
fn only_the_hosts_clock_shows_a_guest_all_of_whose_clocks_lie() {
    let all = rounds(boot, |_, script| halve(script, Step::SecondClock));
    judge(&all, &[]).expect_exit(0).expect_answer(&["NOT KNOWN", "falsified all of its clocks"]);
    for round in 0..ROUNDS {
        for case in [1, 2] {
            let honest = Script::of(&boot(round, case).log());
            let wall_ns = makespan(&honest) * 1_000_000 / KHZ + 5_000_000;
            assert_eq!(reason(&honest.clone().log(), &watched(case, wall_ns)), None);
            let lies = halve(honest, Step::SecondClock).log();
            assert_eq!(reason(&lies, &watched(case, wall_ns)), Some(ReasonCode::TimeMissing));
        }
    }
}

/// Without a clock beside it, a TSC that changes its rate looks like one that does not. The log passes, and the
/// answer says what that leaves open.
#[test]
fn a_log_without_a_second_clock_says_that_its_times_rest_on_one() {
    let alone = rounds(boot, |_, script| {
        script.edit(|record| match record {
            Record::SecondClock(clock) => {
                *clock = SecondClock { source: SecondSource::None, hz: 0, bits: 0, independent: false };
            }
            Record::Mark(mark) => mark.count = 0,
            _ => {}
        })
    });
    judge(&alone, &[]).expect_answer(&["NOT KNOWN", "whether the TSC kept its rate", "TSC alone"]);
    let beside = judge(&rounds(boot, |_, script| script), &[]);
    assert!(!beside.out.contains("whether the TSC kept its rate"), "{}", beside.out);
}
