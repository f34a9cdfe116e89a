//! Tasks that are a range of equal items: the first parameter is the first item, the second the end of the items, itself not
//! one, and all parts share the others. [`crate::Task`] is such a task unless it splits and joins otherwise.

use crate::Parameters;

/// The same task with another range.
fn with_range<T: Parameters>(task: &T, first: u64, end: u64) -> T {
    let [_, _, rest @ ..] = task.words();
    let [third, fourth] = rest;
    T::from_words([first, end, third, fourth])
}

/// The first item and the end of the items.
fn range<T: Parameters>(task: &T) -> (u64, u64) {
    let [first, end, ..] = task.words();
    (first, end)
}

/// Splits a whole into parts that differ by one item at most.
pub fn split<T: Parameters>(whole: &T, workers: u16) -> Vec<T> {
    let (first, end) = range(whole);
    let items = u128::from(end.saturating_sub(first));
    let bound = |part: u16| match part {
        last if last == workers => end,
        part => {
            let before = items * u128::from(part) / u128::from(workers);
            first.saturating_add(u64::try_from(before).unwrap_or(u64::MAX))
        }
    };
    (0..workers).map(|part| with_range(whole, bound(part), bound(part + 1))).collect()
}

/// Joins parts that adjoin each other and share all else.
pub fn join<T: Parameters>(parts: &[T]) -> Option<T> {
    let (one, last) = (parts.first()?, parts.last()?);
    let ranges = || parts.iter().map(range);
    let adjoin = ranges().zip(ranges().skip(1)).all(|(part, next)| part.1 == next.0);
    let ascend = ranges().all(|(first, end)| first <= end);
    let rest = |task: &T| with_range(task, 0, 0).words();
    let alike = parts.iter().all(|part| rest(part) == rest(one));
    (adjoin && ascend && alike).then(|| with_range(one, range(one).0, range(last).1))
}
