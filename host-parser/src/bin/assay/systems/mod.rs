//! What runs the workers: a file for each way.

pub mod native;
