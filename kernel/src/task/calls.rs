//! The calls of threads. Those that return at once take the short way of the entry code, and `at_once` answers them. Those
//! that may let another thread run come to `may_switch`.
#![expect(unsafe_code, reason = "reads the island of the CPU that took the call")]

use abi::object::{Access, CLOSE, COPY, Call, Handle, HandleRight, Kind, MAY_SWITCH, REVOKE, Rights, Status};
use abi::syscall::{REFUSED, Syscall};
use abi::task::Counter;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use harness::user::Exit;

use super::image::Image;
use super::island::Island;
use super::objects::{Endpoint, Named, Notification};
use super::post::nudge;
use super::table::Table;
use super::thread::{State, Thread};
use crate::cpu::{PerCpu, ThreadFrame};

/// What a call that returns at once returns: RAX and the first word. The entry code clears the other words.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Answer {
    status: u64,
    word: u64,
}

/// The bits of a call's number below its kind.
const METHOD: u64 = 0xff;

/// Answers a call without [`MAY_SWITCH`]. The entry code calls it.
#[inline(always)]
pub fn at_once(handle: Handle, words: [u64; 4], number: u64) -> Answer {
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    let thread = island.current();
    let Some(handles) = &thread.handles else { return of_worker(island, thread, number) };
    if number == Call::Null.number() {
        island.counters.count(Counter::Null);
        return Answer { status: 0, word: 0 };
    }
    if number == Call::Exit.number() {
        island.end_current(Exit::Returned);
    }
    let done = if number >> 8 == Kind::Own as u64 {
        Err(Status::NoCall)
    } else {
        invoke(island, thread, handles, handle, words, number)
    };
    match done {
        Ok(word) => Answer { status: Status::Ok.value(), word },
        Err(status) => {
            island.counters.refuse(status);
            Answer { status: status.value(), word: 0 }
        }
    }
}

/// Answers a worker that has no handles: its return stub's call, and no other.
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

type Handles = core::cell::RefCell<Table<Named>>;

/// Does a method of an object at once. Returns the first word.
#[inline(always)]
fn invoke(
    island: &Island,
    thread: &Thread,
    handles: &Handles,
    handle: Handle,
    words: [u64; 4],
    number: u64,
) -> Result<u64, Status> {
    let (kind, method) = (number >> 8, number & METHOD);
    if Kind::ALL.len() as u64 <= kind {
        return Err(Status::NoCall);
    }
    let table = handles.borrow();
    let (object, rights) = match table.find(handle, kind) {
        Ok(found) => found,
        // A handle to a revoked object can be closed.
        Err(_) if method == CLOSE => {
            drop(table);
            return handles.borrow_mut().close(handle, kind).map(|_| 0);
        }
        Err(status) => return Err(status),
    };
    match (method, object) {
        (0, _) => {
            island.counters.count(Counter::Identify);
            Ok(kind)
        }
        (SIGNAL, Named::Notification(notification)) => {
            require(rights, HandleRight::Signal)?;
            signal(island, notification, words[0]);
            Ok(0)
        }
        (MAP, Named::Memory(memory)) => {
            let [at, first, count, access] = words;
            let access = access_of(rights, access)?;
            memory.allow(access)?;
            thread.space.map(memory, at, first, count, access)?;
            island.counters.add(Counter::Map, count);
            Ok(0)
        }
        (UNMAP, Named::Memory(memory)) => {
            require(rights, HandleRight::Map)?;
            thread.space.unmap(memory, words[0], words[1])?;
            island.counters.add(Counter::Unmap, words[1]);
            Ok(0)
        }
        (PROTECT, Named::Memory(memory)) => {
            let [at, count, access, _] = words;
            let access = access_of(rights, access)?;
            memory.allow(access)?;
            thread.space.protect(memory, at, count, access)?;
            island.counters.add(Counter::Protect, count);
            Ok(0)
        }
        (SPAWN, Named::Image(image)) => {
            require(rights, HandleRight::Spawn)?;
            let image = Rc::clone(image);
            drop(table);
            spawn(island, handles, &image, words[0])
        }
        (KILL, Named::Task(task)) => {
            require(rights, HandleRight::Kill)?;
            island.kill(task);
            Ok(0)
        }
        (COPY, _) => {
            drop(table);
            let copy = handles.borrow_mut().copy(handle, kind, Rights::from_bits(words[0]))?;
            Ok(copy.0)
        }
        (CLOSE, _) => {
            drop(table);
            handles.borrow_mut().close(handle, kind).map(|_| 0)
        }
        (REVOKE, object) => {
            require(rights, HandleRight::Revoke)?;
            let object = object.clone();
            drop(table);
            revoke(island, &object);
            Ok(0)
        }
        _ => Err(Status::Method),
    }
}

