//! The workloads as the host knows them: their parameters, and what their workers should answer.
//!
//! Owns the contract between a workload and everything that runs it. In its own folder a workload declares its
//! [`parameters!`] and implements [`Task`] for them: a name, units, the reference answer by another method than the
//! program uses, how a whole is split into parts of equal cost and how parts are joined again. Manifest, plan and gate
//! see it as [`Workload`], with its parameters as words. [`REGISTRY`] lists all of them; nothing outside a workload's
//! folder and its line there knows its name.
//!
//! Refuses to share code with the programs, which are the package beside this one. None of them links this library.
//!
//! # Adding a workload
//!
//! 1. The program: `programs/src/NAME/mod.rs` with `warm_up` and `work`, and `programs/src/bin/NAME.rs`, which includes it
//!    by its path and hands both to `worker!`.
//! 2. The reference: `reference/src/NAME/mod.rs` with the parameters and their [`Task`], and a test that the source of
//!    the program agrees with it.
//! 3. A line in [`REGISTRY`]. The tests of this crate then hold the workload to the [`laws`], and the registry to the
//!    programs in `programs/src/bin`.
//! 4. A manifest below `manifests/`.
//!
//! A worker that needs more than a stack says so, and each need is in one place:
//!
//! | need | program (`worker! { ... }`) | reference | manifest, `[workload]` |
//! |---|---|---|---|
//! | work before the timed region, with the full parameters | `prepare: path` | `NEEDS.prepare` | |
//! | an answer worked out after it | `verify: path` | `NEEDS.verify` | |
//! | memory, zero at first | `space.memory` | `Task::memory_bytes` | `memory-mib`, `pages` |
//! | a larger stack | | `NEEDS.stack_kib` | `stack-kib` |
//! | the corpus | `space.corpus` | `Task::corpus_bytes` | `corpus-mib`, `corpus-copies` |
//! | memory shared by the workers of a case | `space.shared` | `Task::shared_bytes` | `shared-kib`, and `shared-memory` in `authority` |
//! | a digest for each chunk | `space.chunks.push` | `Task::chunk_count`, `Task::chunks` | |
//! | instructions that a CPU may lack | a build of its own | `NEEDS.builds` | `requires` |
//!
//! `abi::worker` says in which order the calls come and what is left from one to the next. Such a worker may keep state in
//! its own `static`s. The warm-up is repeated for a time, so it must leave no trace in the answer: work on a part that the
//! timed call makes anew, or undo it.
//!
//! A workload made by `worker! { ... }` has a control, which skips work: `programs/src/bin/control-NAME.rs`, a link to
//! `NAME.rs`, named in the registry's line. Others and slowed builds are optional: a file there each, named in that line or
//! in [`Task::SLOWED`].
// The tests include sources of the programs, some of which need it.
#![cfg_attr(not(test), forbid(unsafe_code))]
#![cfg_attr(test, deny(unsafe_code))]

#[cfg(test)]
extern crate alloc;

mod chase;
mod chunk_hash;
mod contention;
mod dgemm;
mod digest;
mod expectation;
mod gups;
mod kept;
mod kv;
pub mod laws;
mod lz4;
mod needs;
pub mod outside;
mod parameters;
mod primes;
mod range;
mod registry;
mod sqlite;
mod task;
mod transformer;
mod triad;
mod wasm;
mod workload;

pub use abi::worker::PARAMS as MAX_PARAMETERS;
pub use expectation::{Expectation, Units};
pub use needs::{Needs, Room};
pub use parameters::{BadParameter, Parameter, Parameters, Table, Words};
pub use registry::{Control, Entry, Lookup, Registry};
pub use task::{Task, Typed};
pub use workload::{Slowed, Workload, chunk_root_of_copies};

