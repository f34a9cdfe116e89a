//! A ring of operations in memory that ring 3 writes: what is done is what a plain reading finds, in order, and no more than
//! there is room for. Then other words are written while an operation is done, as another CPU can at any time.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::object::Status;
use abi::ring::{DONE, ENTRIES, LEFT, OPERATION_WORDS, RESULT_WORDS, RESULTS, SEEN, TAKEN, TOKEN};
use kernel::task::ring::{Words, enter};

use crate::input::Input;

/// What a call did: the tokens in order, and how many it said.
type Done = (Vec<u64>, Result<u64, Status>);

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let pages = [page(&mut input, &[LEFT, TAKEN, DONE, SEEN]), page(&mut input, &[])];
    let (most, changes) = (input.long(), input.byte());
    let before = pages.each_ref().map(|page| words(page));
    let (done, said) = run(&pages, most, &mut |_| {});
    let due = plain(&before, most);
    assert_eq!(said, due.as_ref().map(|tokens| tokens.len() as u64).ok_or(Status::Argument));
    let after = words(&pages[0]);
    match due {
        None => assert_eq!((done, after), (vec![], before[0].clone()), "a refusal changes nothing"),
        Some(due) => {
            assert_eq!(done, due);
            for (token, nth) in due.iter().zip(0..) {
                let index = before[0][DONE].wrapping_add(nth) % ENTRIES;
                let at = RESULTS + RESULT_WORDS * usize::try_from(index).unwrap_or(0);
                assert_eq!(after[at..at + 3], [*token, 0, !token]);
            }
            let advanced = [TAKEN, DONE].map(|index| after[index].wrapping_sub(before[0][index]));
            assert_eq!(advanced, [due.len() as u64; 2]);
        }
    }
    let mut other = Input::new(data);
    let (done, said) = run(&pages, most, &mut |pages| {
        for _ in 0..changes {
            let at = usize::from(other.word()) % 1024;
            pages[at / 512][at % 512].store(other.long(), Ordering::Relaxed);
        }
    });
    assert!(
        done.len() as u64 <= ENTRIES && said.is_ok_and(|count| count == done.len() as u64) || done.is_empty()
    );
}

/// A page of the input's words, repeated; those of `small` are small as a rule.
fn page(input: &mut Input<'_>, small: &[usize]) -> Box<Words> {
    let (first, step) = (input.long(), input.long());
    let page = Box::new([const { AtomicU64::new(0) }; 512]);
    for (word, at) in page.iter().zip(0_u64..) {
        word.store(first.wrapping_add(step.wrapping_mul(at)), Ordering::Relaxed);
    }
    let base = if input.byte().is_multiple_of(4) { input.long() } else { 0 };
    for &index in small {
        let ahead = if input.byte().is_multiple_of(16) {
            input.long()
        } else {
            u64::from(input.byte()) % (ENTRIES + 2)
        };
        page[index].store(base.wrapping_add(ahead), Ordering::Relaxed);
    }
    page
}

fn words(page: &Words) -> Vec<u64> {
    page.iter().map(|word| word.load(Ordering::Relaxed)).collect()
}

fn run(pages: &[Box<Words>; 2], most: u64, meanwhile: &mut dyn FnMut(&[Box<Words>; 2])) -> Done {
    let mut done = Vec::new();
    let said = enter([&pages[0], &pages[1]], most, |operation| {
        done.push(operation.token);
        meanwhile(pages);
        (0, !operation.token)
    });
    (done, said)
}

/// The tokens of the operations that are due; `None` if the indices are refused.
fn plain(words: &[Vec<u64>; 2], most: u64) -> Option<Vec<u64>> {
    let ahead = |first: usize, last: usize| {
        let distance = u128::from(words[0][first]) + (1 << 64) - u128::from(words[0][last]);
        u64::try_from(distance % (1 << 64)).ok().filter(|&distance| distance <= 64)
    };
    let (left, unseen) = (ahead(LEFT, TAKEN)?, ahead(DONE, SEEN)?);
    let due = most.min(left).min(64 - unseen);
    let token = |nth: u64| {
        let index = usize::try_from(words[0][TAKEN].wrapping_add(nth) % 64).unwrap_or(0);
        words[1][OPERATION_WORDS * index + TOKEN]
    };
    Some((0..due).map(token).collect())
}
