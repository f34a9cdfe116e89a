//! The local APIC (Intel SDM vol. 3A, "Advanced Programmable Interrupt Controller (APIC)"). Owns the inter-processor
//! interrupts and the one-shot timer.
//!
//! It stays in the mode in which firmware left it, with one exception: if the machine lists a CPU that xAPIC mode cannot
//! address, and the CPUs have x2APIC mode, all of them switch to it. This kernel's messages are between CPUs only, so
//! it needs no interrupt remapping.
#![expect(unsafe_code, reason = "reads and writes APIC registers by MMIO or MSR")]

use abi::ApicId;
use abi::wire::record::ApicMode;
use harness::clock::Clock;
use harness::x86::cpuid;
use spin::Once;
use x86_64::{PhysAddr, VirtAddr};

use super::{msr, vectors};

/// IA32_APIC_BASE: the APIC is on.
const BASE_ENABLE: u64 = 1 << 11;
/// IA32_APIC_BASE: x2APIC mode.
const BASE_X2APIC: u64 = 1 << 10;
/// IA32_APIC_BASE: the registers' physical page.
const BASE_ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/// Registers by their number in x2APIC mode; in memory they are 16 bytes apart.
#[derive(Clone, Copy)]
#[repr(u32)]
enum Register {
    Id = 0x02,
    Version = 0x03,
    TaskPriority = 0x08,
    EndOfInterrupt = 0x0b,
    SpuriousVector = 0x0f,
    ErrorStatus = 0x28,
    InterruptCommand = 0x30,
    /// Exists only in memory: x2APIC mode has one 64-bit register.
    InterruptCommandHigh = 0x31,
    LvtTimer = 0x32,
    LvtLint0 = 0x35,
    LvtLint1 = 0x36,
    InitialCount = 0x38,
    CurrentCount = 0x39,
    DivideConfiguration = 0x3e,
}

/// The first of eight registers with a bit for each vector: it was delivered and not ended.
const IN_SERVICE: u32 = 0x10;

const SOFTWARE_ENABLE: u32 = 1 << 8;
const LVT_MASKED: u32 = 1 << 16;
/// The timer's mode in which it waits for a value of the TSC.
const LVT_TSC_DEADLINE: u32 = 0b10 << 17;
/// Divide by 128: with a 1 GHz APIC clock the 32-bit counter then lasts nine minutes.
const DIVIDE_BY_128: u32 = 0b1010;
const DELIVERY_MODE: u32 = 0b111 << 8;
const DELIVERY_NMI: u32 = 0b100 << 8;
const DELIVERY_PENDING: u32 = 1 << 12;
const LEVEL_ASSERT: u32 = 1 << 14;
const DELIVERY_INIT: u32 = 0b101 << 8;
const DELIVERY_STARTUP: u32 = 0b110 << 8;

/// The first id that xAPIC mode cannot address: eight set bits mean every CPU.
const XAPIC_BROADCAST: ApicId = ApicId(0xff);

/// How long a message may stay pending, in microseconds, before it is taken as sent.
const DELIVERY_US: u64 = 10_000;

#[derive(Clone, Copy)]
enum Access {
    /// Registers in memory, at this address in every address space.
    Xapic(VirtAddr),
    X2apic,
}

static ACCESS: Once<Access> = Once::new();

/// The registers' physical page for xAPIC mode, on a machine whose highest APIC id is `highest`; `None` if x2APIC mode is
/// used.
#[must_use]
pub fn mmio_base(highest: ApicId) -> Option<PhysAddr> {
    let base = base();
    let wanted = highest >= XAPIC_BROADCAST && has_x2apic();
    (base & BASE_X2APIC == 0 && !wanted).then(|| PhysAddr::new_truncate(base & BASE_ADDRESS))
}

fn base() -> u64 {
    // SAFETY: every x86_64 CPU has IA32_APIC_BASE.
    unsafe { msr::read(msr::IA32_APIC_BASE) }
}

/// Sets how the registers are accessed. `mapped` is the mapping of [`mmio_base`].
pub fn init(mapped: Option<VirtAddr>) {
    ACCESS.call_once(|| mapped.map_or(Access::X2apic, Access::Xapic));
}

/// The mode set by [`init`].
#[must_use]
pub fn mode() -> ApicMode {
    match access() {
        Access::Xapic(_) => ApicMode::Xapic,
        Access::X2apic => ApicMode::X2apic,
    }
}

#[inline(always)]
fn access() -> Access {
    *ACCESS.get().expect("the APIC is used after `apic::init`")
}

fn read(register: Register) -> u32 {
    read_at(register as u32)
}

/// Reads a register by its number.
#[inline(always)]
fn read_at(register: u32) -> u32 {
    match access() {
        // SAFETY: `init` was given the mapping of the APIC's page; registers are 32 bits wide, 16 bytes apart.
        Access::Xapic(base) => unsafe { (base + (u64::from(register) << 4)).as_ptr::<u32>().read_volatile() },
        // The high half is used by the interrupt command alone.
        // SAFETY: x2APIC mode is on, and the register exists in it.
        #[expect(clippy::cast_possible_truncation, reason = "the documented width")]
        Access::X2apic => unsafe { msr::read(msr::X2APIC_BASE + register) as u32 },
    }
}

