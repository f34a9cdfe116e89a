//! What a busy host does to an honest guest, at every place between two clock readings and for any time, is never held
//! against the guest; and what a guest leaves out of its times at the same places always is.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

use abi::wire::record::Moment;
use abi::wire::{Record, Timestamp};
use abi::worker::SCALE_SHIFT;
use evidence::gate::{
    Class, Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, VcpuDelay, Verdict, WatcherDelay,
};
use evidence::transcript::Transcript;
use test_support::guest::{Guest, KHZ, PER_MICRO};
use test_support::script::Script;

const ITERATIONS: u16 = 20;

/// Where the host takes worker 0's CPU, or the first CPU, away.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Place {
    /// While the line of `case-ready` is printed.
    Printing,
    WarmUp,
    /// Inside the worker.
    Work,
    /// Between the worker's last clock reading and the kernel's.
    WayOut,
    /// Between the last worker's return and the clock reading that follows it.
    End,
    PaceCheck,
    /// Between the last pace check and `done`: verify calls take their time there.
    Verify,
    /// Between the last clock reading and the stamp of `case-begin`.
    Stamp,
}

const PLACES: [Place; 7] =
    [Place::Printing, Place::WarmUp, Place::Work, Place::WayOut, Place::End, Place::PaceCheck, Place::Stamp];

/// Places that no other reading of the guest covers.
const BARE: [Place; 4] = [Place::Printing, Place::WayOut, Place::End, Place::Stamp];

fn guest(nonce: u64, iterations: u16) -> Script {
    Script::of(&Guest { nonce, iterations, work_cycles: 110_000_000, ..Guest::of(2) }.log())
}

/// The log of a guest from which the host took `micros` at a place of an iteration. All clocks go on meanwhile.
fn preempted(script: Script, of_iteration: u16, place: Place, micros: u64) -> Script {
    let cycles = micros * KHZ / 1_000;
    // Whether the time has come: in this record, and for all that is stamped from here on.
    let mut later = false;
    let mut stamps_later = false;
    let mut script = script;
    for envelope in &mut script.records {
        let here = |iter: u16| iter == of_iteration;
        match &mut envelope.record {
            Record::CaseReady(ready) if ready.iter > of_iteration => later = true,
            Record::CaseBegin(begin) => {
                stamps_later |= begin.iter >= of_iteration;
                let before_start = matches!(place, Place::Printing | Place::WarmUp);
                begin.start_tsc += if later || here(begin.iter) && before_start { cycles } else { 0 };
            }
            Record::Worker(worker) if here(worker.iter) && worker.worker == 0 && place == Place::Work => {
                worker.cycles += cycles;
                worker.scaled = u32::try_from(worker.cycles >> SCALE_SHIFT).unwrap();
            }
            Record::Region(region) if here(region.iter) && region.worker == 0 => {
                let is_longer = matches!(place, Place::Work | Place::WayOut);
                region.returned += if is_longer { cycles } else { 0 };
            }
            Record::Gap(gap) if here(gap.iter) && gap.worker == 0 && place == Place::PaceCheck => {
                gap.after = cycles;
            }
            Record::Mark(mark) => {
                let moved = match mark.moment {
                    Moment::Ready => place == Place::Printing,
                    Moment::Warm => matches!(place, Place::Printing | Place::WarmUp),
                    Moment::Back => !matches!(place, Place::PaceCheck | Place::Verify | Place::Stamp),
                    Moment::Done => place != Place::Stamp,
                };
                if later || here(mark.iter) && moved {
                    mark.tsc += cycles;
                    mark.count += micros * PER_MICRO;
                }
            }
            // Made after all iterations.
            Record::Seconds(seconds) if stamps_later => {
                seconds.tsc += cycles;
                seconds.count += micros / 1_000_000;
            }
            _ => {}
        }
        if stamps_later {
            let stamp = envelope.ts.micros().unwrap() + micros;
            envelope.ts = Timestamp::from_micros(stamp);
        }
    }
    with_makespans(script).watched(KHZ)
}

