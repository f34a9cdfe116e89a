//! The whole of it on real guests: the kernel as `make build` left it, under QEMU.
//!
//! A host of any size and load will do. Where a guest's CPUs must not be held to the host's speed, the gate is told that
//! the host has one: such a run shows function, which is what is tested here.

#![expect(clippy::unwrap_used, reason = "what fails here is a test that fails")]

#[path = "../support/assay.rs"]
mod assay;
mod lab;

mod boots;
mod comparability;
mod controls;
mod deaths;
mod experiments;
mod hardware;
mod interference;
mod refusals;
mod screen;
mod signals;
mod slowed;
mod sweep;
mod systems;
mod verdict;
