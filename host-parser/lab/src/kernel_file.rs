//! The kernel as a file: whether it can be one of ours, and its build ID.

use abi::wire::Hex64;
use anyhow::{Context, ensure};
use object::elf::FileHeader64;
use object::read::elf::{FileHeader as _, ProgramHeader as _};
use object::{Architecture, Endianness, Object};

/// Checks that an ELF file can be a kernel of ours, which every VMM can enter without firmware, and returns its build ID.
///
/// # Errors
/// What it is instead.
pub fn kernel_build(elf: &[u8]) -> anyhow::Result<u64> {
    let file = object::File::parse(elf).context("not an ELF file")?;
    let (machine, wide) = (file.architecture(), file.is_64());
    ensure!(
        machine == Architecture::X86_64 && wide,
        "an ELF file of another machine ({machine:?}), expected x86-64"
    );
    ensure!(has_pvh_entry(elf)?, "not a kernel: it has no PVH entry; `make build` builds one that has");
    build_id(elf)
}

/// Whether an ELF file of 64 bits has the note that names the entry for direct boot (Xen, "x86/HVM direct boot ABI").
fn has_pvh_entry(elf: &[u8]) -> anyhow::Result<bool> {
    /// `XEN_ELFNOTE_PHYS32_ENTRY` (Xen, xen/include/public/elfnote.h).
    const PHYS32_ENTRY: u32 = 18;
    let header = FileHeader64::<Endianness>::parse(elf)?;
    let endian = header.endian()?;
    for segment in header.program_headers(endian, elf)? {
        let Some(mut notes) = segment.notes(endian, elf)? else { continue };
        while let Some(note) = notes.next()? {
            if note.name() == b"Xen" && note.n_type(endian) == PHYS32_ENTRY {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// The first 8 bytes of an ELF file's build ID, as the kernel prints them.
///
/// # Errors
/// The bytes are no ELF file, or the file has no build ID.
pub fn build_id(elf: &[u8]) -> anyhow::Result<u64> {
    let file = object::File::parse(elf).context("not an ELF file")?;
    let id = file.build_id()?.and_then(|id| id.first_chunk()).context("the file has no build ID")?;
    Ok(Hex64(u64::from_be_bytes(*id)).0)
}
