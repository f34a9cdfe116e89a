//! Rank statistics for two samples: what the shift between them is, in which interval it lies, and how probable ranks so
//! uneven are where there is none. They assume nothing of the distribution but that without a shift the samples could be
//! exchanged. The null distributions are exact up to [`EXACT`] values a side and normal above.

mod quick;
mod quick_pairs;
mod signed;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::distribution::normal_cdf;
use super::summary::count;

pub(super) use quick::{all_ranks, quick_ranks};
pub(super) use quick_pairs::quick_pairs;
pub(super) use signed::signed_ranks;

/// Up to so many values a side the distribution is counted out.
const EXACT: usize = 50;

/// A shift between two samples, and what the ranks say of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shift {
    /// The Hodges-Lehmann estimate: the shift that makes the ranks even.
    pub estimate: f64,
    /// The lower end of its interval: of the shifts that the test does not refuse.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The interval's confidence level: at least what was asked for, where so few values allow it.
    pub level: f64,
    /// Two-sided, for no shift. What is equal counts for no shift.
    pub p_value: f64,
}

/// Null distributions that were counted out before: a method that is tried on thousands of draws asks for a few of them
/// again and again.
#[derive(Default)]
struct Counted<K>(Mutex<HashMap<K, Arc<[f64]>>>);

impl<K: Copy + Eq + std::hash::Hash> Counted<K> {
    fn get(&self, of: K, count: impl Fn(K) -> Vec<f64>) -> Arc<[f64]> {
        let counted = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = counted().get(&of) {
            return Arc::clone(known);
        }
        let cdf: Arc<[f64]> = count(of).into();
        counted().insert(of, Arc::clone(&cdf));
        cdf
    }
}

/// The sums of chances, up to each of them.
fn cumulated(chances: &[f64]) -> Vec<f64> {
    let sums = chances.iter().scan(0.0, |sum, p| {
        *sum += p;
        Some(f64::min(*sum, 1.0))
    });
    sums.collect()
}

/// The normal distribution in place of one of whole numbers from 0 to `most`, with the continuity correction.
fn normal(most: usize, mean: f64, variance: f64) -> Vec<f64> {
    let deviation = variance.sqrt();
    (0..=most).map(|at| normal_cdf(((count(at) + 0.5 - mean) / deviation).clamp(-5.9, 5.9))).collect()
}

/// The first of `places` for which `holds` no longer does, as it does for those before; `places` where there is none.
fn partition_point(places: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, places);
    while low < high {
        let middle = usize::midpoint(low, high);
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
