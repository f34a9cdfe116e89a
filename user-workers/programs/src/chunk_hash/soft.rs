//! SHA-256 by integer instructions alone: the crate `sha2`, whose feature `force-soft` leaves out the choice by CPUID.

use sha2::{Digest, Sha256};

/// The SHA-256 of a chunk.
pub fn sha256(chunk: &[u8]) -> [u8; 32] {
    Sha256::digest(chunk).into()
}
