//! The misdeeds of the controls. Each is `unsafe` in all but name. A worker is alone in its address space: a control
//! shows that it can harm no other.

use core::arch::asm;
use core::hint::spin_loop;
use core::ptr;
use core::sync::atomic::AtomicU8;

use super::runtime::{Call, Outcome};

/// The first address of the upper half, where kernels live. Canonical, so that it is a page fault and not #GP.
const KERNEL: usize = 0xffff_8000_0000_0000;

/// Where shared memory is, for a worker that may use it.
const SHARED: usize = 0x5000_0000;

const PAGE_BYTES: usize = 4096;

/// Reads address 0, which no worker has mapped: #PF, not present, on a read in user mode.
pub fn page_fault(_: &Call) {
    // SAFETY: faults, or reads a byte and drops it.
    unsafe {
        asm!("mov {byte}, byte ptr [{at}]", at = in(reg) 0_usize, byte = out(reg_byte) _, options(nostack))
    }
}

/// Executes an instruction of ring 0: #GP.
pub fn general_protection(_: &Call) {
    // SAFETY: faults at any privilege but the highest.
    unsafe { asm!("hlt", options(nomem, nostack)) }
}

/// Executes UD2, which is undefined by definition: #UD.
pub fn invalid_opcode(_: &Call) {
    // SAFETY: faults.
    unsafe { asm!("ud2", options(nomem, nostack)) }
}

/// Divides by zero: #DE.
pub fn divide_error(_: &Call) {
    // SAFETY: faults.
    unsafe {
        asm!("div {zero:e}", zero = in(reg) 0_u32, inout("eax") 1 => _, inout("edx") 0 => _, options(nostack))
    }
}

/// Pushes until the stack has no page left: #PF, on a write just below the stack.
pub fn stack_overflow(_: &Call) -> ! {
    // SAFETY: overwrites only what lies below the stack of this worker, and does not return.
    unsafe { asm!("2:", "push rax", "jmp 2b", options(noreturn)) }
}

/// Writes to kernel memory: #PF, on a write in user mode.
pub fn kernel_write(_: &Call) {
    // SAFETY: faults, or this control has found a kernel that does not protect itself.
    unsafe { asm!("mov byte ptr [{at}], 0", at = in(reg) KERNEL, options(nostack)) }
}

/// Calls a byte of writable data that would be a RET: #PF, on an instruction fetch.
pub fn execute_data(_: &Call) {
    static RET: AtomicU8 = AtomicU8::new(0xc3);
    // SAFETY: faults, or returns at once.
    unsafe { asm!("call {at}", at = in(reg) RET.as_ptr()) }
}

/// Reads the memory that the workers of a case share, without the authority for it: #PF, not present, on a read in user
/// mode. Only a plan with `shared-memory` has it mapped there (`harness::user::layout::SHARED`).
pub fn shared_memory(_: &Call) {
    // SAFETY: faults, or reads a byte and drops it.
    unsafe {
        asm!("mov {byte}, byte ptr [{at}]", at = in(reg) SHARED, byte = out(reg_byte) _, options(nostack))
    }
}

/// Does not return and takes no memory: only its time-out ends it.
pub fn never_return(_: &Call) -> ! {
    loop {
        spin_loop();
    }
}

/// Makes a syscall that no worker has the authority for. 39 is `getpid` on Linux and does no harm.
pub fn unauthorised_syscall(_: &Call) {
    // SAFETY: the kernel refuses it and preserves all registers but these (`abi::object`).
    unsafe {
        asm!(
            "syscall",
            inout("rax") 39_u64 => _,
            inout("rdi") 0_u64 => _,
            out("rcx") _, out("r11") _,
            out("rsi") _, out("rdx") _, out("r8") _, out("r9") _, out("r10") _,
            options(nostack)
        );
    }
}

/// Writes past its slot, to the end of the slot's page and over the page after it: #PF, on a write, at the end of the
/// slot's page. A worker can reach its stack, its data, and the rest of the page that holds its slot; another worker's
/// slot must not be in that page, nor mapped after it.
pub fn write_outside_slot(call: &Call) {
    for bytes in (0..2 * PAGE_BYTES).step_by(8) {
        let at = call.slot.wrapping_add(1).wrapping_byte_add(bytes).cast::<u64>();
        // SAFETY: none of this memory belongs to anything that this worker uses.
        unsafe { ptr::write_volatile(at, u64::MAX) }
    }
}

/// Answers another challenge, as an answer that was kept from another run does.
pub fn replayed_answer(call: &Call) -> Outcome {
    super::subject::work(&Call { challenge: !call.challenge, ..*call })
}

/// Makes the answer one too high.
pub const fn wrong_answer(outcome: &mut Outcome) {
    outcome.answer += 1;
}
