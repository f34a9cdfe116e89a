//! The Linux twin: runs the plan of an Assay ramdisk as Linux processes, and prints the same records.
//!
//! One program, two roles. As the first process of a Linux guest it is the counterpart of the kernel; as an ordinary
//! program it shows the ceiling of the host that guests run on. The course of an experiment is `harness`'s, which the
//! kernel runs too. This program adds only what Linux does differently: address spaces by `mmap`, CPUs by affinity,
//! faults by signals, refused syscalls by seccomp.
//!
//! Linux runs with its defaults: its scheduler, its priorities, its interrupt routing. The workers get what
//! a careful user of Linux would give them: a CPU each, locked and prefaulted memory, a warm-up. Only a guest whose command
//! line asks for it is tuned ([`tuning`]): a row of its own.
#![deny(unsafe_code)]

mod args;
mod backend;
mod clock;
mod command;
mod console;
mod cpus;
mod guest;
mod linux;
mod machine;
mod mechanism;
mod native;
mod platform;
mod power;
mod refusal;
mod run;
mod second;
mod tuning;
mod warp;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
    let epoch = clock::Stamp::take();
    if std::process::id() == 1 {
        guest::run(epoch)
    }
    match args::parse(std::env::args_os().skip(1)) {
        Ok(args) => native::run(&args, epoch),
        Err(problem) => {
            eprintln!("assay-twin: {problem}\n{}", args::USAGE);
            ExitCode::from(native::USAGE)
        }
    }
}
