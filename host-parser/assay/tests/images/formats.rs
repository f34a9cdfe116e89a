//! Checks every form with its format's own tools and with third-party readers.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::made::{Made, images, reader};

/// Largest size of the ISO.
const ISO_LIMIT_BYTES: u64 = 8 << 20;
const DISK_BYTES: &str = "33554432";

fn of(program: &str, args: &[&str], path: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(args).arg(path);
    command
}

/// Checks that `file` recognises this kind of file.
fn is(path: &Path, kind: &str) {
    reader("file", &mut of("file", &["--brief"], path), &[kind]);
}

/// Checks both partition tables, and the types of the GPT's partitions.
fn has_sound_tables(disk: &Path) {
    reader("gdisk", &mut of("sgdisk", &["--verify"], disk), &["No problems found"]);
    reader("gdisk", &mut of("sgdisk", &["--info=1"], disk), &["BIOS boot partition", "'assay loader'"]);
    reader("gdisk", &mut of("sgdisk", &["--info=2"], disk), &["EFI system partition", "'assay'"]);
}

/// Checks that QEMU's and 7-Zip's readers of a format extract the raw disk, byte for byte.
fn holds_the_raw_disk(path: &Path, for_qemu: &str, for_7z: &str) {
    let raw = images().path(".raw");
    let mut compare = of("qemu-img", &["compare", "-f", for_qemu, "-F", "raw"], path);
    reader("qemu-utils", compare.arg(&raw), &["Images are identical"]);
    let mut unpack = of("7z", &["e", "-so", &format!("-t{for_7z}")], path);
    if let Some(unpacked) = reader("p7zip-full", &mut unpack, &[]) {
        assert!(unpacked == fs::read(raw).unwrap(), "7z finds another disk in {}", path.display());
    }
}

#[test]
#[ignore = "needs a built kernel and qemu-img: make test-images"]
fn the_iso_has_boot_tables_for_both_firmwares() {
    let iso = images().path(".iso");
    is(&iso, "ISO 9660 CD-ROM filesystem data (DOS/MBR boot sector) 'ASSAY' (bootable)");
    has_sound_tables(&iso);
    let mut xorriso = Command::new("xorriso");
    xorriso.arg("-indev").arg(&iso).args(["-report_el_torito", "plain", "-report_system_area", "plain"]);
    let el_torito = ["El Torito boot img :   1  BIOS  y   none", "El Torito boot img :   2  UEFI  y   none"];
    reader("xorriso", &mut xorriso, &el_torito);
    assert!(fs::metadata(iso).unwrap().len() <= ISO_LIMIT_BYTES);
}

#[test]
#[ignore = "needs a built kernel and qemu-img: make test-images"]
fn the_raw_disk_holds_both_loaders_and_one_kernel() {
    let raw = images().path(".raw");
    is(&raw, "ID=0x20, active");
    has_sound_tables(&raw);
    // The FAT begins at 2 MiB.
    let mut mdir = Command::new("mdir");
    mdir.arg("-i").arg(format!("{}@@2M", raw.display())).args(["-/", "-b", "::"]);
    let files = ["::/efi/boot/bootx64.efi", "::/boot-stage-3", "::/kernel-x86_64", "::/ramdisk"];
    reader("mtools", &mut mdir, &files);
}

#[test]
#[ignore = "needs a built kernel and qemu-img: make test-images"]
fn gces_archive_is_old_gnu_and_its_disk_sparse_and_one_gib() {
    let archive = images().path("-gce.tar.gz");
    is(&archive, "gzip compressed data");
    reader("file", &mut of("file", &["--brief", "--uncompress"], &archive), &["POSIX tar archive (GNU)"]);
    let mut list = of("tar", &["--numeric-owner", "--utc", "-tvzf"], &archive);
    let listing = reader("tar", &mut list, &["1073741824 1970-01-01 00:00 disk.raw"]).unwrap();
    assert_eq!(listing.iter().filter(|&&byte| byte == b'\n').count(), 1, "more than disk.raw");
    let disk = images().gce_disk();
    assert_eq!(fs::metadata(&disk).unwrap().len(), 1 << 30);
    has_sound_tables(&disk);
    // Second stage and FAT are those of the raw disk. Only the partition tables depend on the size.
    let (small, large) = (fs::read(images().path(".raw")).unwrap(), fs::File::open(disk).unwrap());
    let (mut front, from) = (vec![0; 16 << 20], 1 << 20);
    std::io::Read::read_exact(&mut &large, &mut front).unwrap();
    assert!(front[from..] == small[from..front.len()]);
}

#[test]
#[ignore = "needs a built kernel and qemu-img: make test-images"]
fn azures_disk_is_a_fixed_vhd_of_whole_mebibytes() {
    let vhd = images().path("-azure.vhd");
    reader("libvhdi-utils", &mut of("vhdiinfo", &[], &vhd), &["Fixed", "1.0", "32 MiB (33554432 bytes)"]);
    reader("qemu-utils", &mut of("qemu-img", &["info", "-f", "vpc"], &vhd), &[DISK_BYTES]);
    assert_eq!(fs::metadata(&vhd).unwrap().len() % (1 << 20), 512);
    holds_the_raw_disk(&vhd, "vpc", "VHD");
}

#[test]
#[ignore = "needs a built kernel and qemu-img: make test-images"]
fn the_qcow2_is_sound() {
    let qcow2 = images().path(".qcow2");
    is(&qcow2, "QEMU QCOW Image (v3)");
    reader("qemu-utils", &mut of("qemu-img", &["check", "-f", "qcow2"], &qcow2), &["No errors were found"]);
    reader("libqcow-utils", &mut of("qcowinfo", &[], &qcow2), &["32 MiB (33554432 bytes)"]);
    holds_the_raw_disk(&qcow2, "qcow2", "QCOW");
}

#[test]
#[ignore = "needs a built kernel and qemu-img: make test-images"]
fn the_vmdk_is_stream_optimised() {
    let vmdk = images().path(".vmdk");
    is(&vmdk, "VMware4 disk image");
    let said = ["Stream optimized", "32 MiB (33554432 bytes)", "assay-disk"];
    reader("libvmdk-utils", &mut of("vmdkinfo", &[], &vmdk), &said);
    holds_the_raw_disk(&vmdk, "vmdk", "VMDK");
}

#[test]
#[ignore = "needs a built kernel and qemu-img: make test-images"]
fn the_same_input_gives_the_same_bytes() {
    let again = Made::new();
    let mut diff = of("diff", &["--recursive", "--brief", "--exclude=gce"], images().folder());
    reader("diffutils", diff.arg(again.folder()), &[]);
}

#[test]
#[ignore = "needs a built kernel and qemu-img: make test-images"]
fn the_sums_cover_every_file() {
    let mut check = Command::new("sha256sum");
    check.args(["--check", "SHA256SUMS"]).current_dir(images().folder());
    let said = reader("coreutils", &mut check, &["small.iso: OK", "small-direct/ramdisk.tar: OK"]).unwrap();
    assert_eq!(said.iter().filter(|&&byte| byte == b'\n').count(), 14);
}
