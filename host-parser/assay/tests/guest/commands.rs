//! Commands to a machine that is up: a good one is answered as a boot would be, and everything else is refused by name and
//! changes nothing.

use std::time::Duration;

use abi::command::{LINE_US, MAX_BYTES, MOST_ANSWERED, Place, write_exec};
use abi::exit::GuestExit;
use abi::wire::record::{CommandRefused, CommandTaken, RefusedFor, RunStatus};
use abi::wire::{Hex64, Record, decode};
use evidence::gate::{ExpectedCase, Gate, HostEvidence, RunExpectation};
use evidence::transcript::Transcript;
use experiment::boot_config::BootConfig;
use experiment::plan::ramdisk_with;
use qemu::{GuestEvent, Outcome};

use crate::lab::{Over, boot_translated, boot_until, plan, undisturbed, worker};

/// What is sent at a place of the boot, and how many streams come of it.
type Step<'a> = (&'a dyn Fn(Place) -> Vec<u8>, u32);

/// A stream: its records, and its text with that of what stands before it.
struct Stream {
    records: Vec<Record>,
    text: Vec<u8>,
}

impl Stream {
    fn refused(&self) -> Option<CommandRefused> {
        self.records.iter().find_map(|record| match record {
            Record::CommandRefused(refused) => Some(*refused),
            _ => None,
        })
    }

    fn taken(&self) -> Option<CommandTaken> {
        self.records.iter().find_map(|record| match record {
            Record::CommandTaken(taken) => Some(*taken),
            _ => None,
        })
    }

    fn status(&self) -> Option<RunStatus> {
        match self.records.last() {
            Some(Record::End(end)) => Some(end.status),
            _ => None,
        }
    }
}

fn ramdisk_after(after: &str, cases: &[u16]) -> Vec<u8> {
    let mut config = BootConfig::default();
    config.set(after).unwrap();
    ramdisk_with(&config, &plan(cases), &[&worker("primes")])
}

fn exec(place: Place, challenge: u64, cases: &[u16]) -> Vec<u8> {
    let mut line = String::new();
    write_exec(&mut line, place, plan(cases).with_challenge(challenge).text().as_bytes()).unwrap();
    [line.as_bytes(), b"\r\n"].concat()
}

