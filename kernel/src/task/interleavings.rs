//! What crosses CPUs, in every order that two of them can take: the model checker loom runs each. The code is the kernel's own,
//! on loom's atomics.

/// What the modules below take for their atomics.
mod atomic {
    pub use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
}

#[allow(clippy::duplicate_mod, reason = "the kernel's own is on the CPU's atomics, this one on loom's")]
#[path = "slot.rs"]
mod slot;

use std::sync::Arc;

use slot::{NoAnswer, Slot};

type Answer = Option<Result<[u64; 4], NoAnswer>>;

/// Plays both sides of a slot in every order.
fn both(
    caller: impl Fn(&Slot) + Clone + Send + Sync + 'static,
    server: impl Fn(&Slot) + Clone + Send + Sync + 'static,
    after: impl Fn(&Slot) + Send + Sync + 'static,
) {
    loom::model(move || {
        let slot = Arc::new(Slot::default());
        let (other, server) = (Arc::clone(&slot), server.clone());
        let thread = loom::thread::spawn(move || server(&other));
        caller(&slot);
        thread.join().unwrap();
        after(&slot);
    });
}

/// Takes a call if one is there, and answers it with its words plus 1.
fn serve_once(slot: &Slot) {
    if let Some(words) = slot.take() {
        assert_eq!(words, [1, 2, 3, 4], "a call is whole");
        slot.answer(words.map(|word| word + 1));
    }
}

fn is_right(answer: &Answer) -> bool {
    matches!(answer, None | Some(Ok([2, 3, 4, 5])))
}

#[test]
fn an_answer_is_whole_and_is_that_of_the_call() {
    both(
        |slot| {
            assert_eq!(slot.ask([1, 2, 3, 4]), Ok(()));
            assert_eq!(slot.ask([9; 4]), Err(NoAnswer::Busy));
            assert!(is_right(&slot.poll()));
        },
        serve_once,
        |slot| {
            serve_once(slot);
            assert!(is_right(&slot.poll()));
            assert_eq!(slot.ask([9; 4]), Ok(()), "the slot is empty again");
        },
    );
}

#[test]
fn a_call_that_is_taken_back_reaches_none_and_leaves_the_slot_to_the_next() {
    both(
        |slot| {
            assert_eq!(slot.ask([1, 2, 3, 4]), Ok(()));
            slot.take_back();
            // Busy while the server has the first call.
            if slot.ask([1, 2, 3, 4]).is_ok() {
                assert!(is_right(&slot.poll()));
            }
        },
        serve_once,
        |slot| {
            serve_once(slot);
            assert!(is_right(&slot.poll()), "never the answer of another call");
        },
    );
}

#[test]
fn a_call_ends_when_the_last_server_goes_whether_it_was_taken_or_not() {
    both(
        |slot| {
            if slot.ask([1, 2, 3, 4]).is_ok() {
                let answer = slot.poll();
                assert!(matches!(answer, None | Some(Err(NoAnswer::Gone))), "{answer:?}");
            }
        },
        |slot| {
            let taken = slot.take();
            slot.close();
            if taken.is_some() {
                slot.refuse();
            }
        },
        |slot| {
            // None if it was answered above, and nothing that waits for ever.
            assert!(matches!(slot.poll(), Some(Err(NoAnswer::Gone))));
            assert_eq!(slot.ask([9; 4]), Err(NoAnswer::Gone));
        },
    );
}
