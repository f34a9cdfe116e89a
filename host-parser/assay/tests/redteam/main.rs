//! The red team: logs and sessions that state something false. Each must end in the reason that is named beside it.
//!
//! Every attack is made by code from an honest guest and sealed again, so that no number, CRC or digest shows it. Where
//! nothing in a log can show a lie, the table says so, and the test shows what does.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

#[path = "../support/assay.rs"]
mod assay;
#[path = "../cli/compare/played.rs"]
#[allow(dead_code, reason = "the tests of the command line use the rest")]
mod played;
#[path = "../cli/compare/sessions.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of the command line use the rest")]
mod sessions;
#[path = "../cli/stage.rs"]
#[allow(dead_code, reason = "the tests of the command line use the rest")]
mod stage;

use test_support::{guest, script};

mod attack;
mod boots;
mod clocks;
mod copies;
mod figures;
mod liar;
mod missing;
mod rows;
mod sealed;
