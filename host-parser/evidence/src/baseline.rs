//! What a host can give, by what it gave so far.

/// The quick ones of `times`, which are in the order in which they were taken: of their lower quartiles after one, two
/// and all further of them the least. None of none.
///
/// A quartile, and at least the second-quickest: a single one that met a cold, fast CPU must not condemn all others, nor
/// the luckiest of hundreds. The least of them: a host that becomes busy and stays so makes later quartiles slow, and what
/// it once could give it can give. So with every further time the quick ones can only get quicker.
#[must_use]
pub fn quick(times: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = Vec::new();
    let mut least: Option<f64> = None;
    for time in times {
        let place = sorted.partition_point(|other| *other < time);
        sorted.insert(place, time);
        let last = sorted.len() - 1;
        let quartile = sorted[(last / 4).max(1).min(last)];
        // Of one alone nobody knows whether it was quick.
        least = Some(if last < 2 { quartile } else { least.map_or(quartile, |least| least.min(quartile)) });
    }
    least
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_second_of_a_few_and_the_lower_quartile_of_many() {
        assert_eq!(quick([]), None);
        assert_eq!(quick([5.0]), Some(5.0));
        assert_eq!(quick([5.0, 7.0]), Some(7.0));
        assert_eq!(quick([7.0, 9.0, 5.0, 8.0]), Some(7.0));
        let many = [4.0, 3.0, 2.0, 1.0].into_iter().cycle().take(100);
        assert_eq!(quick(many.map(|time| 10.0 + time)), Some(11.0));
        let many = (0..100).map(|i| if i % 10 == 9 { 1.0 } else { 2.0 });
        assert_eq!(quick(many), Some(2.0));
    }

    #[test]
    fn only_gets_quicker() {
        let times: Vec<f64> = (0..200).map(|i| f64::from((i * 83 + i * i * 7) % 101)).collect();
        let each: Vec<f64> = (2..times.len()).filter_map(|n| quick(times[..=n].iter().copied())).collect();
        assert!(each.windows(2).all(|pair| pair[1] <= pair[0]));
        // A host that becomes busy for good.
        assert_eq!(quick([1.0, 1.0].into_iter().chain([1.9; 500])), Some(1.0));
    }

    #[test]
    fn the_luckiest_of_hundreds_are_not_the_measure() {
        let times = (0..400).map(|i| if i % 100 == 50 { 0.8 } else { 1.0 });
        assert_eq!(quick(times), Some(1.0));
    }
}
