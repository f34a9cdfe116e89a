//! Rings: operations that a task leaves in memory, done in one call ([`abi::ring`]). Nothing here needs hardware.
//!
//! The memory is the task's, and other CPUs may write to it meanwhile. So every word is read once, and what was read is what
//! is checked and used.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::object::{Handle, Status};
use abi::ring::{DONE, ENTRIES, LEFT, OPERATION_WORDS, RESULT_WORDS, RESULTS, SEEN, TAKEN, TOKEN, place};

/// A page as words that others write to at any time.
pub type Words = [AtomicU64; 512];

/// A copy of an operation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Operation {
    /// The number of its call.
    pub number: u64,
    /// Its handle.
    pub handle: Handle,
    /// Its words.
    pub words: [u64; 4],
    /// What comes back with its result.
    pub token: u64,
}

/// Does operations of the ring in these pages, at most `most`. `perform` returns the status of one and the first word of its
/// answer. Returns how many were done: all that there are, unless there is no place for their results.
///
/// # Errors
/// [`Status::Argument`] if an index is further ahead of another than there are entries.
pub fn enter(
    [indices, operations]: [&Words; 2],
    most: u64,
    mut perform: impl FnMut(&Operation) -> (u64, u64),
) -> Result<u64, Status> {
    let [left, taken, done, seen] =
        [LEFT, TAKEN, DONE, SEEN].map(|index| indices[index].load(Ordering::Acquire));
    let waiting = ahead(left, taken)?;
    let free = ENTRIES - ahead(done, seen)?;
    let count = most.min(waiting).min(free);
    for nth in 0..count {
        let operation = copy(operations, taken.wrapping_add(nth));
        let (status, word) = perform(&operation);
        let at = RESULTS + place(done.wrapping_add(nth), RESULT_WORDS);
        for (place, value) in indices[at..].iter().zip([operation.token, status, word]) {
            place.store(value, Ordering::Relaxed);
        }
    }
    indices[TAKEN].store(taken.wrapping_add(count), Ordering::Release);
    indices[DONE].store(done.wrapping_add(count), Ordering::Release);
    Ok(count)
}

/// How far one index is ahead of another.
fn ahead(first: u64, last: u64) -> Result<u64, Status> {
    Some(first.wrapping_sub(last)).filter(|&count| count <= ENTRIES).ok_or(Status::Argument)
}

