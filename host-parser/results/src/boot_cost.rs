//! What it took to get to the result: plain data, filled in by the code that drives the runs.

use serde::{Deserialize, Serialize};

/// What a run took beside its workers. Times are the host's, from the start of its program (QEMU, or natively the twin)
/// to the arrival of a line; unknown times are `None`.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BootCost {
    /// To the first byte on the serial port, in microseconds.
    pub first_serial_us: Option<u64>,
    /// To the first `case-ready` record, in microseconds: all is set up, and the first worker is about to begin.
    pub first_worker_us: Option<u64>,
    /// To the `end` record, in microseconds: the result is there.
    pub end_record_us: Option<u64>,
    /// The most memory that the program had resident (`VmHWM` of proc_pid_status(5)), in bytes: guest and monitor.
    pub peak_rss_bytes: Option<u64>,
    /// The files that were booted, together, in bytes: kernel with ramdisk or initramfs, or a disk image; natively the
    /// twin with its ramdisk.
    pub image_bytes: Option<u64>,
}
