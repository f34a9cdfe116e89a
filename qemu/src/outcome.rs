//! How a run ended.

use serde::Serialize;

/// How far a run had come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The VMM was started, and the guest has not executed an instruction; under a VMM that cannot hold it, its vCPUs were
    /// not seen yet.
    Start,
    /// The guest was running.
    Guest,
}

/// How a run ended. Exactly one of these; none of them alone means that the guest succeeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Outcome {
    /// The guest wrote `value` to the isa-debug-exit port; QEMU's exit status was `(value << 1) | 1`.
    ///
    /// Values are 1 to 127. A write of 0 gives status 1, the same as QEMU's own failure, and counts as
    /// [`QemuDied`](Self::QemuDied).
    DebugExit {
        /// What the guest wrote, its low seven bits.
        value: u8,
    },
    /// The guest reset itself. Under QEMU and Cloud Hypervisor it may have triple-faulted: they report the same for both.
    GuestReset,
    /// The guest triple-faulted, under a VMM that distinguishes it from a reset.
    TripleFault,
    /// The guest powered itself off (ACPI S5 or its equal).
    GuestShutdown,
    /// The guest reported a panic through a pvpanic device.
    GuestPanicked,
    /// The VMM stopped the guest because it could not go on: KVM's internal error, a failed emulation, a disk error.
    InternalError {
        /// QEMU's run state, as `query-status` names it: `internal-error`, `io-error` ...; another VMM's message.
        status: String,
    },
    /// The run's deadline passed; the guest was killed.
    DeadlineExceeded {
        /// Where it was: `Start` means that the VMM itself hung.
        phase: Phase,
    },
    /// The run was cancelled; the guest was killed.
    Cancelled,
    /// The machine had done all that was wanted of it, and was deleted ([`GuestSpec::delete_after`](crate::GuestSpec::delete_after)).
    Deleted {
        /// Whether the VMM ended when it was asked to, within [`Deletion::patience`](crate::Deletion::patience). If not, it was killed.
        by_itself: bool,
    },
    /// The guest printed more than the serial limit; it was killed, and the log holds exactly `limit-bytes`.
    SerialOverflow {
        /// The limit, in bytes.
        limit_bytes: u64,
    },
    /// The VMM ended for another reason: a bad option, a missing image, a signal, a crash.
    QemuDied {
        /// Its exit status in words: `exit status: 1`, `signal: 11 (SIGSEGV)`.
        status: String,
        /// The end of its standard error, which usually has the reason.
        stderr_tail: String,
        /// Whether the guest had been started.
        phase: Phase,
    },
}
