//! The calls of threads. Those that return at once take the short way of the entry code, and `at_once` answers them. Those
//! that may let another thread run come to `may_switch`.
#![expect(unsafe_code, reason = "reads the island of the CPU that took the call")]

use abi::object::{CLOSE, COPY, Call, Handle, HandleRight, Kind, MAY_SWITCH, REVOKE, Rights, Status};
use abi::syscall::{REFUSED, Syscall};
use alloc::rc::Rc;
use core::sync::atomic::Ordering;
use harness::user::Exit;

use super::island::Island;
use super::objects::{Endpoint, Named, Notification};
use super::table::Table;
use super::thread::{State, Thread};
use crate::cpu::{PerCpu, ThreadFrame};
use crate::x86::{apic, vectors};

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
        let mut counted = thread.counted.get();
        counted.nulls += 1;
        thread.counted.set(counted);
        return Answer { status: 0, word: 0 };
    }
    if number == Call::Exit.number() {
        island.end_current(Exit::Returned);
    }
    let done = if number >> 8 == Kind::Own as u64 {
        Err(Status::NoCall)
    } else {
        invoke(island, handles, handle, words, number)
    };
    let (status, word) = match done {
        Ok(word) => (Status::Ok, word),
        Err(status) => (status, 0),
    };
    thread.count(status);
    Answer { status: status.value(), word }
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
        (0, _) => Ok(rights.bits()),
        (SIGNAL, Named::Notification(notification)) => {
            require(rights, HandleRight::Signal)?;
            signal(island, notification, words[0]);
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

#[inline(always)]
const fn require(rights: Rights, right: HandleRight) -> Result<(), Status> {
    if rights.has(right) { Ok(()) } else { Err(Status::Right) }
}

/// Sets bits, and wakes who waits for them.
#[inline(always)]
fn signal(island: &Island, notification: &Notification, bits: u64) {
    notification.word.fetch_or(bits, Ordering::AcqRel);
    let waits = notification.waits.load(Ordering::Acquire);
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
        apic::send_ipi(cpu.apic_id, vectors::WAKE);
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
        thread.count(status);
        thread.answer(status, [0; 4]);
    }
    island.frame()
}

const CALL: u64 = Call::EndpointCall.number() & METHOD;
const SERVE: u64 = Call::EndpointServe.number() & METHOD;
const WAIT: u64 = Call::NotificationWait.number() & METHOD;
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
        (SERVE, Named::Endpoint(endpoint)) => {
            require(rights, HandleRight::Serve)?;
            serve(island, thread, endpoint, words)
        }
        (WAIT, Named::Notification(notification)) => {
            require(rights, HandleRight::Wait)?;
            let here = u32::from(island.cpu().id.0) + 1;
            if notification.waits.compare_exchange(0, here, Ordering::AcqRel, Ordering::Acquire).is_err() {
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
                thread.answer(Status::Ok, [bits, 0, 0, 0]);
            }
            Ok(())
        }
        _ => Err(Status::Method),
    }
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
    if let Some(server) = endpoint.server.take() {
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
    if let Some(other) = endpoint.server.take() {
        endpoint.server.set(Some(other));
        return Err(Status::Busy);
    }
    let caller = thread.caller.take().filter(|caller| caller.state.get() == State::Called);
    if let Some(caller) = &caller {
        caller.answer(Status::Ok, words);
    }
    if let Some(next) = next_caller(endpoint) {
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
