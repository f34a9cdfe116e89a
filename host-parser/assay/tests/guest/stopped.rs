//! A machine that stands still in the middle of a timed call shows in its own log, without any evidence of the host.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use abi::exit::GuestExit;
use evidence::gate::{Finding, Gate, HostEvidence, ReasonCode, RunExpectation};
use evidence::transcript::Transcript;
use qemu::GuestEvent;
use rustix::process::{Signal, getpid, kill_process};
use test_support::monitor::Monitor;

use crate::lab::{Over, Start, boot, boot_translated_watched, good_ramdisk};
use crate::signals::guest_of;

/// How long the guest stands still, and how long it runs before it does so again. The timed call takes longer than it runs
/// at a time.
const STANDS: Duration = Duration::from_secs(1);
const RUNS: Duration = Duration::from_millis(400);

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn a_machine_that_was_stopped_says_so_itself() {
    for cpus in [1_u16, 2] {
        let over = AtomicBool::new(false);
        let ended = thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(Ordering::Acquire) {
                    thread::sleep(RUNS);
                    // The deadline's own signal ends a stopped process too.
                    let Some(guest) = guest_of(getpid()) else { continue };
                    let _ = kill_process(guest, Signal::STOP);
                    thread::sleep(STANDS);
                    let _ = kill_process(guest, Signal::CONT);
                }
            });
            let ended = boot(Start::Direct, &good_ramdisk(&[cpus]), cpus.into(), |_| {});
            over.store(true, Ordering::Release);
            ended
        });
        expect_finding(&ended, ReasonCode::VmStopped, "stood still");
    }
}

/// Fails, and shows the log, if the gate finds no such reason in a log that came to its end.
#[track_caller]
fn expect_finding(ended: &Over, reason: ReasonCode, detail: &str) {
    ended.expect_exit(GuestExit::Success);
    let log = Transcript::read(&ended.log);
    let verdict = Gate::default().judge(&log, &RunExpectation::default(), &HostEvidence::default());
    let found = |finding: &Finding| finding.reason == reason && finding.detail.contains(detail);
    assert!(verdict.findings.iter().any(found), "{:?}\n{}", verdict.findings, ended.text());
}

/// How long a guest is paused: longer than the real-time clock's rule needs, whose unit is the second.
const PAUSED: Duration = Duration::from_millis(2_500);

/// QEMU stops the TSC and the timers of an emulated machine with the machine. Its real-time clock, which is the host's,
/// goes on, and shows that time is missing. (Under KVM the TSC goes on too: `make test-kvm`.)
#[test]
#[ignore = "needs QEMU, qemu-img and a built kernel: make test-guest"]
fn a_machine_whose_clocks_were_paused_with_it_shows_that_time_is_missing() {
    let stop = paused(&[], None, None);
    expect_finding(&stop, ReasonCode::TimeMissing, "by the real-time clock");
    let folder = tempfile::tempdir().unwrap();
    let snapshot = paused(&snapshot_disk(folder.path()), Some("savevm paused"), Some("loadvm paused"));
    expect_finding(&snapshot, ReasonCode::TimeMissing, "by the real-time clock");
}

/// Boots a guest of two CPUs and pauses it in its case. The monitor executes the lines before the pause and after it.
fn paused(arguments: &[String], before: Option<&str>, after: Option<&str>) -> Over {
    let folder = tempfile::tempdir().unwrap();
    let socket: PathBuf = folder.path().join("monitor");
    let (sender, first_case) = mpsc::channel();
    thread::scope(|scope| {
        let at = &socket;
        scope.spawn(move || {
            // A guest that never comes to its case ends, and so does this.
            let Ok(()) = first_case.recv() else { return };
            let mut monitor = Monitor::connect(at).unwrap();
            monitor.execute("stop").unwrap();
            before.iter().for_each(|line| monitor.execute_line(line).unwrap());
            thread::sleep(PAUSED);
            after.iter().for_each(|line| monitor.execute_line(line).unwrap());
            monitor.execute("cont").unwrap();
        });
        let mut progress = move |event: GuestEvent<'_>| {
            if let GuestEvent::SerialLine { line, .. } = event
                && line.windows(b" ev=case-ready ".len()).any(|part| part == b" ev=case-ready ")
            {
                let _ = sender.send(());
            }
        };
        let change = |machine: &mut qemu::MachineSpec| {
            machine.extra_args.extend(Monitor::arguments(&socket));
            machine.extra_args.extend_from_slice(arguments);
        };
        boot_translated_watched(&good_ramdisk(&[2]), 2, change, &mut progress)
    })
}

/// A disk that holds snapshots of the machine, which the guest does not see.
fn snapshot_disk(folder: &Path) -> [String; 2] {
    let path = folder.join("snapshots.qcow2");
    let made = Command::new("qemu-img").args(["create", "-q", "-f", "qcow2"]).arg(&path).arg("1M").status();
    assert!(made.expect("qemu-img is installed").success());
    ["-drive".to_owned(), format!("if=none,id=snapshots,format=qcow2,file={}", path.display())]
}
