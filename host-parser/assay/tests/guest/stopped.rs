//! A machine that stands still in the middle of a timed call shows in its own log, without any evidence of the host.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use abi::exit::GuestExit;
use evidence::gate::{Gate, HostEvidence, ReasonCode, RunExpectation};
use evidence::transcript::Transcript;
use rustix::process::{Signal, getpid, kill_process};

use crate::lab::{Start, boot, good_ramdisk};
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
        ended.expect_exit(GuestExit::Success);
        let log = Transcript::read(&ended.log);
        let verdict = Gate::default().judge(&log, &RunExpectation::default(), &HostEvidence::default());
        let found = verdict.findings.iter().any(|finding| finding.reason == ReasonCode::VmStopped);
        assert!(found, "{cpus} CPUs: {:?}\n{}", verdict.findings, ended.text());
    }
}
