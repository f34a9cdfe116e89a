//! The functions for blocks of memory that a program without libc has to bring: memcpy, memmove, memset, memcmp, bcmp and
//! strlen. A program that calls none of them has none: the linker leaves them out.

/// Defines the functions under their names with a prefix: none in a program, and one in a test, which has libc's.
/// The source is `mem.s`, by its path from the file that uses this.
macro_rules! memory_functions {
    ($prefix:literal, $source:literal) => {
        core::arch::global_asm!(
            concat!(
                ".macro entry name\n",
                ".section .text.",
                $prefix,
                "\\name, \"ax\", @progbits\n",
                ".p2align 4\n",
                ".globl ",
                $prefix,
                "\\name\n",
                ".type ",
                $prefix,
                "\\name, @function\n",
                $prefix,
                "\\name:\n",
                ".endm\n",
                ".set forward, ",
                $prefix,
                "memcpy\n",
                ".set compare, ",
                $prefix,
                "memcmp",
            ),
            include_str!($source),
            ".purgem entry",
            ".text",
        );
    };
}
#[allow(unused_imports, reason = "programs that allocate use it")]
pub(crate) use memory_functions;
