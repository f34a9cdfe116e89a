//! Every form boots and its log passes the gate, from BIOS and UEFI, on the buses that its platforms have.

use crate::guest::boot;
use crate::made::images;

const BOTH: [&str; 2] = ["bios", "uefi"];

/// Boots a disk of `format` on `device`, by each of `firmwares`.
#[track_caller]
fn boots_on(path: &std::path::Path, format: &str, device: &str, firmwares: &[&str]) {
    let drive = format!("if=none,id=boot,snapshot=on,format={format},file={}", path.display());
    let device = format!("{device},drive=boot,bootindex=0");
    for firmware in firmwares {
        let measured = boot(firmware, &["-device", "qemu-xhci", "-drive", &drive, "-device", &device]);
        // Five iterations of both cases.
        assert_eq!(measured.samples().len(), 10);
    }
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn the_iso_boots_as_cd_and_as_stick() {
    let iso = images().path(".iso");
    boots_on(&iso, "raw", "ide-cd", &BOTH);
    boots_on(&iso, "raw", "usb-storage", &BOTH);
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn the_raw_disk_boots_on_nvme_as_on_ec2() {
    boots_on(&images().path(".raw"), "raw", "nvme,serial=boot", &BOTH);
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn the_raw_disk_boots_on_a_medium_larger_than_itself() {
    // Like a stick, or a volume of whole GiB: the backup GPT is not at its end.
    let large = images().folder().join("large");
    std::fs::copy(images().path(".raw"), &large).unwrap();
    std::fs::File::options().write(true).open(&large).unwrap().set_len(1 << 30).unwrap();
    boots_on(&large, "raw", "usb-storage", &BOTH);
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn gces_disk_boots_on_virtio_scsi_as_on_gce() {
    let disk = images().gce_disk();
    let drive = format!("if=none,id=boot,snapshot=on,format=raw,file={}", disk.display());
    let scsi = ["-device", "virtio-scsi-pci,id=scsi", "-device", "scsi-hd,bus=scsi.0,drive=boot,bootindex=0"];
    for firmware in BOTH {
        boot(firmware, &[&["-drive", drive.as_str()][..], &scsi].concat());
    }
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn azures_vhd_boots() {
    boots_on(&images().path("-azure.vhd"), "vpc", "ide-hd", &BOTH);
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn the_qcow2_boots_on_virtio() {
    boots_on(&images().path(".qcow2"), "qcow2", "virtio-blk-pci", &BOTH);
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn the_vmdk_boots() {
    boots_on(&images().path(".vmdk"), "vmdk", "ide-hd", &BOTH);
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn the_disks_for_one_firmware_boot_from_it() {
    boots_on(&images().path("-bios.img"), "raw", "ide-hd", &["bios"]);
    boots_on(&images().path("-uefi.img"), "raw", "ide-hd", &["uefi"]);
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn uefi_boots_over_the_network() {
    let server = format!("user,id=net,tftp={},bootfile=bootloader", images().path("-tftp").display());
    // No option ROM: the loader needs the firmware's own driver and cannot use iPXE's TFTP.
    let card = "virtio-net-pci,netdev=net,bootindex=0,romfile=";
    boot("uefi", &["-netdev", &server, "-device", card]);
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn kernel_and_ramdisk_boot_directly() {
    let file = |name: &str| images().path("-direct").join(name).display().to_string();
    boot("direct", &["-kernel", &file("assay-kernel"), "-initrd", &file("ramdisk.tar")]);
}
