//! Calls a worker on its own stack.
#![expect(unsafe_code, reason = "switches stacks")]

use core::arch::asm;

use harness::user::layout::{ARGS, IMAGE, RESULT, STACK_TOP};

/// Calls the worker that is laid out in this process. `entry` is relative to its image. The call returns, or a signal
/// handler ends the process.
///
/// As under the kernel, the stack's top word holds the return address.
pub fn worker(entry: u64) {
    // SAFETY: the caller has laid the worker out: its code at the entry point, its stack, arguments and result slot at
    // these addresses. It follows the C ABI; every register that it may overwrite is declared.
    unsafe {
        asm!(
            "mov r12, rsp",
            "mov rsp, {stack}",
            "call {entry}",
            "mov rsp, r12",
            stack = in(reg) STACK_TOP,
            entry = in(reg) IMAGE + entry,
            in("rdi") ARGS,
            in("rsi") RESULT,
            out("r12") _,
            clobber_abi("C"),
        );
    }
}
