//! Memory in pages of a kind, for the rest of this process.
#![expect(unsafe_code, reason = "maps memory and hands it out as atomics")]

use std::fs;
use std::io;
use std::ptr;
use std::sync::atomic::AtomicU64;

use harness::platform::{Pages, Words};

/// A large page.
const LARGE: usize = 2 << 20;
/// The memory rows take at most this part of what is free, each of two times.
const PART: u64 = 8;

/// The largest power of two up to `bytes` that leaves the system room.
#[must_use]
pub fn fits(bytes: u64) -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    let most = kib.map_or(bytes, |kib| kib * 1024 / PART).max(4096);
    bytes.next_power_of_two().min(1 << most.ilog2())
}

/// Maps `bytes`, filled with zeros.
///
/// # Errors
/// Linux has not enough memory, or gives this process no large pages.
pub fn map(bytes: u64, pages: Pages) -> io::Result<Words> {
    let bytes = usize::try_from(bytes).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let enabled = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").unwrap_or_default();
    if pages == Pages::Large && (enabled.is_empty() || enabled.contains("[never]")) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let (rights, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let length = bytes.next_multiple_of(LARGE) + LARGE;
    // SAFETY: a new mapping at an address that Linux chooses.
    let at = unsafe { libc::mmap(ptr::null_mut(), length, rights, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let aligned = at.wrapping_byte_add(at.cast::<u8>().align_offset(LARGE));
    let advice = if pages == Pages::Large { libc::MADV_HUGEPAGE } else { libc::MADV_NOHUGEPAGE };
    // SAFETY: a range inside the mapping; the advice changes its pages, not its content.
    if unsafe { libc::madvise(aligned, length - LARGE, advice) } != 0 && pages == Pages::Large {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: inside the mapping, which stays for the rest of the process, zeroed by Linux and aligned; nothing else refers to
    // it, and an `AtomicU64` is like a `u64`.
    let words: Words = unsafe { std::slice::from_raw_parts(aligned.cast::<AtomicU64>(), bytes / 8) };
    words.iter().for_each(|word| word.store(0, std::sync::atomic::Ordering::Relaxed));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_what_is_asked_for_in_zeros() {
        let words = map(1 << 16, Pages::Small).unwrap();
        assert_eq!(words.len(), 1 << 13);
        assert!(words.iter().all(|word| word.load(std::sync::atomic::Ordering::Relaxed) == 0));
        assert!(fits(1 << 12) >= 4096 && fits(1 << 60).is_power_of_two());
    }
}
