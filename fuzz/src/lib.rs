//! What every parser of this project promises, as functions of any bytes at all.
//!
//! A target is such a function: it panics where the promise does not hold. Each is more than "does not panic": what is
//! accepted is written back, or compared with a plain reading of the same bytes. The fuzzer calls them by the programs
//! in `fuzz_targets/`; the test below calls them with every file that is kept in `corpus/`, so that what was found
//! once stays mended. README.md says how to run and how to add one.

#![forbid(unsafe_code)]

pub mod corpus;
mod golden;
mod input;
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
    use super::corpus::{Archive, inputs};
    use super::seeds::seeds;

    #[test]
    fn holds_for_every_input_of_the_corpus() {
        for (target, check) in TARGETS {
            let inputs = inputs(target).unwrap_or_else(|error| panic!("{error}"));
            assert!(!inputs.is_empty(), "{target} has no input");
            for (name, bytes) in inputs {
                // If the check panics, this is the last line of the test's output.
                println!("{target}: {name}");
                check(&bytes);
            }
        }
    }

    #[test]
    fn every_target_has_a_program() {
        assert_eq!(stems("fuzz_targets"), targets());
    }

    #[test]
    fn every_archive_is_of_a_target() {
        let archives = stems("corpus");
        assert!(archives.is_subset(&targets()), "{archives:?}");
    }

    #[test]
    fn every_archive_is_as_the_tool_writes_it() {
        for (target, _) in TARGETS {
            let kept = Archive::load(target).unwrap_or_else(|error| panic!("{error}"));
            let seeds = seeds(target);
            let mut again = Archive::default();
            let mut names = BTreeSet::new();
            for input in kept.inputs() {
                let name = input.name.as_deref();
                assert!(again.add(name, input.bytes.clone()), "{target}: {name:?} is there twice");
                assert!(seeds.iter().all(|(_, seed)| *seed != input.bytes), "{target}: {name:?} is a seed");
                assert!(name.is_none_or(|name| names.insert(name)), "{target}: two inputs named {name:?}");
            }
            let text = fs::read_to_string(Archive::path(target)).unwrap_or_default();
            assert!(again.text() == text, "corpus/{target}.txt is in another order or form");
        }
    }

    fn targets() -> BTreeSet<String> {
        TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect()
    }

    /// The names of the files in a folder of this package, without their extensions.
    fn stems(folder: &str) -> BTreeSet<String> {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("the folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
    }
}
