//! The entry stubs: exceptions and interrupts, which lead to one [`TrapFrame`] and one handler, and calls of threads.
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
//! - SYSCALL builds no such frame. A call that returns at once runs Rust on the trap stack and returns by SYSRET. For a call
//!   that may let another thread run, all registers that a call preserves are saved in the thread's `ThreadFrame` first,
//!   and the thread that runs next is resumed from its own.
//! - SYSRET with a non-canonical RCX would fault in ring 0 (Intel SDM vol. 2B, "SYSRET"). RCX is the address after a SYSCALL
//!   of ring 3, or an entry point: ring 3 has no page at the end of the lower half.
//! - No register that ring 3 sees after a call holds a value of the kernel's.
#![expect(unsafe_code, reason = "the entry stubs")]

use core::arch::global_asm;
use core::mem::offset_of;

use x86_64::VirtAddr;

use super::{kernel, strays};
use crate::checks;
use crate::cpu::{PerCpu, ThreadFrame, TrapFrame, probe};
use crate::task;
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
    test al, al                 # the bit of a call that may switch
    js trap_may_switch
    mov rsp, gs:[{trap_stack}]
    push r11                    # RFLAGS, as SYSCALL saved it
    push rcx                    # RIP, likewise
    push r8                     # the last two words, for the few calls that have so many
    push r10
    mov rcx, rax
    call {at_once}
    mov rsi, rdx
    .if {clears}
    xor edi, edi
    xor edx, edx
    xor r8d, r8d
    xor r9d, r9d
    xor r10d, r10d
    .endif
    mov rcx, [rsp + 16]
    mov r11, [rsp + 24]
    mov rsp, gs:[{user_rsp}]
    swapgs
    sysretq

    .balign 16
trap_may_switch:
    mov rsp, gs:[{thread}]
    mov [rsp + {r15}], r15
    mov [rsp + {r14}], r14
    mov [rsp + {r13}], r13
    mov [rsp + {r12}], r12
    mov [rsp + {rbp}], rbp
    mov [rsp + {rbx}], rbx
    mov [rsp + {rip}], rcx
    mov [rsp + {rflags}], r11
    mov rcx, gs:[{user_rsp}]
    mov [rsp + {rsp}], rcx
    mov rsp, gs:[{trap_stack}]
    mov rcx, r10
    mov r9, rax
    call {may_switch}
    test rax, rax
    jnz trap_refused
    mov rdi, gs:[{thread}]
    jmp {resume}

    # The thread that made the call goes on, with the status in RAX. The registers that a call preserves have their values: Rust
    # preserves them too.
trap_refused:
    mov rcx, gs:[{thread}]
    mov r11, [rcx + {rflags}]
    mov rsp, [rcx + {rsp}]
    mov rcx, [rcx + {rip}]
    xor esi, esi                # the first word of what was refused
    .if {clears}
    xor edi, edi
    xor edx, edx
    xor r8d, r8d
    xor r9d, r9d
    xor r10d, r10d
    .endif
    swapgs
    sysretq

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
    thread = const offset_of!(PerCpu, worker.thread),
    r15 = const offset_of!(ThreadFrame, r15),
    r14 = const offset_of!(ThreadFrame, r14),
    r13 = const offset_of!(ThreadFrame, r13),
    r12 = const offset_of!(ThreadFrame, r12),
    rbp = const offset_of!(ThreadFrame, rbp),
    rbx = const offset_of!(ThreadFrame, rbx),
    rip = const offset_of!(ThreadFrame, rip),
    rflags = const offset_of!(ThreadFrame, rflags),
    rsp = const offset_of!(ThreadFrame, rsp),
    at_once = sym task::at_once,
    may_switch = sym task::may_switch,
    resume = sym task::resume,
    clears = const checks::REGISTERS as u8,
    ac = const 1 << 18,
    cs = const offset_of!(TrapFrame, cs),
    handler = sym trap_handler,
);

/// The Rust entry of every trap but a call.
extern "C" fn trap_handler(frame: &mut TrapFrame) {
    if strays::take(frame.vector) {
        return;
    }
    if frame.cs & 3 == 3 {
        task::on_trap(frame);
    } else if !probe::recover(frame) {
        kernel::on_trap(frame);
    }
}
