//! What holds between the methods of every workload, for the tests of each.

use abi::sweep::PARTS;

use crate::{Expectation, Table, Words, Workload};

/// Asserts everything that plan and gate rely on, with `whole` as the example.
///
/// # Panics
/// The workload breaks a law; the message names it.
pub fn assert_laws(workload: &dyn Workload, whole: Words) {
    assert_eq!(workload.check(whole), Ok(()), "{workload:?}: the whole can be run");
    manifest(workload, whole);
    unused_words(workload, whole);
    for workers in [0, 1, 2, 3, 7, 16] {
        partition(workload, whole, workers);
    }
    any_words(workload);
    cut_points(workload, whole);
    challenge(workload, whole);
    chunks(workload, whole);
}

/// The digests of the parts, one after the other, are those of the whole, as many as are announced, and no two challenges
/// have the same.
fn chunks(workload: &dyn Workload, whole: Words) {
    let of_whole = workload.chunks(whole, 5);
    assert!(
        of_whole.is_empty() || of_whole != workload.chunks(whole, 6),
        "{workload:?}: chunks of a challenge"
    );
    for workers in [1, 2, 3, 7] {
        let parts = workload.split(whole, workers);
        let of_parts = parts.iter().map(|&part| workload.chunks(part, 5));
        let counted = parts.iter().map(|&part| workload.room(part).chunks);
        assert!(of_parts.clone().map(|chunks| chunks.len() as u64).eq(counted), "{workload:?}: chunk counts");
        assert_eq!(
            of_parts.flatten().collect::<Vec<_>>(),
            of_whole,
            "{workload:?}: chunks of {workers} parts"
        );
    }
}

/// The challenge changes every worker's digest and nothing else, so that no answer of another run fits.
fn challenge(workload: &dyn Workload, whole: Words) {
    for part in workload.split(whole, 3) {
        let answers = [0, 1, 1 << 63, u64::MAX].map(|challenge| workload.expectation(part, challenge));
        for (i, one) in answers.iter().enumerate() {
            for other in &answers[i + 1..] {
                let same = (one.answer, one.work) == (other.answer, other.work);
                assert!(same, "{workload:?}: {part:?}: the challenge changes digests alone");
                assert_ne!(one.digest, other.digest, "{workload:?}: {part:?}: each challenge has its digest");
            }
        }
    }
}

/// A manifest's table gives the words, and no other table does.
fn manifest(workload: &dyn Workload, whole: Words) {
    let signed = whole.map(|word| i64::try_from(word).expect("a manifest's integers have 63 bits"));
    let table: Table<'_> = workload.parameters().iter().map(|parameter| parameter.key).zip(signed).collect();
    assert_eq!(table.len(), workload.parameters().len(), "{workload:?}: each key once");
    assert_eq!(workload.read_table(&table), Ok(whole), "{workload:?}: the table gives the words");
    for parameter in workload.parameters() {
        let mut less = table.clone();
        less.remove(parameter.key);
        let bad = workload.read_table(&less).expect_err("a parameter is absent");
        assert_eq!(bad[0].key, parameter.key, "{workload:?}: the absent parameter is named");
        let mut negative = table.clone();
        negative.insert(parameter.key, -1);
        assert!(workload.read_table(&negative).is_err(), "{workload:?}: {} is not negative", parameter.key);
    }
}

/// A word without a parameter is 0, and is not lost when parts are joined.
fn unused_words(workload: &dyn Workload, whole: Words) {
    for at in workload.parameters().len()..whole.len() {
        let mut more = whole;
        more[at] = 1;
        assert!(workload.check(more).is_err(), "{workload:?}: word {at} is unused");
        assert_eq!(workload.join(&workload.split(more, 2)), Some(more), "{workload:?}: word {at} is kept");
    }
}

/// Parts are a partition, and what is expected of them adds up.
fn partition(workload: &dyn Workload, whole: Words, workers: u16) {
    let parts = workload.split(whole, workers);
    assert_eq!(parts.len(), usize::from(workers), "{workload:?}: a part for each worker");
    let joined = (workers > 0).then_some(whole);
    assert_eq!(workload.join(&parts), joined, "{workload:?}: {workers} parts make the whole");
    if workers == 0 {
        return;
    }
    for challenge in [0, 1, u64::MAX] {
        let sum: Expectation = parts.iter().map(|&part| workload.expectation(part, challenge)).sum();
        let whole = workload.expectation(whole, challenge);
        assert_eq!(sum, whole, "{workload:?}: the results of {workers} parts add up");
    }
    for at in 1..parts.len().saturating_sub(1) {
        let mut fewer = parts.clone();
        if workload.expectation(fewer.remove(at), 0) != Expectation::default() {
            assert_eq!(workload.join(&fewer), None, "{workload:?}: without part {at} of {workers}");
        }
    }
}

/// Parts come from logs that anyone may have written.
fn any_words(workload: &dyn Workload) {
    let [most, half] = [u64::MAX, u64::MAX / 2];
    for words in
        [[0; 4], [most; 4], [most, 0, most, 0], [0, most, 0, most], [2, 1 << 32, 0, 0], [half, most, 1, half]]
    {
        // Ends soon: a test with steps that grow with the words never ends here.
        let _ = workload.expectation(words, 1);
        let _ = workload.cut_points(words);
        let _ = workload.join(&[words, words]);
        assert_eq!(workload.split(words, 3).len(), 3, "{workload:?}: {words:?} in three parts");
    }
}

/// Cut points ascend from the first parameter to the second.
fn cut_points(workload: &dyn Workload, whole: Words) {
    let Some(points) = workload.cut_points(whole) else { return };
    assert_eq!(points.len(), usize::from(PARTS) + 1, "{workload:?}: the ends of all parts");
    assert!(points.is_sorted(), "{workload:?}: cut points ascend");
    assert_eq!((points.first(), points.last()), (Some(&whole[0]), Some(&whole[1])), "{workload:?}: the ends");
}
