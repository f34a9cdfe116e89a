//! Checks before the image is built that the loader can start a kernel. The loader itself can only panic, on a screen
//! that may be unattended.

use object::LittleEndian;
use object::elf::{EM_X86_64, FileHeader64};
use object::read::elf::FileHeader;
use thiserror::Error;

/// The section in which `bootloader_api::entry_point!` stores the mappings that the kernel requests.
const CONFIG_SECTION: &[u8] = b".bootloader-config";

/// Why the loader cannot start a file.
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
    let header = FileHeader64::<LittleEndian>::parse(elf).map_err(|_| KernelError::NotElf64)?;
    header.endian().map_err(|_| KernelError::NotElf64)?;
    let machine = header.e_machine(LittleEndian);
    if machine != EM_X86_64 {
        return Err(KernelError::WrongMachine(machine));
    }
    let sections = header.sections(LittleEndian, elf).map_err(|_| KernelError::BadSectionHeaders)?;
    let names: Result<Vec<_>, _> =
        sections.iter().map(|section| sections.section_name(LittleEndian, section)).collect();
    match names.map_err(|_| KernelError::BadSectionHeaders)?.contains(&CONFIG_SECTION) {
        true => Ok(()),
        false => Err(KernelError::NoConfigSection),
    }
}

#[cfg(test)]
mod tests {
    use object::elf::SHT_STRTAB;

    use super::*;

    /// Header, then two section headers (the second is of the name table), then the names.
    fn elf(machine: u16, section: &str) -> Vec<u8> {
        let mut names = b"\0.shstrtab\0".to_vec();
        let name_offset = u32::try_from(names.len()).unwrap();
        names.extend_from_slice(section.as_bytes());
        names.push(0);

        let mut elf = vec![0; 64 + 2 * 64];
        elf[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        elf[18..20].copy_from_slice(&machine.to_le_bytes());
        elf[40..48].copy_from_slice(&64_u64.to_le_bytes());
        elf[58..60].copy_from_slice(&64_u16.to_le_bytes());
        elf[60..62].copy_from_slice(&2_u16.to_le_bytes());
        elf[62..64].copy_from_slice(&1_u16.to_le_bytes());
        elf[64..68].copy_from_slice(&name_offset.to_le_bytes());
        elf[128..132].copy_from_slice(&1_u32.to_le_bytes());
        elf[132..136].copy_from_slice(&SHT_STRTAB.to_le_bytes());
        elf[152..160].copy_from_slice(&192_u64.to_le_bytes());
        elf[160..168].copy_from_slice(&(names.len() as u64).to_le_bytes());
        elf.extend(names);
        elf
    }

    #[test]
    fn accepts_a_kernel_with_the_loaders_section() {
        assert_eq!(check(&elf(62, ".bootloader-config")), Ok(()));
    }

    #[test]
    fn names_the_defect() {
        assert_eq!(check(b""), Err(KernelError::NotElf64));
        let mut narrow = elf(62, ".bootloader-config");
        narrow[4] = 1;
        assert_eq!(check(&narrow), Err(KernelError::NotElf64));
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
