//! Copies of a boot's log under another nonce, changed as a forger would, and honest boots, none of which is a copy.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

use abi::wire::record::Moment;
use abi::wire::{Hex64, Record};
use abi::worker::SCALE_SHIFT;
use evidence::gate::{Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, Verdict};
use evidence::transcript::Transcript;
use test_support::guest::{Guest, KHZ, PER_MICRO};
use test_support::script::Script;

fn guest(nonce: u64, cpus: u16, iterations: u16) -> Guest {
    // Each worker takes long enough for ratios: 2 to the power of 25 cycles.
    Guest { nonce, iterations, work_cycles: 55_000_000 * u64::from(cpus), ..Guest::of(cpus) }
}

fn judge(gate: &mut Gate, log: &[u8]) -> Verdict<Measurement> {
    gate.judge(&Transcript::read(log), &RunExpectation::default(), &HostEvidence::default())
}

/// The reason that a second boot is refused for, which is the first one changed.
fn of_copy(guest: &Guest, change: impl Fn(Script) -> Script) -> Option<ReasonCode> {
    let first = Script::of(&guest.log());
    let mut gate = Gate::default();
    let verdict = judge(&mut gate, &first.clone().log());
    assert!(verdict.outcome.refusal().is_none(), "{:?}", verdict.findings);
    let copy = change(renamed(first)).log();
    judge(&mut gate, &copy).outcome.refusal().map(|(reason, _)| reason)
}

fn renamed(script: Script) -> Script {
    script.edit(|record| {
        if let Record::Start(start) = record {
            start.nonce = Hex64(start.nonce.0 ^ 0xfeed);
        }
    })
}

/// Moves the TSC and the second clock.
fn moved(script: Script) -> Script {
    script.edit(|record| match record {
        Record::CaseBegin(begin) => begin.start_tsc += 123_456_789,
        Record::Mark(mark) => (mark.tsc, mark.count) = (mark.tsc + 123_456_789, mark.count + 777),
        Record::Seconds(seconds) => seconds.tsc += 123_456_789,
        _ => {}
    })
}

/// Moves the last reading of the real-time clock behind marks that were moved a little.
fn move_last_seconds(record: &mut Record) {
    if let Record::Seconds(seconds) = record
        && seconds.count > 0
    {
        seconds.tsc += 100_000;
    }
}

/// Gives every worker another time, by a function of the old one, and lets the rest of the log follow.
fn retimed(script: Script, time: impl Fn(u64) -> u64) -> Script {
    let (mut first, mut last) = (u64::MAX, 0);
    let (mut longer, mut longest) = (0, 0);
    script.edit(|record| match record {
        Record::CaseBegin(_) => (first, last, longest) = (u64::MAX, 0, 0),
        Record::Mark(mark) if mark.moment == Moment::Back => {
            mark.tsc += longest;
            mark.count += longest * 1_000 * PER_MICRO / KHZ;
        }
        Record::Worker(worker) => {
            longer = time(worker.cycles) - worker.cycles;
            worker.cycles += longer;
            longest = longest.max(longer);
            worker.scaled = u32::try_from(worker.cycles >> SCALE_SHIFT).unwrap();
            (first, last) = (first.min(worker.skew), last.max(worker.skew + worker.cycles));
        }
        Record::Region(region) => region.returned += longer,
        Record::CaseEnd(end) => end.makespan = last - first,
        _ => {}
    })
}

/// Gives every worker other readings on its way, and other pace checks.
fn other_details(script: Script) -> Script {
    script.edit(|record| match record {
        Record::Region(region) => {
            (region.entered, region.returned) = (region.entered - 33, region.returned + 71);
        }
        Record::Gap(gap) => {
            (gap.before, gap.after) = (gap.before + 9, gap.after + 5);
            gap.reads_after += 1;
        }
        _ => {}
    })
}

const REPEATED: Option<ReasonCode> = Some(ReasonCode::ReadingsRepeated);

#[test]
fn a_copy_is_found_although_it_was_changed() {
    for (cpus, iterations) in [(1, 1), (2, 1), (1, 20), (2, 20), (4, 5)] {
        let guest = guest(1, cpus, iterations);
        let shape = format!("{cpus} CPUs, {iterations} iterations");
        assert_eq!(of_copy(&guest, |script| script), REPEATED, "{shape}");
        assert_eq!(of_copy(&guest, moved), REPEATED, "{shape}: clocks moved");
        assert_eq!(of_copy(&guest, other_details), REPEATED, "{shape}: other details");
    }
    for (cpus, iterations) in [(2, 1), (1, 20), (2, 20), (4, 5)] {
        let guest = guest(1, cpus, iterations);
        let shape = format!("{cpus} CPUs, {iterations} iterations");
        let noisy = |script| retimed(script, |cycles| cycles + cycles * 7_919 % 1_000_003);
        assert_eq!(of_copy(&guest, noisy), REPEATED, "{shape}: other times");
    }
    for (cpus, iterations) in [(1, 20), (2, 20), (4, 5)] {
        let guest = guest(1, cpus, iterations);
        let shape = format!("{cpus} CPUs, {iterations} iterations");
        let shifted = |script| other_details(moved(retimed(script, |cycles| cycles + 54_321)));
        assert_eq!(of_copy(&guest, shifted), REPEATED, "{shape}: a constant more");
        let scaled = |script| other_details(moved(retimed(script, |cycles| cycles + cycles / 300)));
        assert_eq!(of_copy(&guest, scaled), REPEATED, "{shape}: scaled");
    }
}

