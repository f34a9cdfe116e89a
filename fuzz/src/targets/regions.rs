//! The regions of an address space, changed at random, against a map of single pages.

use std::collections::BTreeMap;
use std::ops::Range;

use abi::object::Status;
use kernel::task::regions::{MOST, Regions, pages};

use crate::input::Input;

const PAGE: u64 = 4096;

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let mut regions = Regions::with_room();
    // What each page is of. Two neighbours of one number may be two regions, so each also has the number of its region.
    let mut plain: BTreeMap<u64, (u8, u32)> = BTreeMap::new();
    let mut next = 0;
    while !input.is_empty() {
        let (step, first, count, of) =
            (input.byte() % 4, u64::from(input.byte()), 1 + u64::from(input.byte() % 16), input.byte() % 4);
        let range = first * PAGE..(first + count) * PAGE;
        let own = |plain: &BTreeMap<u64, (u8, u32)>| {
            let all: Vec<_> = numbers(&range).map(|page| plain.get(&page).copied()).collect();
            all[0].filter(|own| own.0 == of && all.iter().all(|other| *other == Some(*own)))
        };
        let before = count_of(&plain);
        match step {
            0 => {
                let is_free = numbers(&range).all(|page| !plain.contains_key(&page));
                match regions.insert(range.clone(), of) {
                    Ok(()) => {
                        assert!(is_free && before < MOST);
                        next += 1;
                        plain.extend(numbers(&range).map(|page| (page, (of, next))));
                    }
                    Err(Status::Argument) => assert!(!is_free),
                    Err(status) => assert_eq!((status, is_free, before), (Status::Full, true, MOST)),
                }
            }
            1 => match (regions.remove(&range, of), own(&plain)) {
                (Ok(()), Some((_, number))) => {
                    for page in numbers(&range) {
                        plain.remove(&page);
                    }
                    // What is above the hole is a region of its own.
                    next += 1;
                    let above = plain.range_mut(first + count..).take_while(|(_, own)| own.1 == number);
                    above.for_each(|(_, own)| own.1 = next);
                }
                (Err(Status::Argument), None) => {}
                (Err(Status::Full), Some(_)) => assert_eq!(before, MOST),
                (said, expected) => panic!("{said:?}, and {expected:?} is there"),
            },
            2 => assert_eq!(regions.has(&range, of), own(&plain).is_some()),
            _ => {
                // Any address and any number of pages, of which none may wrap.
                let (at, many) = (input.long(), input.long());
                if let Ok(range) = pages(at, many) {
                    assert!(
                        at % PAGE == 0
                            && many > 0
                            && range.start == at
                            && range.end > at
                            && range.end < 1 << 47
                    );
                    assert_eq!((range.end - range.start) / PAGE, many);
                }
            }
        }
        for page in 0..300 {
            assert_eq!(regions.at(page * PAGE + 7), plain.get(&page).map(|own| own.0));
        }
    }
}

fn numbers(range: &Range<u64>) -> Range<u64> {
    range.start / PAGE..range.end / PAGE
}

/// The regions that the pages make up.
fn count_of(plain: &BTreeMap<u64, (u8, u32)>) -> usize {
    let mut numbers: Vec<u32> = plain.values().map(|own| own.1).collect();
    numbers.dedup();
    numbers.len()
}
