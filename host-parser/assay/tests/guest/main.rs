//! End-to-end tests with real guests: the kernel that `make build` built, under QEMU.
//!
//! They run on a host of any size and load. If the speed of a guest's CPUs must not matter, the test states to the gate
//! that the host has one CPU: then the run is functional-only.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

#[path = "../support/assay.rs"]
mod assay;
mod lab;

mod boots;
mod commands;
mod comparability;
mod controls;
mod deaths;
mod exact;
mod experiments;
mod grants;
mod hardware;
mod interference;
mod lifecycle;
mod mechanisms;
mod own_program;
mod platform;
mod refusals;
mod screen;
mod signals;
mod slowed;
mod snapshots;
mod stopped;
mod sweep;
mod systems;
mod verdict;
