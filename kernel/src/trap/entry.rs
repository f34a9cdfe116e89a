//! The entry stubs: exceptions, interrupts and SYSCALL all lead to one [`TrapFrame`] and one handler.
//!
//! Contract of the assembly:
//! - While the kernel runs, GS base is this CPU's `PerCpu`; while ring 3 runs it is the worker's. SWAPGS is executed
//!   exactly when the privilege level changes, by the saved CS.
//! - NMI, double fault and machine check can come between a change of the privilege level and its SWAPGS, so the saved CS
//!   does not show whose GS base is in force. Their way in reads the base itself: the kernel's data is in the upper half
//!   of the address space, and ring 3 cannot set a base there (CR4.FSGSBASE is 0). What it swapped, it swaps back.
//! - A debug exception cannot come there: DR7 enables no breakpoint on any CPU, ring 3 cannot change it, and SFMASK clears
//!   TF.
//! - These three run on stacks of their own. An NMI blocks further ones until IRET, and its handler takes no fault, whose
//!   IRET would end that early: so no NMI comes while another uses the stack.
//! - A trap from ring 3 starts on the stack of TSS.RSP0. SYSCALL switches no stack; its stub takes the same one.
//! - An interrupt that a device sends with the vector of an exception builds the frame of an interrupt, whatever the
//!   exception pushes (Intel SDM vol. 3A, "64-Bit Mode Stack Frame").
//! - IF is clear throughout. Direction flag and AC are cleared before any Rust runs.
//! - SYSCALL builds the same frame as an interrupt and leaves the same way, by IRETQ: SYSRET with a non-canonical RCX
//!   would fault in ring 0 (Intel SDM vol. 2B, "SYSRET").
#![expect(unsafe_code, reason = "the entry stubs")]

use core::arch::global_asm;
use core::mem::offset_of;

use x86_64::VirtAddr;

use super::{kernel, strays};
use crate::cpu::{PerCpu, SYSCALL_VECTOR, TrapFrame, probe};
use crate::user;
use crate::x86::gdt::{USER_CODE, USER_DATA};
use crate::x86::msr::IA32_GS_BASE;
use crate::x86::vectors::{DOUBLE_FAULT, EXCEPTIONS, MACHINE_CHECK, MAY_BE_SENT, NMI};

/// The distance between two stubs of exceptions, in bytes.
const EXCEPTION_STRIDE: u64 = 16;
/// The distance between two stubs of interrupts.
const INTERRUPT_STRIDE: u64 = 8;

unsafe extern "C" {
    /// The stub of exception 0. Those of the other exceptions follow, [`EXCEPTION_STRIDE`] apart.
    fn trap_exceptions();
    /// The stub of the first vector after them. All others follow, [`INTERRUPT_STRIDE`] apart.
    fn trap_interrupts();
    /// The target of SYSCALL.
    fn trap_syscall();
}

/// The address of the stub for `vector`.
#[must_use]
pub fn stub(vector: u8) -> VirtAddr {
    match vector.checked_sub(EXCEPTIONS) {
        None => VirtAddr::from_ptr(trap_exceptions as *const ()) + u64::from(vector) * EXCEPTION_STRIDE,
        Some(nth) => VirtAddr::from_ptr(trap_interrupts as *const ()) + u64::from(nth) * INTERRUPT_STRIDE,
    }
}

/// The address for IA32_LSTAR.
#[must_use]
pub fn syscall_entry() -> VirtAddr {
    VirtAddr::from_ptr(trap_syscall as *const ())
}

global_asm!(
    "
    .pushsection .text.trap, \"ax\"
    # The registers of a frame below its vector, in the order of `TrapFrame`, last field first.
    .macro trap_push_registers
    .irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    push \\register
    .endr
    .endm

    .balign {exception_stride}
    .global trap_exceptions
trap_exceptions:
    .set trap_vector, 0
    .rept {exceptions}
    .balign {exception_stride}
    # The exceptions for which the CPU pushes an error code (Intel SDM vol. 3A, table 'Protected-Mode Exceptions').
    .if !((1 << trap_vector) & {with_error})
    push 0
    .elseif (1 << trap_vector) & {may_be_sent}
    # A device's interrupt with this vector has no error code. The CPU aligns RSP to 16 bytes before it pushes a frame, of
    # five words without an error code and of six with one.
    test spl, 8
    jz 2f
    push 0
2:
    .endif
    push trap_vector
    .if (1 << trap_vector) & {anywhere}
    jmp trap_anywhere
    .else
    jmp trap_common
    .endif
    .set trap_vector, trap_vector + 1
    .endr

    # An interrupt's stub pushes its vector less 128, which fits the short form of PUSH.
    .balign {interrupt_stride}
    .global trap_interrupts
trap_interrupts:
    .rept 256 - {exceptions}
    .balign {interrupt_stride}
    push trap_vector - 128
    jmp trap_interrupt
    .set trap_vector, trap_vector + 1
    .endr

    .balign 16
trap_interrupt:
    sub qword ptr [rsp], -128
    push qword ptr [rsp]                # the vector; above it, the place of an error code
    mov qword ptr [rsp + 8], 0
    jmp trap_common

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
    trap_push_registers
    call trap_handle
    test byte ptr [rsp + {cs}], 3
    jz trap_restore
    swapgs
    jmp trap_restore

trap_anywhere:
    trap_push_registers
    # EBX, which the handler preserves: whether GS base was swapped. Sign of the base: bit 31 of EDX.
    xor ebx, ebx
    mov ecx, {gs_base}
    rdmsr
    test edx, edx
    js trap_anywhere_kernel
    swapgs
    inc ebx
trap_anywhere_kernel:
    call trap_handle
    test ebx, ebx
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
    add rsp, 16                         # vector and error code
    iretq

    # Calls the handler with the frame above the return address. RSP is 16-byte aligned at the inner call: the frame is
    # a multiple of 16 bytes, on a stack that the CPU aligned.
trap_handle:
    # CLAC would do for AC, but only on a CPU with SMAP.
    pushfq
    and qword ptr [rsp], ~{ac}
    popfq
    cld
    lea rdi, [rsp + 8]
    sub rsp, 8
    call {handler}
    add rsp, 8
    cli
    ret
    .popsection
    ",
    exception_stride = const EXCEPTION_STRIDE,
    interrupt_stride = const INTERRUPT_STRIDE,
    exceptions = const EXCEPTIONS,
    with_error = const 1_u32 << 8 | 1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 17 | 1 << 21 | 1 << 29 | 1 << 30,
    may_be_sent = const MAY_BE_SENT,
    anywhere = const 1_u32 << NMI | 1 << DOUBLE_FAULT | 1 << MACHINE_CHECK,
    gs_base = const IA32_GS_BASE,
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
    if strays::take(frame.vector) {
        return;
    }
    if frame.cs & 3 == 3 {
        user::on_trap(frame);
    } else if !probe::recover(frame) {
        kernel::on_trap(frame);
    }
}
