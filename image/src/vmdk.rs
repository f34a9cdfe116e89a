//! The form that VMware's products, VirtualBox and EC2 import: a stream-optimised VMDK, which is for import only and not
//! for running a machine.
//!
//! Written here because qemu-img's output violates the format: it lacks the directory at the end and the markers that
//! announce each part, and 7-Zip, for one, refuses it.
//!
//! The order is: compressed grains, each after a marker; their tables and the directory, each after a marker; a footer,
//! which repeats the header with the place of the directory; the end of the stream. Numbers are little-endian, places
//! are in sectors.
//!
//! Reference: Virtual Disk Format 5.0 (VMware, 2011), "Stream-Optimized Compressed Sparse Extents".

use std::fs::File;
use std::io::{BufWriter, Read, Seek, Write};
use std::path::Path;

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::hybrid::{self, MIB};
use crate::output::Staged;
use crate::partition::SECTOR_BYTES;
use crate::parts::Parts;

const GRAIN_SECTORS: usize = 128;
const GRAIN_BYTES: usize = GRAIN_SECTORS * SECTOR_BYTES;
/// Entries of a grain table.
const TABLE_ENTRIES: usize = 512;
const DESCRIPTOR_SECTORS: usize = 20;
/// Sectors before the first grain.
const OVERHEAD: usize = 128;
/// The header's value for the place of the directory: it stands in the footer.
const AT_END: u64 = u64::MAX;

/// The part that a marker announces.
#[derive(Clone, Copy)]
enum Marker {
    End = 0,
    Table = 1,
    Directory = 2,
    Footer = 3,
}

/// Builds the VMDK, staged beside `destination`.
pub fn build(parts: &Parts, destination: &Path) -> Result<Staged> {
    let mut disk = hybrid::build(parts, destination)?;
    let mut staged = Staged::new(destination)?;
    let id = u32::from_le_bytes(*parts.digest().0.first_chunk().context("a digest has 32 bytes")?);
    let mut out = BufWriter::new(staged.file());
    disk.file()
        .rewind()
        .map_err(Into::into)
        .and_then(|()| write(disk.file(), id, &mut out))
        .and_then(|()| Ok(out.flush()?))
        .with_context(|| format!("{}: cannot write it", destination.display()))?;
    drop(out);
    Ok(staged)
}

/// Writes `disk` to `out`, with this content ID.
fn write(disk: &mut File, id: u32, out: &mut impl Write) -> Result<()> {
    let capacity = disk.metadata()?.len() / SECTOR_BYTES as u64;
    let mut stream = Stream { out, sector: 0 };
    stream.sectors(&header(capacity, AT_END))?;
    stream.sectors(&descriptor(capacity, id)?)?;
    stream.sectors(&vec![0; (OVERHEAD - 1 - DESCRIPTOR_SECTORS) * SECTOR_BYTES])?;

    let mut directory = Vec::new();
    let grains = capacity.div_ceil(GRAIN_SECTORS as u64);
    for first in (0..grains).step_by(TABLE_ENTRIES) {
        let table: Result<Vec<u32>> = (first..grains.min(first + TABLE_ENTRIES as u64))
            .map(|grain| stream.grain(disk, grain))
            .collect();
        let mut table = table?;
        table.resize(TABLE_ENTRIES, 0);
        // A table without grains is not written.
        let empty = table.iter().all(|&place| place == 0);
        directory.push(if empty { 0 } else { stream.table(Marker::Table, &table)? });
    }
    let directory = stream.table(Marker::Directory, &directory)?;
    stream.marker(Marker::Footer, SECTOR_BYTES)?;
    stream.sectors(&header(capacity, directory.into()))?;
    stream.marker(Marker::End, 0)
}

/// An output that counts its sectors.
struct Stream<W> {
    out: W,
    sector: u32,
}

impl<W: Write> Stream<W> {
    /// Writes `bytes` and zeroes up to the end of the sector.
    fn sectors(&mut self, bytes: &[u8]) -> Result<()> {
        let sectors = bytes.len().div_ceil(SECTOR_BYTES);
        self.out.write_all(bytes)?;
        self.out.write_all(&[0; SECTOR_BYTES][..sectors * SECTOR_BYTES - bytes.len()])?;
        self.sector = u32::try_from(sectors)
            .ok()
            .and_then(|sectors| self.sector.checked_add(sectors))
            .context("the image is larger than 2 TiB")?;
        Ok(())
    }

    fn marker(&mut self, marker: Marker, announced_bytes: usize) -> Result<()> {
        let sectors = announced_bytes.div_ceil(SECTOR_BYTES) as u64;
        // The zero in the middle distinguishes it from the marker of a grain, which has a length there.
        self.sectors(&[&sectors.to_le_bytes()[..], &[0; 4], &(marker as u32).to_le_bytes()].concat())
    }

    /// Writes a table or the directory after its marker, and returns its place.
    fn table(&mut self, marker: Marker, entries: &[u32]) -> Result<u32> {
        let bytes: Vec<u8> = entries.iter().flat_map(|entry| entry.to_le_bytes()).collect();
        self.marker(marker, bytes.len())?;
        let place = self.sector;
        self.sectors(&bytes)?;
        Ok(place)
    }

