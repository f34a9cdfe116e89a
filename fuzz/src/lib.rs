//! What every parser of this project promises, as functions of any bytes at all.
//!
//! A target is such a function: it panics where the promise does not hold. Each is more than "does not panic": what is
//! accepted is written back, or compared with a plain reading of the same bytes. The fuzzer calls them by the programs
//! in `fuzz_targets/`; the test below calls them with every file that is kept in `corpus/`, so that what was found
//! once stays mended. README.md says how to run and how to add one.

#![forbid(unsafe_code)]

mod input;
#[cfg(test)]
mod seeds;
mod small;
mod targets;

/// Something that must hold for every input.
pub type Target = fn(&[u8]);

/// Declares the targets: a function for each, and the list of them all.
macro_rules! targets {
    ($($(#[$doc:meta])+ $name:ident,)*) => {
        $(
            $(#[$doc])+
            ///
            /// # Panics
            /// Where that does not hold.
            pub fn $name(data: &[u8]) {
                targets::$name::check(data);
            }
        )*

        /// Every target, by the name of its program and of its folder in `corpus/`.
        pub const TARGETS: &[(&str, Target)] = &[$((stringify!($name), $name),)*];
    };
}

targets! {
    /// A record's line: what is read is written back byte for byte, and no change of one byte goes unnoticed.
    record,
    /// Any log: every byte of it is accounted for, a boot without defects is gapless, and the gate has a verdict.
    transcript,
    /// A good log with changes, and what is known beside it: on the wire none passes; made by a lying guest, what passes
    /// has the right answers, is what was expected, and was left alone by the host.
    gate,
    /// A plan: its cases and splits are complete, and written back they are the same bytes.
    plan,
    /// A ramdisk: its files lie in it, in order, and a writer of our own gives them back.
    ramdisk,
    /// A manifest: either problems, each with its place, or values that fit together and make a plan.
    manifest,
    /// A MADT: the same processors as a plain walk over its entries finds.
    madt,
    /// An SRAT: the same domains as a plain walk over its entries finds.
    srat,
    /// SMBIOS tables and their entry point: the strings that a plain walk finds, in plain text.
    smbios,
    /// Memory with an RSDP in it: the tables that a plain walk finds, whole, and the walk is bounded.
    acpi_tables,
    /// FADT, HPET table and DSDT: registers that exist, and sleep types that fit their field.
    fadt,
    /// An SPCR table: the UART that it names, where the kernel has a driver for it and can map it.
    spcr,
    /// A boot configuration: set as a plain reading has it, wherever it stands, and as the host says that it is set.
    config,
    /// A memory map: ordered, disjoint, whole pages, and all that was given or the largest of it.
    memory_map,
    /// PVH start info: what is called usable is RAM that nothing is in.
    pvh,
    /// A worker's ELF: what is accepted can be loaded, step by step, and a plain reading refuses the rest too.
    elf,
    /// The build ID of an ELF: that of a plain walk over its notes.
    build_id,
    /// QMP messages: what is read means the same when it is written again.
    qmp,
    /// QEMU's trace of exceptions: what is read means the same when it is written again, and a cause stands first.
    trace,
    /// Partition tables: what is found lies in the image, where the table says, and a plain reading finds no other.
    partition,
    /// An image: the boot configurations in it, in whatever pieces it is read.
    boot_image,
    /// A Linux kernel's header: taken as a plain reading takes it.
    bzimage,
    /// Texts of the host's, QEMU's and people's: written back, or the same as a plain reading.
    host_texts,
    /// CPUID's answers: a place that is the APIC id cut in pieces, or none.
    topology,
    /// KVM's clock: the frequency that 128 bits give, or none.
    kvmclock,
}

/// The `main` of a target's program: the fuzzer's loop where it is built for that (`--cfg fuzzing`), else one call for
/// each file named on the command line.
#[macro_export]
macro_rules! program {
    ($name:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| $crate::$name(data));

        #[cfg(not(fuzzing))]
        fn main() -> std::io::Result<()> {
            std::env::args_os()
                .skip(1)
                .try_for_each(|path| std::fs::read(path).map(|data| $crate::$name(&data)))
        }
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::TARGETS;

    #[test]
    fn holds_for_every_input_that_is_kept() {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
        for (name, check) in TARGETS {
            let mut files: Vec<_> = fs::read_dir(corpus.join(name))
                .unwrap_or_else(|error| panic!("corpus/{name}: {error}"))
                .map(|entry| entry.expect("an entry").path())
                .collect();
            files.sort();
            assert!(!files.is_empty(), "corpus/{name} is empty");
            for file in files {
                // Seen where the check panics: the test's output names the file last.
                println!("{}", file.display());
                check(&fs::read(&file).expect("a file"));
            }
        }
    }

    #[test]
    fn has_a_program_and_a_folder_for_every_target() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let names = |folder: &str| -> BTreeSet<String> {
            let entries = fs::read_dir(here.join(folder)).expect("the folder is there");
            let name =
                |entry: fs::DirEntry| entry.path().file_stem().map(|name| name.to_string_lossy().into());
            entries.filter_map(|entry| name(entry.expect("an entry"))).collect()
        };
        let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(names("fuzz_targets"), targets);
        assert_eq!(names("corpus"), targets);
    }
}
