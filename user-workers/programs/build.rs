//! How the programs under `src/bin` are linked: as position-independent ELF images that need nobody's help to run.

use std::env;
use std::path::Path;

fn main() {
    let package = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let script = Path::new(&package).join("worker.ld");
    println!("cargo::rerun-if-changed={}", script.display());
    let args = [
        // One linker, whichever the toolchain prefers: the same bytes, and a script that it is known to read.
        "-fuse-ld=bfd",
        // No libc, no start-up code, no interpreter.
        "-nostdlib",
        "-nostartfiles",
        "-static-pie",
        &format!("-Wl,--script={}", script.display()),
        // The same bytes from every checkout: no build ID, no symbols, no debug information with paths in it.
        "-Wl,--build-id=none",
        "-Wl,--strip-all",
        "-Wl,--gc-sections",
        "-Wl,--no-eh-frame-hdr",
        "-Wl,-z,norelro",
        "-Wl,-z,noexecstack",
        // A reference that nothing defines is an error here, not a surprise in ring 3.
        "-Wl,--no-undefined",
    ];
    for arg in args {
        println!("cargo::rustc-link-arg-bins={arg}");
    }
}
