//! Calls that may let another thread run.

use abi::object::{Call, HandleRight, Status};
use abi::task::Counter;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::RefCell;

use super::super::notification::Notification;
use super::super::objects::{Endpoint, Named};
use super::super::post::Post;
use super::super::slot::NoAnswer;
use super::super::table::Table;
use super::super::thread::{State, Thread};
use super::{Invocation, Island, method, require};

const CALL: u64 = method(Call::EndpointCall);
const SERVE: u64 = method(Call::EndpointServe);
const WAIT: u64 = method(Call::NotificationWait);
const WAIT_TASK: u64 = method(Call::TaskWait);
const SLEEP: u64 = Call::SleepUntil.number();

impl Invocation<'_> {
    /// Begins a call that may switch.
    #[inline(always)]
    pub(super) fn begin(&self) -> Result<(), Status> {
        let Self { island, thread, handles, handle, words, kind, method } = *self;
        let table = handles.borrow();
        let (object, rights) = table.find(handle, kind)?;
        match (method, object) {
            (CALL, Named::Endpoint(endpoint)) => {
                require(rights, HandleRight::Call)?;
                call(island, thread, endpoint, words)
            }
            (SERVE, Named::Endpoint(endpoint)) => {
                require(rights, HandleRight::Serve)?;
                serve(island, thread, handles, endpoint, words)
            }
            (CALL, Named::Post(post)) => {
                require(rights, HandleRight::Call)?;
                call_far(island, post, words)
            }
            (WAIT, Named::Notification(notification)) => {
                require(rights, HandleRight::Wait)?;
                wait(island, thread, notification)
            }
            (WAIT_TASK, Named::Task(_)) => {
                require(rights, HandleRight::Wait)?;
                drop(table);
                self.wait_for_end()
            }
            _ => Err(Status::Method),
        }
    }

    /// Waits for the end of a task. Closes the handle.
    fn wait_for_end(&self) -> Result<(), Status> {
        let Self { island, thread, handles, handle, kind, .. } = *self;
        let (Named::Task(task), _) = handles.borrow_mut().close(handle, kind)? else {
            return Err(Status::Kind);
        };
        if task.state.get() == State::Ended {
            thread.answer(Status::Ok, task.left());
            return Ok(());
        }
        let other = task.waiter.take();
        if other.is_some() {
            task.waiter.set(other);
            return Err(Status::Busy);
        }
        island.wait_for_end(&task);
        Ok(())
    }
}

/// Leaves a call for a server on another CPU, and waits for its answer.
fn call_far(island: &Island, post: &Arc<Post>, words: [u64; 4]) -> Result<(), Status> {
    post.ask(words).map_err(|reason| match reason {
        NoAnswer::Gone => Status::Gone,
        NoAnswer::Busy => Status::Busy,
    })?;
    island.counters.count(Counter::Call);
    island.wait_for_answer(post);
    Ok(())
}

/// Takes the bits of a notification, or waits for one.
fn wait(island: &Island, thread: &Thread, notification: &Arc<Notification>) -> Result<(), Status> {
    match notification.wait(island.cpu().id.0.into()).ok_or(Status::Busy)? {
        0 => island.wait_for_bits(notification),
        bits => {
            notification.leave();
            island.counters.count(Counter::Wait);
            thread.answer(Status::Ok, [bits, 0, 0, 0]);
        }
    }
    Ok(())
}

/// Begins a call of a thread on itself.
pub(super) fn begin_own(island: &Island, words: [u64; 4], number: u64) -> Result<(), Status> {
    match number {
        SLEEP => {
            island.sleep(words[0]);
            Ok(())
        }
        _ => Err(Status::NoCall),
    }
}

/// The caller lends its CPU to the server, if that waits. Not the short way of a call, which is its own.
///
/// # Errors
/// [`Status::Gone`] if no server comes any more.
#[inline(never)]
pub fn call(island: &Island, thread: &Thread, endpoint: &Endpoint, words: [u64; 4]) -> Result<(), Status> {
    if endpoint.is_closed.get() {
        return Err(Status::Gone);
    }
    island.counters.count(Counter::Call);
    if let Some(server) = endpoint.server.take().filter(|server| server.state.get() == State::Serving) {
        island.counters.count(Counter::Serve);
        server.answer(Status::Ok, words);
        server.state.set(State::Ready);
        thread.wait_for_answer();
        let caller = island.switch_to(server);
        island.current().caller.set(caller);
    } else {
        thread.keep(words);
        thread.state.set(State::Queued);
        if let Some(caller) = island.park() {
            endpoint.callers.push(caller);
        }
        island.block();
    }
    Ok(())
}

/// Answers the caller, who gets the CPU back, and takes the next one.
#[inline(always)]
fn serve(
    island: &Island,
    thread: &Thread,
    handles: &RefCell<Table<Named>>,
    endpoint: &Endpoint,
    words: [u64; 4],
) -> Result<(), Status> {
    if let Some(other) = endpoint.server.take().filter(|other| other.state.get() == State::Serving) {
        endpoint.server.set(Some(other));
        return Err(Status::Busy);
    }
    let waits = |caller: &Rc<Thread>| matches!(caller.state.get(), State::Called | State::Faulted);
    let caller = thread.caller.take().filter(waits);
    if let Some(caller) = &caller {
        if caller.state.get() == State::Faulted {
            // An answer that does not resolve the fault is that of the server to know, and ends the thread.
            caller.resolve(handles, words).inspect_err(|_| island.end_other(caller, Some(caller.fault())))?;
        } else {
            caller.answer(Status::Ok, words);
        }
    } else if let Some(post) = thread.post.take() {
        post.answer(words);
    }
    if let Some(next) = next_caller(endpoint) {
        island.counters.count(Counter::Serve);
        thread.answer(Status::Ok, next.kept());
        next.wait_for_answer();
        thread.caller.set(Some(next));
        if let Some(caller) = caller {
            island.make_ready(caller);
        }
        return Ok(());
    }
    thread.state.set(State::Serving);
    if let Some(caller) = caller {
        caller.state.set(State::Ready);
        endpoint.server.set(island.switch_to(caller));
    } else {
        // Before the wait: a call of another CPU looks for it here.
        endpoint.server.set(island.park());
        island.block();
    }
    Ok(())
}

/// The first thread in the queue of an endpoint that still waits there.
fn next_caller(endpoint: &Endpoint) -> Option<Rc<Thread>> {
    loop {
        let next = endpoint.callers.pop()?;
        if next.state.get() == State::Queued {
            return Some(next);
        }
    }
}
