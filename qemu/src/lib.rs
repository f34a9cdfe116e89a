//! Runs guests under QEMU: finds QEMU, builds its command line, starts it stopped, pins its vCPU threads, starts the
//! guest, and returns how it ended with the evidence.
//!
//! This crate does not interpret a guest's output. It keeps the serial bytes unchanged and classifies the end of the run;
//! the reader of the transcript decides whether that end is a success.
//!
//! The entry point is [`run()`]: it takes a [`GuestSpec`] and returns a [`GuestRun`]. Every run has a deadline, a bound
//! on its serial log and a [`CancelToken`](host::CancelToken), and none leaves a process behind.
//!
//! How a guest is contained:
//! - QMP is a socket pair whose far end is QEMU's standard input, and the serial port is a pipe on its standard output.
//!   No file is shared, so every run has the same command line, a killed run leaves nothing behind, and the end of QEMU
//!   ends both streams. (The exception is a trace, for which QEMU needs a path: see [`MachineSpec::trace_log`].)
//! - QEMU leads its own process group: the terminal's Ctrl-C reaches this program only.
//! - If this program dies, the kernel kills QEMU (`setpriv --pdeathsig`, if util-linux has it).
#![forbid(unsafe_code)]

mod accel;
mod boot;
mod classify;
mod command;
mod conversation;
mod error;
mod firmware;
mod guest_process;
mod kvm;
mod lines;
pub mod linux;
mod machine;
pub mod nested;
mod outcome;
mod process;
pub mod qmp;
mod record;
mod registers;
mod run;
mod serial;
mod streams;
pub mod trace;
mod trace_log;
mod version;

pub use accel::{Accelerator, AcceleratorChoice};
pub use boot::BootMedium;
pub use command::CommandLine;
pub use error::QemuError;
pub use firmware::{Firmware, UefiFirmware};
pub use kvm::KvmProblem;
pub use machine::{CpuShape, DiskBus, MachineSpec, Vga, default_cpu_model};
pub use outcome::{Outcome, Phase};
pub use record::{GuestRun, Timeline};
pub use registers::CpuState;
pub use run::{FirstRecord, GuestEvent, GuestSpec, run};
pub use version::{MINIMUM_VERSION, Qemu, Version};
