//! Parts of the reference, from examples that were worked out by hand. The module itself runs in `tests/splits.rs`, by the
//! program, and every round must give what is expected of it.

use super::*;

#[test]
fn tokens_are_numbers_fractions_and_words() {
    let counts = [
        (&b""[..], 0),
        (b"  +-", 0),
        (b"12", 1),
        (b"12 34", 2),
        (b"12.5", 2),
        (b"12.", 2),
        (b"12.5.7", 3),
        (b"12.5 .7", 3),
        (b"a1b2", 1),
        (b"1a", 2),
        (b"1.a", 3),
        (b"1.5a", 3),
        (b"a.5", 2),
        (b"@\x7f~", 1),
    ];
    for (text, count) in counts {
        assert_eq!(tokens(text), count, "{}", text.escape_ascii());
    }
}

#[test]
fn the_product_is_that_of_matrices() {
    let one = |at| u32::from(at % (SIDE + 1) == 0);
    let identity: Vec<u32> = (0..SIDE * SIDE).map(one).collect();
    let any: Vec<u32> = words(7)[..SIDE * SIDE].to_vec();
    assert_eq!(product(&identity, &any), any);
    assert_eq!(product(&any, &identity), any);
    let (mut left, mut right) = (vec![0; SIDE * SIDE], vec![0; SIDE * SIDE]);
    (left[2 * SIDE + 5], right[5 * SIDE + 9]) = (3, 1 << 31);
    assert_eq!(product(&left, &right)[2 * SIDE + 9], 1 << 31);
}

#[test]
fn rounds_differ() {
    let results: std::collections::BTreeSet<_> = (0..100).map(|number| round(mix(number) | 1)).collect();
    assert_eq!(results.len(), 100);
}
