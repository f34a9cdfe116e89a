//! A good log taken apart: see the crate `test-support`.

pub use test_support::script::*;
