//! The calls of threads. Those that return at once take the short way of the entry code, and [`at_once`] answers them. Those
//! that may let another thread run come to [`may_switch`].
#![expect(
    unsafe_code,
    reason = "finds the island of the CPU that took the call, and borrows a table that nothing changes meanwhile"
)]

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

use self::short::Way;
use super::island::Island;
use super::objects::Named;
use super::table::{Misfit, Table};
use super::thread::Thread;
use crate::checks;
use crate::cpu::PerCpu;

/// What a call that returns at once returns: in RAX its status, in RDX the first word. The entry code clears the other words.
///
/// One integer, and no structure of two: then the compiler ends a function that calls another one last by a jump.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Answer(u128);

/// A thread's call of an object's method.
struct Invocation<'a> {
    island: &'a Island,
    thread: &'a Thread,
    handles: &'a RefCell<Table<Named>>,
    handle: Handle,
    words: [u64; 4],
    kind: u8,
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
    const fn parts(number: u64) -> Result<(u8, u64), Status> {
        /// The bits of a call's number below its kind.
        const METHOD: u64 = 0xff;
        /// The numbers of calls for handles: below them are those of a thread on itself.
        const FIRST: u64 = (Kind::Own as u64 + 1) << 8;
        const COUNT: u64 = (Kind::ALL.len() as u64 - 1) << 8;
        if number.wrapping_sub(FIRST) >= COUNT {
            return Err(Status::NoCall);
        }
        #[expect(clippy::cast_possible_truncation, reason = "a number of a kind, as was found")]
        let kind = (number >> 8) as u8;
        Ok((kind, number & METHOD))
    }
}

const EXIT: u64 = Call::Exit.number();
const FAULT_TO: u64 = Call::FaultTo.number();
/// The method that every kind has first.
const IDENTIFY: u64 = method(Call::EndpointIdentify);

/// The method of a call.
const fn method(call: Call) -> u64 {
    call.number() & 0xff
}

/// Asks for a right of a handle.
#[inline(always)]
pub const fn require(rights: Rights, right: HandleRight) -> Result<(), Status> {
    if checks::allows(rights, right) { Ok(()) } else { Err(Status::Right) }
}

impl Answer {
    /// Of this status.
    #[inline(always)]
    fn new(status: u64, word: u64) -> Self {
        Self(u128::from(word) << 64 | u128::from(status))
    }

    /// It was done.
    #[inline(always)]
    fn done(word: u64) -> Self {
        Self::new(Status::Ok.value(), word)
    }

    /// The object is of this kind.
    #[inline(never)]
    fn kind(kind: u64) -> Self {
        count(Counter::Identify);
        Self::done(kind)
    }

    /// It was refused, which is counted.
    #[inline(always)]
    fn refused(status: Status) -> Self {
        // SAFETY: a call comes from ring 3.
        unsafe { Island::here() }.counters.refuse(status);
        Self::new(status.value(), 0)
    }

    /// Its status and its word.
    #[expect(clippy::cast_possible_truncation, reason = "the halves of the integer")]
    const fn parts(self) -> (u64, u64) {
        (self.0 as u64, (self.0 >> 64) as u64)
    }
}

/// Answers a call without [`MAY_SWITCH`]: its handle, its first two words, its number. The entry code calls it, and leaves the
/// other two words where [`words_of_entry`] finds them.
///
/// What is seldom is in functions of their own, which are called last, so that this one saves no registers for them. Their
/// words are in registers, which those of an array would not be.
pub extern "C" fn at_once(handle: u64, a: u64, b: u64, number: u64) -> Answer {
    // SAFETY: a call comes from ring 3.
    let thread = unsafe { Island::thread_here() };
    let handle = Handle(handle);
    let Some(handles) = &thread.handles else { return of_worker(number) };
    if number == Call::Null.number() {
        count(Counter::Null);
        return Answer::done(0);
    }
    let Ok((kind, method)) = Invocation::parts(number) else {
        return match number {
            EXIT | FAULT_TO => own_at_once(a, number),
            _ => Answer::refused(Status::NoCall),
        };
    };
    // SAFETY: nothing changes the table before the last use of the reference.
    let (object, rights) = match unsafe { table_of(handles) }.look_up(handle, kind) {
        Ok(found) => found,
        // It can still be closed.
        Err(Misfit::Revoked) => return method_of_entry(handle, a, b, number),
        // One by one: else the compiler keeps the reason in a register on the way of what fits.
        Err(Misfit::Index) => return Answer::refused(Status::Index),
        Err(Misfit::Generation) => return Answer::refused(Status::Generation),
        Err(Misfit::Kind) => return Answer::refused(Status::Kind),
    };
    if !Call::is_method(number) {
        return Answer::refused(Status::Method);
    }
    match object {
        Named::Notification(notification) if number == Call::NotificationSignal.number() => {
            if !checks::allows(rights, HandleRight::Signal) {
                return Answer::refused(Status::Right);
            }
            methods::signal(notification, a)
        }
        _ if method == IDENTIFY => Answer::kind(number >> 8),
        _ => method_of_entry(handle, a, b, number),
    }
}

