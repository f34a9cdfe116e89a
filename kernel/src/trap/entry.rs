//! The entry stubs: exceptions, interrupts and SYSCALL all lead to one [`TrapFrame`] and one handler.
//!
//! Contract of the assembly:
//! - While the kernel runs, GS base is this CPU's `PerCpu`; while ring 3 runs it is the worker's. SWAPGS is executed
//!   exactly when the privilege level changes, by the saved CS.
//! - A trap from ring 3 starts on the stack of TSS.RSP0. SYSCALL switches no stack; its stub takes the same one.
//! - IF is clear throughout. Direction flag and AC are cleared before any Rust runs.
//! - SYSCALL builds the same frame as an interrupt and leaves the same way, by IRETQ: SYSRET with a non-canonical RCX
//!   would fault in ring 0 (Intel SDM vol. 2B, "SYSRET").
#![expect(unsafe_code, reason = "the entry stubs")]

use core::arch::global_asm;
use core::mem::offset_of;

use x86_64::VirtAddr;

use super::kernel;
use crate::cpu::{PerCpu, SYSCALL_VECTOR, TrapFrame, probe};
use crate::user;
use crate::x86::gdt::{USER_CODE, USER_DATA};

/// Vectors with a stub: the 32 exceptions, then the kernel's own interrupts.
pub const STUBS: usize = 48;

/// The distance between two stubs, in bytes.
const STUB_STRIDE: u64 = 16;

unsafe extern "C" {
    /// The first stub. The others follow, [`STUB_STRIDE`] apart.
    fn trap_stubs();
    /// The target of SYSCALL.
    fn trap_syscall();
}

/// The address of the stub for `vector`, which is below [`STUBS`].
#[must_use]
pub fn stub(vector: usize) -> VirtAddr {
    VirtAddr::from_ptr(trap_stubs as *const ()) + vector as u64 * STUB_STRIDE
}

/// The address for IA32_LSTAR.
#[must_use]
pub fn syscall_entry() -> VirtAddr {
    VirtAddr::from_ptr(trap_syscall as *const ())
}

global_asm!(
    "
    .pushsection .text.trap, \"ax\"
    .balign {stride}
    .global trap_stubs
trap_stubs:
    .set trap_vector, 0
    .rept {stubs}
    .balign {stride}
    # The exceptions for which the CPU pushes an error code (Intel SDM vol. 3A, table 'Protected-Mode Exceptions').
    .if !((1 << trap_vector) & {with_error}) || (trap_vector > 31)
    push 0
    .endif
    push trap_vector
    jmp trap_common
    .set trap_vector, trap_vector + 1
    .endr

    .balign 16
    .global trap_syscall
trap_syscall:
    swapgs
    mov gs:[{user_rsp}], rsp
    mov rsp, gs:[{trap_stack}]
    push {user_data}
    push qword ptr gs:[{user_rsp}]
    push r11                    # RFLAGS, as SYSCALL saved it
    push {user_code}
    push rcx                    # RIP, likewise
    push 0
    push {syscall_vector}
    jmp trap_save               # GS is the kernel's already

trap_common:
    test byte ptr [rsp + 24], 3 # CS, above vector, error code and RIP
    jz trap_save
    swapgs
trap_save:
    push rax
    push rbx
    push rcx
    push rdx
    push rsi
    push rdi
    push rbp
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
    # CLAC would do for AC, but only on a CPU with SMAP.
    pushfq
    and qword ptr [rsp], ~{ac}
    popfq
    cld
    mov rdi, rsp
    call {handler}

    cli
    test byte ptr [rsp + {cs}], 3
    jz trap_restore
    swapgs
trap_restore:
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rbp
    pop rdi
    pop rsi
    pop rdx
    pop rcx
    pop rbx
    pop rax
    add rsp, 16                 # vector and error code
    iretq
    .popsection
    ",
    stride = const STUB_STRIDE,
    stubs = const STUBS,
    with_error = const 1_u32 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30,
    user_rsp = const offset_of!(PerCpu, user_rsp),
    trap_stack = const offset_of!(PerCpu, trap_stack),
    user_data = const USER_DATA,
    user_code = const USER_CODE,
    syscall_vector = const SYSCALL_VECTOR,
    ac = const 1 << 18,
    cs = const offset_of!(TrapFrame, cs),
    handler = sym trap_handler,
);

/// The Rust entry of every trap.
extern "C" fn trap_handler(frame: &mut TrapFrame) {
    if frame.cs & 3 == 3 {
        user::on_trap(frame);
    } else if !probe::recover(frame) {
        kernel::on_trap(frame);
    }
}