workloads! {
    /// Every workload there is.
    pub static REGISTRY;

    primes::Primes, failed by
        "control-divide-error"
        "control-execute-data"
        "control-general-protection"
        "control-invalid-opcode"
        "control-kernel-write"
        "control-never-returns"
        "control-outside-slot"
        "control-page-fault"
        "control-replayed-answer"
        "control-shared-memory"
        "control-skipped-work"
        "control-stack-overflow"
        "control-syscall"
        "control-wrong-answer";
    chase::Chase, failed by "control-chase";
    chunk_hash::ChunkHash, failed by "control-chunk-hash";
    contention::Barrier, failed by "control-contention-barrier";
    contention::FalseSharing, failed by "control-contention-false-sharing";
    contention::McsLock, failed by "control-contention-mcs-lock";
    contention::SharedLine, failed by "control-contention-shared-line";
    contention::TicketLock, failed by "control-contention-ticket-lock";
    dgemm::Dgemm, failed by "control-dgemm";
    gups::Gups, failed by "control-gups";
    kv::KvBTree, failed by "control-kv-btree";
    kv::KvHash, failed by "control-kv-hash";
    lz4::Lz4Compress, failed by "control-lz4-compress";
    lz4::Lz4Decompress, failed by "control-lz4-decompress";
    sqlite::Sqlite, failed by "control-sqlite";
    transformer::Transformer, failed by "control-transformer";
    triad::Triad, failed by "control-triad";
    wasm::Wasm, failed by "control-wasm";
}

/// The program of the tasks of the mechanism rows (docs/MECHANISMS.md). It is no workload.
pub const TASKS: &str = "primitives";

/// The workloads whose programs take long to build, so that only runs of them do (tools/large-workers.sh).
const LARGE: [&str; 2] = ["wasm", "sqlite"];

/// The target of the Makefile that builds a program.
#[must_use]
pub fn make_target(program: &str) -> &'static str {
    let measured = by_name(program).and_then(Workload::control_of).unwrap_or(program);
    if LARGE.contains(&measured) { "large-workers" } else { "workers" }
}

/// The workload of this name in [`REGISTRY`].
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Workload> {
    REGISTRY.by_name(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_program_is_registered_and_every_registered_program_is_there() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../programs/src/bin");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let files: BTreeSet<_> =
            files.map(|file| file.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
        let mut registered: BTreeSet<_> = REGISTRY.programs().map(str::to_owned).collect();
        assert_eq!(registered.len(), REGISTRY.programs().count(), "each name once");
        // It is no workload: it has no answer of its own, and its counts are judged row by row.
        assert!(registered.insert(TASKS.to_owned()));
        assert_eq!(files, registered);
    }

    #[test]
    fn each_large_program_is_built_by_a_script_of_its_own() {
        let script = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/large-workers.sh"));
        let built: Vec<_> = script.lines().filter_map(|line| line.strip_prefix("build ")).collect();
        assert_eq!(built, LARGE);
        assert_eq!(["wasm", "control-sqlite"].map(make_target), ["large-workers"; 2]);
        assert_eq!(["primes", "control-gups", "another"].map(make_target), ["workers"; 3]);
    }

    #[test]
    fn finds_workloads_by_their_own_name_only() {
        for workload in REGISTRY.all() {
            assert_eq!(by_name(workload.name()).map(Workload::name), Some(workload.name()));
        }
        assert!(by_name("").is_none());
        assert!(by_name("prime").is_none());
    }

    #[test]
    fn every_workload_keeps_the_laws() {
        for workload in REGISTRY.all() {
            laws::assert_laws(workload, workload.example());
        }
    }

    #[test]
    fn every_build_for_more_than_every_cpu_has_is_made() {
        let script = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tools/variants.sh"));
        let lines = script.lines().filter_map(|line| line.strip_prefix("build "));
        let made: BTreeSet<(String, String)> = lines
            .flat_map(|line| {
                let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
                words[2..].iter().map(|program| (words[0].clone(), program.clone())).collect::<Vec<_>>()
            })
            .collect();
        let builds = REGISTRY.measured().flat_map(|workload| {
            let name = workload.name().to_owned();
            workload.needs().builds.iter().map(move |features| (features.to_string(), name.clone()))
        });
        assert_eq!(made, builds.collect());
    }

    #[test]
    fn a_control_has_the_task_of_its_workload_under_its_own_name() {
        for control in REGISTRY.controls() {
            let of = by_name(control.control_of().unwrap()).unwrap();
            let task = of.example();
            assert_ne!(control.name(), of.name());
            assert_eq!((of.control_of(), control.slowed().len()), (None, 0));
            assert_eq!((control.parameters(), control.units()), (of.parameters(), of.units()));
            assert_eq!(control.expectation(task, 7), of.expectation(task, 7));
            assert_eq!(control.cut_points(task), of.cut_points(task));
        }
    }
}
