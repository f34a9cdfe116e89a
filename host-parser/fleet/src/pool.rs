//! Work on several threads whose results are taken in order.

use std::collections::BTreeMap;
use std::sync::mpsc::channel;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

/// How many items ahead of the one that is waited for are in work or done, for each thread: more let a slow one be overtaken,
/// and take memory.
const AHEAD: usize = 4;

/// Where the threads are.
struct Turn {
    /// The next item to be worked on.
    next: usize,
    /// How many results were taken.
    taken: usize,
}

/// Works on all items by `jobs` threads, and has `take` take each result, in the order of the items. At an error of `take` no
/// further item is begun.
pub fn in_order<T: Sync, R: Send, E>(
    jobs: usize,
    items: &[T],
    work: impl Fn(&T) -> R + Sync,
    mut take: impl FnMut(usize, R) -> Result<(), E>,
) -> Result<(), E> {
    let jobs = jobs.clamp(1, items.len().max(1));
    let (turn, moved) = (Mutex::new(Turn { next: 0, taken: 0 }), Condvar::new());
    let lock = || turn.lock().unwrap_or_else(PoisonError::into_inner);
    let claim = || {
        let is_far = |turn: &mut Turn| turn.next < items.len() && turn.next >= turn.taken + AHEAD * jobs;
        let mut turn = moved.wait_while(lock(), is_far).unwrap_or_else(PoisonError::into_inner);
        turn.next += 1;
        turn.next - 1
    };
    thread::scope(|scope| {
        let (to, results) = channel();
        for _ in 0..jobs {
            let (to, claim, work) = (to.clone(), &claim, &work);
            scope.spawn(move || {
                loop {
                    let at = claim();
                    let Some(item) = items.get(at) else { return };
                    if to.send((at, work(item))).is_err() {
                        return;
                    }
                }
            });
        }
        drop(to);
        let (mut early, mut taken) = (BTreeMap::new(), 0);
        for (at, result) in results {
            early.insert(at, result);
            while let Some(result) = early.remove(&taken) {
                let ended = take(taken, result);
                taken += 1;
                let mut turn = lock();
                turn.taken = taken;
                if ended.is_err() {
                    turn.next = items.len();
                }
                moved.notify_all();
                ended?;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    #[test]
    fn takes_all_results_in_order_and_is_never_far_ahead() {
        let items: Vec<usize> = (0..500).collect();
        for jobs in [1, 2, 7, 1000] {
            let (begun, taken) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let mut got = Vec::new();
            let work = |&item: &usize| {
                let begun = begun.fetch_add(1, Relaxed) + 1;
                let ahead = begun.saturating_sub(taken.load(Relaxed));
                assert!(ahead <= AHEAD * jobs.min(500), "{ahead}");
                item * 2
            };
            let take = |at: usize, result: usize| {
                taken.fetch_add(1, Relaxed);
                got.push((at, result));
                Ok::<_, ()>(())
            };
            in_order(jobs, &items, work, take).expect("no error");
            assert!(got.iter().enumerate().all(|(at, &of)| of == (at, at * 2)) && got.len() == 500);
        }
    }

    #[test]
    fn begins_nothing_after_an_error() {
        let items: Vec<usize> = (0..10_000).collect();
        let begun = AtomicUsize::new(0);
        let work = |_: &usize| begun.fetch_add(1, Relaxed);
        let ended = in_order(2, &items, work, |at, _| if at == 10 { Err("full") } else { Ok(()) });
        assert_eq!(ended, Err("full"));
        assert!(begun.load(Relaxed) < 100);
        assert_eq!(in_order(4, &[] as &[u8], |_| (), |_, ()| Ok::<_, ()>(())), Ok(()));
    }
}
