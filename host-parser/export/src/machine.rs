//! Which machine: a short name by which other tools keep series apart.

use results::{MachineKey, Results};

/// `m-` and eight digits of a SHA-256 over the hard part of the machine's [key](MachineKey). Equal names are no proof of one
/// host: a guest cannot see it.
#[must_use]
pub fn machine_id(results: &Results) -> String {
    MachineKey::of(results).machine_id()
}
