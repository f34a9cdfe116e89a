//! The form that Google Compute Engine imports: a gzip'd tar in GNU's old format with one member, `disk.raw`, whose size
//! is a multiple of 1 GiB.
//!
//! The member is sparse (type S). It stores only the used ranges of the disk, so that no gigabyte of zeroes is written
//! or unpacked.
//!
//! Reference: GNU tar manual, "Old GNU Format" of sparse members.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result};
use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};

use crate::hybrid::Layout;
use crate::output::{Staged, scratch};
use crate::parts::Parts;

const GIB: u64 = 1 << 30;
const MEMBER: &str = "disk.raw";

/// Builds the archive, staged beside `destination`.
pub fn build(parts: &Parts, destination: &Path) -> Result<Staged> {
    let dir = scratch(destination)?;
    let path = dir.path().join(MEMBER);
    let mut disk = File::create_new(&path).with_context(|| path.display().to_string())?;
    let layout = Layout::new(parts, GIB)?;
    layout.write(parts, &mut disk).with_context(|| format!("{}: cannot write it", path.display()))?;

    let mut staged = Staged::new(destination)?;
    let out = BufWriter::new(staged.file());
    // Without a name or a time, like `gzip -n`.
    let mut gzip = GzBuilder::new().write(out, Compression::default());
    archive(&layout, &mut File::open(&path)?, &mut gzip)
        .and_then(|()| gzip.finish()?.into_inner().map_err(|error| error.into_error().into()))
        .with_context(|| format!("{}: cannot write the archive", destination.display()))?;
    Ok(staged)
}

/// Writes the tar, whose only member is `disk`.
fn archive(layout: &Layout, disk: &mut File, out: &mut impl Write) -> Result<()> {
    let used = layout.used();
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_path(MEMBER)?;
    header.set_mode(0o644);
    header.set_size(used.iter().map(|range| range.end - range.start).sum());
    let gnu = header.as_gnu_mut().context("not a GNU header")?;
    gnu.set_real_size(layout.bytes);
    for (entry, range) in gnu.sparse.iter_mut().zip(&used) {
        entry.set_offset(range.start);
        entry.set_length(range.end - range.start);
    }
    header.set_cksum();
    out.write_all(header.as_bytes())?;
    // Both ranges are whole sectors of 512 bytes, the block size of tar, so no padding is needed.
    for range in used {
        disk.seek(SeekFrom::Start(range.start))?;
        std::io::copy(&mut disk.take(range.end - range.start), out)?;
    }
    // Two blocks of zeroes end the archive.
    out.write_all(&[0; 1024])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::partition::SECTOR_BYTES;

    #[test]
    fn the_archive_gives_the_disk_back() {
        let mut boot_sector = [0; SECTOR_BYTES];
        boot_sector[510..].copy_from_slice(&[0x55, 0xaa]);
        let parts = Parts { boot_sector, stage_2: vec![2; SECTOR_BYTES], fat: vec![3; SECTOR_BYTES] };
        // Not a GiB: the test compares every byte.
        let layout = Layout::new(&parts, 1 << 20).unwrap();
        let mut disk = tempfile::tempfile().unwrap();
        layout.write(&parts, &mut disk).unwrap();
        let mut packed = Vec::new();
        archive(&layout, &mut disk, &mut packed).unwrap();
        assert!(packed.len() < 3 << 20, "{} bytes: not sparse", packed.len());

        let mut archive = tar::Archive::new(Cursor::new(packed));
        let mut entries = archive.entries().unwrap();
        let mut entry = entries.next().unwrap().unwrap();
        assert_eq!(&*entry.path_bytes(), b"disk.raw");
        let (mut unpacked, mut original) = (Vec::new(), Vec::new());
        entry.read_to_end(&mut unpacked).unwrap();
        disk.seek(SeekFrom::Start(0)).unwrap();
        disk.read_to_end(&mut original).unwrap();
        assert!(unpacked == original, "another disk comes out");
        assert!(entries.next().is_none());
    }
}
