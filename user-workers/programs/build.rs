//! Links the programs in `src/bin` as position-independent ELF images that run without libc and loader.

use std::env;
use std::path::Path;

fn main() {
    let package = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let script = Path::new(&package).join("worker.ld");
    println!("cargo::rerun-if-changed={}", script.display());
    let args = [
        // One linker, whichever the toolchain prefers: the same bytes from all, and it reads the script.
        "-fuse-ld=bfd",
        // No libc, no start-up code, no interpreter.
        "-nostdlib",
        "-nostartfiles",
        "-static-pie",
        &format!("-Wl,--script={}", script.display()),
        // The same bytes from every checkout: no build ID, no symbols, no debug information, which would hold paths.
        "-Wl,--build-id=none",
        "-Wl,--strip-all",
        "-Wl,--gc-sections",
        "-Wl,--no-eh-frame-hdr",
        "-Wl,-z,norelro",
        "-Wl,-z,noexecstack",
        // An undefined reference is an error here and not a fault in ring 3.
        "-Wl,--no-undefined",
    ];
    for arg in args {
        println!("cargo::rustc-link-arg-bins={arg}");
    }
    #[cfg(feature = "wasm")]
    assemble(Path::new(&package));
}

/// Makes the module that `wasm` runs from its text.
#[cfg(feature = "wasm")]
fn assemble(package: &Path) {
    let text = package.join("src/wasm/module.wat");
    println!("cargo::rerun-if-changed={}", text.display());
    let module = wat::parse_file(&text).unwrap_or_else(|error| panic!("{error}"));
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    std::fs::write(Path::new(&out).join("module.wasm"), module).expect("cargo's folder can be written");
}
