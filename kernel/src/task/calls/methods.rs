//! Methods that return at once.
#![expect(unsafe_code, reason = "finds the island of the CPU that took the call")]

use abi::object::{Access, CLOSE, COPY, Call, Handle, HandleRight, REVOKE, Rights, Status};
use abi::task::Counter;
use alloc::rc::Rc;

use super::super::image::Image;
use super::super::notification::Notification;
use super::super::objects::Named;
use super::super::post::nudge;
use super::super::ring::{self, Operation};
use super::{
    Answer, FAULT_TO, IDENTIFY, Invocation, Island, count, method, method_at_once, own_at_once, require,
};
use crate::cpu::PerCpu;

const SIGNAL: u64 = method(Call::NotificationSignal);
const MAP: u64 = method(Call::MemoryMap);
const UNMAP: u64 = method(Call::MemoryUnmap);
const PROTECT: u64 = method(Call::MemoryProtect);
const ENTER: u64 = method(Call::MemoryEnter);
const SPAWN: u64 = method(Call::ImageSpawn);
const KILL: u64 = method(Call::TaskKill);

impl Invocation<'_> {
    /// Does a method at once. Returns the first word.
    #[inline(never)]
    pub(super) fn at_once(&self) -> Result<u64, Status> {
        let table = self.handles.borrow();
        let (object, rights) = match table.find(self.handle, self.kind) {
            Ok((object, rights)) => (object.clone(), rights),
            // A handle to a revoked object can be closed.
            Err(Status::Generation) if self.method == CLOSE => {
                drop(table);
                return self.close();
            }
            Err(status) => return Err(status),
        };
        if !Call::is_method(Call::number_of(self.kind, self.method)) {
            return Err(Status::Method);
        }
        // A method may change the table.
        drop(table);
        self.seldom(&object, rights)
    }

    /// Does one of the methods that do more than look something up.
    fn seldom(&self, object: &Named, rights: Rights) -> Result<u64, Status> {
        let Self { island, thread, handles, handle, words, kind, method } = *self;
        match (method, object) {
            (IDENTIFY, _) => Ok(Answer::kind(kind.into()).parts().1),
            (SIGNAL, Named::Notification(notification)) => {
                require(rights, HandleRight::Signal)?;
                Ok(signal(notification, words[0]).parts().1)
            }
            (MAP, Named::Memory(memory)) => {
                let [at, first, count, access] = words;
                let access = access_of(rights, access)?;
                memory.settle(access)?;
                thread.space.map(memory, at, first, count, access)?;
                island.counters.add(Counter::Map, count);
                Ok(0)
            }
            (UNMAP, Named::Memory(memory)) => {
                require(rights, HandleRight::Map)?;
                let [at, count, ..] = words;
                thread.space.unmap(memory, at, count)?;
                island.counters.add(Counter::Unmap, count);
                Ok(0)
            }
            (PROTECT, Named::Memory(memory)) => {
                let [at, count, access, _] = words;
                let access = access_of(rights, access)?;
                memory.settle(access)?;
                thread.space.protect(memory, at, count, access)?;
                island.counters.add(Counter::Protect, count);
                Ok(0)
            }
            (ENTER, Named::Memory(memory)) => {
                require(rights, HandleRight::Map)?;
                require(rights, HandleRight::Write)?;
                let [page, most, ..] = words;
                ring::enter(memory.ring(page)?, most, |operation| operated(island, operation))
            }
            (SPAWN, Named::Image(image)) => {
                require(rights, HandleRight::Spawn)?;
                self.spawn(image)
            }
            (KILL, Named::Task(task)) => {
                require(rights, HandleRight::Kill)?;
                island.kill(task);
                Ok(0)
            }
            (COPY, _) => {
                let copy = handles.borrow_mut().copy(handle, kind, Rights::from_bits(words[0]))?;
                Ok(copy.0)
            }
            (CLOSE, _) => self.close(),
            (REVOKE, object) => {
                require(rights, HandleRight::Revoke)?;
                revoke(island, object);
                Ok(0)
            }
            _ => Err(Status::Method),
        }
    }

    /// Closes the handle.
    fn close(&self) -> Result<u64, Status> {
        let (closed, rights) = self.handles.borrow_mut().close(self.handle, self.kind)?;
        // Not before the table is free again: what goes with the last handle may be much.
        self.island.release(&closed, rights);
        drop(closed);
        Ok(0)
    }

    /// Starts a task. Returns a handle to it.
    fn spawn(&self, image: &Image) -> Result<u64, Status> {
        let place = self.island.place()?;
        let [argument, given, ..] = self.words;
        let given = if given == 0 { None } else { Some(self.handles.borrow().share(Handle(given))?) };
        let thread = image.start(argument, given)?;
        thread.place.set(Some(place));
        let entered = self.handles.borrow_mut().insert(Named::Task(Rc::clone(&thread)), Image::PARENT);
        let handle = entered.inspect_err(|_| self.island.release_all(&thread))?;
        self.island.make_ready(thread);
        self.island.counters.count(Counter::Spawn);
        Ok(handle.0)
    }
}

