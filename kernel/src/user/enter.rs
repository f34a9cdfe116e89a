//! Into ring 3 and back: a function call, as the kernel sees it.
#![expect(unsafe_code, reason = "switches stacks and privilege levels")]

use core::arch::naked_asm;
use core::mem::offset_of;

use abi::syscall::Authority;
use harness::user::{Counts, Exit};
use harness::watch::{Seen, Watch};
use harness::x86::tsc;

use crate::clock::MachineClock;
use crate::cpu::{PerCpu, idle, xstate};
use crate::x86::gdt::{USER_CODE, USER_DATA};
use crate::x86::{apic, sse};

/// A worker's entry point, its stack, and its two arguments. Assembly reads it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Entry {
    /// The first instruction.
    pub rip: u64,
    /// The stack: its top word is the return address.
    pub rsp: u64,
    /// Address of the arguments, in RDI.
    pub args: u64,
    /// Address of the result slot, in RSI.
    pub result: u64,
}

/// What a worker may do, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct RunLimits {
    /// The syscalls it may make.
    pub authority: Authority,
    /// How long it may take, in microseconds.
    pub timeout_us: u64,
    /// How many timer interrupts a negative control sends into it; 0 without one.
    pub disturbances: u16,
}

/// Runs a worker on this CPU, in the current address space, until it returns, faults, or reaches its time-out. The local
/// APIC's timer is the only interrupt source that is not masked; it watches the call (see `abi::watch`). `before` is called
/// just before ring 3 is entered.
pub fn enter(
    cpu: &'static PerCpu,
    clock: &MachineClock,
    entry: &Entry,
    limits: RunLimits,
    before: impl FnOnce(),
) -> (Exit, Counts, Seen) {
    let worker = &cpu.worker;
    let RunLimits { authority, timeout_us, disturbances } = limits;
    worker.exit.set(None);
    worker.authority.set(authority);
    worker.counts.set(Counts::default());
    sse::reset();
    xstate::reset();
    idle::take_pending_interrupts();
    worker.watch.set(Watch::begin(tsc::read(), &clock.tsc, timeout_us));
    worker.disturbances.set(disturbances);
    apic::set_timer(worker.next_timer(clock));
    before();
    // SAFETY: the current address space has the worker's code at RIP and its stack at RSP; `leave` is called by the
    // trap handlers alone, with the slot given here.
    unsafe { user_enter(entry, worker.return_rsp.as_ptr()) };
    apic::set_timer(0);
    let exit = worker.exit.take().expect("`leave` sets the exit before it returns here");
    (exit, worker.counts.get(), worker.watch.get().seen())
}

/// Ends the worker that runs on this CPU: its `enter` returns with `exit`. Called on the trap stack, which is left
/// behind.
#[inline(always)]
pub(super) fn leave(cpu: &'static PerCpu, exit: Exit) -> ! {
    cpu.worker.exit.set(Some(exit));
    // SAFETY: a worker runs on this CPU (the trap came from ring 3), so `user_enter` saved this RSP and waits.
    unsafe { user_leave(cpu.worker.return_rsp.get()) }
}

/// Saves the registers that the ABI has a callee preserve, leaves RSP in `return_rsp`, and goes to ring 3 with all registers zero but
/// RDI and RSI. RFLAGS: IF, so that the timer can end it; IOPL 0.
#[unsafe(naked)]
unsafe extern "C" fn user_enter(entry: *const Entry, return_rsp: *mut u64) {
    naked_asm!(
        "push rbp",
        "push rbx",
        "push r12",
        "push r13",
        "push r14",
        "push r15",
        "mov [rsi], rsp",
        "push {user_data}",
        "push qword ptr [rdi + {rsp}]",
        "push {rflags}",
        "push {user_code}",
        "push qword ptr [rdi + {rip}]",
        "mov rsi, [rdi + {result}]",
        "mov rdi, [rdi + {args}]",
        "xor eax, eax",
        "xor ebx, ebx",
        "xor ecx, ecx",
        "xor edx, edx",
        "xor ebp, ebp",
        "xor r8d, r8d",
        "xor r9d, r9d",
        "xor r10d, r10d",
        "xor r11d, r11d",
        "xor r12d, r12d",
        "xor r13d, r13d",
        "xor r14d, r14d",
        "xor r15d, r15d",
        "swapgs",
        "iretq",
        user_data = const USER_DATA,
        user_code = const USER_CODE,
        rflags = const 1 << 9 | 1 << 1,
        rip = const offset_of!(Entry, rip),
        rsp = const offset_of!(Entry, rsp),
        args = const offset_of!(Entry, args),
        result = const offset_of!(Entry, result),
    )
}

/// Returns from the `user_enter` that saved `return_rsp`.
#[unsafe(naked)]
unsafe extern "C" fn user_leave(return_rsp: u64) -> ! {
    naked_asm!("mov rsp, rdi", "pop r15", "pop r14", "pop r13", "pop r12", "pop rbx", "pop rbp", "ret",)
}
