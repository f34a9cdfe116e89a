//! Into ring 3 and back: a function call, as the kernel sees it.
#![expect(unsafe_code, reason = "switches stacks and privilege levels")]

use core::arch::naked_asm;
use core::mem::offset_of;

use harness::user::Counts;
use harness::watch::{Seen, Watch};
use harness::x86::tsc;

use super::Island;
use crate::clock::MachineClock;
use crate::cpu::{PerCpu, ThreadFrame, TrapFrame, idle, xstate};
use crate::x86::{apic, sse};

/// How long the threads of a CPU may run.
#[derive(Clone, Copy, Debug)]
pub struct RunLimits {
    /// How long they may take, in microseconds.
    pub timeout_us: u64,
    /// How many timer interrupts a negative control sends into them; 0 without one.
    pub disturbances: u16,
}

/// Runs the threads of this CPU until each has returned or faulted, none can go on, or the time-out is reached. The local
/// APIC's timer is the only interrupt source that is not masked; it watches the call (see `abi::watch`). `before` is called
/// just before ring 3 is entered.
pub fn enter(
    island: &Island,
    clock: &MachineClock,
    limits: RunLimits,
    before: impl FnOnce(),
) -> (Counts, Seen) {
    let worker = &island.cpu().worker;
    let RunLimits { timeout_us, disturbances } = limits;
    worker.counts.set(Counts::default());
    sse::reset();
    xstate::reset();
    idle::take_pending_interrupts();
    worker.watch.set(Watch::begin(tsc::read(), &clock.tsc, timeout_us));
    worker.disturbances.set(disturbances);
    worker.island.set(core::ptr::from_ref(island).cast());
    island.begin();
    apic::set_timer(worker.next_timer(clock));
    before();
    // SAFETY: the thread's address space is current and has its code at RIP and its stack at RSP; `leave` is called by the
    // trap handlers alone, with the slot given here.
    unsafe { ring_3(island.frame(), worker.return_rsp.as_ptr()) };
    apic::set_timer(0);
    worker.island.set(core::ptr::null());
    (worker.counts.get(), worker.watch.get().seen())
}

/// Ends the run of this CPU's threads: its `enter` returns. Called on the trap stack, which is left behind.
#[inline(always)]
pub(super) fn leave(cpu: &'static PerCpu) -> ! {
    // SAFETY: a thread runs on this CPU (the trap came from ring 3), so `ring_3` saved this RSP and waits.
    unsafe { back(cpu.worker.return_rsp.get()) }
}

/// Saves the registers that the ABI has a callee preserve, leaves RSP in `return_rsp`, and goes to ring 3.
#[unsafe(naked)]
unsafe extern "C" fn ring_3(frame: *const ThreadFrame, return_rsp: *mut u64) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rsi], rsp",
        "jmp {resume}",
        resume = sym resume,
    )
}

/// Returns from the [`ring_3`] that saved `return_rsp`.
#[unsafe(naked)]
unsafe extern "C" fn back(return_rsp: u64) -> ! {
    naked_asm!("mov rsp, rdi", "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx", "pop rbp", "ret")
}

// `resume` pops the frame in this order.
const _: () = assert!(offset_of!(ThreadFrame, r15) == 0 && offset_of!(ThreadFrame, rsp) == 14 * 8);

/// Lets a thread go on in ring 3, with the registers of `frame`; the others are zero.
///
/// # Safety
/// The frame is that of a thread whose address space is current, and this CPU is about to leave the kernel: the stack is
/// not used any more. GS base is the kernel's.
#[unsafe(naked)]
pub unsafe extern "C" fn resume(frame: *const ThreadFrame) -> ! {
    naked_asm!(
        "mov rsp, rdi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop rbp",
        "pop rbx",
        "pop rax",
        "pop rdi",
        "pop rsi",
        "pop rdx",
        "pop r10",
        "pop r8",
        "pop rcx",
        "pop r11",
        "pop rsp",
        "xor r9d, r9d",
        "swapgs",
        "sysretq",
    )
}

// `resume_trapped` pops the frame in this order.
const _: () = assert!(offset_of!(TrapFrame, vector) == 15 * 8 && offset_of!(TrapFrame, rip) == 17 * 8);

/// Lets a thread go on where it trapped, with all its registers.
///
/// # Safety
/// As [`resume`]; the frame is that of a trap from ring 3.
#[unsafe(naked)]
pub unsafe extern "C" fn resume_trapped(frame: *const TrapFrame) -> ! {
    naked_asm!(
        "mov rsp, rdi",
        "pop r15",
        "pop r14",
        "pop r13",
        "pop r12",
        "pop r11",
        "pop r10",
        "pop r9",
        "pop r8",
        "pop rbp",
        "pop rdi",
        "pop rsi",
        "pop rdx",
        "pop rcx",
        "pop rbx",
        "pop rax",
        "add rsp, 16",
        "swapgs",
        "iretq",
    )
}
