//! The registers of interrupted code. The stubs of `trap::entry` push them.

/// The registers as a trap found them. Assembly pushes it, last field first.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct TrapFrame {
    r15: u64,
    r14: u64,
    r13: u64,
    r12: u64,
    r11: u64,
    r10: u64,
    r9: u64,
    r8: u64,
    rbp: u64,
    rdi: u64,
    rsi: u64,
    rdx: u64,
    rcx: u64,
    rbx: u64,
    rax: u64,
    /// The exception or interrupt.
    pub vector: u64,
    /// The CPU's error code, or 0.
    pub error: u64,
    /// The instruction that trapped, or the next one.
    pub rip: u64,
    /// Its low two bits are the privilege level.
    pub cs: u64,
    rflags: u64,
    rsp: u64,
    ss: u64,
}

// 15 registers on top of 7 words: a multiple of 16, with the alignment that the CPU gives RSP.
const _: () = assert!(size_of::<TrapFrame>() == 22 * 8);
const _: () = assert!(size_of::<TrapFrame>().is_multiple_of(16));