/// Works out each iteration's makespan from its workers.
fn with_makespans(script: Script) -> Script {
    let (mut first, mut last) = (u64::MAX, 0);
    script.edit(|record| match record {
        Record::CaseBegin(_) => (first, last) = (u64::MAX, 0),
        Record::Worker(worker) => {
            (first, last) = (first.min(worker.skew), last.max(worker.skew + worker.cycles));
        }
        Record::CaseEnd(end) => end.makespan = last - first,
        _ => {}
    })
}

/// The log of a guest that leaves so many cycles out of every worker's time, in the iterations for which `of` is true.
fn short(script: Script, cycles: u64, of: impl Fn(u16) -> bool) -> Script {
    with_makespans(script.edit(|record| match record {
        Record::Worker(worker) if of(worker.iter) => {
            worker.cycles -= cycles;
            worker.scaled = u32::try_from(worker.cycles >> SCALE_SHIFT).unwrap();
        }
        _ => {}
    }))
}

fn judge(gate: &mut Gate, script: Script, evidence: &HostEvidence) -> Verdict<Measurement> {
    gate.judge(&Transcript::read(&script.log()), &RunExpectation::default(), evidence)
}

fn alone(script: Script) -> Verdict<Measurement> {
    judge(&mut Gate::default(), script, &HostEvidence::default())
}

fn reason(verdict: &Verdict<Measurement>) -> Option<ReasonCode> {
    verdict.outcome.refusal().map(|(reason, _)| reason)
}

/// The iterations that are excluded.
fn excluded(verdict: &Verdict<Measurement>) -> Vec<u16> {
    let measured = verdict.outcome.measurement().unwrap();
    let excluded = measured.samples().iter().filter(|sample| sample.excluded.is_some());
    excluded.map(|sample| sample.iteration).collect()
}

#[test]
fn a_cpu_that_is_taken_away_once_is_the_hosts_wherever_and_however_long() {
    for place in PLACES {
        for iteration in [0, 7, ITERATIONS - 1] {
            for micros in [300, 1_400, 2_800, 9_000, 60_000, 2_000_000] {
                let verdict = alone(preempted(guest(1, ITERATIONS), iteration, place, micros));
                assert_eq!(
                    reason(&verdict),
                    None,
                    "{place:?} {iteration} {micros} us: {:?}",
                    verdict.findings
                );
                let excluded = excluded(&verdict);
                assert!(
                    excluded.is_empty() || excluded == [iteration],
                    "{place:?} {iteration} {micros} us: {excluded:?}"
                );
            }
        }
    }
}

#[test]
fn the_only_iteration_of_a_run_is_measured_by_the_runs_before_it() {
    for place in BARE {
        let mut gate = Gate::default();
        let disturbed = |nonce| preempted(guest(nonce, 1), 0, place, 60_000);
        let first = judge(&mut Gate::default(), disturbed(9), &HostEvidence::default());
        assert_eq!(reason(&first), Some(ReasonCode::TimeMissing), "{place:?}: nothing to measure it by");
        for nonce in 1..4 {
            assert_eq!(reason(&judge(&mut gate, guest(nonce, 1), &HostEvidence::default())), None);
        }
        let verdict = judge(&mut gate, disturbed(4), &HostEvidence::default());
        assert_eq!(reason(&verdict), Some(ReasonCode::VcpuPreempted), "{place:?}: {:?}", verdict.findings);
        // Once is chance.
        let verdict = judge(&mut gate, disturbed(5), &HostEvidence::default());
        assert_eq!(reason(&verdict), Some(ReasonCode::TimeMissing), "{place:?}: {:?}", verdict.findings);
    }
}

