//! Page faults that a server resolves: the fault is a call to the thread's fault endpoint, and the answer names a page of memory
//! that is mapped there. Then the thread goes on with the instruction that faulted, its registers as they were.
#![expect(unsafe_code, reason = "leaves the stack of a trap")]

use abi::object::{Handle, HandleRight, Kind, Status};
use alloc::rc::Rc;
use core::cell::RefCell;
use harness::user::{Exit, Fault};

use super::calls::{access_of, call, require};
use super::enter::resume;
use super::island::Island;
use super::objects::Named;
use super::table::Table;
use super::thread::Thread;
use crate::cpu::TrapFrame;
use crate::x86::vectors;

const PAGE: u64 = 4096;

impl Island {
    /// Passes a page fault of the current thread to its fault endpoint: the address, the error code and the instruction. Returns
    /// if it has none, or one that is not served any more.
    pub fn pass_fault(&self, frame: &TrapFrame, address: u64) {
        let current = self.current();
        let endpoint = current.faults_to.take();
        current.faults_to.set(endpoint.clone());
        let Some(endpoint) = endpoint else { return };
        let words = [address, frame.error, frame.rip, 0];
        current.trap(frame, words);
        if call(self, current, &endpoint, words).is_err() {
            current.is_trapped.set(false);
            return;
        }
        // The stack is left.
        drop(endpoint);
        // SAFETY: the frame of the current thread, on the trap stack, whose content nothing needs.
        unsafe { resume(self.next_frame()) }
    }
}

impl Thread {
    /// Sets where its page faults go: an endpoint of this CPU, or nowhere.
    ///
    /// # Errors
    /// Why the handle does not fit.
    pub fn set_faults_to(&self, handles: &RefCell<Table<Named>>, handle: Handle) -> Result<u64, Status> {
        let mut to = None;
        if handle.0 != 0 {
            let table = handles.borrow();
            let (object, rights) = table.find(handle, Kind::Endpoint as u8)?;
            require(rights, HandleRight::Call)?;
            let Named::Endpoint(endpoint) = object else { return Err(Status::Kind) };
            to = Some(Rc::clone(endpoint));
        }
        self.faults_to.set(to);
        Ok(0)
    }

    /// Resolves the fault that this thread waits with, by a server's answer: a handle of the server's, and a page of the
    /// memory times 4 plus an [`abi::object::Access`].
    ///
    /// # Errors
    /// Why the page cannot be mapped.
    pub fn resolve(
        &self,
        handles: &RefCell<Table<Named>>,
        [handle, page, ..]: [u64; 4],
    ) -> Result<(), Status> {
        let table = handles.borrow();
        let (object, rights) = table.find(Handle(handle), Kind::Memory as u8)?;
        let Named::Memory(memory) = object else { return Err(Status::Kind) };
        let access = access_of(rights, page & 3)?;
        memory.settle(access)?;
        let [address, ..] = self.kept();
        self.space.map(memory, address / PAGE * PAGE, page >> 2, 1, access)
    }

    /// The fault that it waits with, as its end.
    #[must_use]
    pub fn fault(&self) -> Exit {
        let [address, error, rip, _] = self.kept();
        Exit::Fault(Fault { vector: vectors::PAGE_FAULT.into(), error, rip, address })
    }
}
