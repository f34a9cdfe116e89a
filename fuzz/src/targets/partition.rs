//! Partition tables. The image tool is a program that takes minutes to build, so its source is included here.

#[path = "../../../image/src/partition.rs"]
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
            Err(error) => {
                assert!(!error.to_string().is_empty());
                assert!(!is_partition(&image, index, kind), "{error}");
            }
        }
    }
    match gpt_esp(&image) {
        Ok(content) => assert_eq!(esp(&image), Some(content)),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            assert_eq!(esp(&image), None, "{error}");
        }
    }
}

/// Whether entry `index` of the MBR is a partition of this type that lies in the image.
fn is_partition(image: &[u8], index: usize, kind: u8) -> bool {
    index < 4 && image.len() >= SECTOR && image[510..512] == [0x55, 0xaa] && {
        let entry = &image[446 + 16 * index..][..16];
        let sectors = number(entry, 8, 4) + number(entry, 12, 4);
        entry[4] == kind && sectors * SECTOR as u64 <= image.len() as u64
    }
}

/// The content of the first partition of the ESP's type (UEFI 2.10, section 5.3). In the header: the entries' first
/// sector at 72, their number at 80, their length at 84. In an entry: the type at 0, the first and last sector at 32
/// and 40.
fn esp(image: &[u8]) -> Option<&[u8]> {
    let header =
        image.get(SECTOR..).filter(|header| header.starts_with(b"EFI PART") && header.len() >= 88)?;
    let [at, count, length] =
        [(72, 8), (80, 4), (84, 4)].map(|(at, len)| u128::from(number(header, at, len)));
    let guid = [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];
    let start = at * SECTOR as u128;
    let mut entries = (0..count.min(if length == 0 { 0 } else { count }))
        .map_while(|i| slice(image, start + i * length, length));
    let entry = entries.find(|entry| entry.starts_with(&guid)).filter(|entry| entry.len() >= 48)?;
    let (first, last) = (u128::from(number(entry, 32, 8)), u128::from(number(entry, 40, 8)));
    let byte = |sector: u128| usize::try_from(sector * SECTOR as u128).ok();
    image.get(byte(first)?..byte(last + 1)?)
}

fn slice(image: &[u8], start: u128, length: u128) -> Option<&[u8]> {
    let start = usize::try_from(start).ok()?;
    image.get(start..start.checked_add(usize::try_from(length).ok()?)?)
}

fn is_there(image: &[u8], content: &[u8], first: u64, sectors: u64) {
    let at = place(image, content).expect("in the image");
    assert_eq!((at as u64, content.len() as u64), (first * SECTOR as u64, sectors * SECTOR as u64));
}

fn number(bytes: &[u8], at: usize, len: usize) -> u64 {
    bytes[at..at + len].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
}
