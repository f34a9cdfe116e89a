//! The Linux twin: runs the plan of an Assay ramdisk as Linux processes, and prints the same records.
//!
//! One program, two roles. As the first process of a Linux guest it is the counterpart of the kernel; as an ordinary
//! program it gives the ceiling of the host that guests run on. Whatever both sides can share they do share: the
//! records are `abi`'s, and the ELF reader, the meeting before the common start, the warp test, the order of the
//! records and the table are the kernel's own library. What is written here is only what Linux does otherwise: address
//! spaces by `mmap`, CPUs by affinity, faults by signals, refused syscalls by seccomp.
//!
//! Linux runs as it comes: the default scheduler and priority, its interrupts where they fall. The workers get what a
//! careful user of Linux would give them: a CPU each, locked and prefaulted memory, a warm-up.
#![deny(unsafe_code)]

mod args;
mod cases;
mod clock;
mod console;
mod cpus;
mod guest;
mod linux;
mod machine;
mod native;
mod phases;
mod power;
mod refusal;
mod run;
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
