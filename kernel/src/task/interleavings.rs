//! What crosses CPUs, in every order that two of them can take: the model checker loom runs each. The code is the kernel's own,
//! on loom's atomics.

/// What the modules below take for their atomics.
mod atomic {
    pub use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
}

#[allow(
    clippy::duplicate_mod,
    dead_code,
    reason = "the kernel's own is on the CPU's atomics, this one on loom's; it alone uses all"
)]
#[path = "notification.rs"]
mod notification;
#[allow(clippy::duplicate_mod, reason = "the kernel's own is on the CPU's atomics, this one on loom's")]
#[path = "slot.rs"]
mod slot;

use std::sync::Arc;

use notification::Notification;
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

/// What the CPU of a waiting thread does after a wake-up, or when it looks on its own: the bits, if there are any.
fn look(notification: &Notification) -> Option<u64> {
    notification.is_set().then(|| notification.take())
}

/// A thread waits while another CPU signals: it finds the bit itself, or the one that signals sees that it waits.
#[test]
fn no_signal_is_slept_through() {
    loom::model(|| {
        let notification = Arc::new(Notification::default());
        let other = Arc::clone(&notification);
        let signals = loom::thread::spawn(move || other.signal(1));
        let found = notification.wait(0).expect("none waits yet");
        let nudged = signals.join().unwrap();
        // If it found nothing, its CPU got a wake-up, and then finds the bit.
        let found = if found == 0 { nudged.and_then(|_| look(&notification)).unwrap_or(0) } else { found };
        assert_eq!(found, 1);
        assert!(nudged.is_none_or(|cpu| cpu == 0));
        notification.leave();
        assert_eq!(notification.signal(2), None, "none waits any more");
        assert_eq!(notification.wait(5), Some(2), "a bit is there once");
    });
}

/// Two CPUs signal at once, and a thread waits: it has every bit, once.
#[test]
fn bits_of_two_cpus_arrive_each_once() {
    loom::model(|| {
        let notification = Arc::new(Notification::default());
        let signals = [1, 2].map(|bit| {
            let other = Arc::clone(&notification);
            loom::thread::spawn(move || other.signal(bit).is_some())
        });
        let first = notification.wait(0).expect("none waits yet");
        let nudged = signals.map(|one| one.join().unwrap());
        let rest = look(&notification).unwrap_or(0);
        assert_eq!((first | rest, first & rest), (3, 0));
        assert!(rest == 0 || nudged.contains(&true), "bits that came late have their CPU look");
    });
}

/// Two threads want to wait: one does, whatever the order.
#[test]
fn one_waits_at_most() {
    loom::model(|| {
        let notification = Arc::new(Notification::default());
        let other = Arc::clone(&notification);
        let second = loom::thread::spawn(move || other.wait(1).is_some());
        let first = notification.wait(0).is_some();
        assert!(first != second.join().unwrap());
    });
}

/// A notification is revoked while a thread begins to wait: the thread sees it, or its CPU gets a wake-up and then sees it.
#[test]
fn a_revocation_reaches_who_waits() {
    loom::model(|| {
        let notification = Arc::new(Notification::default());
        let other = Arc::clone(&notification);
        let revokes = loom::thread::spawn(move || other.revoke());
        assert_eq!(notification.wait(0), Some(0));
        let seen = notification.void.is_seen();
        let nudged = revokes.join().unwrap();
        assert!(seen || nudged == Some(0));
        assert!(notification.void.is_seen());
    });
}
