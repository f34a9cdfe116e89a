use abi::random::SplitMix64;

use super::*;
use crate::quality::host::unit;

fn noise(seed: u64, n: usize) -> Vec<f64> {
    let mut random = SplitMix64::new(seed);
    (0..n).map(|_| unit(&mut random)).collect()
}

#[test]
fn a_step_is_found_where_it_is() {
    let mut values = noise(1, 60);
    values.iter_mut().skip(30).for_each(|value| *value += 2.0);
    let changes = Changes::of(&values);
    let [change] = changes.changes[..] else { panic!("{changes:?}") };
    assert!((29..=31).contains(&change.at), "{change:?}");
    assert!(change.found >= 33 && change.found < 45, "not before it can be seen, and soon: {change:?}");
    assert!(change.after - change.before > 1.5 && change.strength > 1.0, "{change:?}");
}

#[test]
fn a_step_up_and_down_again_are_two_changes() {
    let mut values = noise(2, 90);
    values[30..60].iter_mut().for_each(|value| *value -= 2.0);
    let at: Vec<usize> = Changes::of(&values).changes.iter().map(|change| change.at).collect();
    assert!(at.len() == 2 && at[0].abs_diff(30) <= 3 && at[1].abs_diff(60) <= 3, "{at:?}");
}

#[test]
fn a_look_later_does_not_change_what_was_found() {
    let mut values = noise(3, 80);
    values.iter_mut().skip(40).for_each(|value| *value += 1.5);
    let all = Changes::of(&values).changes;
    for length in 0..values.len() {
        let then = Changes::of(&values[..length]).changes;
        let known: Vec<_> =
            all.iter().filter(|change| change.found < length).map(|change| change.at).collect();
        assert_eq!(then.iter().map(|change| change.at).collect::<Vec<_>>(), known, "after {length}");
    }
}

#[test]
fn only_the_order_of_values_matters() {
    let mut values = noise(4, 60);
    values.iter_mut().skip(25).for_each(|value| *value += 0.7);
    let stretched: Vec<f64> = values.iter().map(|value| (5.0 * value).exp()).collect();
    let places = |of: &[f64]| Changes::of(of).changes.iter().map(|of| (of.at, of.found)).collect::<Vec<_>>();
    assert_eq!(places(&values), places(&stretched));
    assert!(!places(&values).is_empty());
}

#[test]
fn equal_values_and_short_series_have_no_change() {
    assert_eq!(Changes::of(&[]), Changes::default());
    assert!(Changes::of(&[1.0; 200]).changes.is_empty());
    assert_eq!(Changes::of(&[1.0; 200]).autocorrelation, Some(0.0));
    let step: Vec<f64> = (0..LEAST_FOR_CHANGE - 1).map(|at| if at < 4 { 1.0 } else { 2.0 }).collect();
    assert!(Changes::of(&step).changes.is_empty());
}

#[test]
fn the_statistics_are_those_of_mann_and_whitney() {
    let values = noise(5, 25);
    let mut level = Level::begin(0);
    (0..values.len()).for_each(|at| level.add(&values, at));
    for split in 1..values.len() {
        let (before, after) = values.split_at(split);
        let pairs =
            before.iter().flat_map(|a| after.iter().map(move |b| i64::from(b > a) - i64::from(b < a)));
        assert_eq!(level.rises[split - 1], pairs.sum::<i64>());
    }
}

#[test]
fn what_lasts_has_an_autocorrelation_and_widens_the_limit() {
    let mut last = 0.0;
    let lasting: Vec<f64> = noise(6, 400)
        .iter()
        .map(|value| {
            last = 0.6 * last + value - 0.5;
            last
        })
        .collect();
    let of = |values: &[f64]| autocorrelation(&[values]).unwrap();
    assert!((of(&lasting) - 0.6).abs() < 0.12, "{}", of(&lasting));
    assert!(of(&noise(7, 400)).abs() < 0.1);
    assert!((widening(0.6) - 2.0).abs() < 1e-12 && widening(-0.5) == 1.0);
}

/// The table of limits against a derivation anew, with fewer series.
#[test]
fn the_limits_are_those_that_the_derivation_gives() {
    for (n, derived) in derive_limits(20_000, 40, 9) {
        let table = limit(n).expect("a limit");
        assert!((table - derived).abs() < 0.25, "{n}: {table} and {derived}");
    }
}
