//! The layout of a worker's address space. All of it is mapped before the worker runs; nothing is mapped in between. The
//! addresses are the same under both systems, so that the same code at the same addresses meets the same cache sets.

use abi::grant::{MAX_CHUNKS, MAX_MEMORY_MIB, MAX_SHARED_KIB, MAX_STACK_KIB};
use abi::plan::Needs;
use abi::syscall::Syscall;
use abi::worker::{CHUNK_BYTES, Extent, WorkerArgs};

/// The address of the image.
pub const IMAGE: u64 = 0x1000_0000;
/// The end of the room for the image.
pub const IMAGE_LIMIT: u64 = 0x2000_0000;
/// The page of arguments: read-only.
pub const ARGS: u64 = 0x3000_0000;
/// The page of the result slot: besides its data, its stack and what it is granted the only one that a worker can write.
pub const RESULT: u64 = 0x3100_0000;
/// The return stub: executable.
pub const STUB: u64 = 0x3200_0000;
/// The result pages, for the digests of chunks.
pub const CHUNKS: u64 = 0x3300_0000;
/// The end of the stack.
pub const STACK_TOP: u64 = 0x4000_0000;
/// The memory that all workers of a case share.
pub const SHARED: u64 = 0x5000_0000;
/// The corpus: read-only.
pub const CORPUS: u64 = 0x1_0000_0000;
/// The most bytes of a corpus.
pub const MAX_CORPUS_BYTES: u64 = 4 << 30;
/// The memory of the worker alone.
pub const MEMORY: u64 = 0x10_0000_0000;

const PAGE: u64 = 4096;

const _: () = {
    assert!(
        CHUNKS + MAX_CHUNKS as u64 * CHUNK_BYTES as u64 <= STACK_TOP - MAX_STACK_KIB as u64 * 1024 - PAGE
    );
    assert!(abi::stub::STUBS > STUB && abi::stub::STUBS < STUB + PAGE);
    assert!(STACK_TOP < SHARED && SHARED + MAX_SHARED_KIB as u64 * 1024 < CORPUS);
    assert!(CORPUS + MAX_CORPUS_BYTES <= MEMORY);
    assert!(MEMORY + ((MAX_MEMORY_MIB as u64) << 20) < 1 << 46);
};

/// The code that a worker returns to: `mov eax, EXIT; xor edi, edi; syscall; ud2`. A worker makes no syscall itself; it
/// ends by returning, here as in a process that called it.
pub const STUB_CODE: [u8; 11] = {
    let [number, rest @ ..] = Syscall::Exit.number().to_le_bytes();
    assert!(matches!(rest, [0, 0, 0, 0, 0, 0, 0]));
    [0xb8, number, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05, 0x0f, 0x0b]
};

/// What a worker is granted, as ranges of its address space.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Granted {
    /// See [`WorkerArgs::memory`].
    pub memory: Extent,
    /// See [`WorkerArgs::corpus`]: its length in bytes, not in whole pages.
    pub corpus: Extent,
    /// See [`WorkerArgs::shared`].
    pub shared: Extent,
    /// See [`WorkerArgs::chunks`].
    pub chunks: Extent,
}

impl Granted {
    /// What a plan with these needs grants, with a corpus of `corpus_bytes`, which is 0 without one.
    #[must_use]
    pub const fn of(needs: &Needs, corpus_bytes: u64) -> Self {
        Self {
            memory: extent(MEMORY, (needs.memory_mib as u64) << 20),
            corpus: extent(CORPUS, corpus_bytes),
            shared: extent(SHARED, needs.shared_kib as u64 * 1024),
            chunks: extent(CHUNKS, needs.chunks as u64 * CHUNK_BYTES as u64),
        }
    }

    /// `args` with these ranges.
    #[must_use]
    pub const fn given_to(self, args: WorkerArgs) -> WorkerArgs {
        let Self { memory, corpus, shared, chunks } = self;
        WorkerArgs { memory, corpus, shared, chunks, ..args }
    }
}

/// The range of `bytes` bytes at `at`; none of no bytes.
const fn extent(at: u64, bytes: u64) -> Extent {
    if bytes == 0 { Extent { at: 0, bytes: 0 } } else { Extent { at, bytes } }
}

/// The lowest address of a stack.
#[must_use]
pub const fn stack_bottom(needs: &Needs) -> u64 {
    STACK_TOP - needs.stack_kib as u64 * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_what_is_needed_and_nothing_else() {
        let none = Granted::of(&Needs::NONE, 0);
        assert_eq!(none, Granted::default());
        let needs = Needs { memory_mib: 3, shared_kib: 8, chunks: 2, ..Needs::NONE };
        let args = Granted::of(&needs, 100).given_to(WorkerArgs { worker: 7, ..WorkerArgs::default() });
        assert_eq!(args.memory, Extent { at: MEMORY, bytes: 3 << 20 });
        assert_eq!(args.corpus, Extent { at: CORPUS, bytes: 100 });
        assert_eq!(args.shared, Extent { at: SHARED, bytes: 8192 });
        assert_eq!((args.chunks, args.worker), (Extent { at: CHUNKS, bytes: 64 }, 7));
        assert_eq!(stack_bottom(&Needs::NONE), STACK_TOP - (64 << 10));
    }
}
