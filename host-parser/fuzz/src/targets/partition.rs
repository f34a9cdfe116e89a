//! Partition tables. The image tool is a program that takes minutes to build, so its source is included here.

#[path = "../../../../image/src/partition.rs"]
mod source;

use self::source::{gpt_esp, mbr_extent, mbr_partition, mbr_sector};
use crate::input::{Input, place};

const SECTOR: usize = 512;

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (how, kind) = (input.byte(), input.byte());
    let mut image = input.rest().to_vec();
    if how.is_multiple_of(2) && image.len() >= SECTOR {
        image[510..512].copy_from_slice(&[0x55, 0xaa]);
    }
    if let Ok(sector) = mbr_sector(&image) {
        assert_eq!((place(&image, sector), sector.len()), (Some(0), SECTOR));
    }
    for index in 0..5 {
        match mbr_partition(&image, index, kind) {
            Ok(content) => {
                let entry = &image[446 + 16 * index..][..16];
                assert_eq!(entry[4], kind);
                is_there(&image, content, number(entry, 8, 4), number(entry, 12, 4));
                assert!(mbr_extent(&image, index, kind).is_ok(), "content of a partition that is nowhere");
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    match gpt_esp(&image) {
        Ok(content) => {
            let guid =
                [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];
            let names_it = |entry: &[u8]| {
                let at = place(&image, content).map(|at| (at / SECTOR) as u64);
                let end = at.map(|at| at + (content.len() / SECTOR) as u64);
                entry.starts_with(&guid)
                    && entry.len() >= 48
                    && at == Some(number(entry, 32, 8))
                    && end == number(entry, 40, 8).checked_add(1)
            };
            assert!(content.len().is_multiple_of(SECTOR));
            assert!((0..image.len()).any(|at| names_it(&image[at..])), "an entry that names it");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn is_there(image: &[u8], content: &[u8], first: u64, sectors: u64) {
    let at = place(image, content).expect("in the image");
    assert_eq!((at as u64, content.len() as u64), (first * SECTOR as u64, sectors * SECTOR as u64));
}

fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    bytes[at..at + len].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
