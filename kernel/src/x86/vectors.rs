//! The vectors of this kernel's interrupts. Exceptions have 0 to 31 (Intel SDM vol. 3A, "Exception and Interrupt
//! Vectors").

/// Non-maskable interrupt.
pub const NMI: u8 = 2;
/// Double fault.
pub const DOUBLE_FAULT: u8 = 8;
/// General protection.
pub const GENERAL_PROTECTION: u8 = 13;
/// Page fault.
pub const PAGE_FAULT: u8 = 14;
/// Machine check.
pub const MACHINE_CHECK: u8 = 18;
/// The number of vectors that exceptions have.
pub const EXCEPTIONS: u8 = 32;

/// Whether an exception has this vector. The others below [`EXCEPTIONS`] are reserved: no CPU raises them, so what comes
/// there is an interrupt that something sends.
#[must_use]
pub const fn is_exception(vector: u8) -> bool {
    matches!(vector, 0..=8 | 10..=14 | 16..=21 | 28..=30)
}

/// The vectors below [`EXCEPTIONS`], a bit each, with which a local APIC delivers interrupts: it refuses those below 16 only
/// (Intel SDM vol. 3A, "Valid Interrupt Vectors").
pub const MAY_BE_SENT: u32 = 0xffff_0000;

/// Whether a local APIC delivers an interrupt with the vector of this exception.
#[must_use]
pub const fn may_be_sent(exception: u8) -> bool {
    MAY_BE_SENT >> exception & 1 != 0
}

/// The local APIC's timer: a worker has reached its time-out, or a halted CPU has to check its condition.
pub const TIMER: u8 = 0x20;
/// Another CPU has a job for this one.
pub const WAKE: u8 = 0x21;
/// The interrupt that measurements of the platform are made of.
pub const SIGNAL: u8 = 0x22;
/// The vector by which a local APIC delivers an interrupt that was withdrawn meanwhile. Its low four bits are set, as
/// old APICs demand.
pub const SPURIOUS: u8 = 0x2f;
