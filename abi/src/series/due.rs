//! What a series must have done, by its samples.

use super::SeriesRow;

/// The passes of a bandwidth row that come before its samples. The number of a pass is part of what it writes.
pub const BANDWIDTH_WARM_UPS: u64 = 2;

/// What the oracle of `count` samples of `n` operations must count; `None` for a window of gaps, whose length the record
/// states.
#[must_use]
pub fn due(row: SeriesRow, arg: u64, n: u64, count: u64) -> Option<u64> {
    let operations = n.wrapping_mul(count);
    match row {
        SeriesRow::HwNoise => None,
        // Each side of a pair counts.
        SeriesRow::CoreToCore | SeriesRow::TscOrder => Some(operations.wrapping_mul(2)),
        // Each CPU that is interrupted counts.
        SeriesRow::TlbShoot => Some(operations.wrapping_mul(arg)),
        // Each page and each operation of a ring counts.
        SeriesRow::Map | SeriesRow::Protect | SeriesRow::Unmap | SeriesRow::RingNop => {
            Some(operations.wrapping_mul(arg))
        }
        SeriesRow::MapTouch => Some(operations.wrapping_mul(touched_pages(arg))),
        SeriesRow::MemRead | SeriesRow::MemWrite | SeriesRow::MemCopy => {
            let cpus = arg.max(1);
            Some(bandwidth_sum(n / cpus, count).wrapping_mul(cpus))
        }
        _ => Some(operations),
    }
}

/// The pages of `map_touch` that are stored to, of so many that are mapped: a tenth, and one at least.
#[must_use]
pub const fn touched_pages(mapped: u64) -> u64 {
    if mapped < 10 { 1 } else { mapped / 10 }
}

/// The sum of the words of one CPU over `passes` passes: the k-th of its `words`, from 0, is k plus the number of the pass.
#[must_use]
pub fn bandwidth_sum(words: u64, passes: u64) -> u64 {
    // Both products of neighbours are even, and wrap only after the division.
    let triangle = |k: u64| u128::from(k) * u128::from(k.saturating_sub(1)) / 2;
    let of_words = triangle(words) * u128::from(passes);
    let numbers = triangle(passes + 1) + u128::from(BANDWIDTH_WARM_UPS) * u128::from(passes);
    let sum = of_words.wrapping_add(u128::from(words) * numbers);
    #[expect(clippy::cast_possible_truncation, reason = "sums wrap at 64 bits, on both sides")]
    let wrapped = sum as u64;
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_that_of_the_words() {
        for (words, passes) in [(1_u64, 1_u64), (4, 3), (1000, 11)] {
            let all = (1..=passes).flat_map(|pass| (0..words).map(move |k| k + pass + BANDWIDTH_WARM_UPS));
            assert_eq!(bandwidth_sum(words, passes), all.sum::<u64>());
        }
    }

    #[test]
    fn both_sides_of_a_pair_are_due() {
        assert_eq!(due(SeriesRow::CoreToCore, 0, 512, 100), Some(102_400));
        assert_eq!(due(SeriesRow::TlbShoot, 3, 1, 10), Some(30));
        assert_eq!(due(SeriesRow::ExitCpuid, 0, 512, 100), Some(51_200));
        assert_eq!(due(SeriesRow::HwNoise, 10, 1, 5), None);
        assert_eq!([1, 16, 512].map(|pages| due(SeriesRow::MapTouch, pages, 1, 10)), [10, 10, 510].map(Some));
    }
}
