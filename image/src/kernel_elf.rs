//! What the loader asks of a kernel, asked before the image is built: the loader itself can only panic, on a screen
//! that nobody may be looking at.
//!
//! Reference: System V ABI, ELF-64 object file format.

use thiserror::Error;

/// The section in which `bootloader_api::entry_point!` leaves the mappings that the kernel asks for.
const CONFIG_SECTION: &[u8] = b".bootloader-config";

const ELF64_LITTLE_ENDIAN: &[u8] = b"\x7fELF\x02\x01";
const MACHINE_X86_64: u16 = 62;
/// `sh_offset`, `sh_size` follow `sh_name`, `sh_type`, `sh_flags` and `sh_addr`.
const SECTION_OFFSET_AT: usize = 24;
const SECTION_SIZE_AT: usize = 32;

/// Why a file is no kernel of ours.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KernelError {
    #[error("expected a 64-bit little-endian ELF file")]
    NotElf64,
    #[error("expected machine type 62 (x86_64), found {0}")]
    WrongMachine(u16),
    #[error("its section headers lie outside the file: truncated, or stripped too far")]
    BadSectionHeaders,
    #[error("it has no .bootloader-config section: not built with bootloader_api, or stripped too far")]
    NoConfigSection,
}

/// Checks that `elf` is an x86_64 ELF file with the loader's configuration section.
pub fn check(elf: &[u8]) -> Result<(), KernelError> {
    if !elf.starts_with(ELF64_LITTLE_ENDIAN) {
        return Err(KernelError::NotElf64);
    }
    let machine = u16_at(elf, 18).ok_or(KernelError::NotElf64)?;
    if machine != MACHINE_X86_64 {
        return Err(KernelError::WrongMachine(machine));
    }
    if section_names(elf).ok_or(KernelError::BadSectionHeaders)?.contains(&CONFIG_SECTION) {
        Ok(())
    } else {
        Err(KernelError::NoConfigSection)
    }
}

/// The name of each section, or `None` where a header or a name lies outside the file.
fn section_names(elf: &[u8]) -> Option<Vec<&[u8]>> {
    let table = usize_at(elf, 40)?;
    let entry_size = usize::from(u16_at(elf, 58)?);
    let count = usize::from(u16_at(elf, 60)?);
    let names_index = usize::from(u16_at(elf, 62)?);
    let header = |index: usize| elf.get(table.checked_add(index.checked_mul(entry_size)?)?..);

    let names = header(names_index)?;
    let start = usize_at(names, SECTION_OFFSET_AT)?;
    let names = elf.get(start..start.checked_add(usize_at(names, SECTION_SIZE_AT)?)?)?;
    (0..count)
        .map(|index| {
            let name = names.get(usize::try_from(u32_at(header(index)?, 0)?).ok()?..)?;
            name.split(|&byte| byte == 0).next()
        })
        .collect()
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}

fn usize_at(bytes: &[u8], offset: usize) -> Option<usize> {
    usize::try_from(u64::from_le_bytes(*bytes.get(offset..)?.first_chunk()?)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Header, then two section headers (the first is of the name table), then the names.
    fn elf(machine: u16, second_section: &str) -> Vec<u8> {
        let mut names = b"\0.shstrtab\0".to_vec();
        let second_name = u32::try_from(names.len()).unwrap();
        names.extend_from_slice(second_section.as_bytes());
        names.push(0);

        let mut elf = vec![0; 64 + 2 * 64];
        elf[..6].copy_from_slice(ELF64_LITTLE_ENDIAN);
        elf[18..20].copy_from_slice(&machine.to_le_bytes());
        elf[40..48].copy_from_slice(&64_u64.to_le_bytes());
        elf[58..60].copy_from_slice(&64_u16.to_le_bytes());
        elf[60..62].copy_from_slice(&2_u16.to_le_bytes());
        elf[64..68].copy_from_slice(&1_u32.to_le_bytes());
        elf[88..96].copy_from_slice(&192_u64.to_le_bytes());
        elf[96..104].copy_from_slice(&(names.len() as u64).to_le_bytes());
        elf[128..132].copy_from_slice(&second_name.to_le_bytes());
        elf.extend(names);
        elf
    }

    #[test]
    fn accepts_a_kernel_with_the_loaders_section() {
        assert_eq!(check(&elf(62, ".bootloader-config")), Ok(()));
    }

    #[test]
    fn names_what_is_wrong() {
        assert_eq!(check(b""), Err(KernelError::NotElf64));
        assert_eq!(check(b"\x7fELF\x01\x01 thirty-two bits"), Err(KernelError::NotElf64));
        assert_eq!(check(&elf(183, ".bootloader-config")), Err(KernelError::WrongMachine(183)));
        assert_eq!(check(&elf(62, ".bootloader-config-v1")), Err(KernelError::NoConfigSection));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let whole = elf(62, ".bootloader-config");
        for length in 0..whole.len() {
            assert!(check(&whole[..length]).is_err(), "accepted {length} of {} bytes", whole.len());
        }
    }

    #[test]
    fn no_single_byte_makes_it_panic() {
        let whole = elf(62, ".bootloader-config");
        for offset in 0..whole.len() {
            for value in [0x00, 0x7f, 0x80, 0xff] {
                let mut broken = whole.clone();
                broken[offset] = value;
                let _ = check(&broken);
            }
        }
    }
}
