//! All CPUs: how they are started, how work reaches them, where they are, and whether their clocks agree.

mod broadcast;
mod locate;
mod roster;
mod start;
mod trampoline;
mod warp;

pub use broadcast::run_on;
pub use locate::all as locate_all;
pub use roster::{Roster, RosterEntry};
pub use start::{Started, adopt_bsp, start_aps};
pub use warp::test as test_warp;
