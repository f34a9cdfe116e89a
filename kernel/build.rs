//! Linker options of the kernel itself.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=kernel.ld");
    let directory = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it for build scripts");
    println!("cargo::rustc-link-arg-bins=--script={directory}/kernel.ld");
    // The script gives the kernel its one address, so that there is nothing to relocate at boot.
    println!("cargo::rustc-link-arg-bins=--no-pie");
    // The build ID names this very kernel in the first record, and stays the same for the same input.
    println!("cargo::rustc-link-arg-bins=--build-id=sha1");
}
