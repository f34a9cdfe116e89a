//! Where things are in a worker's address space. Everything is mapped before it runs; between the pieces nothing is.

use abi::syscall::Syscall;

/// Where the image is loaded.
pub const IMAGE: u64 = 0x1000_0000;
/// How far it may reach.
pub const IMAGE_LIMIT: u64 = 0x2000_0000;
/// Its arguments: read-only.
pub const ARGS: u64 = 0x3000_0000;
/// Its result slot: the one page besides its own data and stack that it can write.
pub const RESULT: u64 = 0x3100_0000;
/// The return stub: executable.
pub const STUB: u64 = 0x3200_0000;
/// The address past its stack.
pub const STACK_TOP: u64 = 0x4000_0000;
/// Its stack's size.
pub const STACK_PAGES: u64 = 16;

/// What a worker returns to: `mov eax, EXIT; xor edi, edi; syscall; ud2`. A worker may not call the kernel itself;
/// returning is how it ends, here as in a process that called it.
pub const STUB_CODE: [u8; 11] = {
    let [number, rest @ ..] = Syscall::Exit.number().to_le_bytes();
    assert!(matches!(rest, [0, 0, 0, 0, 0, 0, 0]));
    [0xb8, number, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05, 0x0f, 0x0b]
};
