//! What handles name; endpoints.

use abi::object::{HandleRight, Kind, Rights};
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::Cell;

use super::image::Image;
use super::memory::Memory;
use super::notification::{Notification, Void};
use super::post::Post;
use super::queue::{Queue, is_some};
use super::table::Object;
use super::thread::{State, Thread};
use crate::checks;

/// What a handle names.
#[derive(Clone)]
pub enum Named {
    /// An endpoint of this CPU.
    Endpoint(Rc<Endpoint>),
    /// An endpoint of another CPU.
    Post(Arc<Post>),
    /// A notification, which any CPU can signal.
    Notification(Arc<Notification>),
    /// Pages of memory, which tasks of several CPUs can map.
    Memory(Arc<Memory>),
    /// A program.
    Image(Rc<Image>),
    /// A task that was started by another.
    Task(Rc<Thread>),
}

impl Object for Named {
    #[inline(always)]
    fn kind(&self) -> Kind {
        match self {
            Self::Endpoint(_) | Self::Post(_) => Kind::Endpoint,
            Self::Notification(_) => Kind::Notification,
            Self::Memory(_) => Kind::Memory,
            Self::Image(_) => Kind::Image,
            Self::Task(_) => Kind::Task,
        }
    }

    #[inline(always)]
    fn is_revoked(&self) -> bool {
        let void = match self {
            // In front of each of them, so that one load serves all.
            Self::Endpoint(endpoint) => &endpoint.void,
            Self::Post(post) => &post.void,
            Self::Notification(notification) => &notification.void,
            Self::Memory(memory) => &memory.void,
            Self::Image(image) => &image.void,
            Self::Task(task) => &task.void,
        };
        checks::REVOCATION && void.is_set()
    }

    #[inline(always)]
    fn entered(&self, rights: Rights) {
        if let Self::Endpoint(endpoint) = self
            && rights.has(HandleRight::Serve)
        {
            endpoint.servers.set(endpoint.servers.get() + 1);
        }
    }
}

/// Where callers meet a server. A caller of the same CPU lends it to the server: no queue is searched on the way.
#[derive(Default)]
#[repr(C)]
pub struct Endpoint {
    /// Whether every handle to it is void.
    pub void: Void,
    /// The server, while it waits.
    pub server: Cell<Option<Rc<Thread>>>,
    /// Callers that wait while it does not.
    pub callers: Queue<Thread>,
    /// The slots of callers on other CPUs.
    pub posts: Vec<Arc<Post>>,
    /// The handles with the right to serve it, in tables of threads that have not ended.
    pub servers: Cell<u32>,
    /// Whether none is left of them: no call is ever answered.
    pub is_closed: Cell<bool>,
}

impl Endpoint {
    /// Whether there is a server that waits, or was ended while it did.
    #[must_use]
    pub fn has_server(&self) -> bool {
        is_some(&self.server)
    }

    /// Whether a server waits.
    #[must_use]
    pub fn is_served(&self) -> bool {
        let held = self.server.take();
        let is_served = held.as_ref().is_some_and(|server| server.state.get() == State::Serving);
        self.server.set(held);
        is_served
    }

    /// Has every caller of another CPU wait no more.
    pub fn close_posts(&self) {
        self.posts.iter().for_each(|post| post.close());
    }

    /// Counts a handle less with the right to serve. Returns whether none is left.
    pub fn lose_server(&self) -> bool {
        let left = self.servers.get().saturating_sub(1);
        self.servers.set(left);
        left == 0
    }
}
