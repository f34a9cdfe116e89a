//! Golden files: see the crate `test-support`.

pub use test_support::golden::*;
