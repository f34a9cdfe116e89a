//! The boot matrix: the kernel on every kind of machine that the emulators at hand can be. `make test-boot` runs it; it is
//! not part of `make test`, which boots a small cross-section.
//!
//! What is booted, and how each boot must end, is in `cases`. Every boot runs the same small experiment on one or two
//! CPUs, and its log is judged by the gate as any other. A boot that does not end as its row says fails the test, after
//! all rows were tried.
//!
//! `ASSAY_BOOT=WORD` runs the rows whose name has that word; `ASSAY_QEMU=PATH` runs another QEMU than the one in PATH.

#![expect(clippy::unwrap_used, reason = "what fails here is a test that fails")]

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

/// Longer than the slowest boot on a host with other work to do; what has not ended by then hangs.
const DEADLINE: Duration = Duration::from_secs(180);

/// How often a boot is tried whose host did not let its CPUs run.
const TRIES: usize = 3;

#[test]
#[ignore = "boots more than a hundred guests: make test-boot"]
fn every_machine_ends_as_its_row_says() {
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
    assert!(wrong.is_empty(), "{} boots did not end as their rows say: {}", wrong.len(), wrong.join(", "));
}

/// Boots one row's machine, if this QEMU can be it.
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