#[inline(always)]
fn write(register: Register, value: u32) {
    match access() {
        // SAFETY: as in `read`; only this module writes, and only values that the manual allows.
        Access::Xapic(base) => unsafe {
            (base + ((register as u64) << 4)).as_mut_ptr::<u32>().write_volatile(value);
        },
        // SAFETY: as in `read`.
        Access::X2apic => unsafe { msr::write(msr::X2APIC_BASE + register as u32, u64::from(value)) },
    }
}

/// Enables this CPU's APIC, in the mode set by [`init`], with every source masked.
pub fn enable() {
    enter_mode();
    let lint1 = read(Register::LvtLint1);
    // Disabling it by software masks everything else that firmware left unmasked: performance counters, thermal sensor,
    // corrected machine checks, errors (Intel SDM vol. 3A, "Local APIC State After It Has Been Software Disabled").
    write(Register::SpuriousVector, u32::from(vectors::SPURIOUS));
    // Accept every priority.
    write(Register::TaskPriority, 0);
    write(Register::SpuriousVector, SOFTWARE_ENABLE | u32::from(vectors::SPURIOUS));
    // LINT0 carries the 8259's interrupts on the BSP. LINT1 stays as firmware set it if that is NMI: an NMI reports a fault.
    write(Register::LvtLint0, LVT_MASKED);
    if lint1 & DELIVERY_MODE == DELIVERY_NMI {
        write(Register::LvtLint1, lint1);
    }
    write(Register::LvtTimer, LVT_MASKED | u32::from(vectors::TIMER));
    write(Register::DivideConfiguration, DIVIDE_BY_128);
    end_all_in_service();
}

/// Ends the interrupts that firmware, or a loader, took and never ended: each blocks all that have its priority or a lower
/// one. An APIC has 256 vectors, so there are at most as many.
fn end_all_in_service() {
    for _ in 0..256 {
        if (0..8).all(|nth| read_at(IN_SERVICE + nth) == 0) {
            return;
        }
        end_of_interrupt();
    }
}

/// Ends the interrupt that is being handled, if the APIC delivered it as `vector`.
pub fn end_of_interrupt_if_in_service(vector: u8) {
    if is_in_service(vector) {
        end_of_interrupt();
    }
}

/// Whether an interrupt of `vector` is being handled; `false` before [`init`].
#[must_use]
pub fn is_in_service(vector: u8) -> bool {
    let (nth, bit) = (u32::from(vector / 32), vector % 32);
    ACCESS.get().is_some() && read_at(IN_SERVICE + nth) >> bit & 1 != 0
}

/// Switches the mode by the allowed transitions: to x2APIC mode through xAPIC mode, and from it through disabled. Firmware
/// may leave CPUs in different modes (Intel SDM vol. 3A, "x2APIC State Transitions").
fn enter_mode() {
    let found = base();
    let off = found & !(BASE_ENABLE | BASE_X2APIC);
    let steps = match mode() {
        ApicMode::Xapic if found & BASE_X2APIC != 0 => [off, off | BASE_ENABLE],
        ApicMode::Xapic => [off | BASE_ENABLE; 2],
        ApicMode::X2apic if found & BASE_X2APIC != 0 => [found; 2],
        ApicMode::X2apic => [off | BASE_ENABLE, off | BASE_ENABLE | BASE_X2APIC],
    };
    for step in steps {
        // SAFETY: each transition is allowed, and the mode is one that this CPU has.
        unsafe { msr::write(msr::IA32_APIC_BASE, step) };
    }
}

/// This CPU's id, as its APIC has it.
#[must_use]
pub fn id() -> ApicId {
    let id = read(Register::Id);
    ApicId(if mode() == ApicMode::Xapic { id >> 24 } else { id })
}

/// Ends the interrupt that is being handled.
pub fn end_of_interrupt() {
    write(Register::EndOfInterrupt, 0);
}

/// Sends INIT: the CPU stops and waits for SIPI.
pub fn send_init(to: ApicId) {
    send(to, DELIVERY_INIT | LEVEL_ASSERT);
}

/// Sends a start-up IPI: the CPU starts in real mode at `page` * 4 KiB.
pub fn send_sipi(to: ApicId, page: u8) {
    send(to, DELIVERY_STARTUP | LEVEL_ASSERT | u32::from(page));
}

/// Sends an NMI. Without an APIC in use there is no CPU to send it to.
pub fn send_nmi(to: ApicId) {
    if ACCESS.get().is_some() {
        send(to, DELIVERY_NMI | LEVEL_ASSERT);
    }
}

/// Sends an interrupt.
pub fn send_ipi(to: ApicId, vector: u8) {
    send(to, LEVEL_ASSERT | u32::from(vector));
}