    /// Reads the next grain of `disk`, number `number`, and writes it. Returns its place, 0 if it is all zeroes.
    fn grain(&mut self, disk: &mut File, number: u64) -> Result<u32> {
        let mut grain = Vec::with_capacity(GRAIN_BYTES);
        disk.take(GRAIN_BYTES as u64).read_to_end(&mut grain)?;
        if grain.iter().all(|&byte| byte == 0) {
            return Ok(0);
        }
        grain.resize(GRAIN_BYTES, 0);
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&grain)?;
        let packed = zlib.finish()?;
        let place = self.sector;
        let (lba, length) = (number * GRAIN_SECTORS as u64, u32::try_from(packed.len())?);
        self.sectors(&[&lba.to_le_bytes()[..], &length.to_le_bytes(), &packed].concat())?;
        Ok(place)
    }
}

/// The header, and the footer.
fn header(capacity: u64, directory: u64) -> Vec<u8> {
    let mut header = b"KDMV".to_vec();
    header.extend(3_u32.to_le_bytes()); // the first version with compressed grains
    header.extend(0x3_0001_u32.to_le_bytes()); // line ends can be tested; compressed grains; markers
    header.extend(capacity.to_le_bytes());
    header.extend((GRAIN_SECTORS as u64).to_le_bytes());
    header.extend(1_u64.to_le_bytes()); // the descriptor's place
    header.extend((DESCRIPTOR_SECTORS as u64).to_le_bytes());
    header.extend(u32::try_from(TABLE_ENTRIES).unwrap_or(0).to_le_bytes());
    header.extend(0_u64.to_le_bytes()); // no second directory
    header.extend(directory.to_le_bytes());
    header.extend((OVERHEAD as u64).to_le_bytes());
    header.extend(b"\0\n \r\n"); // clean shutdown; line ends that a transfer as text would change
    header.extend(1_u16.to_le_bytes()); // deflate
    header.resize(SECTOR_BYTES, 0);
    header
}

/// The descriptor: the properties of the disk, as text.
fn descriptor(capacity: u64, id: u32) -> Result<Vec<u8>> {
    // The geometry that a BIOS invents for a SCSI disk: 255 heads, 63 sectors.
    let cylinders = (capacity * SECTOR_BYTES as u64 / (8 * MIB)).max(1);
    let text = format!(
        "# Disk DescriptorFile\nversion=1\nCID={id:08x}\nparentCID=ffffffff\ncreateType=\"streamOptimized\"\n\n\
         # Extent description\nRW {capacity} SPARSE \"assay-disk.vmdk\"\n\n\
         # The Disk Data Base\n#DDB\n\nddb.adapterType = \"lsilogic\"\nddb.geometry.cylinders = \"{cylinders}\"\n\
         ddb.geometry.heads = \"255\"\nddb.geometry.sectors = \"63\"\nddb.virtualHWVersion = \"7\"\n"
    );
    let mut descriptor = text.into_bytes();
    anyhow::ensure!(descriptor.len() <= DESCRIPTOR_SECTORS * SECTOR_BYTES, "no room for the descriptor");
    descriptor.resize(DESCRIPTOR_SECTORS * SECTOR_BYTES, 0);
    Ok(descriptor)
}

#[cfg(test)]
mod tests {
    use std::io::SeekFrom;

    use super::*;

    /// A disk of three grains and one sector. The second grain is empty.
    fn disk() -> File {
        let mut disk = tempfile::tempfile().unwrap();
        disk.write_all(&[1; GRAIN_BYTES]).unwrap();
        disk.seek(SeekFrom::Start(2 * GRAIN_BYTES as u64)).unwrap();
        disk.write_all(&[3; GRAIN_BYTES + SECTOR_BYTES]).unwrap();
        disk.rewind().unwrap();
        disk
    }

    fn word(bytes: &[u8], at: usize) -> u32 {
        u32::from_le_bytes(*bytes[at..].first_chunk().unwrap())
    }

    #[test]
    fn the_footer_leads_to_the_disks_content() {
        let mut vmdk = Vec::new();
        write(&mut disk(), 0xc0de, &mut vmdk).unwrap();
        assert_eq!(vmdk.len() % SECTOR_BYTES, 0);
        let sector = |number: u32| &vmdk[usize::try_from(number).unwrap() * SECTOR_BYTES..];
        let footer = &vmdk[vmdk.len() - 2 * SECTOR_BYTES..];
        assert_eq!((&footer[..4], word(footer, 12)), (&b"KDMV"[..], 3 * 128 + 1));
        assert!(vmdk.ends_with(&[0; SECTOR_BYTES]), "no end of the stream");

        let directory = word(footer, 56);
        assert_eq!(word(sector(directory - 1), 12), Marker::Directory as u32);
        let table = word(sector(directory), 0);
        assert_eq!((word(sector(table - 1), 0), word(sector(table - 1), 12)), (4, Marker::Table as u32));
        let mut found = Vec::new();
        for grain in 0..4 {
            let place = word(sector(table), 4 * grain);
            let mut bytes = vec![0; GRAIN_BYTES];
            if place != 0 {
                let marked = sector(place);
                assert_eq!(word(marked, 0), u32::try_from(grain * GRAIN_SECTORS).unwrap());
                let packed = &marked[12..12 + usize::try_from(word(marked, 8)).unwrap()];
                flate2::read::ZlibDecoder::new(packed).read_exact(&mut bytes).unwrap();
            }
            found.extend(bytes);
        }
        assert_eq!(word(sector(table), 4), 0, "an empty grain is written");
        let mut whole = Vec::new();
        disk().read_to_end(&mut whole).unwrap();
        assert!(found.starts_with(&whole));
    }
}
