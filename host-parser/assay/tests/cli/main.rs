//! The `assay` command without a guest: its refusals, messages and exit codes. Scripts and small files stand in for
//! QEMU, the image tool, the kernel and the worker.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

#[path = "../support/assay.rs"]
mod assay;
mod stage;

use test_support::{golden, guest, script};

mod ab;
mod baseline;
mod bench_verdict;
mod compare;
mod configure;
mod diagnosis;
mod disclosure;
mod doctor;
mod dry_run;
mod exact;
mod exit_codes;
mod export;
mod figures;
mod images;
mod json;
mod lock;
mod logs;
mod manifests;
mod options;
mod outputs;
mod own_program;
mod pipeline;
mod programs;
mod report;
mod show;
mod systems;
mod verify;
mod vmms;
mod width;
