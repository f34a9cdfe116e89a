//! Maps memory at a worker's addresses. Used only in a worker's process, in which nothing else is at those addresses: a
//! mapping over another fails.
#![expect(unsafe_code, reason = "maps memory at fixed addresses and writes there")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use crate::linux::smaps;

/// A page.
pub const PAGE: usize = 4096;

/// A large page.
const LARGE: usize = 2 << 20;

/// A worker's rights to a page, besides reading it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rights {
    /// Nothing.
    Read,
    /// Write it.
    Write,
    /// Execute it.
    Execute,
}

impl Rights {
    const fn protection(self) -> libc::c_int {
        libc::PROT_READ
            | match self {
                Self::Read => 0,
                Self::Write => libc::PROT_WRITE,
                Self::Execute => libc::PROT_EXEC,
            }
    }
}

/// Maps `bytes` of private zeros at `at`, writes each of `pieces` at its offset, and sets the rights. Every page is
/// prefaulted.
///
/// # Errors
/// Linux's, or a piece does not fit.
pub fn private(at: u64, bytes: usize, pieces: &[(usize, &[u8])], rights: Rights) -> io::Result<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    let mapped = map(at, bytes, Rights::Write, flags, -1, 0)?;
    for (offset, piece) in pieces {
        if offset.checked_add(piece.len()).is_none_or(|end| end > bytes) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: inside the mapping, which is new, writable and not the piece's memory.
        unsafe { ptr::copy_nonoverlapping(piece.as_ptr(), mapped.wrapping_add(*offset), piece.len()) };
    }
    protect(mapped, bytes, rights)
}

/// Maps `count` pages of `file` from the page `number` on at `at`, shared with every process that has the file.
///
/// # Errors
/// Linux's.
pub fn shared_pages(
    at: u64,
    file: BorrowedFd<'_>,
    number: usize,
    count: usize,
    rights: Rights,
) -> io::Result<()> {
    map(at, count * PAGE, rights, libc::MAP_SHARED, file.as_raw_fd(), number * PAGE).map(drop)
}

/// Maps `bytes` of private zeros in 2 MiB pages at `at`, which is at such a page, and writes `data` at its start.
///
/// # Errors
/// Linux's; [`io::ErrorKind::Unsupported`] if it gives smaller pages.
pub fn private_large(at: u64, bytes: usize, data: &[u8], rights: Rights) -> io::Result<()> {
    let bytes = bytes.next_multiple_of(LARGE);
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    let mapped = map_with(at, bytes, Rights::Write, flags, -1, 0)?;
    advise(mapped, bytes, libc::MADV_HUGEPAGE)?;
    // Touches every page. Linux 5.14 has this.
    advise(mapped, bytes, libc::MADV_POPULATE_WRITE)?;
    if smaps::huge_bytes_at(at)? < bytes {
        // Whatever the machine's setting of transparent huge pages is. Linux 6.1 has this.
        advise(mapped, bytes, MADV_COLLAPSE).map_err(|_| io::Error::from(io::ErrorKind::Unsupported))?;
        if smaps::huge_bytes_at(at)? < bytes {
            return Err(io::ErrorKind::Unsupported.into());
        }
    }
    assert!(data.len() <= bytes, "callers map as much as they write");
    // SAFETY: inside the mapping, which is new, writable and not the data's memory.
    unsafe { ptr::copy_nonoverlapping(data.as_ptr(), mapped, data.len()) };
    protect(mapped, bytes, rights)
}

/// Maps `bytes` of zeros at `at` that this process and all its children share.
///
/// # Errors
/// Linux's.
pub fn shared_zeros(at: u64, bytes: usize) -> io::Result<Region> {
    let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    map(at, bytes, Rights::Write, flags, -1, 0).map(|mapped| Region { mapped, bytes })
}

/// Maps `bytes` at `at` that are filled with zeros when they are touched, in pages of 4 KiB.
///
/// # Errors
/// Linux's.
pub fn lazy(at: u64, bytes: usize) -> io::Result<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED_NOREPLACE;
    map_with(at, bytes, Rights::Write, flags, -1, 0).map(drop)
}

/// The first `bytes` bytes of the memory that [`private`] has mapped at `at`.
#[must_use]
pub fn content(at: u64, bytes: usize) -> Vec<u8> {
    let mut copy = vec![0; bytes];
    let from = ptr::with_exposed_provenance::<u8>(usize::try_from(at).unwrap_or(0));
    // SAFETY: mapped by this module in this process, longer than what is read by the caller's word, and not written meanwhile.
    unsafe { ptr::copy_nonoverlapping(from, copy.as_mut_ptr(), bytes) };
    copy
}

/// A mapping of this process, until it is dropped.
pub struct Region {
    mapped: *mut u8,
    bytes: usize,
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: a mapping that only children of this process use, which have their own.
        unsafe { libc::munmap(self.mapped.cast(), self.bytes) };
    }
}

/// Lets Linux make no page of this process and its children larger than 4 KiB, or lets it again.
///
/// # Errors
/// Linux's.
pub fn set_small_pages_only(only: bool) -> io::Result<()> {
    let none = 0 as libc::c_ulong;
    // SAFETY: changes how memory is mapped from here on, never what it holds.
    match unsafe { libc::prctl(libc::PR_SET_THP_DISABLE, libc::c_ulong::from(only), none, none, none) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Advice of Linux 6.1 that the `libc` crate may not have: makes large pages of a range now (madvise(2)).
const MADV_COLLAPSE: libc::c_int = 25;

fn advise(at: *mut u8, bytes: usize, advice: libc::c_int) -> io::Result<()> {
    // SAFETY: none of the advice used here changes what the memory holds.
    match unsafe { libc::madvise(at.cast(), bytes, advice) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn protect(at: *mut u8, bytes: usize, rights: Rights) -> io::Result<()> {
    // SAFETY: a mapping of this module; nothing in it is referred to.
    match unsafe { libc::mprotect(at.cast(), bytes, rights.protection()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn map(
    at: u64,
    bytes: usize,
    rights: Rights,
    flags: libc::c_int,
    file: libc::c_int,
    offset: usize,
) -> io::Result<*mut u8> {
    map_with(at, bytes, rights, flags | libc::MAP_FIXED_NOREPLACE | libc::MAP_POPULATE, file, offset)
}

/// Maps with just these flags, among them MAP_FIXED_NOREPLACE.
fn map_with(
    at: u64,
    bytes: usize,
    rights: Rights,
    flags: libc::c_int,
    file: libc::c_int,
    offset: usize,
) -> io::Result<*mut u8> {
    let wanted = ptr::without_provenance_mut::<libc::c_void>(usize::try_from(at).map_err(io::Error::other)?);
    let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
    // SAFETY: MAP_FIXED_NOREPLACE: nothing that is mapped already is touched.
    let mapped = unsafe { libc::mmap(wanted, bytes, rights.protection(), flags, file, offset) };
    if mapped == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // Linux before 4.17 takes the address as a hint.
    if mapped == wanted { Ok(mapped.cast()) } else { Err(io::ErrorKind::Unsupported.into()) }
}
