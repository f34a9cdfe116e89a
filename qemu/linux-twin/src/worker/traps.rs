//! A worker's traps. Signal handlers, on a stack of their own, do what the kernel's trap handlers do.
//!
//! Linux passes to a handler what the CPU reported: exception, error code, instruction, CR2. A fault or a time-out is
//! written to the worker's slot and ends the process; a refused syscall is counted, and the worker goes on.
#![expect(unsafe_code, reason = "installs signal handlers, which read the context from Linux")]

use std::cell::UnsafeCell;
use std::io;
use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use abi::syscall::REFUSED;
use harness::clock::Clock;
use harness::user::{Exit, Fault};
use harness::watch::{Seen, Watch};
use harness::x86::tsc;
use libc::{c_int, c_void, siginfo_t, ucontext_t};

use super::slot::Slot;

const PAGE_FAULT: u64 = 14;
/// The signals of the CPU's exceptions.
const FAULTS: [c_int; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGTRAP];
/// Room for a frame with all of AVX-512's and AMX's state.
const STACK_BYTES: usize = 64 << 10;

/// The slot of the worker that this process runs.
static SLOT: AtomicPtr<Slot> = AtomicPtr::new(ptr::null_mut());

/// Handles the worker's traps from here on.
///
/// # Errors
/// Linux's.
pub fn take(slot: &'static Slot) -> io::Result<()> {
    SLOT.store(ptr::from_ref(slot).cast_mut(), Ordering::Release);
    let stack = Box::leak(vec![0_u8; STACK_BYTES].into_boxed_slice());
    let stack = libc::stack_t { ss_sp: stack.as_mut_ptr().cast(), ss_flags: 0, ss_size: STACK_BYTES };
    // SAFETY: the stack is as long as it says, and is never given back.
    check(unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) })?;
    for signal in FAULTS {
        install(signal, on_fault)?;
    }
    install(libc::SIGSYS, on_refused)?;
    install(libc::SIGALRM, on_timer)
}

/// The watch over a call, and the clock that turns its cycles into time.
struct Watched(UnsafeCell<Option<(Watch, Clock)>>);

// SAFETY: one thread uses it, and its signal handler, which comes only while the timer runs. Outside the handler it is used
// only while the timer does not run.
unsafe impl Sync for Watched {}

static WATCHED: Watched = Watched(UnsafeCell::new(None));

/// Watches the call that begins now, and ends the process if it takes longer than `timeout_us`.
///
/// # Errors
/// Linux's.
pub fn watch(clock: &Clock, timeout_us: u64) -> io::Result<()> {
    let now = tsc::read();
    let watch = Watch::begin(now, clock, timeout_us);
    // SAFETY: the timer does not run.
    unsafe { *WATCHED.0.get() = Some((watch, *clock)) };
    set_timer(clock.micros(watch.wait(now)).max(1))
}

/// Ends the watch. Returns what it has seen.
///
/// # Errors
/// Linux's.
pub fn end_watch() -> io::Result<Seen> {
    set_timer(0)?;
    // SAFETY: the timer does not run.
    let watched = unsafe { (*WATCHED.0.get()).take() };
    Ok(watched.map(|(watch, _)| watch.seen()).unwrap_or_default())
}

/// Sets the timer; zero stops it. Async-signal-safe: a system call.
fn set_timer(us: u64) -> io::Result<()> {
    let time = Duration::from_micros(us);
    let tv_sec = libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX);
    let once = libc::timeval { tv_sec, tv_usec: libc::suseconds_t::from(time.subsec_micros().cast_signed()) };
    let never = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let timer = libc::itimerval { it_interval: never, it_value: once };
    // SAFETY: the timer is read while the call lasts.
    check(unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, ptr::null_mut()) })
}

/// Ends the process at once: no destructors, no buffers. `exit` is how the worker came back, if it ran.
pub fn leave(exit: Option<Exit>) -> ! {
    if let Some((slot, exit)) = slot().zip(exit) {
        slot.came(exit);
    }
    // SAFETY: ends the process.
    unsafe { libc::_exit(0) }
}

/// A handler of a signal.
pub type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);

/// Installs a handler, which runs on the stack of [`take`].
///
/// # Errors
/// Linux's.
pub fn install(signal: c_int, handler: Handler) -> io::Result<()> {
    // SAFETY: all zeros is an action: no flags, no signals blocked, the default handler.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    // SAFETY: the handler has the form that SA_SIGINFO asks for, and does only what is async-signal-safe.
    check(unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) })
}

fn check(status: c_int) -> io::Result<()> {
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn slot() -> Option<&'static Slot> {
    // SAFETY: null, or the slot that `take` was given, which is never freed.
    unsafe { SLOT.load(Ordering::Acquire).as_ref() }
}

/// Handles an exception: the worker's end.
pub extern "C" fn on_fault(_: c_int, _: *mut siginfo_t, context: *mut c_void) {
    let vector = register(context, libc::REG_TRAPNO);
    let address = if vector == PAGE_FAULT { register(context, libc::REG_CR2) } else { 0 };
    let (error, rip) = (register(context, libc::REG_ERR), register(context, libc::REG_RIP));
    leave(Some(Exit::Fault(Fault { vector, error, rip, address })))
}

/// The timer watches the worker, or has reached its time-out.
extern "C" fn on_timer(_: c_int, _: *mut siginfo_t, _: *mut c_void) {
    // SAFETY: the timer ran, so nothing else uses it.
    let Some((watch, clock)) = (unsafe { (*WATCHED.0.get()).as_mut() }) else { return };
    let now = tsc::read();
    if !watch.comes(now) || set_timer(clock.micros(watch.wait(now)).max(1)).is_err() {
        leave(Some(Exit::Timeout))
    }
}

/// The syscall has not been made; RAX still holds its number.
extern "C" fn on_refused(_: c_int, _: *mut siginfo_t, context: *mut c_void) {
    if let Some(slot) = slot() {
        slot.refuse(register(context, libc::REG_RAX));
    }
    // SAFETY: Linux's context for this signal, from which the worker goes on.
    unsafe { place(context, libc::REG_RAX).write(REFUSED.cast_signed()) };
}

fn register(context: *mut c_void, number: c_int) -> u64 {
    // SAFETY: Linux's context for this signal.
    unsafe { place(context, number).read() }.cast_unsigned()
}

/// The place of the register `number`, one of libc's constants, in a context.
fn place(context: *mut c_void, number: c_int) -> *mut libc::greg_t {
    const REGISTERS: usize = offset_of!(ucontext_t, uc_mcontext) + offset_of!(libc::mcontext_t, gregs);
    let index = usize::try_from(number).unwrap_or(0);
    context.wrapping_byte_add(REGISTERS).cast::<libc::greg_t>().wrapping_add(index)
}
