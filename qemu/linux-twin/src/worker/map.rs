//! Maps memory at a worker's addresses. Used only in a worker's process, in which nothing else is at those addresses: a
//! mapping over another fails.
#![expect(unsafe_code, reason = "maps memory at fixed addresses and writes there")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// A page.
pub const PAGE: usize = 4096;

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
    // SAFETY: the mapping made above; nothing in it is referred to.
    match unsafe { libc::mprotect(mapped.cast(), bytes, rights.protection()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Maps the page `number` of `file` at `at`, shared with every process that has the file.
///
/// # Errors
/// Linux's.
pub fn shared_page(at: u64, file: BorrowedFd<'_>, number: usize, rights: Rights) -> io::Result<()> {
    map(at, PAGE, rights, libc::MAP_SHARED, file.as_raw_fd(), number * PAGE).map(drop)
}

fn map(
    at: u64,
    bytes: usize,
    rights: Rights,
    flags: libc::c_int,
    file: libc::c_int,
    offset: usize,
) -> io::Result<*mut u8> {
    let wanted = ptr::without_provenance_mut::<libc::c_void>(usize::try_from(at).map_err(io::Error::other)?);
    let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
    let flags = flags | libc::MAP_FIXED_NOREPLACE | libc::MAP_POPULATE;
    // SAFETY: MAP_FIXED_NOREPLACE: nothing that is mapped already is touched.
    let mapped = unsafe { libc::mmap(wanted, bytes, rights.protection(), flags, file, offset) };
    if mapped == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    // Linux before 4.17 takes the address as a hint.
    if mapped == wanted { Ok(mapped.cast()) } else { Err(io::ErrorKind::Unsupported.into()) }
}
