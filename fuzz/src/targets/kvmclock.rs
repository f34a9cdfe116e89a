//! KVM's scale of the TSC: four bytes to multiply by, one to shift by.

use kernel::clock::from_scale;

use crate::input::Input;

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let mul = u32::from(input.word()) | u32::from(input.word()) << 16;
    let shift = i8::from_le_bytes([input.byte()]);
    let khz = from_scale(mul, shift);
    // 10^6 * 2^32 / mul, rounded down, times or over a power of two.
    let unshifted = (1_000_000_u128 << 32).checked_div(mul.into());
    let power = 1_u128.checked_shl(shift.unsigned_abs().into());
    let due = match (unshifted, power) {
        (Some(khz), Some(power)) if shift < 0 => khz.checked_mul(power),
        (Some(khz), Some(power)) => Some(khz / power),
        _ => None,
    };
    assert_eq!(khz, due.and_then(|khz| u64::try_from(khz).ok()).filter(|&khz| khz > 0));
}
