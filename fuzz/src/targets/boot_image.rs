//! An image with one boot configuration somewhere in it, or several. The first byte says how much is read at a time,
//! and whether a good configuration is put in; the sector for it follows.

use std::io::Cursor;

use abi::config::FILE_BYTES;
use abi::ramdisk::{self, CONFIG};
use experiment::boot_config::{BootConfig, find};

use crate::input::Input;

const SECTOR: usize = 512;
const MEMBER_BYTES: usize = SECTOR + FILE_BYTES;

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let how = input.byte();
    let at = usize::from(input.byte() % 16) * SECTOR;
    let mut image = input.rest().to_vec();
    if how & 0x80 != 0 {
        image.resize(image.len().max(at + MEMBER_BYTES), 0);
        image[at..at + MEMBER_BYTES].copy_from_slice(&member());
    }
    let chunk_bytes = (1 + usize::from(how % 16)) * SECTOR;
    let found = find(&mut Cursor::new(&image), chunk_bytes).expect("memory can be read");
    let due: Vec<_> = (0..image.len()).step_by(SECTOR).filter_map(|at| config_at(&image, at)).collect();
    assert_eq!(found, due, "the size of the pieces does not matter");
    assert!(how & 0x80 == 0 || found.iter().any(|(place, _)| *place == (at + SECTOR) as u64));
}

/// The configuration whose header is at `at`: its place and its bytes.
fn config_at(image: &[u8], at: usize) -> Option<(u64, Vec<u8>)> {
    let member = image.get(at..at + MEMBER_BYTES)?;
    let first = ramdisk::files(member).next()?.ok()?;
    let is_config = first.name == CONFIG && first.data.len() == FILE_BYTES;
    is_config.then(|| ((at + SECTOR) as u64, first.data.to_vec()))
}

/// A configuration's file, made by a separate writer.
fn member() -> Vec<u8> {
    let mut member = vec![0; SECTOR];
    member[..CONFIG.len()].copy_from_slice(CONFIG.as_bytes());
    member[124..135].copy_from_slice(format!("{FILE_BYTES:011o}").as_bytes());
    member[156] = b'0';
    member[257..262].copy_from_slice(b"ustar");
    member[148..156].fill(b' ');
    let sum: u32 = member.iter().map(|&byte| u32::from(byte)).sum();
    member[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    member.extend(BootConfig::default().file());
    member
}
