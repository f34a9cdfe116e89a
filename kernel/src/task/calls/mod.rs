//! The calls of threads. Those that return at once take the short way of the entry code, and [`at_once`] answers them. Those
//! that may let another thread run come to [`may_switch`].
#![expect(unsafe_code, reason = "finds the island of the CPU that took the call")]

mod methods;
mod short;
mod switching;

pub use methods::access_of;
pub use switching::call;

use abi::object::{Call, Handle, HandleRight, Kind, MAY_SWITCH, Rights, Status};
use abi::syscall::{REFUSED, Syscall};
use abi::task::Counter;
use core::cell::RefCell;
use harness::user::Exit;

use super::island::Island;
use super::objects::Named;
use super::table::Table;
use super::thread::Thread;
use crate::cpu::ThreadFrame;

/// What a call that returns at once returns: RAX and the first word. The entry code clears the other words.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Answer {
    status: u64,
    word: u64,
}

/// A thread's call of an object's method.
struct Invocation<'a> {
    island: &'a Island,
    thread: &'a Thread,
    handles: &'a RefCell<Table<Named>>,
    handle: Handle,
    words: [u64; 4],
    kind: u64,
    method: u64,
}

impl<'a> Invocation<'a> {
    /// The call with this number.
    ///
    /// # Errors
    /// As [`Invocation::parts`].
    fn new(
        island: &'a Island,
        thread: &'a Thread,
        handles: &'a RefCell<Table<Named>>,
        handle: Handle,
        words: [u64; 4],
        number: u64,
    ) -> Result<Self, Status> {
        let (kind, method) = Self::parts(number)?;
        Ok(Self { island, thread, handles, handle, words, kind, method })
    }

    /// The kind and the method of a number.
    ///
    /// # Errors
    /// [`Status::NoCall`] if no kind of object has it.
    #[inline(always)]
    const fn parts(number: u64) -> Result<(u64, u64), Status> {
        /// The bits of a call's number below its kind.
        const METHOD: u64 = 0xff;
        let (kind, method) = (number >> 8, number & METHOD);
        if kind == Kind::Own as u64 || kind >= Kind::ALL.len() as u64 {
            return Err(Status::NoCall);
        }
        Ok((kind, method))
    }
}

/// The method of a call.
const fn method(call: Call) -> u64 {
    call.number() & 0xff
}

/// Asks for a right of a handle.
#[inline(always)]
pub const fn require(rights: Rights, right: HandleRight) -> Result<(), Status> {
    if rights.has(right) { Ok(()) } else { Err(Status::Right) }
}

/// Answers a call without [`MAY_SWITCH`]. The entry code calls it.
#[inline(always)]
pub fn at_once(handle: Handle, words: [u64; 4], number: u64) -> Answer {
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    let thread = island.current();
    if number == Call::Null.number() && thread.handles.is_some() {
        island.counters.count(Counter::Null);
        return Answer { status: Status::Ok.value(), word: 0 };
    }
    let [a, b, c, d] = words;
    at_once_but_null(handle, a, b, c, d, number)
}

/// A function of its own, so that the shortest call saves no registers for it. Its words are in registers, which those of an
/// array would not be.
#[inline(never)]
fn at_once_but_null(handle: Handle, a: u64, b: u64, c: u64, d: u64, number: u64) -> Answer {
    let words = [a, b, c, d];
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    let thread = island.current();
    let Some(handles) = &thread.handles else { return of_worker(island, thread, number) };
    let done = match Invocation::parts(number) {
        _ if number == Call::NotificationSignal.number() => {
            methods::signalled(island, handles, handle, words)
        }
        Ok((kind, 0)) => methods::identify(island, handles, handle, kind),
        Ok(_) => Invocation::new(island, thread, handles, handle, words, number)
            .and_then(|invocation| invocation.at_once()),
        Err(_) if number == Call::Exit.number() => island.end_current(Exit::Returned),
        Err(_) if number == Call::FaultTo.number() => thread.set_faults_to(handles, Handle(a)),
        Err(status) => Err(status),
    };
    match done {
        Ok(word) => Answer { status: Status::Ok.value(), word },
        Err(status) => {
            island.counters.refuse(status);
            Answer { status: status.value(), word: 0 }
        }
    }
}

/// Does a call that may let another thread run. Returns the frame of the thread that runs next. The entry code calls it,
/// and has saved the registers of the thread that made the call.
#[inline(always)]
pub fn may_switch(handle: Handle, words: [u64; 4], number: u64) -> *const ThreadFrame {
    debug_assert!(number & MAY_SWITCH != 0, "the entry code tests the bit");
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    let thread = island.current();
    if short::go(island, thread, handle, words, number) {
        return island.frame();
    }
    let [a, b, c, d] = words;
    long_way(handle, a, b, c, d, number)
}

/// A function of its own, as [`at_once_but_null`] is.
#[inline(never)]
fn long_way(handle: Handle, a: u64, b: u64, c: u64, d: u64, number: u64) -> *const ThreadFrame {
    let words = [a, b, c, d];
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    let thread = island.current();
    let begun = match &thread.handles {
        Some(handles) => match Invocation::new(island, thread, handles, handle, words, number) {
            Ok(invocation) => invocation.begin(),
            Err(_) => switching::begin_own(island, words, number),
        },
        None => {
            of_worker(island, thread, number);
            Err(Status::NoCall)
        }
    };
    if let Err(status) = begun {
        island.counters.refuse(status);
        thread.answer(status, [0; 4]);
    }
    island.next_frame()
}

/// Answers a worker that has no handles: its return stub's call, and no other.
#[inline(never)]
fn of_worker(island: &Island, thread: &Thread, number: u64) -> Answer {
    match Syscall::from_number(number).filter(|&call| thread.authority.get().allows(call)) {
        Some(Syscall::Exit) => island.end_current(Exit::Returned),
        None => {
            let worker = &island.cpu().worker;
            let mut counts = worker.counts.get();
            if counts.refused == 0 {
                counts.first_refused = number;
            }
            counts.refused = counts.refused.saturating_add(1);
            worker.counts.set(counts);
            Answer { status: REFUSED, word: 0 }
        }
    }
}
