//! The configuration's file in an image or on a device: found by its tar header, wherever loader and file systems put it,
//! and overwritten in place.
//!
//! An image may have several copies, say one for BIOS and one for UEFI. They are one configuration: if they
//! differ, one was edited by other means, and this code does not guess which.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use abi::config::FILE_BYTES;
use abi::ramdisk::{self, CONFIG};

use super::{BootConfig, ConfigTextError};

/// Disks, partitions, clusters and ISO 9660's blocks all begin on a multiple of this, and so do the files in them.
const SECTOR: usize = 512;
/// How many bytes are read at a time.
const CHUNK: usize = 1 << 20;
/// A header and the file after it.
const MEMBER_BYTES: usize = SECTOR + FILE_BYTES;

/// An image or a device that has a boot configuration.
#[derive(Debug)]
pub struct ImageFile {
    file: File,
    path: PathBuf,
    /// Where each copy's content begins.
    copies: Vec<u64>,
    /// The content of all copies.
    pub config: BootConfig,
}

/// Why an image's configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// The image cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The image.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The image has no configuration.
    #[error(
        "{}: it has no {CONFIG}; unpack a compressed image (tar.gz, streamed VMDK, compressed qcow2), or make a new one",
        path.display()
    )]
    None {
        /// The image.
        path: PathBuf,
    },
    /// The copies are not the same.
    #[error("{}: its copies of {CONFIG} differ: at byte {first} and at byte {second}", path.display())]
    Differ {
        /// The image.
        path: PathBuf,
        /// Where one copy begins.
        first: u64,
        /// Where a copy that differs begins.
        second: u64,
    },
    /// The content is not text.
    #[error("{}: {source}", path.display())]
    Text {
        /// The image.
        path: PathBuf,
        /// Why.
        source: ConfigTextError,
    },
}

impl ImageFile {
    /// Searches the image at `path`, and opens it for writing if `write` is set.
    ///
    /// # Errors
    /// The image cannot be opened or read, or it has no configuration, or several that differ.
    pub fn open(path: &Path, write: bool) -> Result<Self, ImageError> {
        let io = |source| ImageError::Io { path: path.to_owned(), source };
        let mut file = OpenOptions::new().read(true).write(write).open(path).map_err(io)?;
        let found = find(&mut file, CHUNK).map_err(io)?;
        let mut each = found.iter();
        let (first, content) = each.next().ok_or_else(|| ImageError::None { path: path.to_owned() })?;
        if let Some((second, _)) = each.find(|(_, other)| other != content) {
            return Err(ImageError::Differ { path: path.to_owned(), first: *first, second: *second });
        }
        let config =
            BootConfig::read(content).map_err(|source| ImageError::Text { path: path.to_owned(), source })?;
        let copies = found.iter().map(|(at, _)| *at).collect();
        Ok(Self { file, path: path.to_owned(), copies, config })
    }

    /// How many copies the image has.
    #[must_use]
    pub fn copies(&self) -> usize {
        self.copies.len()
    }

    /// Overwrites every copy with the configuration. It is on the medium when this returns.
    ///
    /// # Errors
    /// The image cannot be written.
    pub fn write(&mut self) -> Result<(), ImageError> {
        let content = self.config.file();
        let mut write = || {
            for &at in &self.copies {
                self.file.seek(SeekFrom::Start(at))?;
                self.file.write_all(&content)?;
            }
            self.file.sync_all()
        };
        write().map_err(|source| ImageError::Io { path: self.path.clone(), source })
    }
}

/// Every copy in `image`: where its content begins, and the content. Reads `chunk_bytes` at a time, a multiple of a sector.
///
/// # Errors
/// The image cannot be read.
pub fn find(image: &mut (impl Read + Seek), chunk_bytes: usize) -> io::Result<Vec<(u64, Vec<u8>)>> {
    let mut found = Vec::new();
    let mut start = image.seek(SeekFrom::Start(0))?;
    let mut chunk = Vec::new();
    loop {
        // What begins near the end of a chunk ends in the next one: each is read with as much of that as it takes.
        image.seek(SeekFrom::Start(start))?;
        chunk.clear();
        image.by_ref().take((chunk_bytes + MEMBER_BYTES) as u64).read_to_end(&mut chunk)?;
        for at in (0..chunk.len().min(chunk_bytes)).step_by(SECTOR) {
            if let Some(content) = chunk.get(at..at + MEMBER_BYTES).and_then(content) {
                found.push((start + (at + SECTOR) as u64, content.to_vec()));
            }
        }
        if chunk.len() <= chunk_bytes {
            return Ok(found);
        }
        start += chunk_bytes as u64;
    }
}

