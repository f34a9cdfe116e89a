//! Tables written by hand, intact and then damaged.

use super::*;

/// Four sectors: an MBR whose second partition, of type 0x0c, is the last two.
fn mbr_image() -> Vec<u8> {
    let mut image = vec![0; 4 * SECTOR_BYTES];
    image[..3].copy_from_slice(b"go!");
    let entry = MBR_TABLE_AT + MBR_ENTRY_BYTES;
    image[entry + 4] = 0x0c;
    image[entry + 8..entry + 12].copy_from_slice(&2_u32.to_le_bytes());
    image[entry + 12..entry + 16].copy_from_slice(&2_u32.to_le_bytes());
    image[510..512].copy_from_slice(MBR_SIGNATURE);
    image[1024..].fill(0xab);
    image
}

/// Five sectors: a GPT header in sector 1, entries in sector 2, the second of them an ESP in sectors 3 and 4.
fn gpt_image() -> Vec<u8> {
    let mut image = vec![0; 5 * SECTOR_BYTES];
    let header = SECTOR_BYTES;
    image[header..header + 8].copy_from_slice(GPT_SIGNATURE);
    image[header + 72..header + 80].copy_from_slice(&2_u64.to_le_bytes());
    image[header + 80..header + 84].copy_from_slice(&4_u32.to_le_bytes());
    image[header + 84..header + 88].copy_from_slice(&128_u32.to_le_bytes());
    let entry = 2 * SECTOR_BYTES + 128;
    image[entry..entry + 16].copy_from_slice(&ESP_TYPE);
    image[entry + 32..entry + 40].copy_from_slice(&3_u64.to_le_bytes());
    image[entry + 40..entry + 48].copy_from_slice(&4_u64.to_le_bytes());
    image[3 * SECTOR_BYTES..].fill(0xcd);
    image
}

#[test]
fn finds_an_mbr_partition_and_its_place() {
    let image = mbr_image();
    assert_eq!(mbr_partition(&image, 1, 0x0c), Ok(&[0xab; 1024][..]));
    // The place can be read without the content.
    assert_eq!(mbr_extent(&image[..SECTOR_BYTES], 1, 0x0c), Ok(Extent { first: 2, sectors: 2 }));
    assert_eq!(&mbr_sector(&image).unwrap()[..3], b"go!");
}

#[test]
fn finds_the_esp() {
    assert_eq!(gpt_esp(&gpt_image()), Ok(&[0xcd; 1024][..]));
}

#[test]
fn names_the_type_it_found() {
    let wrong = PartitionError::WrongType { index: 1, expected: 0x20, found: 0x0c };
    assert_eq!(mbr_partition(&mbr_image(), 1, 0x20), Err(wrong));
}

#[test]
fn rejects_images_without_a_table() {
    for image in [&[][..], &[0; 511], &[0; 4096]] {
        assert_eq!(mbr_sector(image), Err(PartitionError::NoMbr));
        assert_eq!(mbr_partition(image, 0, 0x20), Err(PartitionError::NoMbr));
        assert_eq!(gpt_esp(image), Err(PartitionError::NoGpt));
    }
    assert_eq!(mbr_partition(&mbr_image(), 4, 0), Err(PartitionError::NoMbr));
}

#[test]
fn rejects_a_gpt_without_an_esp() {
    let mut image = gpt_image();
    image[2 * SECTOR_BYTES..3 * SECTOR_BYTES].fill(0);
    assert_eq!(gpt_esp(&image), Err(PartitionError::NoEsp));
}

#[test]
fn rejects_partitions_outside_the_image() {
    let mbr = &mbr_image()[..1024 + 511];
    assert_eq!(mbr_partition(mbr, 1, 0x0c), Err(PartitionError::OutOfBounds { image_bytes: mbr.len() }));
    let gpt = &gpt_image()[..4 * SECTOR_BYTES];
    assert_eq!(gpt_esp(gpt), Err(PartitionError::OutOfBounds { image_bytes: gpt.len() }));
}

#[test]
fn no_number_in_a_table_makes_it_panic() {
    let (mbr, gpt) = (mbr_image(), gpt_image());
    for offset in 0..gpt.len() {
        for value in [0x00, 0x7f, 0x80, 0xff] {
            let broken = |image: &[u8]| {
                let mut image = image.to_vec();
                let end = image.len().min(offset + 8);
                image.get_mut(offset..end).unwrap_or_default().fill(value);
                image
            };
            let _ = mbr_partition(&broken(&mbr), 1, 0x0c);
            let _ = gpt_esp(&broken(&gpt));
        }
    }
}
