//! A run under Cloud Hypervisor: everything is on its command line, and it reports events on its standard input.
//!
//! `--event-monitor fd=0` makes it write one JSON object for each event (event_monitor/src/lib.rs in its sources) to the
//! socket that is its standard input. A guest ends it by ACPI's S5. A guest that resets is booted again in the same
//! process (`vm_reboot` in vmm/src/lib.rs): the event `rebooting` reports it, and ends the run. It ends with 0 whatever
//! ended the guest; a vCPU that could not go on is in its messages only.

use std::convert::Infallible;
use std::process::ExitStatus;

use serde::Deserialize;

use super::{Control, last_lines, machine};
use crate::command::{CommandLine, absolute};
use crate::guest_process::{GuestProcess, Stop};
use crate::{BootMedium, GuestSpec, Outcome, Phase, QemuError, VmmKind};

/// The names of its vCPU threads, before the number: `start_vcpu` in its vmm/src/cpu.rs.
const THREADS: &str = "vcpu";

/// A message of the thread of a vCPU whose KVM_RUN failed: vmm/src/cpu.rs.
const VCPU_FAILED: &str = "VCPU generated error";

/// Events on standard input. First, as [`CommandLine::by_hand`] leaves them out.
const CONTROL: [&str; 2] = ["--event-monitor", "fd=0"];

/// How many events are kept for the record.
const MAX_EVENTS: usize = 1000;
/// The longest event taken, in bytes; those of a run have about a hundred.
const MAX_EVENT_BYTES: usize = 64 << 10;

/// Cloud Hypervisor's side of a run.
#[derive(Debug, Default)]
pub(crate) struct CloudHypervisor {
    /// What came and is not a whole event yet.
    rest: Vec<u8>,
    events: Vec<String>,
    rebooting: bool,
    panicked: bool,
}

/// The members of an event that are read.
#[derive(Deserialize)]
struct Event {
    source: String,
    event: String,
}

impl Control for CloudHypervisor {
    fn new() -> Self {
        Self::default()
    }

