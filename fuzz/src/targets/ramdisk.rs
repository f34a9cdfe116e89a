//! A ramdisk. The first byte says whether the headers' checksums are corrected, since no fuzzer guesses them.

use abi::ramdisk::{File, files, find};

use crate::input::place;

const BLOCK: usize = 512;

pub(crate) fn check(data: &[u8]) {
    let Some((&how, archive)) = data.split_first() else { return };
    let mut archive = archive.to_vec();
    if how.is_multiple_of(2) {
        fix_checksums(&mut archive);
    }
    let read: Vec<_> = files(&archive).collect();
    let good: Vec<_> = read.iter().filter_map(|file| file.ok()).collect();
    assert!(read.iter().rev().skip(1).all(Result::is_ok), "nothing comes after an error");
    let mut end = 0;
    for file in &good {
        let name = place(&archive, file.name.as_bytes()).expect("a name in its header");
        assert!(name == end && !file.name.is_empty() && file.name.len() <= 100);
        // Even an empty file's data is a slice of the archive.
        let at = place(&archive, file.data).expect("data in the archive");
        assert_eq!(at, name + BLOCK, "data after its header");
        end = (at + file.data.len()).next_multiple_of(BLOCK);
    }
    let written: Vec<u8> = good.iter().flat_map(entry).collect();
    assert!(files(&written).eq(good.iter().copied().map(Ok)), "written back");
    finds_the_first(&archive, &read);
}

fn finds_the_first(archive: &[u8], read: &[Result<File<'_>, abi::ramdisk::RamdiskError>]) {
    for file in read.iter().flatten() {
        let half = file.name.char_indices().nth(file.name.chars().count() / 2).map_or(0, |(at, _)| at);
        let (dir, base) = file.name.split_at(half);
        assert_eq!(find(archive, dir, base), first(read, file.name));
    }
    assert_eq!(find(archive, "", "plan"), first(read, "plan"));
}

/// The data of the first file of this name; `Ok(None)` or the archive's error if there is none.
fn first<'a>(
    read: &[Result<File<'a>, abi::ramdisk::RamdiskError>],
    name: &str,
) -> Result<Option<&'a [u8]>, abi::ramdisk::RamdiskError> {
    match read.iter().position(|file| file.is_ok_and(|file| file.name == name)) {
        Some(at) => read[at].map(|file| Some(file.data)),
        None => read.last().and_then(|file| file.err()).map_or(Ok(None), Err),
    }
}

/// Corrects every checksum, as far as the headers can be followed.
fn fix_checksums(archive: &mut [u8]) {
    let mut at = 0;
    while let Some(header) = archive.get_mut(at..at + BLOCK) {
        // The end of the archive has no checksum.
        if header.iter().all(|&byte| byte == 0) {
            return;
        }
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let size = std::str::from_utf8(&header[124..135]).ok();
        let size = size.and_then(|size| usize::from_str_radix(size, 8).ok()).unwrap_or(0);
        at += BLOCK + size.next_multiple_of(BLOCK);
    }
}

/// One file as an archive has it.
fn entry(file: &File<'_>) -> Vec<u8> {
    let mut entry = vec![0; BLOCK];
    entry[..file.name.len()].copy_from_slice(file.name.as_bytes());
    entry[124..135].copy_from_slice(format!("{:011o}", file.data.len()).as_bytes());
    entry[156] = b'0';
    entry[257..262].copy_from_slice(b"ustar");
    entry.extend(file.data);
    entry.resize(entry.len().next_multiple_of(BLOCK), 0);
    fix_checksums(&mut entry);
    entry
}
