//! The short ways of a yield, of a call to a server of the same CPU that waits, and of its answer: the caller lends the server
//! its CPU, and gets it back. Whatever is not just so takes the long way, which knows every case.
#![expect(unsafe_code, reason = "finds the island, and borrows a table that nothing changes meanwhile")]

use abi::object::{Call, Handle, HandleRight, Status};
use abi::task::Counter;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};

use super::super::island::Island;
use super::super::objects::{Endpoint, Named};
use super::super::queue::is_some;
use super::super::table::Table;
use super::super::thread::{State, Thread};
use super::{Outcome, table_of};
use crate::checks;

/// The way that a call goes.
pub enum Way {
    /// The short one, to its end.
    Short,
    /// None: it is refused.
    Refused(Status),
    /// The long one. Nothing is done yet.
    Long,
}

/// Does the call if it has a short way.
#[inline(always)]
pub fn go(thread: &Thread, handle: Handle, words: [u64; 4], number: u64) -> Way {
    const CALL: u64 = Call::EndpointCall.number();
    const SERVE: u64 = Call::EndpointServe.number();
    let Some(handles) = &thread.handles else { return Way::Long };
    let is_done = match number {
        CALL => match endpoint(handles, handle, HandleRight::Call) {
            Ok(Some(endpoint)) => call(endpoint, words),
            Ok(None) => false,
            Err(status) => return Way::Refused(status),
        },
        SERVE => match endpoint(handles, handle, HandleRight::Serve) {
            Ok(Some(endpoint)) => answer(endpoint, words),
            Ok(None) => false,
            Err(status) => return Way::Refused(status),
        },
        _ => false,
    };
    if is_done { Way::Short } else { Way::Long }
}

/// The endpoint of a handle, if it is one of this CPU. What else does not fit takes the long way, which says why.
///
/// # Errors
/// The handle does not have the right.
#[inline(always)]
fn endpoint(
    handles: &RefCell<Table<Named>>,
    handle: Handle,
    right: HandleRight,
) -> Result<Option<&Endpoint>, Status> {
    // SAFETY: nothing on the short way changes the table.
    match unsafe { table_of(handles) }.current(handle) {
        Some((Named::Endpoint(endpoint), rights)) if !(checks::REVOCATION && endpoint.void.is_set()) => {
            if checks::allows(rights, right) {
                Ok(Some(endpoint))
            } else {
                Err(Status::Right)
            }
        }
        _ => Ok(None),
    }
}

/// Lets the next thread run.
#[inline(never)]
pub fn yields() -> Outcome {
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    island.current().answer(Status::Ok, [0; 4]);
    island.yield_now();
    if island.current().is_trapped.get() {
        // Goes on from its fault: this does not return.
        island.next_frame();
    }
    Outcome::FROM_FRAME
}

/// Passes the words to the server that waits, and makes it current.
#[inline(always)]
fn call(endpoint: &Endpoint, words: [u64; 4]) -> bool {
    let Some(server) = endpoint.server.take() else { return false };
    if server.state.get() != State::Serving {
        put(&endpoint.server, server);
        return false;
    }
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    // SAFETY: as above.
    let thread = unsafe { Island::thread_here() };
    server.answer(Status::Ok, words);
    server.state.set(State::Ready);
    thread.state.set(State::Called);
    island.counters.count(Counter::Call);
    island.counters.count(Counter::Serve);
    let caller = island.switch_to(server);
    // A server that waits owes no answer: nothing is replaced.
    place(&island.current().caller, caller);
    true
}

/// Passes the answer to the caller and makes it current; the server waits for the next one.
#[inline(always)]
fn answer(endpoint: &Endpoint, words: [u64; 4]) -> bool {
    // SAFETY: a call comes from ring 3.
    let thread = unsafe { Island::thread_here() };
    if !endpoint.callers.is_empty() || endpoint.has_server() {
        return false;
    }
    let Some(caller) = thread.caller.take() else { return false };
    if caller.state.get() != State::Called {
        put(&thread.caller, caller);
        return false;
    }
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    caller.answer(Status::Ok, words);
    caller.state.set(State::Ready);
    thread.state.set(State::Serving);
    // No server waits there: nothing is replaced.
    place(&endpoint.server, island.switch_to(caller));
    true
}

/// Puts a thread back into the cell that it was taken from.
#[inline(always)]
fn put(place_of: &Cell<Option<Rc<Thread>>>, thread: Rc<Thread>) {
    place(place_of, Some(thread));
}

/// Puts a thread into an empty cell, so that no code is needed to drop one.
#[inline(always)]
fn place(empty: &Cell<Option<Rc<Thread>>>, thread: Option<Rc<Thread>>) {
    debug_assert!(!is_some(empty), "a thread would be forgotten");
    core::mem::forget(empty.replace(thread));
}
