//! The properties of every parser of this project, as functions of any bytes at all.
//!
//! A target is such a function. It panics if the property does not hold. Each asserts more than "does not panic": it
//! writes back what the parser accepts, or compares it with a plain reading of the same bytes. The fuzzer calls the
//! targets through the programs in `fuzz_targets/`. The test below calls them with every input of the [`corpus`], so
//! that what was found once stays fixed. README.md says how to run and how to add one.

#![forbid(unsafe_code)]

pub mod corpus;
mod golden;
mod input;
mod seeds;
mod small;
mod targets;

/// A property that must hold for every input.
pub type Target = fn(&[u8]);

/// Declares the targets: a function for each, and the list of them all.
macro_rules! targets {
    ($($(#[$doc:meta])+ $name:ident,)*) => {
        $(
            $(#[$doc])+
            ///
            /// # Panics
            /// If that does not hold.
            pub fn $name(data: &[u8]) {
                targets::$name::check(data);
            }
        )*

        /// Every target, by the name of its program and of its archive in `corpus/`.
        pub const TARGETS: &[(&str, Target)] = &[$((stringify!($name), $name),)*];
    };
}

targets! {
    /// A record's line: a line that is read is written back byte for byte, and every change of one byte is detected.
    record,
    /// Any log: every byte of it is accounted for, a boot without defects is gapless, and the gate has a verdict.
    transcript,
    /// A good log with changes, and knowledge beside it: none passes that changed on the wire; a lying guest's log
    /// passes only with the right answers, as the expected run, and undisturbed by the host.
    gate,
    /// A plan: its cases and splits are complete, and are the same bytes when they are written back.
    plan,
    /// A ramdisk: its files lie in it, in order, and a separate writer gives them back.
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
    /// An SPCR table: the UART that it names, if the kernel has a driver for it and can map it.
    spcr,
    /// A boot configuration: the settings of a plain reading, on the command line and in a file, and as the host edits
    /// it.
    config,
    /// A memory map: ordered, disjoint, whole pages; all of the input, or its largest regions.
    memory_map,
    /// PVH start info: memory called usable is RAM that holds nothing.
    pvh,
    /// A worker's ELF: an accepted file can be loaded, step by step, and a plain reading refuses all others.
    elf,
    /// The build ID of an ELF: the one that a plain walk over its notes finds.
    build_id,
    /// QMP messages: a message means the same when it is written and read again.
    qmp,
    /// QEMU's replay log: the counts that a plain walk finds, for each byte, in order.
    replay_log,
    /// QEMU's trace of exceptions: it means the same when it is written and read again, and a cause comes first.
    trace,
    /// Partition tables: a partition lies in the image, where the table says, and a plain reading finds no other.
    partition,
    /// An image: the boot configurations in it, for any size of the pieces in which it is read.
    boot_image,
    /// A Linux kernel's header: accepted if a plain reading accepts it.
    bzimage,
    /// Texts from the host, from QEMU and from people: written back, or the same as a plain reading.
    host_texts,
    /// CPUID's topology leaves: a place made of the APIC id's pieces, or none.
    topology,
    /// KVM's clock: the frequency that arithmetic in 128 bits gives, or none.
    kvmclock,
    /// A session's chain: accepted line by line with the digests of a plain reading, and any changed byte is noticed.
    chain,
    /// Keys and signatures: nothing verifies but what was signed, and what is read is written back.
    signature,
    /// The oracle of a program from outside the tree: what is read is what is written, and a refusal names a line.
    oracle,
    /// A ring of operations: those that a plain reading finds are done, whatever is in its pages.
    ring,
    /// A table of handles: each names what a plain list has, and nothing else names anything.
    handles,
    /// Regions of an address space: as a map of single pages has them.
    regions,
    /// Queues threaded through their items: as deques have them, and no item is kept.
    queues,
    /// What comes to a machine that stays: lines as a plain reading has them, and no command but in its one form.
    command,
}

/// The `main` of a target's program: the fuzzer's loop if it is built for that (`--cfg fuzzing`), else one call for
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
