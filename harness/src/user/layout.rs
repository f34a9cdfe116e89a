//! The layout of a worker's address space. All of it is mapped before the worker runs; nothing is mapped in between. The
//! addresses are the same under both systems, so that the same code at the same addresses meets the same cache sets.

use abi::syscall::Syscall;

/// The address of the image.
pub const IMAGE: u64 = 0x1000_0000;
/// The end of the room for the image.
pub const IMAGE_LIMIT: u64 = 0x2000_0000;
/// The page of arguments: read-only.
pub const ARGS: u64 = 0x3000_0000;
/// The page of the result slot: besides its data and stack the only one that a worker can write.
pub const RESULT: u64 = 0x3100_0000;
/// The return stub: executable.
pub const STUB: u64 = 0x3200_0000;
/// The end of the stack.
pub const STACK_TOP: u64 = 0x4000_0000;
/// The stack's size.
pub const STACK_PAGES: u64 = 16;

/// The code that a worker returns to: `mov eax, EXIT; xor edi, edi; syscall; ud2`. A worker makes no syscall itself; it
/// ends by returning, here as in a process that called it.
pub const STUB_CODE: [u8; 11] = {
    let [number, rest @ ..] = Syscall::Exit.number().to_le_bytes();
    assert!(matches!(rest, [0, 0, 0, 0, 0, 0, 0]));
    [0xb8, number, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05, 0x0f, 0x0b]
};
