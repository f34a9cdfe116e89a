//! All CPUs: their start, the jobs on them, their places, and the test that their clocks agree.

mod broadcast;
mod locate;
mod roster;
mod settle;
mod start;
mod trampoline;
mod warp;

pub use broadcast::run_on;
pub use locate::all as locate_all;
pub use roster::{Roster, RosterEntry};
pub use settle::all as settle_all;
pub use start::{Started, adopt_bsp, start_aps};
pub use warp::test as test_warp;