/// Does an operation of a ring. Returns its status and the first word of its answer.
fn operated(island: &Island, operation: &Operation) -> (u64, u64) {
    const NULL: u64 = Call::Null.number();
    // The end of the thread, which would leave the ring's call behind, and a ring within a ring, which would have no bound.
    const EXIT: u64 = Call::Exit.number();
    const AGAIN: u64 = Call::MemoryEnter.number();
    island.counters.count(Counter::Ring);
    let Operation { number, handle, words: [a, b, c, d], .. } = *operation;
    match number {
        NULL => (Status::Ok.value(), 0),
        EXIT | AGAIN => {
            island.counters.refuse(Status::NoCall);
            (Status::NoCall.value(), 0)
        }
        FAULT_TO => own_at_once(a, number).parts(),
        _ => method_at_once(handle, [a, b, c, d], number).parts(),
    }
}

/// The access of this number, if the rights allow it.
///
/// # Errors
/// They do not, or there is no such access.
#[inline(never)]
pub fn access_of(rights: Rights, number: u64) -> Result<Access, Status> {
    require(rights, HandleRight::Map)?;
    let access = Access::from_number(number).ok_or(Status::Argument)?;
    if access == Access::Write {
        require(rights, HandleRight::Write)?;
    }
    Ok(access)
}

/// Sets bits, and wakes who waits for them.
#[inline(always)]
pub(super) fn signal(notification: &Notification, bits: u64) -> Answer {
    count(Counter::Signal);
    match notification.signal(bits) {
        Some(cpu) => wake_after_signal(cpu),
        None => Answer::done(0),
    }
}

/// Has the CPU look that waits for a signal. A function of its own, as those of the seldom calls.
#[inline(never)]
fn wake_after_signal(cpu: u32) -> Answer {
    // SAFETY: a call comes from ring 3.
    wake(unsafe { Island::here() }, cpu);
    Answer::done(0)
}

/// Has the CPU with this number look for threads whose wait is over.
#[cold]
fn wake(island: &Island, cpu: u32) {
    if u32::from(island.cpu().id.0) == cpu {
        island.look();
    } else if let Some(cpu) = PerCpu::all().iter().find(|other| u32::from(other.id.0) == cpu) {
        nudge(cpu);
    }
}

/// Voids every handle to an object, and wakes all that wait at it.
fn revoke(island: &Island, object: &Named) {
    match object {
        Named::Endpoint(endpoint) => island.revoke_endpoint(endpoint),
        Named::Notification(notification) => {
            if let Some(cpu) = notification.revoke() {
                wake(island, cpu);
            }
        }
        Named::Post(post) => post.revoke(),
        Named::Memory(memory) => memory.void.set(),
        Named::Image(image) => image.void.set(),
        Named::Task(_) => {}
    }
}
