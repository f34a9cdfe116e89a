//! A number that differs from boot to boot. Not for secrets.
#![expect(unsafe_code, reason = "RDRAND, if CPUID lists it")]

use core::arch::x86_64::_rdrand64_step;

use abi::Digest;

use super::{cpuid, tsc};

/// Mixes the TSC with RDRAND, if the CPU has it.
#[must_use]
pub fn nonce() -> u64 {
    let mut seed = [0; 16];
    seed[..8].copy_from_slice(&tsc::read().to_le_bytes());
    if cpuid::bit(cpuid::leaf(1, 0).ecx, 30) {
        seed[8..].copy_from_slice(&rdrand().to_le_bytes());
    }
    Digest::of(&seed).0.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// One RDRAND; false if it returned no number.
#[target_feature(enable = "rdrand")]
fn rdrand_step(value: &mut u64) -> bool {
    _rdrand64_step(value) == 1
}

fn rdrand() -> u64 {
    let mut value = 0;
    // A step may fail under load; ten in a row do not (Intel SDM vol. 1, "Random Number Generator Instructions").
    // SAFETY: the caller checked CPUID.
    let _ = (0..10).any(|_| unsafe { rdrand_step(&mut value) });
    value
}
