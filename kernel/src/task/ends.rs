//! How threads end, and what ends with them: no thread waits for one that cannot answer any more.
#![expect(unsafe_code, reason = "leaves a stack whose thread has ended")]

use abi::object::{HandleRight, Rights, Status};
use alloc::rc::Rc;
use harness::user::Exit;

use super::enter::resume;
use super::island::Island;
use super::objects::{Endpoint, Named};
use super::thread::{State, Thread};

impl Island {
    /// Ends the current thread. Another one runs, or `enter` returns if none can.
    pub fn end_current(&self, exit: Exit) -> ! {
        let waiter = self.current().waiter.take().filter(|waiter| waiter.state.get() == State::Waiting);
        self.unwind(self.current(), Some(exit));
        // Dropped after the switch: its address space is not in force any more.
        match waiter {
            Some(waiter) => {
                let ended = self.switch_to(waiter);
                let left = ended.map_or([0; 4], |ended| ended.left());
                self.current().state.set(State::Ready);
                self.current().answer(Status::Ok, left);
            }
            None => self.block(),
        }
        // SAFETY: the frame of the current thread, on the trap stack, whose content nothing needs.
        unsafe { resume(self.next_frame()) }
    }

    /// Ends a thread that is not current, for another.
    pub fn kill(&self, thread: &Thread) {
        if thread.state.get() != State::Ended {
            self.end_other(thread, None);
        }
    }

    /// Ends a thread that is not current.
    pub fn end_other(&self, thread: &Thread, exit: Option<Exit>) {
        self.unwind(thread, exit);
        self.stop_waiting(thread);
        if let Some(waiter) = thread.waiter.take() {
            waiter.answer(Status::Ok, thread.left());
            self.make_ready(waiter);
        }
    }

    /// Marks a thread as ended, and lets go of its handles. A caller that waits for its answer goes on without one.
    fn unwind(&self, thread: &Thread, exit: Option<Exit>) {
        thread.exit.set(exit);
        thread.state.set(State::Ended);
        if let Some(caller) = thread.caller.take() {
            self.leave_alone(caller);
        }
        thread.faults_to.take();
        if let Some(post) = thread.post.take() {
            post.refuse();
        }
        self.release_all(thread);
    }

    /// Lets go of all handles of a thread that makes no call any more.
    pub fn release_all(&self, thread: &Thread) {
        if let Some(handles) = &thread.handles {
            handles.borrow_mut().clear(|object, rights| self.release(&object, rights));
        }
    }

    /// Counts a handle less to an object. An endpoint whose last handle with the right to serve goes is closed.
    pub fn release(&self, object: &Named, rights: Rights) {
        if let Named::Endpoint(endpoint) = object
            && rights.has(HandleRight::Serve)
            && endpoint.lose_server()
        {
            self.close_endpoint(endpoint);
        }
    }

    /// Voids every handle to an endpoint. Callers and server wait no more.
    pub fn revoke_endpoint(&self, endpoint: &Endpoint) {
        endpoint.void.set();
        endpoint.posts.iter().filter(|post| !post.is_revoked()).for_each(|post| post.revoke());
        self.close_endpoint(endpoint);
    }

    /// From here on no call of an endpoint is answered: those that wait for a server return.
    fn close_endpoint(&self, endpoint: &Endpoint) {
        endpoint.is_closed.set(true);
        let waiting = core::iter::from_fn(|| endpoint.callers.pop()).chain(endpoint.server.take());
        waiting.for_each(|thread| self.leave_alone(thread));
        endpoint.close_posts();
    }

    /// Has a thread go on whose server is gone: its call returns, or its fault ends it.
    fn leave_alone(&self, thread: Rc<Thread>) {
        match thread.state.get() {
            State::Faulted => self.end_other(&thread, Some(thread.fault())),
            State::Queued if thread.is_trapped.get() => self.end_other(&thread, Some(thread.fault())),
            State::Called | State::Queued | State::Serving => {
                thread.answer(Status::Gone, [0; 4]);
                self.make_ready(thread);
            }
            State::Ready | State::Waiting | State::Ended => {}
        }
    }
}
