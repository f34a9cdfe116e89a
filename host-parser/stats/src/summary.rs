//! Descriptive statistics of a list of numbers.

use serde::Serialize;

/// Descriptive statistics of a list of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Summary {
    /// How many there are.
    pub n: usize,
    /// The middle one, or the mean of the middle two.
    pub median: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The arithmetic mean.
    pub mean: f64,
    /// The standard deviation of the sample, with n - 1; `None` for a single number.
    pub stdev: Option<f64>,
    /// The standard deviation divided by the mean; `None` without a standard deviation or if the mean is 0.
    pub cv: Option<f64>,
}

impl Summary {
    /// Describes finite numbers; `None` if there are none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let n = sorted.len();
        let mean = sorted.iter().sum::<f64>() / count(n);
        let squares = sorted.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        let stdev = (n > 1).then(|| (squares / count(n - 1)).sqrt());
        let cv = stdev.filter(|_| mean != 0.0).map(|stdev| stdev / mean);
        Some(Self { n, median: median_of_sorted(&sorted), min, max, mean, stdev, cv })
    }
}

/// The median of at least one number, in ascending order.
pub(super) fn median_of_sorted(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

/// The lower quartile of at least one number, in ascending order: a quarter of the way from the first to the last, with linear
/// interpolation (Hyndman and Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50(4), 1996,
/// definition 7).
pub(super) fn lower_quartile_of_sorted(sorted: &[f64]) -> f64 {
    let place = count(sorted.len() - 1) / 4.0;
    let below = (sorted.len() - 1) / 4;
    let next = sorted[(below + 1).min(sorted.len() - 1)];
    sorted[below] + (place - count(below)) * (next - sorted[below])
}

/// The one time that stands for the iterations of a boot: their lower quartile. `None` if there are none.
///
/// The iterations of a boot share its luck and count as one round. A host can only take time away, so a slowdown of some
/// iterations is no evidence against the code. The minimum would rest on one lucky moment; the median fails if the host
/// disturbs half of them.
#[must_use]
pub fn lower_quartile(times: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = times.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| lower_quartile_of_sorted(&sorted))
}

/// The median of `values`; `None` if there are none.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_unstable_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| median_of_sorted(&sorted))
}

/// A count as a number to calculate with; exact up to 2^53.
pub(super) fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describes_a_textbook_example() {
        let summary = Summary::of(&[4.0, 2.0, 5.0, 4.0, 4.0, 9.0, 7.0, 5.0]).expect("numbers");
        assert_eq!((summary.n, summary.median, summary.min, summary.max), (8, 4.5, 2.0, 9.0));
        assert_eq!(summary.mean, 5.0);
        let stdev = summary.stdev.expect("more than one");
        assert!((stdev - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        assert!((summary.cv.expect("a mean") - stdev / 5.0).abs() < 1e-12);
    }

    #[test]
    fn the_lower_quartile_is_a_quarter_of_the_way() {
        let of = lower_quartile_of_sorted;
        assert_eq!((of(&[3.0]), of(&[1.0, 2.0]), of(&[1.0, 2.0, 3.0, 4.0, 9.0])), (3.0, 1.25, 2.0));
        assert_eq!(of(&[1.0, 3.0, 4.0, 8.0]), 2.5);
    }

    #[test]
    fn a_single_number_has_no_spread() {
        let summary = Summary::of(&[3.0]).expect("a number");
        assert_eq!((summary.median, summary.stdev, summary.cv), (3.0, None, None));
        assert_eq!(Summary::of(&[]), None);
    }
}
