//! The verdict of a case by several figures of the same boots.
//!
//! A boot with many iterations is judged by more than one figure, because each hides something. The quick quartile does not see
//! what happens to three iterations in four; the median does not see what happens to fewer than half of them. Both are
//! tested, side by side. The mean of every iteration, with none left out, sees everything and is moved by the host's
//! neighbours as well: it cannot show that the program is slower, and it can keep a verdict from being given.

use crate::compare::{Comparison, Difference};

/// The verdict by the quick quartile, the median, and all iterations as experienced.
///
/// | verdict | when |
/// |---|---|
/// | slower | the quartile or the median says so, and the other does not say faster |
/// | faster | the quartile or the median says so, and neither the other nor the mean of all leaves a slowdown of the margin open |
/// | no-difference | all three say so |
/// | inconclusive | otherwise |
#[must_use]
pub fn verdict_of_figures(quick: &Comparison, median: &Comparison, experienced: &Comparison) -> Difference {
    use Difference::{Faster, Inconclusive, NoDifference, Slower};
    let deciding = [quick, median];
    let some = |verdict| deciding.iter().any(|figure| figure.verdict == verdict);
    let no_slowdown = |figure: &&Comparison| figure.interval.high < 1.0 + figure.margin;
    match (some(Slower), some(Faster)) {
        (true, true) => Inconclusive,
        (true, false) => Slower,
        (false, true) if [quick, median, experienced].iter().all(no_slowdown) => Faster,
        (false, true) => Inconclusive,
        (false, false)
            if [quick, median, experienced].iter().all(|figure| figure.verdict == NoDifference) =>
        {
            NoDifference
        }
        (false, false) => Inconclusive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Design, compare};

    /// Fifteen rounds of B that take `ratio` times as long as A's.
    fn figure(ratio: f64, noise: f64) -> Comparison {
        let side = |scale: f64, stride: u32| -> Vec<(u32, f64)> {
            (0..15).map(|r| (r, 1e9 * scale * (1.0 + noise * f64::from(r * stride % 15)))).collect()
        };
        compare(Design::Paired, &side(1.0, 4), &side(ratio, 7)).expect("rounds")
    }

    #[test]
    fn one_figure_that_is_slower_makes_the_case_slower() {
        let (same, slower) = (figure(1.0, 2e-4), figure(2.0, 2e-4));
        assert_eq!(verdict_of_figures(&same, &slower, &slower), Difference::Slower);
        assert_eq!(verdict_of_figures(&slower, &same, &same), Difference::Slower);
        assert_eq!(verdict_of_figures(&same, &same, &same), Difference::NoDifference);
    }

    #[test]
    fn what_only_the_mean_of_all_shows_is_not_called_no_difference() {
        let (same, slower, unsure) = (figure(1.0, 2e-4), figure(1.4, 2e-4), figure(1.0, 0.02));
        assert_eq!(verdict_of_figures(&same, &same, &slower), Difference::Inconclusive);
        assert_eq!(verdict_of_figures(&same, &same, &unsure), Difference::Inconclusive);
        assert_eq!(verdict_of_figures(&same, &unsure, &same), Difference::Inconclusive);
    }

    #[test]
    fn faster_needs_every_figure_to_exclude_a_slowdown() {
        let (same, faster, slower, unsure) =
            (figure(1.0, 2e-4), figure(0.9, 2e-4), figure(1.1, 2e-4), figure(1.0, 0.02));
        assert_eq!(verdict_of_figures(&faster, &same, &same), Difference::Faster);
        assert_eq!(verdict_of_figures(&same, &faster, &faster), Difference::Faster);
        assert_eq!(verdict_of_figures(&faster, &unsure, &same), Difference::Inconclusive);
        assert_eq!(verdict_of_figures(&faster, &faster, &slower), Difference::Inconclusive);
        assert_eq!(verdict_of_figures(&faster, &slower, &same), Difference::Inconclusive);
    }
}
