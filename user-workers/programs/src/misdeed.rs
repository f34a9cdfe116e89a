//! What the controls do wrong. Each of these is `unsafe` in all but name: a worker is alone in its address space, and
//! that it can harm nobody else is what a control is there to show.

use core::arch::asm;
use core::hint::spin_loop;
use core::ptr;
use core::sync::atomic::AtomicU8;

use super::runtime::Call;

/// The first address of the upper half, where kernels live. Canonical, so that it is a page fault and not #GP.
const KERNEL: usize = 0xffff_8000_0000_0000;

const PAGE_BYTES: usize = 4096;

/// Reads address 0, which no worker has mapped: #PF, not present, on a read in user mode.
pub fn page_fault() {
    // SAFETY: faults, or reads a byte that nobody uses.
    unsafe {
        asm!("mov {byte}, byte ptr [{at}]", at = in(reg) 0_usize, byte = out(reg_byte) _, options(nostack))
    }
}

/// Executes an instruction that only ring 0 may: #GP.
pub fn general_protection() {
    // SAFETY: faults at any privilege but the highest.
    unsafe { asm!("hlt", options(nomem, nostack)) }
}

/// Executes the instruction that is defined to be undefined: #UD.
pub fn invalid_opcode() {
    // SAFETY: faults.
    unsafe { asm!("ud2", options(nomem, nostack)) }
}

/// Divides by zero: #DE.
pub fn divide_error() {
    // SAFETY: faults.
    unsafe {
        asm!("div {zero:e}", zero = in(reg) 0_u32, inout("eax") 1 => _, inout("edx") 0 => _, options(nostack))
    }
}

/// Pushes until the stack has no page left: #PF, on a write just below the stack.
pub fn stack_overflow() -> ! {
    // SAFETY: overwrites only what lies below the stack of this worker, and does not return.
    unsafe { asm!("2:", "push rax", "jmp 2b", options(noreturn)) }
}

/// Writes to kernel memory: #PF, on a write in user mode.
pub fn kernel_write() {
    // SAFETY: faults, or the kernel did not keep its promise and this control found it out.
    unsafe { asm!("mov byte ptr [{at}], 0", at = in(reg) KERNEL, options(nostack)) }
}

/// Calls a byte of writable data that would be a RET: #PF, on an instruction fetch.
pub fn execute_data() {
    static RET: AtomicU8 = AtomicU8::new(0xc3);
    // SAFETY: faults, or returns at once.
    unsafe { asm!("call {at}", at = in(reg) RET.as_ptr()) }
}

/// Does not return and takes no memory: only its deadline ends it.
pub fn never_return() -> ! {
    loop {
        spin_loop();
    }
}

/// Makes a syscall that no worker has the authority for. 39 is `getpid` on Linux, where it does no harm.
pub fn unauthorised_syscall() {
    // SAFETY: the kernel refuses it and gives all registers back but these.
    unsafe {
        asm!("syscall", inout("rax") 39_u64 => _, in("rdi") 0, out("rcx") _, out("r11") _, options(nostack));
    }
}

/// Writes on behind its slot, to the slot page's end and over the page after that. Reachable for a worker is its own
/// stack, its own data, and the rest of the page that its slot is in; another worker's slot must not be in that page,
/// nor mapped behind it. So: #PF, on a write, at the slot page's end.
pub fn write_outside_slot(call: &Call) {
    for bytes in (0..2 * PAGE_BYTES).step_by(8) {
        let at = call.slot.wrapping_add(1).wrapping_byte_add(bytes).cast::<u64>();
        // SAFETY: none of this memory belongs to anything that this worker uses.
        unsafe { ptr::write_volatile(at, u64::MAX) }
    }
}
