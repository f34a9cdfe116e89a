//! What handles name: endpoints and notifications.

use abi::object::Kind;
use alloc::rc::Rc;
use alloc::sync::Arc;
use core::cell::Cell;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use super::queue::Queue;
use super::table::Object;
use super::thread::Thread;

/// What a handle names.
#[derive(Clone)]
pub enum Named {
    /// An endpoint of this CPU.
    Endpoint(Rc<Endpoint>),
    /// A notification, which any CPU can signal.
    Notification(Arc<Notification>),
}

impl Object for Named {
    #[inline(always)]
    fn kind(&self) -> Kind {
        match self {
            Self::Endpoint(_) => Kind::Endpoint,
            Self::Notification(_) => Kind::Notification,
        }
    }

    #[inline(always)]
    fn is_revoked(&self) -> bool {
        match self {
            Self::Endpoint(endpoint) => endpoint.revoked.get(),
            Self::Notification(notification) => notification.revoked.load(Ordering::Relaxed),
        }
    }
}

/// Where callers meet a server of the same CPU. The caller lends the server its CPU: no queue is searched on the way.
#[derive(Default)]
pub struct Endpoint {
    /// The server, while it waits.
    pub server: Cell<Option<Rc<Thread>>>,
    /// Callers that wait while it does not.
    pub callers: Queue,
    /// Whether every handle to it is void.
    pub revoked: Cell<bool>,
}

/// A word of bits, and at most one thread that waits for one of them.
#[derive(Default)]
pub struct Notification {
    /// The bits.
    pub word: AtomicU64,
    /// One more than the number of the CPU whose thread waits; 0 if none does.
    pub waits: AtomicU32,
    /// Whether every handle to it is void.
    pub revoked: AtomicBool,
}

impl Notification {
    /// Takes all bits; 0 if there is none.
    #[must_use]
    pub fn take(&self) -> u64 {
        self.word.swap(0, Ordering::AcqRel)
    }

    /// Whether a bit is set.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.word.load(Ordering::Acquire) != 0
    }
}
