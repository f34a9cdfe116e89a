//! Ends a guest early: on a signal, or where it shows no sign of life.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use host::CancelToken;

const POLL: Duration = Duration::from_millis(20);

/// A watch over one guest; it ends when it is dropped.
pub struct Watch {
    state: Arc<State>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    alive: AtomicBool,
    silent: AtomicBool,
    over: AtomicBool,
}

impl Watch {
    /// Cancels `guest` when `session` is cancelled, or when the guest has not been called alive by `boot_deadline`
    /// from now.
    pub fn start(session: &CancelToken, guest: &CancelToken, boot_deadline: Duration) -> Self {
        let state = Arc::new(State::default());
        let (session, guest, seen) = (session.clone(), guest.clone(), Arc::clone(&state));
        let begin = Instant::now();
        let thread = thread::spawn(move || {
            while !seen.over.load(Ordering::Acquire) {
                let silent = !seen.alive.load(Ordering::Acquire) && begin.elapsed() >= boot_deadline;
                if silent {
                    seen.silent.store(true, Ordering::Release);
                }
                if silent || session.is_cancelled() {
                    guest.cancel();
                }
                thread::sleep(POLL);
            }
        });
        Self { state, thread: Some(thread) }
    }

    /// The guest has printed a record.
    pub fn alive(&self) {
        self.state.alive.store(true, Ordering::Release);
    }

    /// Whether the guest was ended because it never printed one.
    pub fn was_silent(&self) -> bool {
        self.state.silent.load(Ordering::Acquire)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.state.over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // It only sleeps and stores; a panic in it is nothing that could be told better here.
            let _ = thread.join();
        }
    }
}
