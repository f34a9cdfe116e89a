//! The initramfs: a cpio archive (Linux, Documentation/driver-api/early-userspace/buffer-format.rst) of the twin, the
//! ramdisk, and the twin's mount points. It is not compressed: unpacking would be part of Linux's boot time.

use std::io::{self, Write as _};

use cpio::newc::{self, Builder};

use super::LinuxError;

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const FILE: u32 = 0o100_444;

/// Where the twin expects the ramdisk.
const RAMDISK: &str = "ramdisk.tar";

/// The archive. The same input gives the same bytes: owner, group and time of every file are 0.
///
/// # Errors
/// [`LinuxError::Twin`] if `twin` cannot run as the first process, [`LinuxError::TooLarge`] past 4 GiB.
pub fn initramfs(twin: &[u8], ramdisk: &[u8]) -> Result<Vec<u8>, LinuxError> {
    check_static(twin).map_err(|what| LinuxError::Twin { what })?;
    let entries: [(&'static str, u32, &[u8]); 5] = [
        ("dev", FOLDER, &[]),
        ("proc", FOLDER, &[]),
        ("sys", FOLDER, &[]),
        ("init", PROGRAM, twin),
        (RAMDISK, FILE, ramdisk),
    ];
    let mut archive = Vec::new();
    for (inode, (name, mode, data)) in (1..).zip(entries) {
        let too_large = || LinuxError::TooLarge { name, bytes: data.len() };
        let bytes = u32::try_from(data.len()).map_err(|_| too_large())?;
        let links = if mode == FOLDER { 2 } else { 1 };
        let entry = Builder::new(name).ino(inode).mode(mode).nlink(links);
        append(entry, bytes, data, &mut archive).map_err(|_| too_large())?;
    }
    newc::trailer(archive).map_err(|_| LinuxError::TooLarge { name: "the archive's end", bytes: 0 })
}

fn append(entry: Builder, bytes: u32, data: &[u8], archive: &mut Vec<u8>) -> io::Result<()> {
    let mut writer = entry.write(archive, bytes);
    writer.write_all(data)?;
    writer.finish().map(drop)
}

/// Checks that a program is a static ELF for x86-64: it has no interpreter (System V gABI, "Program Header").
fn check_static(program: &[u8]) -> Result<(), &'static str> {
    const PT_INTERP: u32 = 3;
    const EM_X86_64: [u8; 2] = [62, 0];
    const PROGRAM_HEADER_BYTES: usize = 56;
    let at = |at: usize, bytes: usize| program.get(at..at.checked_add(bytes)?);
    let number = |at: usize| program.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    if !program.starts_with(b"\x7fELF\x02\x01\x01") || at(18, 2) != Some(&EM_X86_64) {
        return Err("not an ELF file for x86-64");
    }
    let headers = number(32).and_then(|at| usize::try_from(at).ok()).ok_or("cut short")?;
    let count = at(56, 2).map(|bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8);
    for header in 0..count.ok_or("cut short")? {
        let kind = headers.checked_add(header * PROGRAM_HEADER_BYTES).and_then(|header| at(header, 4));
        if kind.ok_or("cut short")? == PT_INTERP.to_le_bytes() {
            return Err("linked dynamically");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    /// An ELF header and one program header of this kind.
    fn program(kind: u8) -> Vec<u8> {
        let mut file = vec![0; 64 + 56];
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        (file[18], file[32], file[56], file[64]) = (62, 64, 1, kind);
        file
    }

    #[test]
    fn holds_the_twin_and_the_ramdisk_as_they_are() {
        let (twin, ramdisk) = (program(1), b"plan and workers".to_vec());
        let archive = initramfs(&twin, &ramdisk).unwrap();
        let mut rest = archive.as_slice();
        let mut found = Vec::new();
        loop {
            let mut reader = newc::Reader::new(rest).unwrap();
            let (name, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
            if reader.entry().is_trailer() {
                break;
            }
            let mut data = Vec::new();
            reader.read_to_end(&mut data).unwrap();
            rest = reader.finish().unwrap();
            found.push((name, mode, data));
        }
        let names: Vec<_> = found.iter().map(|(name, mode, _)| (name.as_str(), *mode)).collect();
        let folders = [("dev", FOLDER), ("proc", FOLDER), ("sys", FOLDER)];
        assert_eq!(names, [&folders[..], &[("init", PROGRAM), ("ramdisk.tar", FILE)]].concat());
        assert_eq!((&found[3].2, &found[4].2), (&twin, &ramdisk));
    }

    #[test]
    fn gives_the_same_bytes_again() {
        assert_eq!(initramfs(&program(1), b"r").unwrap(), initramfs(&program(1), b"r").unwrap());
    }

    #[test]
    fn refuses_a_twin_that_could_not_start() {
        for (twin, said) in [
            (b"#!/bin/sh".to_vec(), "not an ELF file"),
            (program(3), "linked dynamically"),
            (program(1)[..66].to_vec(), "cut short"),
        ] {
            let message = initramfs(&twin, b"").unwrap_err().to_string();
            assert!(message.contains(said) && message.contains("make twin"), "{message}");
        }
    }
}