fn copy(operations: &Words, index: u64) -> Operation {
    let at = place(index, OPERATION_WORDS);
    let word = |nth: usize| operations[at + nth].load(Ordering::Relaxed);
    Operation {
        number: word(0),
        handle: Handle(word(1)),
        words: [word(2), word(3), word(4), word(5)],
        token: word(TOKEN),
    }
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;
    use std::collections::VecDeque;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn page() -> Box<Words> {
        Box::new([const { AtomicU64::new(0) }; 512])
    }

    fn set(page: &Words, word: usize, value: u64) {
        page[word].store(value, Ordering::Relaxed);
    }

    fn get(page: &Words, word: usize) -> u64 {
        page[word].load(Ordering::Relaxed)
    }

    /// Enters with operations that all succeed, and returns what was done.
    fn tokens(pages: [&Words; 2], most: u64) -> Result<Vec<u64>, Status> {
        let mut tokens = Vec::new();
        let count = enter(pages, most, |operation| {
            tokens.push(operation.token);
            (0, operation.token + 1)
        })?;
        assert_eq!(count, tokens.len() as u64);
        Ok(tokens)
    }

    #[test]
    fn indices_that_cannot_be_are_refused_and_nothing_is_done() {
        for (word, value) in [
            (LEFT, ENTRIES + 1),
            (LEFT, u64::MAX),
            (TAKEN, 1),
            (DONE, ENTRIES + 1),
            (SEEN, 1),
            (SEEN, 1 << 63),
        ] {
            let (indices, operations) = (page(), page());
            set(&indices, word, value);
            assert_eq!(tokens([&indices, &operations], u64::MAX), Err(Status::Argument), "{word} {value}");
            assert_eq!((get(&indices, word), get(&indices, RESULTS + 1)), (value, 0));
        }
    }

    #[test]
    fn an_index_wraps() {
        let (indices, operations) = (page(), page());
        for (word, value) in [(LEFT, 3), (TAKEN, u64::MAX - 1), (DONE, u64::MAX), (SEEN, u64::MAX)] {
            set(&indices, word, value);
        }
        let first = place(u64::MAX - 1, OPERATION_WORDS);
        set(&operations, first + TOKEN, 77);
        assert_eq!(tokens([&indices, &operations], 99), Ok([77, 0, 0, 0, 0].to_vec()));
        assert_eq!((get(&indices, TAKEN), get(&indices, DONE)), (3, 4));
        assert_eq!(get(&indices, RESULTS + place(u64::MAX, RESULT_WORDS)), 77);
    }

    #[test]
    fn what_is_written_between_two_reads_changes_nothing() {
        let (indices, operations) = (page(), page());
        set(&indices, LEFT, 2);
        let mut seen = Vec::new();
        let count = enter([&indices, &operations], 64, |operation| {
            seen.push(*operation);
            // As another CPU could.
            indices.iter().chain(operations.iter()).for_each(|word| word.store(u64::MAX, Ordering::Relaxed));
            (0, 0)
        });
        assert_eq!((count, seen.len()), (Ok(2), 2));
        assert_eq!((seen[0].number, seen[1].number), (0, u64::MAX), "each is copied when its turn comes");
        assert_eq!((get(&indices, TAKEN), get(&indices, DONE)), (2, 2));
    }

    proptest! {
        #[test]
        fn a_ring_is_a_queue_of_operations_and_one_of_results(
            start in any::<u64>(), steps in prop::collection::vec((0_u64..70, 0_u64..70, 0_u64..70), 1..40),
        ) {
            let (indices, operations) = (page(), page());
            [LEFT, TAKEN, DONE, SEEN].into_iter().for_each(|index| set(&indices, index, start));
            let (mut left, mut results) = (VecDeque::new(), VecDeque::new());
            let mut token = 0;
            for (leave, most, see) in steps {
                for _ in 0..leave.min(ENTRIES - left.len() as u64) {
                    let index = get(&indices, LEFT);
                    set(&operations, place(index, OPERATION_WORDS) + TOKEN, token);
                    set(&indices, LEFT, index.wrapping_add(1));
                    left.push_back(token);
                    token += 1;
                }
                let count = most.min(left.len() as u64).min(ENTRIES - results.len() as u64);
                let expected: Vec<_> = (0..count).filter_map(|_| left.pop_front()).collect();
                prop_assert_eq!(tokens([&indices, &operations], most), Ok(expected.clone()));
                results.extend(expected);
                for _ in 0..see {
                    let Some(expected) = results.pop_front() else { break };
                    let index = get(&indices, SEEN);
                    let at = RESULTS + place(index, RESULT_WORDS);
                    let result = [0, 1, 2].map(|word| get(&indices, at + word));
                    prop_assert_eq!(result, [expected, 0, expected + 1]);
                    set(&indices, SEEN, index.wrapping_add(1));
                }
            }
        }

        #[test]
        fn whatever_is_in_the_pages_no_more_is_done_than_there_are_entries(
            words in prop::collection::vec(prop_oneof![0_u64..130, any::<u64>()], 4), most in any::<u64>(),
        ) {
            let (indices, operations) = (page(), page());
            for (index, value) in [LEFT, TAKEN, DONE, SEEN].into_iter().zip(words) {
                set(&indices, index, value);
            }
            prop_assert!(tokens([&indices, &operations], most).map_or(0, |done| done.len()) as u64 <= ENTRIES);
        }
    }
}
