//! The distribution functions that the statistics need, by the crate `statrs`.

use statrs::distribution::{Beta, Binomial, ContinuousCDF, DiscreteCDF, Gamma, Normal, StudentsT};

/// The standard normal distribution up to `x`.
pub(super) fn normal_cdf(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

/// The `x` up to which the standard normal distribution has the part `p`, which is above 0 and below 1.
pub(super) fn normal_quantile(p: f64) -> f64 {
    Normal::standard().inverse_cdf(p)
}

/// The probability that at most `k` of `n` tosses of a fair coin are heads.
#[must_use]
pub fn fair_tosses_at_most(k: usize, n: usize) -> f64 {
    let tosses = Binomial::new(0.5, n as u64).expect("0.5 is a probability");
    tosses.cdf(k as u64)
}

/// The `x` up to which the beta distribution with the shapes `a` and `b`, both above 0, has the part `p`.
pub(super) fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    Beta::new(a, b).expect("shapes are above 0").inverse_cdf(p)
}

/// The `x` up to which Student's t distribution with `freedom` degrees of freedom, at least 1, has the part `p`.
pub(super) fn t_quantile(p: f64, freedom: usize) -> f64 {
    StudentsT::new(0.0, 1.0, freedom as f64).expect("there is a degree of freedom").inverse_cdf(p)
}

/// The `x` up to which the gamma distribution with a shape and a rate, both above 0, has the part `p`.
pub(super) fn gamma_quantile(p: f64, shape: f64, rate: f64) -> f64 {
    Gamma::new(shape, rate).expect("shape and rate are above 0").inverse_cdf(p)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::count;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} is not {b}");
    }

    #[test]
    fn agrees_with_printed_tables() {
        for (x, p) in [(0.0, 0.5), (1.0, 0.841_345), (-1.959_964, 0.025), (-3.0, 0.001_350)] {
            close(normal_cdf(x), p, 1e-6);
            close(normal_quantile(p), x, 1e-3);
        }
        close(fair_tosses_at_most(1000, 2001), 0.5, 1e-9);
        for (k, n, p) in [(0, 5, 1.0 / 32.0), (1, 7, 8.0 / 128.0), (3, 7, 0.5), (7, 7, 1.0)] {
            close(fair_tosses_at_most(k, n), p, 1e-12);
        }
    }

    /// Half of the chi-square distribution's, with twice the shape as its degrees of freedom.
    #[test]
    fn quantiles_of_gamma_agree_with_printed_tables() {
        for (freedom, p, x) in
            [(2.0, 0.99, 9.210), (4.0, 0.99, 13.277), (10.0, 0.95, 18.307), (60.0, 0.99, 88.379)]
        {
            close(2.0 * gamma_quantile(p, freedom / 2.0, 1.0), x, 1e-3);
            close(2.0 * gamma_quantile(p, freedom / 2.0, 5.0), x / 5.0, 1e-3);
        }
    }

    #[test]
    fn quantiles_of_student_agree_with_printed_tables() {
        for (freedom, p, t) in
            [(1, 0.975, 12.706), (4, 0.975, 2.776), (6, 0.975, 2.447), (14, 0.975, 2.145), (30, 0.95, 1.697)]
        {
            close(t_quantile(p, freedom), t, 5e-4);
        }
    }

    /// The integral of the density, by Simpson's rule.
    #[test]
    fn the_normal_distribution_is_the_integral_of_its_density() {
        let density = |x: f64| (-x * x / 2.0).exp() / std::f64::consts::TAU.sqrt();
        let (steps_per_unit, mut sum) = (200, 0.0);
        let step = 1.0 / f64::from(steps_per_unit);
        for place in -8 * steps_per_unit..6 * steps_per_unit {
            let x = f64::from(place) * step;
            sum += step / 6.0 * (density(x) + 4.0 * density(x + step / 2.0) + density(x + step));
            close(normal_cdf(x + step), sum, 1e-9);
        }
    }

    /// The probability that at most `k` of `n` trials succeed, each with probability `p`, added up term by term.
    fn binomial_at_most(k: usize, n: usize, p: f64) -> f64 {
        let (mut log_ways, mut sum) = (0.0, 0.0);
        for i in 0..=k {
            sum += (log_ways + count(i) * p.ln() + count(n - i) * (-p).ln_1p()).exp();
            log_ways += (count(n - i) / count(i + 1)).ln();
        }
        sum
    }

    #[test]
    fn fair_tosses_and_beta_quantiles_are_those_of_added_up_terms() {
        for n in [1_usize, 2, 9, 15, 60, 500, 2001] {
            for k in (0..n).step_by(n.div_ceil(40)) {
                close(fair_tosses_at_most(k, n), binomial_at_most(k, n, 0.5), 1e-9);
                // The beta distribution's quantile is the success probability at which so few successes are this rare.
                for tail in [0.025, 0.5, 0.975] {
                    let p = beta_quantile(1.0 - tail, count(k + 1), count(n - k));
                    close(binomial_at_most(k, n, p), tail, 1e-9);
                }
            }
        }
    }
}
