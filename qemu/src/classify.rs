//! Classifies the outcome of a QEMU that ended by itself, from its exit status and its events.

use std::process::ExitStatus;

use serde_json::{Map, Value};

use crate::vmm::last_lines;
use crate::{Outcome, Phase};

/// The events before QEMU ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// The reason in the last SHUTDOWN event.
    pub(crate) shutdown_reason: Option<String>,
    /// Whether there was a GUEST_PANICKED event.
    pub(crate) panicked: bool,
}

impl Evidence {
    pub(crate) fn new() -> Self {
        Self { shutdown_reason: None, panicked: false }
    }

    /// Takes note of an event.
    pub(crate) fn observe(&mut self, event: &str, data: &Map<String, Value>) {
        match event {
            "SHUTDOWN" => {
                self.shutdown_reason = data.get("reason").and_then(Value::as_str).map(str::to_owned)
            }
            "GUEST_PANICKED" => self.panicked = true,
            _ => {}
        }
    }

    /// Returns the outcome. The exit status counts before the event: newer QEMUs send the same SHUTDOWN for
    /// isa-debug-exit as for a power-off, and 7.2 sends none.
    pub(crate) fn classify(&self, phase: Phase, status: ExitStatus, stderr: &str) -> Outcome {
        if let (Phase::Guest, Some(value)) = (phase, debug_exit(status)) {
            return Outcome::DebugExit { value };
        }
        match self.shutdown_reason.as_deref() {
            _ if self.panicked => Outcome::GuestPanicked,
            // ShutdownCause in qapi/run-state.json.
            Some("guest-panic") => Outcome::GuestPanicked,
            Some("guest-reset" | "subsystem-reset") => Outcome::GuestReset,
            Some("guest-shutdown") => Outcome::GuestShutdown,
            other => {
                let reason = other.map(|reason| format!(", shut down by {reason}")).unwrap_or_default();
                let status = format!("{status}{reason}");
                Outcome::QemuDied { status, stderr_tail: last_lines(stderr), phase }
            }
        }
    }
}

/// isa-debug-exit ends QEMU with `(value << 1) | 1`; 1 is also QEMU's own failure.
fn debug_exit(status: ExitStatus) -> Option<u8> {
    let code = u8::try_from(status.code()?).ok()?;
    (code > 1 && code & 1 == 1).then_some(code >> 1)
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    fn exit(code: i32) -> ExitStatus {
        ExitStatus::from_raw(code << 8)
    }

    fn classify(reason: Option<&str>, status: ExitStatus) -> Outcome {
        let shutdown_reason = reason.map(str::to_owned);
        Evidence { shutdown_reason, panicked: false }.classify(Phase::Guest, status, "")
    }

    #[test]
    fn classifies_each_end() {
        assert_eq!(classify(None, exit(33)), Outcome::DebugExit { value: 0x10 });
        assert_eq!(classify(Some("guest-shutdown"), exit(33)), Outcome::DebugExit { value: 0x10 });
        assert_eq!(classify(Some("guest-shutdown"), exit(0)), Outcome::GuestShutdown);
        assert_eq!(classify(Some("guest-reset"), exit(0)), Outcome::GuestReset);
        assert_eq!(classify(Some("guest-panic"), exit(0)), Outcome::GuestPanicked);
    }

    #[test]
    fn never_takes_qemus_failure_for_a_guests_exit_code() {
        for (reason, status) in
            [(None, exit(0)), (None, exit(1)), (None, exit(2)), (None, ExitStatus::from_raw(9))]
        {
            assert!(matches!(classify(reason, status), Outcome::QemuDied { .. }), "{status}");
        }
        let before = Evidence::new().classify(Phase::Start, exit(127), "launcher: not found");
        assert!(matches!(before, Outcome::QemuDied { phase: Phase::Start, .. }), "{before:?}");
    }

    #[test]
    fn names_the_cause_of_qemus_end() {
        let Outcome::QemuDied { status, .. } = classify(Some("host-signal"), exit(0)) else { panic!() };
        assert_eq!(status, "exit status: 0, shut down by host-signal");
    }

    #[test]
    fn takes_note_of_a_panic() {
        let mut evidence = Evidence::new();
        evidence.observe("GUEST_PANICKED", &Map::new());
        assert_eq!(evidence.classify(Phase::Guest, exit(0), ""), Outcome::GuestPanicked);
    }
}
