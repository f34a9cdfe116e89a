//! I/O APICs: every line masked (Intel, "82093AA I/O Advanced Programmable Interrupt Controller (IOAPIC)", section 3). This
//! kernel waits for no device, and firmware may have left a line live, whose interrupt would come in a worker.
#![expect(unsafe_code, reason = "reads and writes I/O APIC registers by MMIO")]

use x86_64::VirtAddr;

/// The register select and its window, from the base, in bytes.
const SELECT: u64 = 0x00;
const WINDOW: u64 = 0x10;
/// Version register: the number of the last line is in bits 16 to 23.
const VERSION: u32 = 0x01;
/// The low half of line 0. Each line has two registers.
const LINE_0: u32 = 0x10;
/// A line: masked.
const MASKED: u32 = 1 << 16;
/// A line: how it is delivered, and that firmware's SMI handler gets it.
const DELIVERY_MODE: u32 = 0b111 << 8;
const DELIVERY_SMI: u32 = 0b010 << 8;
/// More lines have no register: the select has 8 bits. A version that claims more is that of something else.
const MAX_LINES: u32 = 120;
/// The value of an address at which no device answers.
const NOTHING: u32 = u32::MAX;

/// Masks every line of the I/O APIC whose registers are mapped at `base`. Lines that end in an SMI stay as they are: they
/// are firmware's, and no interrupt of this kernel's.
pub fn mask_all(base: VirtAddr) {
    // SAFETY: the caller mapped an I/O APIC's page; only the BSP, early, comes here.
    let select = |register: u32| unsafe { (base + SELECT).as_mut_ptr::<u32>().write_volatile(register) };
    let read = |register: u32| {
        select(register);
        // SAFETY: as above.
        unsafe { (base + WINDOW).as_ptr::<u32>().read_volatile() }
    };
    let write = |register: u32, value: u32| {
        select(register);
        // SAFETY: as above; a line that is masked delivers nothing.
        unsafe { (base + WINDOW).as_mut_ptr::<u32>().write_volatile(value) };
    };
    for register in lines(read(VERSION)) {
        if let Some(masked) = masked(read(register)) {
            write(register, masked);
        }
    }
}

/// The registers of the lines, by the version register; none if no I/O APIC answers.
fn lines(version: u32) -> impl Iterator<Item = u32> {
    let count = if version == NOTHING { 0 } else { ((version >> 16 & 0xff) + 1).min(MAX_LINES) };
    (0..count).map(|line| LINE_0 + 2 * line)
}

/// The value that masks a line; `None` if it is to stay.
fn masked(line: u32) -> Option<u32> {
    (line & MASKED == 0 && line & DELIVERY_MODE != DELIVERY_SMI).then_some(line | MASKED)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn lines_are_those_of_the_version_register() {
        let all: Vec<u32> = lines(0x0017_0020).collect();
        assert_eq!((all.len(), all[0], all[23]), (24, 0x10, 0x3e));
        assert_eq!(lines(NOTHING).count(), 0);
        assert!(lines(0x00ff_0020).all(|line| line < 0xff));
    }

    #[test]
    fn masks_what_is_live_and_no_smi() {
        assert_eq!(masked(0x0000_0931), Some(0x0001_0931));
        assert_eq!(masked(0x0001_0000), None);
        assert_eq!(masked(0x0000_0231), None);
    }
}
