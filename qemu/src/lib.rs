//! Runs guests under QEMU, Firecracker or Cloud Hypervisor: finds the VMM, builds its command line, starts it, pins its
//! vCPU threads, and returns how the guest ended with the evidence.
//!
//! This crate does not interpret a guest's output. It keeps the serial bytes unchanged and classifies the end of the run;
//! the reader of the transcript decides whether that end is a success.
//!
//! The entry point is [`run()`]: it takes a [`GuestSpec`] and returns a [`GuestRun`]. Every run has a deadline, a bound
//! on its serial log and a [`CancelToken`](host::CancelToken), and none leaves a process behind.
//!
//! What is QEMU's alone, and what the other VMMs have instead, is in `vmm`. QEMU holds a guest before its first instruction,
//! names its threads and reports how it ended (QMP), and has a device for a guest's exit code. The others have none of these:
//! their guests begin at once, their threads are found by name, and the log's `end` record is the only word on the result.
//!
//! How a guest is contained:
//! - The control channel is a socket pair whose far end is the VMM's standard input, and the serial port is a pipe on its
//!   standard output. No file is shared, so a killed run leaves no socket behind, and the end of the VMM ends both streams.
//!   (The exceptions are a trace, for which QEMU needs a path, see [`MachineSpec::trace_log`], and Firecracker's
//!   configuration, which stays beside the log as a part of the record.)
//! - The VMM leads its own process group: the terminal's Ctrl-C reaches this program only.
//!   A guest in the exact mode ([`exact`]) has no control channel at all.
//! - If this program dies, the kernel kills the VMM (`setpriv --pdeathsig`, if util-linux has it).
#![forbid(unsafe_code)]

mod accel;
mod boot;
mod classify;
mod command;
mod conversation;
mod error;
pub mod exact;
mod file_error;
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
mod vmm;

pub use accel::{Accelerator, AcceleratorChoice};
pub use boot::BootMedium;
pub use command::{CommandLine, Given};
pub use error::QemuError;
pub use file_error::FileError;
pub use firmware::{Firmware, UefiFirmware};
pub use kvm::KvmProblem;
pub use machine::{CpuShape, DiskBus, Loading, MachineSpec, Vga, default_cpu_model};
pub use outcome::{Outcome, Phase};
pub use record::{GuestRun, Timeline};
pub use registers::CpuState;
pub use run::{Deletion, FirstRecord, GuestEvent, GuestSpec, SerialInput, run};
pub use version::{MINIMUM_VERSION, Qemu, Version};
pub use vmm::{Vmm, VmmKind};