/// The configuration's content, if these bytes are its header and content.
fn content(member: &[u8]) -> Option<&[u8]> {
    if !member.starts_with(CONFIG.as_bytes()) {
        return None;
    }
    let file = ramdisk::files(member).next()?.ok()?;
    (file.name == CONFIG && file.data.len() == FILE_BYTES).then_some(file.data)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::archive::archive;

    const NONE: [u64; 0] = [];

    fn member(word: &str) -> Vec<u8> {
        let mut config = BootConfig::default();
        config.set(word).unwrap();
        archive([(CONFIG, &config.file()[..])])[..MEMBER_BYTES].to_vec()
    }

    /// An image with these members, each at a place.
    fn image(members: &[(usize, &str)]) -> tempfile::NamedTempFile {
        let mut bytes = vec![0xaa; 3 * CHUNK + 100];
        for &(at, word) in members {
            bytes[at..at + MEMBER_BYTES].copy_from_slice(&member(word));
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, bytes).unwrap();
        file
    }

    fn places(image: &[u8]) -> Vec<u64> {
        find(&mut Cursor::new(image), CHUNK).unwrap().into_iter().map(|(at, _)| at).collect()
    }

    #[test]
    fn finds_members_at_every_edge() {
        for at in [0, SECTOR, CHUNK - SECTOR, CHUNK, CHUNK + SECTOR] {
            let mut bytes = vec![0; at];
            bytes.extend(member("after=reboot"));
            assert_eq!(places(&bytes), [(at + SECTOR) as u64], "{at}");
            bytes.pop();
            assert_eq!(places(&bytes), NONE, "cut at {at}");
        }
        assert_eq!(places(&[]), NONE);
    }

    #[test]
    fn takes_no_damaged_header_and_no_other_place() {
        let mut bytes = member("after=reboot");
        bytes[200] ^= 1;
        assert_eq!(places(&bytes), NONE);
        let mut shifted = vec![0; 100];
        shifted.extend(member("after=reboot"));
        assert_eq!(places(&shifted), NONE);
    }

    #[test]
    fn edits_every_copy_and_nothing_else() {
        let file = image(&[(SECTOR, "serial=com2"), (2 * CHUNK - SECTOR, "serial=com2")]);
        let before = std::fs::read(&file).unwrap();
        let mut found = ImageFile::open(file.path(), true).unwrap();
        assert_eq!(found.copies(), 2);
        found.config.set("after=linger:5").unwrap();
        found.write().unwrap();
        let after = std::fs::read(&file).unwrap();
        assert_eq!(after.len(), before.len());
        let changed: Vec<_> = (0..after.len()).filter(|&i| after[i] != before[i]).collect();
        let within = |at: usize| changed.iter().any(|&i| (at + SECTOR..at + MEMBER_BYTES).contains(&i));
        assert!(within(SECTOR) && within(2 * CHUNK - SECTOR));
        let allowed = |&i: &usize| [SECTOR, 2 * CHUNK - SECTOR].iter().any(|at| i - at < MEMBER_BYTES);
        assert!(changed.iter().all(allowed));
        let words = ImageFile::open(file.path(), false).unwrap().config;
        assert_eq!(words.words().collect::<Vec<_>>(), ["serial=com2", "after=linger:5"]);
    }

    #[test]
    fn refuses_none_and_copies_that_differ() {
        let none = image(&[]);
        assert!(matches!(ImageFile::open(none.path(), false), Err(ImageError::None { .. })));
        let differ = image(&[(0, "serial=com2"), (CHUNK, "serial=com1")]);
        let error = ImageFile::open(differ.path(), true).unwrap_err();
        assert!(error.to_string().contains("at byte 512 and at byte 1049088"), "{error}");
        let missing = ImageFile::open(Path::new("/no/such/image"), false).unwrap_err();
        assert!(matches!(missing, ImageError::Io { .. }));
    }
}
