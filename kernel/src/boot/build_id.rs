//! The kernel's own build ID: the linker's hash over the ELF, from the ELF headers in the loaded image.
#![cfg_attr(
    target_os = "none",
    expect(unsafe_code, reason = "reads the ELF headers that come before the image")
)]

/// The first 8 bytes of this kernel's build ID, as a number that prints like it; 0 if it has none.
#[cfg(target_os = "none")]
#[must_use]
pub fn own() -> u64 {
    /// The part of the image that holds the headers and notes: the linker puts them first.
    const HEAD_BYTES: usize = 4096;
    unsafe extern "C" {
        /// The ELF header. The linker put it into the first loaded segment.
        static __ehdr_start: [u8; HEAD_BYTES];
    }
    // SAFETY: the image is longer than its first page, and read-only there.
    harness::build_id::from_elf(unsafe { &__ehdr_start })
}
