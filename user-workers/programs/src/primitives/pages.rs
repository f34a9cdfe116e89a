//! Pages at fixed addresses, which the system maps, or maps when they are touched.

/// The bytes of a page.
pub const BYTES: u64 = 4096;
/// The words of a page.
pub const WORDS: u64 = BYTES / 8;

/// Stores a word of the page at `page`.
#[inline(always)]
pub fn store(page: u64, word: u64, value: u64) {
    // SAFETY: a word of a page that is this task's alone: the row maps it, or the system does when it is touched. If it does
    // not, the task takes a fault, and the row has no figure.
    unsafe { ((page + 8 * word) as *mut u64).write_volatile(value) }
}

/// Loads a word of the page at `page`.
#[inline(always)]
pub fn load(page: u64, word: u64) -> u64 {
    // SAFETY: as for `store`.
    unsafe { ((page + 8 * word) as *const u64).read_volatile() }
}