    fn conduct(guest: &mut GuestProcess<'_, Self>) -> Result<Infallible, Stop> {
        guest.pin_named(THREADS)?;
        loop {
            if let Some(outcome) = guest.control.decided() {
                return Err(Stop::Decided(outcome));
            }
            guest.wait()?;
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> Result<(), QemuError> {
        self.rest.extend_from_slice(bytes);
        let mut events = serde_json::Deserializer::from_slice(&self.rest).into_iter::<serde_json::Value>();
        let mut found = Vec::new();
        let mut end = 0;
        while let Some(next) = events.next() {
            match next {
                Ok(event) => found.push(event),
                Err(error) if error.is_eof() => break,
                Err(error) => return Err(nonsense(&error.to_string(), &self.rest[end..])),
            }
            end = events.byte_offset();
        }
        self.rest.drain(..end);
        if self.rest.len() > MAX_EVENT_BYTES {
            return Err(nonsense("expected an event of at most 64 KiB", &self.rest));
        }
        found.into_iter().for_each(|event| self.take(&event));
        Ok(())
    }

    fn classify(&self, phase: Phase, status: ExitStatus, stderr: &str) -> Outcome {
        if let Some(decided) = self.decided() {
            return decided;
        }
        match (status.code(), stderr.lines().find(|line| line.contains(VCPU_FAILED))) {
            (Some(0), Some(failure)) => Outcome::InternalError { status: failure.to_owned() },
            (Some(0), None) => Outcome::GuestShutdown,
            _ => Outcome::QemuDied { status: status.to_string(), stderr_tail: last_lines(stderr), phase },
        }
    }

    fn into_events(self) -> Vec<String> {
        self.events
    }
}

impl CloudHypervisor {
    fn take(&mut self, raw: &serde_json::Value) {
        if self.events.len() < MAX_EVENTS {
            self.events.push(raw.to_string());
        }
        let Ok(Event { source, event }) = Event::deserialize(raw) else { return };
        match (source.as_str(), event.as_str()) {
            ("vm", "rebooting" | "rebooted") => self.rebooting = true,
            ("guest", "panic") => self.panicked = true,
            _ => {}
        }
    }

    /// The outcome that the events alone decide.
    fn decided(&self) -> Option<Outcome> {
        match (self.panicked, self.rebooting) {
            (true, _) => Some(Outcome::GuestPanicked),
            (false, true) => Some(Outcome::GuestReset),
            (false, false) => None,
        }
    }
}

fn nonsense(expected: &str, bytes: &[u8]) -> QemuError {
    const SHOWN: usize = 200;
    let shown: String = String::from_utf8_lossy(bytes).chars().take(SHOWN).collect();
    let detail = format!("{expected}; got {shown:?}");
    QemuError::Events { doing: "reading Cloud Hypervisor's events", detail }
}

/// The command line.
///
/// # Errors
/// [`QemuError::Option`] if Cloud Hypervisor cannot run this guest.
pub(crate) fn command(spec: &GuestSpec) -> Result<CommandLine, QemuError> {
    machine::check(VmmKind::CloudHypervisor, spec)?;
    let mut line = CommandLine::of(&spec.vmm.path);
    line.control(&CONTROL);
    if let BootMedium::Kernel { kernel, initrd, append } = &spec.boot {
        line.word("--kernel");
        line.word(absolute(kernel));
        if let Some(initrd) = initrd {
            line.word("--initramfs");
            line.word(absolute(initrd));
        }
        if !append.is_empty() {
            line.words(&["--cmdline", append]);
        }
    }
    let vcpus = spec.machine.vcpus;
    line.words(&["--cpus", &format!("boot={vcpus},topology=1:{vcpus}:1:1")]);
    line.words(&["--memory", &format!("size={}M", spec.machine.memory_mib)]);
    // Not `tty`, which would read standard input: that is where its events go.
    line.words(&["--serial", "file=/dev/stdout", "--console", "off"]);
    Ok(line)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    /// As Cloud Hypervisor 54 writes them, each followed by an empty line.
    const BOOT: &str = "{\n  \"timestamp\": {\n    \"secs\": 0,\n    \"nanos\": 17\n  },\n  \"source\": \"vm\",\n  \
                        \"event\": \"booted\",\n  \"properties\": null\n}\n\n";

    fn event(source: &str, event: &str) -> String {
        BOOT.replace("\"vm\"", &format!("\"{source}\"")).replace("booted", event)
    }

    fn after(events: &str) -> CloudHypervisor {
        let mut control = CloudHypervisor::new();
        control.receive(events.as_bytes()).unwrap();
        control
    }

    fn classify(control: &CloudHypervisor, code: i32, stderr: &str) -> Outcome {
        control.classify(Phase::Guest, ExitStatus::from_raw(code << 8), stderr)
    }

    #[test]
    fn classifies_each_end() {
        let quiet = after(BOOT);
        assert_eq!(classify(&quiet, 0, ""), Outcome::GuestShutdown);
        assert_eq!(classify(&after(&event("vmm", "shutdown")), 0, ""), Outcome::GuestShutdown);
        assert_eq!(classify(&after(&event("vm", "rebooting")), 0, ""), Outcome::GuestReset);
        assert_eq!(classify(&after(&event("guest", "panic")), 0, ""), Outcome::GuestPanicked);
        let failed =
            "cloud-hypervisor: 0.1s: <vcpu0> ERROR:vmm/src/cpu.rs:1500 -- VCPU generated error: VcpuRun";
        assert_eq!(classify(&quiet, 0, failed), Outcome::InternalError { status: failed.to_owned() });
        assert!(matches!(classify(&quiet, 1, "Error booting VM"), Outcome::QemuDied { .. }));
        let killed = quiet.classify(Phase::Guest, ExitStatus::from_raw(9), "");
        assert!(matches!(killed, Outcome::QemuDied { .. }));
    }

    #[test]
    fn reads_events_in_any_pieces() {
        let all = format!("{BOOT}{}", event("vm", "rebooting"));
        for size in 1..all.len() {
            let mut control = CloudHypervisor::new();
            all.as_bytes().chunks(size).for_each(|piece| control.receive(piece).unwrap());
            assert_eq!((control.events.len(), control.decided()), (2, Some(Outcome::GuestReset)), "{size}");
        }
    }

    #[test]
    fn keeps_events_that_it_does_not_know() {
        let control = after("{\"a\": 1}\n\n7\n\n[]\n\n");
        assert_eq!((control.events.len(), control.decided()), (3, None));
    }

    #[test]
    fn refuses_what_is_no_event_and_bounds_what_may_become_one() {
        let mut control = CloudHypervisor::new();
        let error = control.receive(b"login: ").unwrap_err().to_string();
        assert!(error.starts_with("reading Cloud Hypervisor's events: "), "{error}");
        let mut control = CloudHypervisor::new();
        assert!(control.receive(&[b'"'; 1]).is_ok());
        assert!(control.receive(&[b'a'; MAX_EVENT_BYTES + 1]).is_err());
    }
}
