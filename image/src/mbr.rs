//! The boot code of a medium's first sector, for a BIOS. The compiler assembles it, so no other assembler is needed.

use crate::partition::SECTOR_BYTES;

/// The part of the first sector that is code: a disk signature and the partition table follow.
pub const CODE_BYTES: usize = 440;

core::arch::global_asm!(include_str!("mbr.s"));

unsafe extern "C" {
    static assay_mbr: [u8; CODE_BYTES];
}

/// The code of `mbr.s`, which starts the loader's second stage in partition 1 of the sector's table.
pub fn code() -> &'static [u8; CODE_BYTES] {
    // SAFETY: mbr.s defines the symbol in read-only data and pads it to exactly CODE_BYTES.
    unsafe { &assay_mbr }
}

/// Puts the code in front of a sector's partition table.
pub fn install(sector: &mut [u8; SECTOR_BYTES]) {
    sector[..CODE_BYTES].copy_from_slice(code());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_with_code() {
        // cli, cld. Anything else means that data or another section comes first.
        assert_eq!(code()[..2], [0xfa, 0xfc]);
    }

    #[test]
    fn reads_to_where_the_second_stage_is_linked() {
        // The disk address packet: 16 bytes long, to 07e0:0000.
        let packet = [16, 0, 0, 0, 0, 0, 0xe0, 0x07];
        assert!(code().windows(packet.len()).any(|window| window == packet));
        // A far jump to 0000:7e00, and one into the copy at 0x1000.
        assert!(code().windows(5).any(|window| window == [0xea, 0x00, 0x7e, 0, 0]));
        assert!(code().windows(5).any(|window| window[0] == 0xea && window[2..] == [0x10, 0, 0]));
    }

    #[test]
    fn the_entries_of_the_hooks_are_as_far_apart_as_the_code_assumes() {
        // push imm16, three times: the places of the BIOS's handlers, behind the copy of the sector at 0x1000.
        let push = |at: usize| code()[at] == 0x68 && code()[at + 2] == 0x12;
        let hooks = (0..CODE_BYTES - 13).find(|&at| push(at) && push(at + 5) && push(at + 10)).unwrap();
        assert_eq!([1, 6, 11].map(|at| code()[hooks + at]), [0x00, 0x04, 0x08]);
    }

    #[test]
    fn keeps_the_partition_table_and_the_signature() {
        let mut sector = [0x5a; SECTOR_BYTES];
        install(&mut sector);
        assert_eq!(sector[..CODE_BYTES], code()[..]);
        assert!(sector[CODE_BYTES..].iter().all(|&byte| byte == 0x5a));
    }
}
