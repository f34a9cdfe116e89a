//! All CPUs: their own data, how they are started, how work reaches them, and whether their clocks agree.

mod broadcast;
pub mod gaps;
pub mod idle;
mod locate;
pub mod order;
mod per_cpu;
mod roster;
mod start;
mod steal;
mod trampoline;
pub mod warp;

pub use broadcast::{Job, run_on};
pub use locate::all as locate_all;
pub use order::Located;
pub use per_cpu::PerCpu;
pub use roster::{Roster, RosterEntry};
pub use start::{Started, adopt_bsp, start_aps};
