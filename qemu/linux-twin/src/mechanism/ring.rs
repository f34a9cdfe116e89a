//! The ring of `ring_nop` on Linux: an io_uring (io_uring_setup(2), include/uapi/linux/io_uring.h).
#![expect(
    unsafe_code,
    reason = "system calls that libc has no functions for, and the memory that Linux shares"
)]

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

/// The entries of the ring: as many as one of Assay has.
pub const ENTRIES: u32 = 64;
/// The places for results: twice as many, as Linux makes them if it is not asked for others.
pub const RESULTS: u32 = 2 * ENTRIES;
/// IORING_OP_NOP.
pub const NOP: u32 = 0;
/// The number under which the tasks have the ring: above those of all handles and of what else is open.
pub const DESCRIPTOR: RawFd = 900;
/// The words that the stub has of a ring: the addresses of the entries, of the index of those that were left, of the results, of
/// the index of those that are done, and of those that were seen.
pub const WORDS: usize = 5;

const BYTES_OF_ENTRY: usize = 64;
const BYTES_OF_RESULT: usize = 16;
/// Both rings are one mapping.
const SINGLE_MMAP: u32 = 1;
/// IORING_OFF_SQES.
const OFFSET_OF_ENTRIES: libc::off_t = 0x1000_0000;

/// `struct io_uring_params`.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Params {
    sq_entries: u32,
    cq_entries: u32,
    flags: u32,
    sq_thread_cpu: u32,
    sq_thread_idle: u32,
    features: u32,
    wq_fd: u32,
    reserved: [u32; 3],
    sq: Offsets,
    cq: Offsets,
}

/// `struct io_sqring_offsets` or `struct io_cqring_offsets`: `words` has `flags`, `dropped` and `array` of the first, `overflow`
/// and `cqes` of the second.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Offsets {
    head: u32,
    tail: u32,
    ring_mask: u32,
    ring_entries: u32,
    words: [u32; 4],
    user_address: u64,
}

const _: () = assert!(ENTRIES as u64 == abi::ring::ENTRIES);
const _: () = assert!(size_of::<Params>() == 120 && size_of::<Offsets>() == 40);

fn make(entries: u32) -> io::Result<(OwnedFd, Params)> {
    let mut params = Params::default();
    // SAFETY: Linux writes no more than the structure.
    let number = unsafe { libc::syscall(libc::SYS_io_uring_setup, entries, &raw mut params) };
    let number = RawFd::try_from(number).map_err(io::Error::other)?;
    if number < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that is new.
    Ok((unsafe { OwnedFd::from_raw_fd(number) }, params))
}

/// Whether this Linux has rings, and lets this process have one.
pub fn is_offered() -> bool {
    make(1).is_ok()
}

/// Makes the ring of this process. Returns its addresses for the stub.
///
/// # Errors
/// Linux's, or a ring that is laid out otherwise.
pub fn set_up() -> io::Result<[u64; WORDS]> {
    let (ring, params) = make(ENTRIES)?;
    let as_expected = params.sq_entries == ENTRIES && params.cq_entries == RESULTS;
    if !as_expected || params.features & SINGLE_MMAP == 0 {
        return Err(io::Error::other("an io_uring of another layout"));
    }
    let (array, results) = (params.sq.words[2], params.cq.words[1]);
    let bytes = |offset: u32, each: usize, count: u32| offset as usize + each * count as usize;
    let length = bytes(array, 4, ENTRIES).max(bytes(results, BYTES_OF_RESULT, RESULTS));
    let rings = map(&ring, length, 0)?;
    let entries = map(&ring, BYTES_OF_ENTRY * ENTRIES as usize, OFFSET_OF_ENTRIES)?;
    for entry in 0..ENTRIES {
        let place = (rings + bytes(array, 4, entry)) as *mut u32;
        // SAFETY: within the mapping, whose array has a word for each entry.
        unsafe { place.write_volatile(entry) };
    }
    // SAFETY: the number is above those of all that is open.
    if unsafe { libc::dup3(ring.as_raw_fd(), DESCRIPTOR, libc::O_CLOEXEC) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let at = |offset: u32| (rings + offset as usize) as u64;
    Ok([entries as u64, at(params.sq.tail), at(results), at(params.cq.tail), at(params.cq.head)])
}

/// Maps a part of the ring, with its pages, where Linux puts it: it takes no address for one.
fn map(ring: &OwnedFd, bytes: usize, offset: libc::off_t) -> io::Result<usize> {
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_POPULATE;
    // SAFETY: Linux takes a place that is free.
    let mapped = unsafe { libc::mmap(ptr::null_mut(), bytes, rights, flags, ring.as_raw_fd(), offset) };
    if mapped == libc::MAP_FAILED { Err(io::Error::last_os_error()) } else { Ok(mapped.addr()) }
}
