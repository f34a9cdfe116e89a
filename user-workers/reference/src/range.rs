//! Tasks that are a range of equal items: how they are split and joined.

/// A task with a first item and an end, and other parameters that all parts share.
pub trait Ranged: Copy + PartialEq {
    /// The first item and the end of the items, itself not one.
    fn range(&self) -> (u64, u64);

    /// The same task with another range.
    fn with_range(self, first: u64, end: u64) -> Self;
}

/// Splits a whole into parts that differ by one item at most.
pub fn split<T: Ranged>(whole: T, workers: u16) -> Vec<T> {
    let (first, end) = whole.range();
    let items = u128::from(end.saturating_sub(first));
    let bound = |part: u16| match part {
        last if last == workers => end,
        part => {
            let before = items * u128::from(part) / u128::from(workers);
            first.saturating_add(u64::try_from(before).unwrap_or(u64::MAX))
        }
    };
    (0..workers).map(|part| whole.with_range(bound(part), bound(part + 1))).collect()
}

/// Joins parts that adjoin each other and share all else.
pub fn join<T: Ranged>(parts: &[T]) -> Option<T> {
    let (first, last) = (parts.first()?, parts.last()?);
    let ranges = || parts.iter().map(Ranged::range);
    let adjoin = ranges().zip(ranges().skip(1)).all(|(part, next)| part.1 == next.0);
    let ascend = ranges().all(|(first, end)| first <= end);
    let alike = parts.iter().all(|part| part.with_range(0, 0) == first.with_range(0, 0));
    (adjoin && ascend && alike).then(|| first.with_range(first.range().0, last.range().1))
}
