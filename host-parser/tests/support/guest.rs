//! A guest that did everything right: see the crate `test-support`.

pub use test_support::guest::*;
