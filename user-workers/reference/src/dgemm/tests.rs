//! The reference against products of the program's own matrices.

use super::*;

/// The very file that the program is built from.
#[path = "../../../programs/src/dgemm/batch.rs"]
mod batch;

/// The product in integers, from the definition.
fn product(number: u64, order: usize) -> Vec<f64> {
    let element =
        |factor, row: usize, column: usize| batch::element(number, factor, (row * order + column) as u64);
    let places = (0..order).flat_map(|row| (0..order).map(move |column| (row, column)));
    let of = |(row, column)| (0..order).map(|k| element(0, row, k) * element(1, k, column)).sum::<i32>();
    places.map(|place| f64::from(of(place))).collect()
}

#[test]
fn agrees_with_products_from_the_definition() {
    for (first, end, order) in [(0, 1, 1), (3, 5, 2), (0, 3, 17), (1000, 1001, 40)] {
        for challenge in [0, 7, u64::MAX] {
            let task = Dgemm { first, end, order };
            let order = usize::try_from(order).unwrap();
            let digests =
                (first..end).map(|number| batch::digest(&product(number, order), order, number, challenge));
            assert_eq!(task.expectation(challenge).digest, digests.fold(0, u64::wrapping_add), "{task:?}");
        }
    }
}

#[test]
fn one_wrong_element_changes_the_digest() {
    let right = product(2, 9);
    for at in 0..right.len() {
        let mut wrong = right.clone();
        wrong[at] += 1.0;
        assert_ne!(batch::digest(&wrong, 9, 2, 3), batch::digest(&right, 9, 2, 3), "element {at}");
    }
}

#[test]
fn the_programs_matrices_have_the_elements() {
    let mut factor = [0.0; 100];
    batch::fill(&mut factor, 5, 1);
    assert!((0..).zip(factor).all(|(at, value)| value == f64::from(batch::element(5, 1, at))));
    assert!(factor.iter().all(|value| (-8.0..=8.0).contains(value)));
}