/// What is said of the rule in its module and in docs/GATE.md: noise in every reading hides a copy.
#[test]
fn a_copy_with_noise_in_every_reading_is_not_found() {
    let noisy = |script| {
        moved(other_details(retimed(script, |cycles| cycles + cycles * 7_919 % 1_000_003)))
            .edit(|record| {
                if let Record::Mark(mark) = record {
                    // The moments of an iteration, each by another number.
                    mark.tsc += u64::from(mark.iter) * 11 + 3 * u64::from(mark.moment as u8);
                }
            })
            .edit(move_last_seconds)
            .edit(|record| {
                if let Record::CaseBegin(begin) = record {
                    begin.start_tsc += u64::from(begin.iter) * 11 + 3;
                }
            })
    };
    assert_eq!(of_copy(&guest(1, 2, 20), noisy), None);
}

#[test]
fn honest_boots_are_no_copies_of_each_other() {
    for (cpus, iterations) in [(1, 1), (2, 1), (1, 20), (4, 5)] {
        let mut gate = Gate::default();
        for nonce in 1..60 {
            let guest = Guest { whole: [2, 3_000, 0, 0], ..guest(nonce, cpus, iterations) };
            let verdict = judge(&mut gate, &guest.log());
            assert!(
                verdict.outcome.refusal().is_none(),
                "{cpus} {iterations} {nonce}: {:?}",
                verdict.findings
            );
        }
    }
}

#[test]
fn a_copy_is_found_among_many_boots_and_in_logs_from_elsewhere() {
    let mut gate = Gate::default();
    let boots: Vec<_> = (1..40).map(|nonce| guest(nonce, 2, 3).log()).collect();
    let copy = moved(renamed(Script::of(&boots[17]))).log();
    let log = [boots.concat(), copy].concat();
    let verdicts = gate.judge_log(&Transcript::read(&log), &RunExpectation::default());
    let refused: Vec<_> =
        verdicts.iter().enumerate().filter(|(_, it)| it.outcome.refusal().is_some()).collect();
    let (at, verdict) = refused[0];
    assert_eq!((refused.len(), at), (1, 39));
    let finding = &verdict.findings[0];
    assert!(finding.detail.contains("to the last digit"), "{}", finding.detail);
}

/// Every iteration is the first one again, later.
fn of_one_iteration(script: Script) -> Script {
    let mut first: Vec<Record> = Vec::new();
    let (mut at, mut since) = (0, None);
    script.edit(|record| {
        let iter = match record {
            Record::CaseBegin(begin) => begin.iter,
            Record::Worker(worker) => worker.iter,
            Record::Region(region) => region.iter,
            Record::Gap(gap) => gap.iter,
            Record::CaseEnd(end) => end.iter,
            Record::Mark(mark) => mark.iter,
            _ => return,
        };
        if let Record::CaseBegin(begin) = record {
            (at, since) = (0, Some(begin.start_tsc));
        }
        if iter == 0 {
            first.push(*record);
            return;
        }
        let Record::CaseBegin(beginning) = first[0] else { panic!("an iteration begins") };
        let later = since.unwrap() - beginning.start_tsc;
        let of_first = first[at];
        at += 1;
        match (record, of_first) {
            (Record::Worker(worker), Record::Worker(first)) => {
                (worker.skew, worker.cycles, worker.scaled) = (first.skew, first.cycles, first.scaled);
            }
            (Record::Region(region), Record::Region(first)) => {
                (region.entered, region.returned) = (first.entered, first.returned);
            }
            (Record::Gap(gap), Record::Gap(first)) => {
                (gap.before, gap.after) = (first.before, first.after);
            }
            (Record::CaseEnd(end), Record::CaseEnd(first)) => end.makespan = first.makespan,
            (Record::Mark(mark), Record::Mark(first)) => {
                mark.tsc = first.tsc + later;
                mark.count = first.count + later / 21;
            }
            _ => {}
        }
    })
}

#[test]
fn one_iteration_is_one_iteration_however_often_it_is_in_a_boot() {
    for (cpus, iterations) in [(1, 20), (2, 20), (4, 5)] {
        let script = of_one_iteration(Script::of(&guest(1, cpus, iterations).log()));
        let verdict = judge(&mut Gate::default(), &script.log());
        let reasons: Vec<_> = verdict.findings.iter().map(|finding| finding.reason).collect();
        assert!(
            reasons.contains(&ReasonCode::ReadingsRepeated),
            "{cpus} {iterations}: {:?}",
            verdict.findings
        );
    }
}
