//! The `assay` command where there is no guest: what it refuses, what it says of it, and how it ends. QEMU, the image
//! tool, the kernel and the worker are played by files of the tests' own.

#![expect(clippy::unwrap_used, reason = "what fails here is a test that fails")]

#[path = "../support/assay.rs"]
mod assay;
mod stage;

use test_support::{golden, guest, script};

mod ab;
mod bench_verdict;
mod compare;
mod configure;
mod diagnosis;
mod disclosure;
mod doctor;
mod dry_run;
mod exit_codes;
mod images;
mod logs;
mod manifests;
mod options;
mod outputs;
mod programs;
mod systems;
