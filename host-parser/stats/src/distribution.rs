//! The little that is needed of a few distributions.

use super::summary::count;

/// The standard normal distribution up to `x`, for |x| below 6: the series of Abramowitz and Stegun, Handbook of
/// Mathematical Functions, 26.2.11.
pub(super) fn normal_cdf(x: f64) -> f64 {
    let density = (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term.abs() > f64::EPSILON * sum.abs() {
        odd += 2.0;
        term *= x * x / odd;
        sum += term;
    }
    0.5 + density * sum
}

/// How probable it is that at most `k` of `n` tosses of a fair coin are heads.
#[must_use]
pub fn fair_tosses_at_most(k: usize, n: usize) -> f64 {
    if n > 1000 {
        // The chance of a single outcome is too small for a number.
        return binomial_at_most(k, n, 0.5);
    }
    let (mut term, mut sum) = (0.5_f64.powi(i32::try_from(n).unwrap_or(i32::MAX)), 0.0);
    for i in 0..=k.min(n) {
        sum += term;
        term *= count(n - i) / count(i + 1);
    }
    sum.min(1.0)
}

/// How probable it is that at most `k` of `n` independent trials succeed, each with probability `p`, above 0 and below 1.
pub(super) fn binomial_at_most(k: usize, n: usize, p: f64) -> f64 {
    let (mut ways, mut sum) = (0.0, 0.0);
    for i in 0..=k.min(n) {
        sum += (ways + count(i) * p.ln() + count(n - i) * (-p).ln_1p()).exp();
        ways += (count(n - i) / count(i + 1)).ln();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} is not {b}");
    }

    #[test]
    fn agrees_with_printed_tables() {
        for (x, p) in [(0.0, 0.5), (1.0, 0.841_345), (-1.959_964, 0.025), (-3.0, 0.001_350)] {
            close(normal_cdf(x), p, 1e-6);
        }
        close(binomial_at_most(1, 10, 0.1), 0.736_099, 1e-6);
        close(fair_tosses_at_most(1000, 2001), 0.5, 1e-9);
        for (k, n, p) in [(0, 5, 1.0 / 32.0), (1, 7, 8.0 / 128.0), (3, 7, 0.5), (7, 7, 1.0)] {
            close(fair_tosses_at_most(k, n), p, 1e-12);
            close(binomial_at_most(k, n, 0.5), p, 1e-12);
        }
    }
}
