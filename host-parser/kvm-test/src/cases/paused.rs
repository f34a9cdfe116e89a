//! A guest that another monitor pauses: `stop` and `cont`, as a person or a cloud's software does.

use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use evidence::gate::{Gate, HostEvidence, ReasonCode, RunExpectation};
use evidence::transcript::Transcript;
use experiment::manifest::Manifest;
use qemu::{GuestEvent, MachineSpec};
use test_support::monitor::Monitor;

use super::Done;
use crate::guest::{Ran, Start, run};

/// The shipped experiment: a worker takes half a second, and so is still at work when the pause begins.
const MANIFEST: &str = "manifests/smp-process-scale.toml";
/// How long the guest runs at a time, and for how long it is paused.
const RUNS: Duration = Duration::from_millis(200);
const PAUSED: Duration = Duration::from_millis(1_500);

/// KVM's TSC goes on while the machine stands: the timer that watches each worker's CPU shows it, without any evidence of
/// the host.
pub fn shows_in_the_log() -> Result<Done> {
    let (ran, pauses) = ran_with_pauses()?;
    let transcript = Transcript::read(&ran.log);
    let verdict = Gate::default().judge(&transcript, &RunExpectation::default(), &HostEvidence::default());
    let found = verdict.findings.iter().find(|finding| finding.reason == ReasonCode::VmStopped);
    let Some(found) = found else {
        bail!("{pauses} pauses, and no vm-stopped: {:?}\n{}", verdict.findings, ran.text())
    };
    Ok(Done::Passed(format!("{pauses} pauses; {}", found.detail)))
}

/// Pauses a guest again and again from its case on, until it ends. Returns how often.
fn ran_with_pauses() -> Result<(Ran, usize)> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("monitor");
    let (sender, first_case) = mpsc::channel();
    let manifest = Manifest::load(Path::new(MANIFEST))?;
    let (ran, pauses) = thread::scope(|scope| {
        // A guest that never comes to its case ends, and so does this.
        let at = &socket;
        let pauser = scope.spawn(move || first_case.recv().map_or(0, |()| pause(at)));
        let mut progress = move |event: GuestEvent<'_>| {
            if let GuestEvent::SerialLine { line, .. } = event
                && String::from_utf8_lossy(line).contains(" ev=case-ready ")
            {
                let _ = sender.send(());
            }
        };
        let change = |machine: &mut MachineSpec| machine.extra_args.extend(Monitor::arguments(&socket));
        let ran = run(&manifest, Start::Direct, 2, &change, &mut progress);
        drop(progress);
        (ran, pauser.join().unwrap_or(0))
    });
    let ran = ran?;
    ensure!(pauses > 0, "the guest was never paused\n{}", ran.text());
    Ok((ran, pauses))
}

/// Pauses the guest whose monitor is at `socket` until it ends. Returns how often.
fn pause(socket: &Path) -> usize {
    let Ok(mut monitor) = Monitor::connect(socket) else { return 0 };
    let mut pauses = 0;
    loop {
        thread::sleep(RUNS);
        if monitor.execute("stop").is_err() {
            return pauses;
        }
        thread::sleep(PAUSED);
        if monitor.execute("cont").is_err() {
            return pauses;
        }
        pauses += 1;
    }
}
