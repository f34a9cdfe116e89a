//! The buckets of a log-linear histogram: each power of two has 64 of equal width, so no bucket is wider than 1/64 of its
//! least value. Values below 128 have a bucket each.

/// The bits of a value that its bucket keeps below the leading one.
const KEPT: u32 = 6;
/// The buckets of one power of two.
const STEPS: u64 = 1 << KEPT;

/// How many buckets there are for all values of 64 bits.
pub const BUCKETS: u16 = 59 << KEPT;

/// The bucket of a value.
#[must_use]
pub const fn bucket(value: u64) -> u16 {
    let shift = exponent(value).saturating_sub(KEPT) as u64;
    // At most 57 * 64 + 127.
    #[expect(clippy::cast_possible_truncation, reason = "less than BUCKETS")]
    let bucket = (shift * STEPS + (value >> shift)) as u16;
    bucket
}

/// The place of the highest bit that is set; 0 for 0.
const fn exponent(value: u64) -> u32 {
    match value.checked_ilog2() {
        Some(exponent) => exponent,
        None => 0,
    }
}

/// The least and the greatest value of a bucket; `None` if there is no such bucket.
#[must_use]
pub fn bounds(bucket: u16) -> Option<(u64, u64)> {
    if bucket >= BUCKETS {
        return None;
    }
    let bucket = u64::from(bucket);
    let shift = (bucket / STEPS).saturating_sub(1);
    let least = (bucket - shift * STEPS) << shift;
    Some((least, least + ((1 << shift) - 1)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_follow_each_other_without_a_gap() {
        let mut next = 0_u64;
        for number in 0..BUCKETS {
            let (least, greatest) = bounds(number).unwrap();
            assert_eq!(least, next, "{number}");
            assert_eq!((bucket(least), bucket(greatest)), (number, number));
            next = greatest.wrapping_add(1);
        }
        assert_eq!(next, 0, "the last bucket ends with the last value");
        assert_eq!(bounds(BUCKETS), None);
    }

    proptest! {
        #[test]
        fn a_bucket_is_at_most_a_64th_of_its_least_value_wide(bits in 0_u32..64, low: u64) {
            let value = 1_u64 << bits | low & ((1_u64 << bits) - 1);
            let (least, greatest) = bounds(bucket(value)).unwrap();
            prop_assert!(least <= value && value <= greatest);
            prop_assert!(u128::from(greatest - least) * 64 <= u128::from(least));
        }
    }
}
