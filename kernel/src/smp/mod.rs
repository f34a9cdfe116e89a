//! All CPUs: their start, the jobs on them, their places, and the test that their clocks agree.

mod broadcast;
mod locate;
mod roster;
mod settle;
mod start;
mod trampoline;
mod warp;

/// How long another CPU may take to start or to do a short job, in microseconds. A loaded host may run a vCPU only after
/// seconds: one that had 18 runnable threads on two CPUs took up to 4 s. Linux waits as long for a CPU's first sign of life
/// (`arch/x86/kernel/smpboot.c`).
const PATIENCE_US: u64 = 10_000_000;

pub use broadcast::run_on;
pub use locate::all as locate_all;
pub use roster::{Roster, RosterEntry};
pub use settle::all as settle_all;
pub use start::{Started, adopt_bsp, start_aps};
pub use warp::test as test_warp;
