//! The checks that a build makes. Each feature of the crate leaves one out, so that its price can be counted; a kernel without one
//! says so in its log, and the gate refuses the log.
//!
//! What each gives up stands at [`abi::checks::Check`].

use abi::checks::{Check, Checks};
use abi::object::{HandleRight, Rights};
use abi::wire::record::Profile;

use crate::console;

/// Whether the generation of a handle is looked at.
pub const GENERATION: bool = !cfg!(feature = "without-generation");
/// Whether the rights of a handle are.
pub const RIGHTS: bool = !cfg!(feature = "without-rights");
/// Whether handles to a revoked object are void.
pub const REVOCATION: bool = !cfg!(feature = "without-revocation");
/// Whether the registers that a call does not return are cleared.
pub const REGISTERS: bool = !cfg!(feature = "without-registers");
/// Whether memory is mapped for writing or for execution, and never for both.
pub const WRITE_XOR_EXECUTE: bool = !cfg!(feature = "without-write-xor-execute");

/// The checks that this build leaves out.
pub const LEFT_OUT: Checks = Checks::NONE
    .with(Check::Generation, !GENERATION)
    .with(Check::Rights, !RIGHTS)
    .with(Check::Revocation, !REVOCATION)
    .with(Check::Registers, !REGISTERS)
    .with(Check::WriteXorExecute, !WRITE_XOR_EXECUTE);

/// Whether a right is among those of a handle.
#[inline(always)]
#[must_use]
pub const fn allows(rights: Rights, right: HandleRight) -> bool {
    !RIGHTS || rights.has(right)
}

/// Reports what is left out, if anything is.
pub fn report() {
    if !LEFT_OUT.is_empty() {
        console::record(Profile { left_out: LEFT_OUT });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_that_is_tested_makes_all_checks() {
        const { assert!(LEFT_OUT.is_empty()) };
        assert!(!allows(Rights::NONE, HandleRight::Call));
    }
}