#[test]
fn a_time_that_is_too_short_is_the_guests_fault_in_one_iteration_and_in_all() {
    // 5 ms of 26.
    let cycles = 5 * KHZ;
    for of in [|iter| iter == 7, |iter| iter % 3 == 0, |_| true] {
        let verdict = alone(short(guest(1, ITERATIONS), cycles, of));
        assert_eq!(reason(&verdict), Some(ReasonCode::TimeMissing));
        assert!(verdict.findings.iter().all(|finding| finding.reason.class() == Class::Failed));
    }
    // Behind it, a gap as long as the whole iteration hides nothing.
    let hidden = short(preempted(guest(1, ITERATIONS), 7, Place::WayOut, 26_000), cycles, |iter| iter == 7);
    assert_eq!(reason(&alone(hidden)), Some(ReasonCode::TimeMissing));
}

#[test]
fn gaps_in_more_iterations_than_chance_explains_are_the_guests() {
    for place in BARE.into_iter().filter(|&place| place != Place::Printing) {
        let often = [3, 9, 15]
            .into_iter()
            .fold(guest(1, ITERATIONS), |script, iteration| preempted(script, iteration, place, 9_000));
        assert_eq!(reason(&alone(often)), Some(ReasonCode::TimeMissing), "{place:?}");
    }
}

/// Verify calls, and giving back much memory, are between `back` and `done`. They may differ from iteration to iteration.
#[test]
fn what_follows_the_last_return_takes_as_long_as_it_needs() {
    let once = preempted(guest(1, ITERATIONS), 7, Place::Verify, 1_000_000);
    let each =
        |script, iteration| preempted(script, iteration, Place::Verify, 5_000 + 100 * u64::from(iteration));
    let always = (0..ITERATIONS).fold(guest(1, ITERATIONS), each);
    for script in [once, always] {
        assert_eq!(reason(&alone(script)), None);
    }
}

/// The host's account: its clock saw this much more than the guest in one iteration, and the thread that read it waited.
fn watched(script: &Script, late: u16, late_ns: u64, waited_ns: u64) -> HostEvidence {
    let mut evidence = HostEvidence { vcpus: Some(2), watched: true, ..HostEvidence::default() };
    let mut ready = 0;
    for record in script.records.iter().map(|envelope| envelope.record) {
        let Record::Mark(mark) = record else { continue };
        match mark.moment {
            Moment::Ready => ready = mark.tsc,
            Moment::Warm | Moment::Back => {}
            Moment::Done => {
                let (case, iteration) = (mark.case, mark.iter);
                let more = if iteration == late { late_ns } else { 0 };
                let wall_ns = (mark.tsc - ready) * 1_000_000 / KHZ + 100_000 + more;
                evidence.delays.extend((0..2).map(|vcpu| VcpuDelay {
                    case,
                    iteration,
                    vcpu,
                    wall_ns,
                    run_ns: wall_ns,
                    delay_ns: 0,
                    involuntary_switches: 0,
                }));
                let delay_ns = if iteration == late { waited_ns } else { 0 };
                evidence.watcher.push(WatcherDelay { case, iteration, delay_ns });
            }
        }
    }
    evidence
}

#[test]
fn a_host_that_reads_its_clock_late_knows_that_it_waited() {
    for late_ms in [25, 80, 900] {
        let script = guest(1, ITERATIONS);
        let evidence = watched(&script, 7, late_ms * 1_000_000, late_ms * 1_000_000);
        let verdict = judge(&mut Gate::default(), script, &evidence);
        assert_eq!(reason(&verdict), None, "{late_ms} ms: {:?}", verdict.findings);
        assert_eq!(excluded(&verdict), [7], "{late_ms} ms");
    }
    // The guest's clocks were stopped, and the host did not wait: in its only iteration nothing else shows it.
    let script = guest(2, 1);
    let evidence = watched(&script, 0, 80_000_000, 0);
    let verdict = judge(&mut Gate::default(), script, &evidence);
    assert_eq!(reason(&verdict), Some(ReasonCode::TimeMissing));
}
