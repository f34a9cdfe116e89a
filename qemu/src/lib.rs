//! Runs guests under QEMU: finds it, builds its command line, starts it stopped, pins its vCPU threads, lets it go,
//! and says how it ended and with what evidence.
//!
//! This crate knows nothing about what a guest's output means. It keeps the serial bytes as they came and classifies
//! the end of the run; whether that end is a success is for the reader of the transcript to say.
//!
//! [`run()`] is the whole of it: a [`GuestSpec`] goes in, a [`GuestRun`] comes out. Every run has a deadline, a bound
//! on its serial log and a [`CancelToken`](host::CancelToken), and none leaves a process behind.
//!
//! How a guest is held:
//! - QMP is a socket pair whose far end is QEMU's standard input, and the serial port is a pipe on its standard output.
//!   No path in the file system is shared, so the command line is the same for every run, nothing is left over from a
//!   run that was killed, and the end of QEMU is the end of both streams. (A trace, for which QEMU wants a path, is the
//!   exception: see [`MachineSpec::trace_log`].)
//! - QEMU leads its own process group: the terminal's Ctrl-C reaches this program only, which decides what happens.
//! - If this program itself dies, the kernel kills QEMU (`setpriv --pdeathsig`, where util-linux has it).
#![forbid(unsafe_code)]

mod accel;
mod boot;
mod classify;
mod command;
mod conversation;
mod error;
mod firmware;
mod guest_process;
mod lines;
pub mod linux;
mod machine;
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
pub use machine::{CpuShape, DiskBus, MachineSpec, Vga, default_cpu_model};
pub use outcome::{Outcome, Phase};
pub use record::{GuestRun, Timeline};
pub use registers::CpuState;
pub use run::{FirstRecord, GuestEvent, GuestSpec, run};
pub use version::{MINIMUM_VERSION, Qemu, Version};
