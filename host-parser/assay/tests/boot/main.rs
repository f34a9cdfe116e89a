//! The boot matrix: boots the kernel on every kind of machine that the installed emulators offer. `make test-boot` runs
//! it. `make test` does not: it boots a small cross-section.
//!
//! `cases` lists the machines and how each boot must end. Every boot runs the same small experiment on one or two CPUs,
//! and the gate judges its log like any other. All rows are tried before a boot that ended otherwise fails the test.
//!
//! `ASSAY_BOOT=WORD` runs only the rows with that word in their name. `ASSAY_QEMU=PATH` names the QEMU to use.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

#[path = "../support/assay.rs"]
mod assay;

mod bochs;
mod case;
mod cases;
mod debugger;
mod firmware_tables;
mod judge;
mod lab;
mod report;

use std::time::{Duration, Instant};

use crate::lab::Lab;
use case::{Case, Ending, Needs};
use report::{Report, Row};

/// Longer than the slowest boot on a busy host: a guest that has not ended by then hangs.
const DEADLINE: Duration = Duration::from_secs(180);

/// Attempts at a boot that the host disturbs.
const TRIES: usize = 3;

#[test]
#[ignore = "boots more than a hundred guests: make test-boot"]
fn every_boot_ends_as_its_row_expects() {
    let lab = Lab::new();
    let word = std::env::var("ASSAY_BOOT").unwrap_or_default();
    let wanted = |name: &str| name.contains(&word);
    let mut report = Report::begin(&lab.qemu().banner);
    for case in cases::all().filter(|case| wanted(case.name)) {
        report.add(row(&lab, case));
    }
    for machine in bochs::MACHINES.iter().filter(|machine| wanted(machine.name)) {
        report.add(bochs::row(&lab, machine));
    }
    let wrong = report.end();
    assert!(wrong.is_empty(), "{} boots ended unexpectedly: {}", wrong.len(), wrong.join(", "));
}

/// Boots one row's machine, if this QEMU offers it.
fn row(lab: &Lab, case: &Case) -> Row {
    if let Some(lacks) = lab.lacks(case) {
        return Row::skipped(case.name, lacks);
    }
    let begin = Instant::now();
    let mut tries = 0;
    loop {
        tries += 1;
        let over = lab.boot(case, DEADLINE);
        let judged = judge::judge(lab, case, &over);
        if judged.disturbed && tries < TRIES {
            continue;
        }
        return Row::tried(case.name, begin.elapsed(), tries, &over, judged);
    }
}

#[test]
fn no_two_rows_have_the_same_name() {
    let names = cases::all().map(|case| case.name).chain(bochs::MACHINES.iter().map(|row| row.name));
    let mut names: Vec<_> = names.collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}

#[test]
fn a_row_that_ends_unseen_has_no_serial_port() {
    for case in cases::all() {
        let unseen = matches!(case.ends, Ending::Unseen);
        assert_eq!(unseen, case.without.contains(&case::Part::Serial), "{}", case.name);
        assert!(case.needs != Needs::X2apic || case.says.contains(&"apic=x2apic"), "{}", case.name);
    }
}
