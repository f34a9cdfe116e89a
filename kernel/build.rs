//! Linker options of the kernel itself.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // The loader takes a position-independent ELF. The build ID names this very kernel in the first record, and
    // stays the same for the same input.
    println!("cargo::rustc-link-arg-bins=--build-id=sha1");
}