/// Boots a machine that stays, and sends it the next step whenever those before have been answered.
fn converse(vcpus: u16, steps: &[Step<'_>]) -> (Over, Vec<Stream>) {
    let ends = 1 + steps.iter().map(|(_, streams)| streams).sum::<u32>();
    let (mut place, mut next, mut wanted, mut seen) = (Place { number: 0, after: Hex64(0) }, 0, 1, 0);
    let mut nonce = Hex64(0);
    let over = boot_until(&ramdisk_after("after=stay:300", &[vcpus]), vcpus.into(), ends, &mut |event| {
        let GuestEvent::SerialLine { line, input, .. } = event else { return };
        match decode(line).map(|envelope| envelope.record) {
            Ok(Record::Start(start)) => {
                nonce = start.nonce;
                if seen == 0 {
                    place.after = nonce;
                }
            }
            Ok(Record::CommandTaken(taken)) => place = Place { number: taken.number + 1, after: nonce },
            Ok(Record::End(_)) => {
                seen += 1;
                if seen == wanted
                    && let Some((step, streams)) = steps.get(next)
                {
                    input.send(&step(place));
                    (next, wanted) = (next + 1, wanted + streams);
                }
            }
            _ => {}
        }
    });
    let streams = streams(&over.log);
    (over, streams)
}

fn streams(log: &[u8]) -> Vec<Stream> {
    let mut streams = vec![Stream { records: Vec::new(), text: Vec::new() }];
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        let stream = streams.last_mut().unwrap();
        stream.text.extend(line);
        if let Ok(envelope) = decode(line.trim_ascii_end()) {
            stream.records.push(envelope.record);
            if matches!(envelope.record, Record::End(_)) {
                streams.push(Stream { records: Vec::new(), text: Vec::new() });
            }
        }
    }
    streams.retain(|stream| !stream.records.is_empty());
    streams
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn a_command_is_answered_by_a_log_that_the_gate_judges_as_a_boots() {
    const CHALLENGE: u64 = 0xc0_ffee;
    undisturbed(|_| {
        let send = |place| exec(place, CHALLENGE, &[2]);
        let (over, streams) = converse(2, &[(&send, 1)]);
        assert!(matches!(over.run.outcome, Outcome::Deleted { .. }), "{}", over.text());
        let [boot, answer] = &streams[..] else { panic!("{}", over.text()) };
        assert_eq!(
            (boot.taken().map(|_| ()), answer.status()),
            (None, Some(RunStatus::Ok)),
            "{}",
            over.text()
        );
        let taken = answer.taken().unwrap();
        assert_eq!((taken.number, taken.refused), (0, 0));
        let plan = plan(&[2]).with_challenge(CHALLENGE);
        let expectation = RunExpectation {
            plan: Some(plan.digest()),
            challenge: Some(CHALLENGE),
            work: Some(plan.work_digest()),
            cases: Some(vec![ExpectedCase { case: 2, iterations: 1 }]),
            cpus: Some(2),
            blob: Some(worker("primes").sha256()),
            ..RunExpectation::default()
        };
        let evidence = HostEvidence { vcpus: Some(2), host_cpus: Some(1), ..HostEvidence::default() };
        let verdict = Gate::default().judge(&Transcript::read(&answer.text), &expectation, &evidence);
        over.measured(&verdict)
    });
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn what_is_no_command_is_refused_by_name_and_the_machine_goes_on() {
    let good = |place| exec(place, 1, &[1]);
    let stale = |place: Place| exec(Place { number: place.number - 1, after: Hex64(0xbad) }, 1, &[1]);
    let early = |place: Place| exec(Place { number: place.number + 1, ..place }, 1, &[1]);
    let changed = |place| {
        let mut line = exec(place, 1, &[1]);
        line[40] ^= 1;
        line
    };
    let bad_plan = |place| {
        let mut line = String::new();
        write_exec(&mut line, place, b"ASSAY-PLAN2\nplan\n").unwrap();
        [line.as_bytes(), b"\n"].concat()
    };
    // An empty line is none; what is beyond the bound is dropped up to its end.
    let long = |_| [&vec![b'x'; 2 * MAX_BYTES][..], b"\r\n\r\n\n"].concat();
    let (over, streams) = converse(
        1,
        &[
            (&good, 1),
            (&|_| b"\x00\xffreboot\r\n".to_vec(), 1),
            (&changed, 1),
            (&stale, 1),
            (&early, 1),
            (&bad_plan, 1),
            (&long, 1),
            (&good, 1),
        ],
    );
    let reasons: Vec<_> = streams.iter().filter_map(Stream::refused).map(|refused| refused.reason).collect();
    let due = [
        RefusedFor::Malformed,
        RefusedFor::Checksum,
        RefusedFor::Replayed,
        RefusedFor::OutOfOrder,
        RefusedFor::Plan,
        RefusedFor::TooLong,
    ];
    assert_eq!(reasons, due, "{}", over.text());
    let last = streams.last().unwrap();
    assert_eq!(
        (last.taken().map(|taken| (taken.number, taken.refused)), last.status()),
        (Some((1, 6)), Some(RunStatus::Ok))
    );
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn a_command_that_is_sent_again_is_refused() {
    let once = std::cell::RefCell::new(Vec::new());
    let first = |place| {
        *once.borrow_mut() = exec(place, 1, &[1]);
        once.borrow().clone()
    };
    let (over, streams) = converse(1, &[(&first, 1), (&|_| once.borrow().clone(), 1)]);
    let refused = streams.last().and_then(Stream::refused).unwrap_or_else(|| panic!("{}", over.text()));
    assert_eq!((refused.reason, streams.len()), (RefusedFor::Replayed, 3));
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn a_flood_is_counted_and_does_not_fill_the_log() {
    const LINES: u32 = 3 * MOST_ANSWERED;
    let flood = |place| {
        // The command follows the flood at once: nothing answers the last lines of it.
        let lines = b"y\n".repeat(usize::try_from(LINES).unwrap());
        [lines, exec(place, 1, &[1])].concat()
    };
    let (over, streams) = converse(1, &[(&flood, MOST_ANSWERED + 1)]);
    let refused = streams.iter().filter_map(Stream::refused).count();
    assert_eq!(u32::try_from(refused), Ok(MOST_ANSWERED), "{}", over.text());
    assert_eq!(streams.last().unwrap().taken().map(|taken| taken.refused), Some(LINES));
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn a_line_without_an_end_is_given_up() {
    let begun = std::time::Instant::now();
    let (over, streams) = converse(1, &[(&|_| b"ASSAY1 seq=0".to_vec(), 1)]);
    let refused = streams.last().and_then(Stream::refused).unwrap_or_else(|| panic!("{}", over.text()));
    assert_eq!(refused.reason, RefusedFor::TooSlow);
    assert!(begun.elapsed() >= Duration::from_micros(LINE_US));
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn a_machine_to_which_no_command_comes_ends_as_its_boot_did() {
    let over = boot_translated(&ramdisk_after("after=stay:1", &[1]), 1, |_| {});
    over.expect_exit(GuestExit::Success);
    assert!(over.text().contains("takes commands"), "{}", over.text());
}