/// The last two words of the call that returns at once, which the entry code has on the stack of this CPU's traps.
fn words_of_entry() -> [u64; 2] {
    let cpu = PerCpu::current().expect("ring 3 is entered only on a CPU whose data is current");
    let words = cpu.trap_stack.as_ptr::<[u64; 2]>().wrapping_sub(2);
    // SAFETY: a call that returns at once runs on this stack, on which the entry code pushed four words first: these are the
    // last two.
    unsafe { words.read() }
}

/// Answers a call whose method does more than look something up.
#[inline(never)]
fn method_of_entry(handle: Handle, a: u64, b: u64, number: u64) -> Answer {
    let [c, d] = words_of_entry();
    method_at_once(handle, [a, b, c, d], number)
}

/// Answers a call of a thread on itself that returns at once and is not [`Call::Null`].
#[inline(never)]
fn own_at_once(word: u64, number: u64) -> Answer {
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    // SAFETY: as above.
    let thread = unsafe { Island::thread_here() };
    if number == Call::Exit.number() {
        island.end_current(Exit::Returned);
    }
    let set = thread.handles.as_ref().map(|handles| thread.set_faults_to(handles, Handle(word)));
    set.unwrap_or(Err(Status::NoCall)).map_or_else(Answer::refused, Answer::done)
}

/// Answers a call of a method that returns at once.
fn method_at_once(handle: Handle, words: [u64; 4], number: u64) -> Answer {
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    // SAFETY: as above.
    let thread = unsafe { Island::thread_here() };
    let Some(handles) = &thread.handles else { return Answer::refused(Status::NoCall) };
    let invocation = Invocation::new(island, thread, handles, handle, words, number);
    let done = invocation.and_then(|invocation| invocation.at_once());
    done.map_or_else(Answer::refused, Answer::done)
}

/// The table of the thread whose call this is.
///
/// # Safety
/// Nothing changes it while the reference is used. Nothing does when a call begins: no borrow of a table lasts beyond the
/// statement that needs it, and none is held while ring 3 runs or an operation of a ring is done.
#[inline(always)]
unsafe fn table_of(handles: &RefCell<Table<Named>>) -> &Table<Named> {
    debug_assert!(handles.try_borrow().is_ok(), "the table is being changed");
    // SAFETY: the caller promises it.
    unsafe { &*handles.as_ptr() }
}

/// Counts what a thread of this CPU did.
#[inline(always)]
fn count(counter: Counter) {
    // SAFETY: a call comes from ring 3.
    unsafe { Island::here() }.counters.count(counter);
}

/// What a call that may switch leads to, in RAX. The status of a call that was refused at once: its thread goes on, and nothing of
/// the call is in its frame. If it is 0, the current thread goes on from its frame, whichever it is now.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Outcome(u64);

impl Outcome {
    /// The current thread goes on.
    const FROM_FRAME: Self = Self(Status::Ok.value());

    /// The call was refused, which is counted.
    #[inline(always)]
    fn refused(status: Status) -> Self {
        // SAFETY: a call comes from ring 3.
        unsafe { Island::here() }.counters.refuse(status);
        Self(status.value())
    }
}

/// Does a call that may let another thread run: its handle, its words, its number. The entry code calls it, and has saved the
/// registers of the thread that made the call. What takes longer is in functions of their own, as of [`at_once`].
pub extern "C" fn may_switch(handle: u64, a: u64, b: u64, c: u64, d: u64, number: u64) -> Outcome {
    debug_assert!(number & MAY_SWITCH != 0, "the entry code tests the bit");
    // SAFETY: a call comes from ring 3.
    let thread = unsafe { Island::thread_here() };
    match short::go(thread, Handle(handle), [a, b, c, d], number) {
        Way::Short => Outcome::FROM_FRAME,
        Way::Refused(status) => Outcome::refused(status),
        Way::Long => other_way(Handle(handle), a, b, c, d, number),
    }
}

/// The way of a yield, or the long one: a function of its own, so that a yield saves no registers for that.
#[inline(never)]
fn other_way(handle: Handle, a: u64, b: u64, c: u64, d: u64, number: u64) -> Outcome {
    if number == Call::Yield.number() {
        return short::yields();
    }
    long_way(handle, a, b, c, d, number)
}

/// The way of a call that has no short one.
#[inline(never)]
fn long_way(handle: Handle, a: u64, b: u64, c: u64, d: u64, number: u64) -> Outcome {
    let words = [a, b, c, d];
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    // SAFETY: as above.
    let thread = unsafe { Island::thread_here() };
    let begun = match &thread.handles {
        Some(handles) => match Invocation::new(island, thread, handles, handle, words, number) {
            Ok(invocation) => invocation.begin(),
            Err(_) => switching::begin_own(island, words, number),
        },
        None => {
            of_worker(number);
            Err(Status::NoCall)
        }
    };
    match begun {
        // The end of a fault that an answer did not resolve may have made another thread ready, but the caller goes on.
        Err(status) => Outcome::refused(status),
        Ok(()) => {
            island.next_frame();
            Outcome::FROM_FRAME
        }
    }
}

/// Answers a worker that has no handles: its return stub's call, and no other.
#[inline(never)]
fn of_worker(number: u64) -> Answer {
    // SAFETY: a call comes from ring 3.
    let island = unsafe { Island::here() };
    // SAFETY: as above.
    let thread = unsafe { Island::thread_here() };
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
            Answer::new(REFUSED, 0)
        }
    }
}
