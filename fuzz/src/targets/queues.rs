//! Queues that are threaded through what is in them, against deques: items go from one to another, in order, and nothing stays
//! behind.

use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;

use kernel::task::queue::{Linked, Queue};

use crate::input::Input;

/// The items, and the queues.
const ITEMS: usize = 16;
const QUEUES: usize = 3;

/// An item.
struct Item {
    number: usize,
    next: Cell<Option<Rc<Self>>>,
}

impl Linked for Item {
    fn next(&self) -> &Cell<Option<Rc<Self>>> {
        &self.next
    }
}

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let queues: [Queue<Item>; QUEUES] = Default::default();
    let mut plain: [VecDeque<usize>; QUEUES] = Default::default();
    let items: [_; ITEMS] = std::array::from_fn(|number| Rc::new(Item { number, next: Cell::default() }));
    while !input.is_empty() {
        let (step, place, which) =
            (input.byte() % 8, usize::from(input.byte()) % QUEUES, usize::from(input.byte()) % ITEMS);
        match step {
            0..4 => {
                // One that is in no queue, as the kernel has it.
                if !plain.iter().any(|queue| queue.contains(&which)) {
                    queues[place].push(Rc::clone(&items[which]));
                    plain[place].push_back(which);
                }
            }
            4..7 => {
                let popped = queues[place].pop();
                assert_eq!(popped.as_ref().map(|item| item.number), plain[place].pop_front());
                assert!(popped.is_none_or(|item| item.next.take().is_none()), "it refers to nothing");
            }
            _ => {
                queues[place].clear();
                plain[place].clear();
            }
        }
        for (queue, plain) in queues.iter().zip(&plain) {
            assert_eq!(queue.is_empty(), plain.is_empty());
        }
    }
    for (queue, plain) in queues.iter().zip(&mut plain) {
        while let Some(number) = plain.pop_front() {
            assert_eq!(queue.pop().map(|item| item.number), Some(number));
        }
        assert!(queue.pop().is_none());
    }
    assert!(items.iter().all(|item| Rc::strong_count(item) == 1));
}