fn send(to: ApicId, command: u32) {
    if mode() == ApicMode::X2apic {
        let value = u64::from(to.0) << 32 | u64::from(command);
        // The write does not wait for earlier stores, which the other CPU must see when the interrupt arrives (Intel SDM
        // vol. 3A, "MSR Access in x2APIC Mode").
        // SAFETY: fences.
        unsafe { core::arch::asm!("mfence", "lfence", options(nostack, preserves_flags)) };
        // SAFETY: x2APIC mode is on; one write is the whole message.
        unsafe { msr::write(msr::X2APIC_BASE + Register::InterruptCommand as u32, value) };
        return;
    }
    // Truncated to eight bits, the id would address another CPU, or all. Not sent, it shows as a CPU that does not respond.
    if to >= XAPIC_BROADCAST {
        return;
    }
    write(Register::InterruptCommandHigh, to.0 << 24);
    write(Register::InterruptCommand, command);
    // Bounded: a message that an APIC does not accept shows as a CPU that does not respond.
    Clock::AT_MOST.spin_until(DELIVERY_US, || read(Register::InterruptCommand) & DELIVERY_PENDING == 0);
}

/// Returns the errors since the last call, and clears them (Intel SDM vol. 3A, "Error Handling").
#[must_use]
pub fn take_errors() -> u32 {
    write(Register::ErrorStatus, 0);
    let errors = read(Register::ErrorStatus);
    write(Register::ErrorStatus, 0);
    errors
}

/// Sets the timer to fire once, `counts` timer ticks from now; 0 stops it.
pub fn set_timer(counts: u32) {
    write(Register::LvtTimer, if counts == 0 { LVT_MASKED } else { 0 } | u32::from(vectors::TIMER));
    write(Register::InitialCount, counts);
}

/// The version register, which never changes: a read to be timed.
#[must_use]
#[inline]
pub fn version() -> u32 {
    read(Register::Version)
}

/// Sets the timer to send [`vectors::SIGNAL`] once: at the TSC value `deadline` if the timer has that mode
/// ([`has_tsc_deadline`]), else `counts` timer ticks from now.
pub fn set_signal(deadline: u64, counts: u32) {
    let vector = u32::from(vectors::SIGNAL);
    if !has_tsc_deadline() {
        write(Register::LvtTimer, vector);
        write(Register::InitialCount, counts);
        return;
    }
    write(Register::LvtTimer, LVT_TSC_DEADLINE | vector);
    // The write of the deadline must not pass that of the mode (Intel SDM vol. 3A, "TSC-Deadline Mode").
    // SAFETY: fences.
    unsafe { core::arch::asm!("mfence", "lfence", options(nostack, preserves_flags)) };
    // SAFETY: the CPU has the mode, and with it the register.
    unsafe { msr::write(msr::IA32_TSC_DEADLINE, deadline) };
}

/// Whether the timer can be set to a value of the TSC.
#[must_use]
pub fn has_tsc_deadline() -> bool {
    static HAS: Once<bool> = Once::new();
    *HAS.call_once(|| cpuid::bit(cpuid::leaf(1, 0).ecx, 24))
}

/// Starts the timer from its highest count, without an interrupt, to measure it against a clock.
pub fn start_count() {
    write(Register::LvtTimer, LVT_MASKED | u32::from(vectors::TIMER));
    write(Register::InitialCount, u32::MAX);
}

/// Ticks since [`start_count`].
#[must_use]
pub fn counted() -> u32 {
    u32::MAX - read(Register::CurrentCount)
}

/// The registers of this CPU's local APIC that nothing changes after [`enable`]: not the timer's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct State([u32; 8]);

impl State {
    /// How many of them are others in `found`.
    #[must_use]
    pub fn differences(&self, found: &Self) -> u16 {
        self.0.iter().zip(found.0).map(|(&held, found)| u16::from(held != found)).sum()
    }

    /// The same, but for one.
    #[must_use]
    pub fn spoilt(mut self) -> Self {
        self.0[0] ^= 1;
        self
    }
}

/// Those of this CPU now.
#[must_use]
pub fn state() -> State {
    let [b0, b1, b2, b3, ..] = base().to_le_bytes();
    let registers = [
        Register::Id,
        Register::Version,
        Register::TaskPriority,
        Register::SpuriousVector,
        Register::LvtLint0,
        Register::LvtLint1,
        Register::DivideConfiguration,
    ];
    let mut state = [u32::from_le_bytes([b0, b1, b2, b3]); 8];
    state.iter_mut().zip(registers).for_each(|(place, register)| *place = read(register));
    State(state)
}

/// Whether this CPU has a local APIC that is on: CPUID denies one that IA32_APIC_BASE switches off (Intel SDM vol. 3A,
/// "Enabling or Disabling the Local APIC"). On some CPUs only a reset brings that back.
#[must_use]
pub fn is_present() -> bool {
    cpuid::bit(cpuid::leaf(1, 0).edx, 9)
}

fn has_x2apic() -> bool {
    cpuid::bit(cpuid::leaf(1, 0).ecx, 21)
}
