//! Boots the Linux twin by hand: writes the initramfs and prints the QEMU command line. From the checkout's root:
//!
//! `cargo run -p qemu --example linux-guest -- TWIN RAMDISK INITRAMFS VCPUS [mitigations=off]`

use std::error::Error;
use std::fs;
use std::path::Path;

use qemu::linux::{LinuxKernel, Mitigations, initramfs, medium};
use qemu::{AcceleratorChoice, CommandLine, Machine, Qemu, Vga};

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [twin, ramdisk, archive, vcpus, rest @ ..] = words.as_slice() else {
        return Err("expected TWIN RAMDISK INITRAMFS VCPUS [mitigations=off]".into());
    };
    let mitigations = if rest.is_empty() { Mitigations::Default } else { Mitigations::Off };
    fs::write(archive, initramfs(&fs::read(twin)?, &fs::read(ramdisk)?)?)?;
    let kernel = LinuxKernel::find(Path::new("target/linux"))?;
    eprintln!("{}", serde_json::to_string_pretty(&kernel)?);
    let medium = medium(&kernel, Path::new(archive), mitigations);
    let accelerator = AcceleratorChoice::detect().accelerator;
    // As our own kernel is booted directly.
    let machine = Machine { vga: Vga::None, ..Machine::q35(vcpus.parse()?, 128) };
    println!("{}", CommandLine::new(&Qemu::find(None)?, accelerator, &machine, &medium)?.by_hand());
    Ok(())
}
