//! From serial records to results that hold.
#![forbid(unsafe_code)]

pub mod boot_config;
pub mod diagnosis;
pub mod disclosure;
pub mod gate;
pub mod manifest;
pub mod plan;
pub mod results;
pub mod session;
pub mod stats;
pub mod transcript;
