//! The short ways of a yield, of a call to a server of the same CPU that waits, and of its answer: the caller lends the server
//! its CPU, and gets it back. Whatever is not just so takes the long way, which knows every case.
#![expect(unsafe_code, reason = "borrows a table that nothing changes meanwhile")]

use abi::object::{Call, Handle, HandleRight, Kind, Status};
use abi::task::Counter;
use core::cell::RefCell;

use super::super::island::Island;
use super::super::objects::{Endpoint, Named};
use super::super::table::Table;
use super::super::thread::{State, Thread};
use super::require;

/// Does the call if it has a short way. Returns whether it had.
#[inline(always)]
pub fn go(island: &Island, thread: &Thread, handle: Handle, words: [u64; 4], number: u64) -> bool {
    const CALL: u64 = Call::EndpointCall.number();
    const SERVE: u64 = Call::EndpointServe.number();
    const YIELD: u64 = Call::Yield.number();
    let Some(handles) = &thread.handles else { return false };
    match number {
        CALL => match endpoint(handles, handle, HandleRight::Call) {
            Ok(endpoint) => endpoint.is_some_and(|endpoint| call(island, thread, endpoint, words)),
            Err(status) => refuse(island, thread, status),
        },
        SERVE => match endpoint(handles, handle, HandleRight::Serve) {
            Ok(endpoint) => endpoint.is_some_and(|endpoint| answer(island, thread, endpoint, words)),
            Err(status) => refuse(island, thread, status),
        },
        YIELD => {
            thread.answer(Status::Ok, [0; 4]);
            island.yield_now();
            if island.current().is_trapped.get() {
                // Goes on from its fault: this does not return.
                island.next_frame();
            }
            true
        }
        _ => false,
    }
}

/// Refuses the call.
fn refuse(island: &Island, thread: &Thread, status: Status) -> bool {
    island.counters.refuse(status);
    thread.answer(status, [0; 4]);
    true
}

/// The endpoint of a handle that has a right; `None` if it is one of another CPU.
///
/// # Errors
/// Why the handle does not fit.
#[inline(always)]
fn endpoint(
    handles: &RefCell<Table<Named>>,
    handle: Handle,
    right: HandleRight,
) -> Result<Option<&Endpoint>, Status> {
    // SAFETY: the table belongs to the thread whose call this is; nothing on the short way changes it.
    let table = unsafe { handles.try_borrow_unguarded() }.map_err(|_| Status::Busy)?;
    let (object, rights) = table.find(handle, Kind::Endpoint as u64)?;
    require(rights, right)?;
    Ok(if let Named::Endpoint(endpoint) = object { Some(endpoint) } else { None })
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
        thread.caller.set(Some(caller));
        return false;
    }
    caller.answer(Status::Ok, words);
    caller.state.set(State::Ready);
    thread.state.set(State::Serving);
    endpoint.server.set(island.switch_to(caller));
    true
}
