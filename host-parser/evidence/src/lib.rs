//! From a serial log and what the host observed to a measurement, or to the reason why there is none.
//!
//! Owns the reading of logs ([`transcript`]), the rules that a run must pass ([`gate`]), and the baseline that undisturbed
//! samples set ([`baseline`]), and the ledger of what is
//! excluded for what the host did ([`ledger`]). Refuses to know how a run was made: it never depends on the crates that run guests, and
//! takes neither an answer nor a time on the guest's word.

#![forbid(unsafe_code)]

pub mod baseline;
pub mod gate;
pub mod ledger;
pub mod transcript;
