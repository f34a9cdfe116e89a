//! The short ways of a call to a server of the same CPU that waits, and of its answer: the caller lends the server its CPU, and
//! gets it back. Whatever is not just so takes the long way, which knows every case.
#![expect(unsafe_code, reason = "borrows a table that nothing changes meanwhile")]

use abi::object::{Call, Handle, HandleRight, Status};
use abi::task::Counter;
use core::cell::RefCell;

use super::super::island::Island;
use super::super::objects::{Endpoint, Named};
use super::super::table::{Object, Table};
use super::super::thread::{State, Thread};

/// Does the call if it has a short way. Returns whether it had.
#[inline(always)]
pub fn go(island: &Island, thread: &Thread, handle: Handle, words: [u64; 4], number: u64) -> bool {
    const CALL: u64 = Call::EndpointCall.number();
    const SERVE: u64 = Call::EndpointServe.number();
    let Some(handles) = &thread.handles else { return false };
    match number {
        CALL => endpoint(handles, handle, HandleRight::Call)
            .is_some_and(|endpoint| call(island, thread, endpoint, words)),
        SERVE => endpoint(handles, handle, HandleRight::Serve)
            .is_some_and(|endpoint| answer(island, thread, endpoint, words)),
        _ => false,
    }
}

/// The endpoint of a handle that has a right.
#[inline(always)]
fn endpoint(handles: &RefCell<Table<Named>>, handle: Handle, right: HandleRight) -> Option<&Endpoint> {
    // SAFETY: the table belongs to the thread whose call this is; nothing on the short way changes it.
    let table = unsafe { handles.try_borrow_unguarded() }.ok()?;
    let (object, rights) = table.current(handle)?;
    match object {
        Named::Endpoint(endpoint) if rights.has(right) && !object.is_revoked() => Some(endpoint),
        _ => None,
    }
}

/// Passes the words to the server that waits, and makes it current.
#[inline(always)]
fn call(island: &Island, thread: &Thread, endpoint: &Endpoint, words: [u64; 4]) -> bool {
    let Some(server) = endpoint.server.take() else { return false };
    if server.state.get() != State::Serving {
        endpoint.server.set(Some(server));
        return false;
    }
    server.answer(Status::Ok, words);
    server.state.set(State::Ready);
    thread.state.set(State::Called);
    island.counters.count(Counter::Call);
    island.counters.count(Counter::Serve);
    let caller = island.switch_to(server);
    island.current().caller.set(caller);
    true
}

/// Passes the answer to the caller and makes it current; the server waits for the next one.
#[inline(always)]
fn answer(island: &Island, thread: &Thread, endpoint: &Endpoint, words: [u64; 4]) -> bool {
    if !endpoint.callers.is_empty() || endpoint.has_server() {
        return false;
    }
    let Some(caller) = thread.caller.take() else { return false };
    if caller.state.get() != State::Called {
        return false;
    }
    caller.answer(Status::Ok, words);
    caller.state.set(State::Ready);
    thread.state.set(State::Serving);
    endpoint.server.set(island.switch_to(caller));
    true
}
