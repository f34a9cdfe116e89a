//! From a serial log and the host's observations to a measurement, or to the reason why there is none.
//!
//! Owns the reading of logs ([`transcript`]), the rules that a run must pass ([`gate`]), the baseline of undisturbed times
//! ([`baseline`]), and the ledger of what is excluded because the host disturbed it ([`ledger`]). Does not know how a run
//! was made: it never depends on the crates that run guests. Takes no answer and no time on the guest's word.

#![forbid(unsafe_code)]

pub mod baseline;
pub mod challenge;
pub mod gate;
pub mod ledger;
pub mod transcript;