const SIGNAL: u64 = Call::NotificationSignal.number() & METHOD;
const MAP: u64 = Call::MemoryMap.number() & METHOD;
const UNMAP: u64 = Call::MemoryUnmap.number() & METHOD;
const PROTECT: u64 = Call::MemoryProtect.number() & METHOD;
const SPAWN: u64 = Call::ImageSpawn.number() & METHOD;
const KILL: u64 = Call::TaskKill.number() & METHOD;

/// The access of this number, if the rights allow it.
fn access_of(rights: Rights, number: u64) -> Result<Access, Status> {
    require(rights, HandleRight::Map)?;
    let access = Access::from_number(number).ok_or(Status::Argument)?;
    if access == Access::Write {
        require(rights, HandleRight::Write)?;
    }
    Ok(access)
}

/// Starts a task. Returns a handle to it.
#[inline(never)]
fn spawn(island: &Island, handles: &Handles, image: &Image, argument: u64) -> Result<u64, Status> {
    let thread = image.start(argument)?;
    let handle = handles.borrow_mut().insert(Named::Task(Rc::clone(&thread)), Image::PARENT)?;
    island.make_ready(thread);
    island.counters.count(Counter::Spawn);
    Ok(handle.0)
}

#[inline(always)]
const fn require(rights: Rights, right: HandleRight) -> Result<(), Status> {
    if rights.has(right) { Ok(()) } else { Err(Status::Right) }
}

/// Sets bits, and wakes who waits for them.
#[inline(always)]
fn signal(island: &Island, notification: &Notification, bits: u64) {
    island.counters.count(Counter::Signal);
    notification.word.fetch_or(bits, Ordering::SeqCst);
    let waits = notification.waits.load(Ordering::SeqCst);
    if waits != 0 {
        wake(island, waits - 1);
    }
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
        Named::Endpoint(endpoint) => {
            endpoint.revoked.set(true);
            let waiting = core::iter::from_fn(|| endpoint.callers.pop()).chain(endpoint.server.take());
            for thread in waiting.filter(|thread| thread.state.get() != State::Ended) {
                thread.answer(Status::Gone, [0; 4]);
                island.make_ready(thread);
            }
        }
        Named::Notification(notification) => {
            notification.revoked.store(true, Ordering::Release);
            let waits = notification.waits.load(Ordering::Acquire);
            if waits != 0 {
                wake(island, waits - 1);
            }
        }
        Named::Post(post) => post.revoked.store(true, Ordering::Release),
        Named::Memory(memory) => memory.revoked.set(true),
        Named::Image(image) => image.revoked.set(true),
        Named::Task(_) => {}
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
    let refused = match &thread.handles {
        Some(handles) => begin(island, thread, handles, handle, words, number).err(),
        None => {
            of_worker(island, thread, number);
            Some(Status::NoCall)
        }
    };
    if let Some(status) = refused {
        island.counters.refuse(status);
        thread.answer(status, [0; 4]);
    }
    island.frame()
}

const CALL: u64 = Call::EndpointCall.number() & METHOD;
const SERVE: u64 = Call::EndpointServe.number() & METHOD;
const WAIT: u64 = Call::NotificationWait.number() & METHOD;
const WAIT_TASK: u64 = Call::TaskWait.number() & METHOD;
const YIELD: u64 = Call::Yield.number();
const SLEEP: u64 = Call::SleepUntil.number();

