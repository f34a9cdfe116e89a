//! `make test-kvm`: the kernel and the tool under KVM.
//!
//! Where this host has a KVM that works, the cases run here. Elsewhere they run in an L1 guest (`qemu::nested`), whose
//! program is this one again: both ways have the same cases, and the same lines of verdicts. In L1 the CPUs are
//! emulated, so no case asserts a speed.
//!
//! Each case is a process of its own with a deadline, so that one that hangs or aborts fails alone. Cases are in pieces:
//! a piece is what one L1 guest runs. If L1 itself breaks, which is a fault of the emulation, its piece runs once more; a
//! case that fails never does.
#![forbid(unsafe_code)]

mod cases;
mod guest;
mod here;
mod in_l1;
mod report;
mod verdict;

use std::process::ExitCode;

use clap::Parser;
use qemu::{Accelerator, AcceleratorChoice};

use crate::cases::{CASES, Case};
use crate::report::Report;

/// Runs the kernel and the tool under KVM: on this host, or in a Linux guest that has an emulated SVM.
#[derive(Parser)]
struct Args {
    /// Run only the cases with this word in their names
    word: Option<String>,
    /// List the cases, and run none
    #[arg(long)]
    list: bool,
    /// Use an L1 guest even if this host has a KVM
    #[arg(long)]
    nested: bool,
    /// Run the cases of the piece with this name here: what an L1 guest does
    #[arg(long, hide = true)]
    piece: Option<String>,
    /// Run this case in this process
    #[arg(long, hide = true)]
    case: Option<String>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if let Some(name) = &args.case {
        return here::run_in_this_process(name);
    }
    let wanted: Vec<&Case> = CASES
        .iter()
        .filter(|case| args.word.as_ref().is_none_or(|word| case.name.contains(word.as_str())))
        .filter(|case| args.piece.as_ref().is_none_or(|piece| case.piece == piece))
        .collect();
    if args.list {
        wanted.iter().for_each(|case| println!("{:<12}{}", case.piece, case.name));
        return ExitCode::SUCCESS;
    }
    if args.piece.is_some() {
        here::run(&wanted, &mut |_, verdict| println!("{}", verdict.line()));
        return ExitCode::SUCCESS;
    }
    let choice = AcceleratorChoice::detect();
    let mut report = Report::begin(&wanted);
    if choice.accelerator == Accelerator::Kvm && !args.nested {
        println!("KVM of this host: {}", choice.reason);
        here::run(&wanted, &mut |case, verdict| report.add(case, verdict));
    } else {
        println!("no KVM here ({}): in an L1 guest, with SVM emulated by QEMU", choice.reason);
        if let Err(error) = in_l1::run(&wanted, args.word.as_deref(), &mut report) {
            println!("L1: {error:#}");
        }
    }
    report.end()
}
