//! A flag that asks a run to stop and keep its results so far. A signal handler sets it; every wait observes it.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Asks a run to end. Clones share one flag, so the same token can stop a whole experiment.
///
/// Its descriptor becomes readable on cancellation and stays readable: a wait that includes it needs no timer.
#[derive(Clone, Debug)]
pub struct CancelToken(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    flag: Arc<AtomicBool>,
    /// Readable after cancellation; nothing reads it.
    wake: UnixStream,
    waker: UnixStream,
}

impl CancelToken {
    /// A token that is not cancelled.
    ///
    /// # Errors
    /// The system's error, for example that no descriptors are left.
    pub fn new() -> io::Result<Self> {
        let (wake, waker) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        Ok(Self(Arc::new(Shared { flag: Arc::default(), wake, waker })))
    }

    /// Asks every run that holds this token to end. Never undone.
    pub fn cancel(&self) {
        self.0.flag.store(true, Ordering::SeqCst);
        // If the stream is full, it is readable already.
        let _ = (&self.0.waker).write(&[0]);
    }

    /// Whether [`cancel`](Self::cancel) was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.flag.load(Ordering::SeqCst)
    }

    /// The flag, for a signal handler to set.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0.flag)
    }

    /// The stream that makes the token's descriptor readable, for a signal handler to write to.
    pub(crate) fn waker(&self) -> io::Result<UnixStream> {
        self.0.waker.try_clone()
    }
}

impl AsFd for CancelToken {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.wake.as_fd()
    }
}
