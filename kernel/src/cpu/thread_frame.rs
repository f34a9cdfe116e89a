//! The registers of a thread that is not running. The entry code of `trap` saves and loads them.

/// The registers of a thread between two of its instructions: at a call that may let another thread run, or before its
/// first instruction. Assembly reads and writes it by offset, and pops it from the first field to the last.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct ThreadFrame {
    /// Registers that a call preserves.
    pub r15: u64,
    /// As R15.
    pub r14: u64,
    /// As R15.
    pub r13: u64,
    /// As R15.
    pub r12: u64,
    /// As R15.
    pub rbp: u64,
    /// As R15.
    pub rbx: u64,
    /// The status of a call.
    pub rax: u64,
    /// The first argument of a function, at a thread's first instruction.
    pub rdi: u64,
    /// The first word of a call; the second argument of a function.
    pub rsi: u64,
    /// The second word.
    pub rdx: u64,
    /// The third word.
    pub r10: u64,
    /// The fourth word.
    pub r8: u64,
    /// The next instruction. SYSRET takes it from RCX. It is always canonical: an entry point is one of an image, and the
    /// address after a SYSCALL is that of a page of ring 3, none of which is the last one of the lower half.
    pub rip: u64,
    /// The flags. SYSRET takes them from R11.
    pub rflags: u64,
    /// The stack.
    pub rsp: u64,
}

/// The flags of a thread at its first instruction: IF, so that the timer can end it, and the bit that is always set.
pub const FIRST_FLAGS: u64 = 1 << 9 | 1 << 1;

impl ThreadFrame {
    /// Of a thread that calls `rip` as a function of two arguments, on a stack whose top word is the return address.
    #[must_use]
    pub fn calling(rip: u64, rsp: u64, [first, second]: [u64; 2]) -> Self {
        Self { rip, rsp, rdi: first, rsi: second, rflags: FIRST_FLAGS, ..Self::default() }
    }
}
