//! Drives the runs of a session: finds what they are made of, decides which comes next, makes each in a guest or as
//! processes of the host, has the gate judge it, and writes the results.
//!
//! It joins the crates that run guests (`qemu`) and read the host (`host`) with the one that judges them (`evidence`);
//! none of these knows another.
#![forbid(unsafe_code)]

mod boot_image;
pub mod console;
pub mod diagnosis;
mod exit;
pub mod guest;
mod guest_env;
pub mod image_tool;
mod kernel_file;
mod label;
mod lock;
pub mod nested;
mod places;
mod probe;
mod progress_line;
mod rounds;
mod rows;
mod run;
mod schedule;
mod session;

pub use boot_image::BootImage;
pub use exit::{Coded, Exit, OrExit};
pub use guest_env::{Built, GuestEnv, GuestSources};
pub use kernel_file::build_id;
pub use label::of_time as label_of_time;
pub use lock::MeasuringLock;
pub use places::Places;
pub use probe::ProbeSpec;
pub use rounds::{Rounds, SPARE, Step};
pub use rows::{Row, SystemsSpec, of_systems};
pub use run::{Run, RunKey, expectation};
pub use schedule::{Slot, clock_seed, schedule};
pub use session::{Ended, Layout, Session, SessionFolder, SessionSpec, executable, random_name};
