//! The El Torito boot program as bytes. The compiler assembles it, so no other assembler is needed.

/// Size of the CD sectors in which a BIOS loads an El Torito boot image without emulation.
pub const SECTOR_BYTES: usize = 2048;

core::arch::global_asm!(include_str!("cdboot.s"));

unsafe extern "C" {
    static assay_cdboot: [u8; SECTOR_BYTES];
}

/// The boot program of `cdboot.s`, ready to be written to a CD.
pub fn sector() -> &'static [u8; SECTOR_BYTES] {
    // SAFETY: cdboot.s defines the symbol in read-only data and pads it to exactly SECTOR_BYTES.
    unsafe { &assay_cdboot }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_the_mbr_of_its_own_medium() {
        // The disk address packet for reading the MBR: 16 bytes long, one sector, to 0000:7c00, from LBA 0.
        let packet = [16, 0, 1, 0, 0x00, 0x7c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(sector().windows(packet.len()).any(|window| window == packet));
    }

    #[test]
    fn starts_with_code() {
        // cli, cld. Anything else means that data or another section comes first.
        assert_eq!(sector()[..2], [0xfa, 0xfc]);
    }
}
