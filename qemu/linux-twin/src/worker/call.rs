//! Calls a worker on its own stack.
#![expect(unsafe_code, reason = "switches stacks")]

use core::arch::asm;

use abi::worker;
use harness::user::layout::{ARGS, IMAGE, RESULT, STACK_TOP};

static FCW: u16 = worker::FCW;
static MXCSR: u32 = worker::MXCSR;

/// Calls the worker that is laid out in this process. `entry` is relative to its image. The call returns, or a signal
/// handler ends the process.
///
/// As under the kernel, the stack's top word holds the return address, and the control words of x87 and SSE are those of
/// `abi::worker`.
pub fn worker(entry: u64) {
    let (mut fcw, mut mxcsr) = (0_u16, 0_u32);
    // SAFETY: the caller has laid the worker out: its code at the entry point, its stack, arguments and result slot at
    // these addresses. It follows the C ABI; every register that it may overwrite is declared.
    unsafe {
        asm!(
            "fnstcw [{own_fcw}]",
            "stmxcsr [{own_mxcsr}]",
            "push {own_fcw}",
            "push {own_mxcsr}",
            "fldcw [{fcw}]",
            "ldmxcsr [{mxcsr}]",
            "mov r12, rsp",
            "mov rsp, {stack}",
            "call {entry}",
            "mov rsp, r12",
            "pop rcx",
            "ldmxcsr [rcx]",
            "pop rcx",
            "fldcw [rcx]",
            own_fcw = in(reg) &raw mut fcw,
            own_mxcsr = in(reg) &raw mut mxcsr,
            fcw = in(reg) &raw const FCW,
            mxcsr = in(reg) &raw const MXCSR,
            stack = in(reg) STACK_TOP,
            entry = in(reg) IMAGE + entry,
            in("rdi") ARGS,
            in("rsi") RESULT,
            out("r12") _,
            clobber_abi("C"),
        );
    }
}
