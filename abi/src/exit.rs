//! The values that a guest writes to QEMU's isa-debug-exit device.
//!
//! QEMU turns a written value `v` into the exit status `(v << 1) | 1`. 0 and 1 are not used: QEMU's own statuses are
//! the same. The value alone proves nothing; a result needs [`GuestExit::Success`] and a valid `end` record.

/// The I/O port of the device, as our command lines place it. On other machines no device is there.
pub const DEBUG_EXIT_PORT: u16 = 0xf4;

/// The end of a run, as the guest reports it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum GuestExit {
    /// Every case of the plan ran, and every worker gave the answer that the plan expects.
    Success = 0x10,
    /// The kernel completed the plan, and its records report a failure: a fault, a time-out, a wrong answer.
    Failed = 0x11,
    /// The kernel panicked; the last record is `panic`.
    Panic = 0x12,
    /// The kernel could not begin: no plan, a bad plan, or a machine that lacks a requirement. See the `error` record.
    Refused = 0x13,
}

impl GuestExit {
    /// Every value.
    pub const ALL: [Self; 4] = [Self::Success, Self::Failed, Self::Panic, Self::Refused];

    /// The byte the guest writes to the device.
    #[must_use]
    pub const fn value(self) -> u8 {
        self as u8
    }

    /// The exit of a written byte; `None` for a byte that no Assay kernel writes.
    #[must_use]
    pub fn from_value(value: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| exit.value() == value)
    }
}