/// Begins a call that may switch.
#[inline(always)]
fn begin(
    island: &Island,
    thread: &Thread,
    handles: &Handles,
    handle: Handle,
    words: [u64; 4],
    number: u64,
) -> Result<(), Status> {
    let (kind, method) = (number >> 8, number & METHOD);
    if kind == Kind::Own as u64 {
        return begin_own(island, thread, words, number);
    }
    if Kind::ALL.len() as u64 <= kind {
        return Err(Status::NoCall);
    }
    let table = handles.borrow();
    let (object, rights) = table.find(handle, kind)?;
    match (method, object) {
        (CALL, Named::Endpoint(endpoint)) => {
            require(rights, HandleRight::Call)?;
            call(island, thread, endpoint, words);
            Ok(())
        }
        (CALL, Named::Post(post)) => {
            require(rights, HandleRight::Call)?;
            if !post.ask(words) {
                return Err(Status::Gone);
            }
            island.counters.count(Counter::Call);
            let post = Arc::clone(post);
            drop(table);
            island.wait_for_answer(&post);
            Ok(())
        }
        (SERVE, Named::Endpoint(endpoint)) => {
            require(rights, HandleRight::Serve)?;
            serve(island, thread, endpoint, words)
        }
        (WAIT, Named::Notification(notification)) => {
            require(rights, HandleRight::Wait)?;
            let here = u32::from(island.cpu().id.0) + 1;
            if notification.waits.compare_exchange(0, here, Ordering::SeqCst, Ordering::SeqCst).is_err() {
                return Err(Status::Busy);
            }
            // Looked at after the announcement: who signals from now on sees it.
            let bits = notification.take();
            if bits == 0 {
                let notification = notification.clone();
                drop(table);
                island.wait_for_bits(&notification);
            } else {
                notification.waits.store(0, Ordering::Release);
                island.counters.count(Counter::Wait);
                thread.answer(Status::Ok, [bits, 0, 0, 0]);
            }
            Ok(())
        }
        (WAIT_TASK, Named::Task(_)) => {
            require(rights, HandleRight::Wait)?;
            drop(table);
            wait_for_end(island, thread, handles, handle, kind)
        }
        _ => Err(Status::Method),
    }
}

/// Waits for the end of a task. Closes the handle.
fn wait_for_end(
    island: &Island,
    thread: &Thread,
    handles: &Handles,
    handle: Handle,
    kind: u64,
) -> Result<(), Status> {
    let Named::Task(task) = handles.borrow_mut().close(handle, kind)? else { return Err(Status::Kind) };
    if task.state.get() == State::Ended {
        thread.answer(Status::Ok, task.left());
    } else {
        let other = task.waiter.take();
        if other.is_some() {
            task.waiter.set(other);
            return Err(Status::Busy);
        }
        island.wait_for_end(&task);
    }
    Ok(())
}

fn begin_own(island: &Island, thread: &Thread, words: [u64; 4], number: u64) -> Result<(), Status> {
    match number {
        YIELD => {
            thread.answer(Status::Ok, [0; 4]);
            island.yield_now();
            Ok(())
        }
        SLEEP => {
            island.sleep(words[0]);
            Ok(())
        }
        _ => Err(Status::NoCall),
    }
}

/// The caller lends its CPU to the server, if that waits.
#[inline(always)]
fn call(island: &Island, thread: &Thread, endpoint: &Endpoint, words: [u64; 4]) {
    island.counters.count(Counter::Call);
    if let Some(server) = endpoint.server.take().filter(|server| server.state.get() == State::Serving) {
        island.counters.count(Counter::Serve);
        server.answer(Status::Ok, words);
        server.state.set(State::Ready);
        thread.state.set(State::Called);
        let caller = island.switch_to(server);
        island.current().caller.set(caller);
    } else {
        thread.keep(words);
        thread.state.set(State::Queued);
        if let Some(caller) = island.block() {
            endpoint.callers.push(caller);
        }
    }
}

/// Answers the caller, who gets the CPU back, and takes the next one.
#[inline(always)]
fn serve(island: &Island, thread: &Thread, endpoint: &Endpoint, words: [u64; 4]) -> Result<(), Status> {
    if let Some(other) = endpoint.server.take().filter(|other| other.state.get() == State::Serving) {
        endpoint.server.set(Some(other));
        return Err(Status::Busy);
    }
    let caller = thread.caller.take().filter(|caller| caller.state.get() == State::Called);
    if let Some(caller) = &caller {
        caller.answer(Status::Ok, words);
    } else if let Some(post) = thread.post.take() {
        post.answer(words);
    }
    if let Some(next) = next_caller(endpoint) {
        island.counters.count(Counter::Serve);
        thread.answer(Status::Ok, next.kept());
        next.state.set(State::Called);
        thread.caller.set(Some(next));
        if let Some(caller) = caller {
            island.make_ready(caller);
        }
        return Ok(());
    }
    thread.state.set(State::Serving);
    let server = match caller {
        Some(caller) => {
            caller.state.set(State::Ready);
            island.switch_to(caller)
        }
        None => island.block(),
    };
    endpoint.server.set(server);
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
