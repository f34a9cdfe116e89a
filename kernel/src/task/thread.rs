//! A thread: saved registers, an address space, handles. Threads of one CPU refer to each other by `Rc`: they are made, run
//! and dropped on it.
#![expect(unsafe_code, reason = "the frame is also the entry code's")]

use abi::object::Status;
use abi::syscall::Authority;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::{Cell, RefCell, UnsafeCell};
use core::mem::{MaybeUninit, offset_of};
use harness::user::Exit;

use super::notification::Void;
use super::objects::{Endpoint, Named};
use super::post::Post;
use super::queue::Linked;
use super::space::Space;
use super::table::Table;
use crate::cpu::{ThreadFrame, TrapFrame};
use crate::user::AddressSpace;

/// What a thread waits for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum State {
    /// A CPU: it runs or is in a queue to run.
    #[default]
    Ready,
    /// A caller, at an endpoint that it serves.
    Serving,
    /// A server that is busy, in an endpoint's queue.
    Queued,
    /// The answer of a server.
    Called,
    /// A page that a server maps, to go on where it faulted.
    Faulted,
    /// A notification, a time or the end of a task.
    Waiting,
    /// Nothing any more.
    Ended,
}

/// A thread. The entry code knows it by its frame.
#[repr(C)]
pub struct Thread {
    /// Whether every handle to it is void: never, since none has the right to revoke a task. All objects have it in this place.
    pub void: Void,
    frame: UnsafeCell<ThreadFrame>,
    /// Its address space.
    pub space: Space,
    /// What it waits for.
    pub state: Cell<State>,
    /// The thread that it owes an answer.
    pub caller: Cell<Option<Rc<Thread>>>,
    /// The caller on another CPU that it owes an answer.
    pub post: Cell<Option<Arc<Post>>>,
    /// The thread that waits for its end.
    pub waiter: Cell<Option<Rc<Thread>>>,
    /// The address space that goes with it: that of a task which another task started.
    pub own: Cell<Option<AddressSpace>>,
    /// Its place among the tasks that others started.
    pub place: Cell<Option<Rc<()>>>,
    /// Where its page faults go. Without an endpoint they end it.
    pub faults_to: Cell<Option<Rc<Endpoint>>>,
    /// Its registers at a page fault that a server resolves.
    trapped: UnsafeCell<MaybeUninit<TrapFrame>>,
    /// Whether it goes on from there, and not from a call.
    pub is_trapped: Cell<bool>,
    /// The thread after it in a queue.
    next: Cell<Option<Rc<Thread>>>,
    /// Its handles; a worker of the scaling tier has none, and may make no call but that of its return stub.
    pub handles: Option<Box<RefCell<Table<Named>>>>,
    /// The syscalls that it may make without a handle.
    pub authority: Cell<Authority>,
    /// How it ended.
    pub exit: Cell<Option<Exit>>,
}

impl Thread {
    /// A thread in `space`. It has no frame to run yet.
    #[must_use]
    pub fn new(space: Space, handles: Option<Table<Named>>) -> Rc<Self> {
        Rc::new(Self {
            void: Void::default(),
            frame: UnsafeCell::default(),
            space,
            state: Cell::default(),
            caller: Cell::default(),
            post: Cell::default(),
            waiter: Cell::default(),
            own: Cell::default(),
            place: Cell::default(),
            faults_to: Cell::default(),
            trapped: UnsafeCell::new(MaybeUninit::uninit()),
            is_trapped: Cell::default(),
            next: Cell::default(),
            handles: handles.map(|table| Box::new(RefCell::new(table))),
            authority: Cell::default(),
            exit: Cell::default(),
        })
    }

    /// Where the entry code saves and loads its registers.
    pub const fn frame(&self) -> *mut ThreadFrame {
        self.frame.get()
    }

    /// The thread of a frame.
    ///
    /// # Safety
    /// The frame is that of a thread ([`Thread::frame`]) which is kept alive for as long as the reference is used.
    #[inline(always)]
    pub unsafe fn of_frame<'a>(frame: *mut ThreadFrame) -> &'a Self {
        // SAFETY: the frame is within a thread, whose first byte is so far in front of it.
        let thread = unsafe { frame.byte_sub(offset_of!(Self, frame)) };
        // SAFETY: the caller promises that it lives.
        unsafe { &*thread.cast() }
    }

    /// Sets it to begin anew.
    pub fn begin(&self, frame: ThreadFrame) {
        self.edit(|own| *own = frame);
        self.state.set(State::Ready);
        self.is_trapped.set(false);
        self.exit.set(None);
    }

    /// Sets what its call returns.
    #[inline(always)]
    pub fn answer(&self, status: Status, words: [u64; 4]) {
        self.edit(|frame| {
            frame.rax = status.value();
            [frame.rsi, frame.rdx, frame.r10, frame.r8] = words;
        });
    }

    /// Keeps its registers at a page fault, and what its fault endpoint receives.
    pub fn trap(&self, frame: &TrapFrame, words: [u64; 4]) {
        // SAFETY: as in `edit`.
        unsafe { (*self.trapped.get()).write(*frame) };
        self.is_trapped.set(true);
        self.keep(words);
    }

    /// Where it goes on after a page fault: once.
    pub fn take_trapped(&self) -> Option<*const TrapFrame> {
        self.is_trapped.take().then(|| self.trapped.get().cast_const().cast())
    }

    /// Has it wait for the answer of a server that has its words.
    pub fn wait_for_answer(&self) {
        self.state.set(if self.is_trapped.get() { State::Faulted } else { State::Called });
    }

    /// Keeps the words of its call until a server takes them.
    pub fn keep(&self, words: [u64; 4]) {
        self.edit(|frame| [frame.rsi, frame.rdx, frame.r10, frame.r8] = words);
    }

    /// The words that it keeps.
    #[must_use]
    pub fn kept(&self) -> [u64; 4] {
        let mut words = [0; 4];
        self.edit(|frame| words = [frame.rsi, frame.rdx, frame.r10, frame.r8]);
        words
    }

    /// What it left for the thread that waits for its end: its answer; 0 if it returned, 1 after a fault, 2 if it was ended
    /// by another.
    #[must_use]
    pub fn left(&self) -> [u64; 4] {
        let space = self.own.take();
        let answer = space.as_ref().map_or(0, |space| space.result().answer);
        self.own.set(space);
        let how = match self.exit.get() {
            Some(Exit::Returned) => 0,
            Some(_) => 1,
            None => 2,
        };
        [if how == 0 { answer } else { 0 }, how, 0, 0]
    }

    /// Lets go of all that it refers to: threads and objects refer to each other, and none would be freed.
    pub fn let_go(&self) {
        self.caller.take();
        self.waiter.take();
        self.faults_to.take();
        self.next.take();
        if let Some(handles) = &self.handles {
            handles.take();
        }
    }

    /// Edits the frame.
    #[inline(always)]
    fn edit(&self, edit: impl FnOnce(&mut ThreadFrame)) {
        // SAFETY: a thread is not `Send`, so this is its CPU, whose entry code uses the frame only while no Rust runs; no
        // `edit` is called within one.
        edit(unsafe { &mut *self.frame.get() });
    }
}

impl Linked for Thread {
    fn next(&self) -> &Cell<Option<Rc<Self>>> {
        &self.next
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // Another one is current: the island drops no thread before it has switched.
        if let Some(space) = self.own.take() {
            space.destroy();
        }
    }
}
