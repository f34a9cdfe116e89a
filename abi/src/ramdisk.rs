//! The ramdisk: a tar archive (POSIX.1-2017, pax, "ustar Interchange Format") of plain files, read in place.
//!
//! It holds the boot configuration as [`CONFIG`], the plan as [`PLAN`], the ELF of each worker below [`WORKERS`], by the
//! name of the workload, and the corpus, if the plan has one, below [`CORPORA`]. Padding after the end of the archive is ignored: a loader may round the length up.

/// The file of the boot configuration ([`crate::config`]). It is the first, where it is easily found.
pub const CONFIG: &str = "assay.cfg";

/// The file of the plan.
pub const PLAN: &str = "plan";

/// The folder of the workers' ELF files, with its slash.
pub const WORKERS: &str = "workers/";

/// The folder of the corpus, with its slash. The file has the name that the plan gives the corpus.
pub const CORPORA: &str = "corpora/";

const BLOCK: usize = 512;

/// An error in a ramdisk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RamdiskError {
    /// It ends inside a header or inside the data of a file.
    Truncated,
    /// A header's checksum does not match.
    Checksum,
    /// A header is not ustar, is not that of a plain file, or has a number that is not octal.
    Header,
}

impl RamdiskError {
    /// A short text for records.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Truncated => "ramdisk ends inside an entry",
            Self::Checksum => "ramdisk header checksum is wrong",
            Self::Header => "ramdisk header is not that of a plain ustar file",
        }
    }
}

/// The files of a ramdisk, in order. Ends after an error.
pub struct Files<'a> {
    rest: &'a [u8],
}

/// One file of a ramdisk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct File<'a> {
    /// Its path.
    pub name: &'a str,
    /// Its content.
    pub data: &'a [u8],
}

/// The files in `archive`.
#[must_use]
pub const fn files(archive: &[u8]) -> Files<'_> {
    Files { rest: archive }
}

/// The content of the file `name` (`dir` and `base` joined without a copy); `None` if there is no such file.
///
/// # Errors
/// Damage before that file.
pub fn find<'a>(archive: &'a [u8], dir: &str, base: &str) -> Result<Option<&'a [u8]>, RamdiskError> {
    for file in files(archive) {
        let file = file?;
        if file.name.strip_prefix(dir) == Some(base) {
            return Ok(Some(file.data));
        }
    }
    Ok(None)
}

impl<'a> Iterator for Files<'a> {
    type Item = Result<File<'a>, RamdiskError>;

    fn next(&mut self) -> Option<Self::Item> {
        // An archive ends in zero blocks. A loader may cut them off.
        if self.rest.is_empty() || self.rest.iter().take(BLOCK).all(|&byte| byte == 0) {
            return None;
        }
        let entry = split_entry(self.rest);
        self.rest = entry.map_or(&[], |(_, rest)| rest);
        Some(entry.map(|(file, _)| file))
    }
}

/// The first file of `archive`, and the rest after it.
fn split_entry(archive: &[u8]) -> Result<(File<'_>, &[u8]), RamdiskError> {
    let (header, rest) = archive.split_at_checked(BLOCK).ok_or(RamdiskError::Truncated)?;
    // The checksum field counts as eight spaces.
    let sum: u64 = header.iter().map(|&b| u64::from(b)).sum::<u64>()
        - header[148..156].iter().map(|&b| u64::from(b)).sum::<u64>()
        + 8 * u64::from(b' ');
    if octal(&header[148..156]) != Some(sum) {
        return Err(RamdiskError::Checksum);
    }
    let is_plain_file = matches!(header[156], b'0' | 0) && &header[257..262] == b"ustar" && header[345] == 0;
    let name = field(&header[..100]).filter(|name| !name.is_empty() && is_plain_file);
    let name = name.ok_or(RamdiskError::Header)?;
    let size = octal(&header[124..136]).and_then(|size| usize::try_from(size).ok());
    let size = size.ok_or(RamdiskError::Header)?;
    let data = rest.get(..size).ok_or(RamdiskError::Truncated)?;
    let rest = rest.get(size.next_multiple_of(BLOCK)..).unwrap_or_default();
    Ok((File { name, data }, rest))
}

/// A text field, which ends at its first zero byte.
fn field(bytes: &[u8]) -> Option<&str> {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    core::str::from_utf8(&bytes[..end]).ok()
}

/// A number field: octal digits between spaces, up to the first zero byte.
fn octal(bytes: &[u8]) -> Option<u64> {
    let digits = field(bytes)?.trim_matches(' ');
    u64::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with('+'))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::{format, vec::Vec};

    use super::*;

    fn entry(name: &str, data: &[u8]) -> Vec<u8> {
        let mut header = [0u8; BLOCK];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
        header[148..156].fill(b' ');
        header[156] = b'0';
        header[257..263].copy_from_slice(b"ustar\0");
        let sum: u32 = header.iter().map(|&b| u32::from(b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        let mut bytes = header.to_vec();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }

    fn two_files() -> Vec<u8> {
        let mut archive = entry("plan", b"hello");
        archive.extend(entry("workers/primes", &[7; 513]));
        archive.extend([0; 2 * BLOCK]);
        archive
    }

    #[test]
    fn finds_files_by_folder_and_name() {
        let archive = two_files();
        assert_eq!(find(&archive, "", PLAN), Ok(Some(&b"hello"[..])));
        assert_eq!(find(&archive, WORKERS, "primes"), Ok(Some(&[7; 513][..])));
        assert_eq!(find(&archive, WORKERS, "plan"), Ok(None));
        assert_eq!(find(&[], "", PLAN), Ok(None));
    }

    #[test]
    fn passes_over_padding_and_a_missing_end() {
        let mut archive = two_files();
        archive.extend([0; 4096]);
        assert_eq!(files(&archive).count(), 2);
        archive.truncate(2 * BLOCK);
        assert_eq!(files(&archive).count(), 1);
    }

    #[test]
    fn rejects_a_cut_header_and_cut_data() {
        let archive = two_files();
        assert_eq!(files(&archive[..100]).last(), Some(Err(RamdiskError::Truncated)));
        assert_eq!(files(&archive[..2 * BLOCK + BLOCK + 9]).last(), Some(Err(RamdiskError::Truncated)));
    }

    #[test]
    fn rejects_any_changed_header_byte_or_keeps_the_same_file() {
        let good = entry("plan", b"hello");
        for at in 0..BLOCK {
            let mut bad = good.clone();
            bad[at] ^= 0x01;
            let got = files(&bad).next();
            // Only the checksum field's own trailing bytes are free.
            let same = got == Some(Ok(File { name: "plan", data: b"hello" }));
            assert!(same && (154..156).contains(&at) || matches!(got, Some(Err(_))), "byte {at}: {got:?}");
        }
    }
}
