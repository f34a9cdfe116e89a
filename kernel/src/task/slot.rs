//! The slot in which a caller leaves a call for a server on another CPU, and the server the answer: no lock, no queue. Nothing
//! here needs hardware; interleavings.rs plays both sides in every order.
//!
//! The turn says which side may write the words. Each side changes it only from a turn of its own, but for two changes that
//! either may win: the caller takes back a call that the server is about to take or to answer.

use super::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

/// Whose turn it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
enum Turn {
    /// The caller's: the slot is empty.
    Empty = 0,
    /// The server's: the slot has a call.
    Asked = 1,
    /// The server's: it has taken the call.
    Taken = 2,
    /// The caller's: the slot has the answer.
    Answered = 3,
    /// The caller's: its call has no answer.
    Refused = 4,
    /// The server's: it has taken the call, and the caller waits for no answer.
    Forgotten = 5,
}

/// Why a call is not left, or not answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NoAnswer {
    /// There is no server any more.
    Gone,
    /// The slot has another call.
    Busy,
}

/// The slot of one caller at one endpoint.
pub struct Slot {
    turn: AtomicU8,
    /// No server takes a call any more.
    is_closed: AtomicBool,
    words: [AtomicU64; 4],
}

impl Default for Slot {
    fn default() -> Self {
        Self {
            turn: AtomicU8::new(Turn::Empty as u8),
            is_closed: AtomicBool::new(false),
            words: core::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

/// The caller's side.
impl Slot {
    /// Leaves a call.
    ///
    /// # Errors
    /// It cannot be left.
    pub fn ask(&self, words: [u64; 4]) -> Result<(), NoAnswer> {
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(NoAnswer::Gone);
        }
        if !self.is(Turn::Empty) {
            return Err(NoAnswer::Busy);
        }
        self.write(words);
        self.turn.store(Turn::Asked as u8, Ordering::SeqCst);
        Ok(())
    }

    /// Takes the answer if it is there, or takes the call back if none will come.
    pub fn poll(&self) -> Option<Result<[u64; 4], NoAnswer>> {
        // Read first: an answer that came before the slot was closed is there by then.
        let is_closed = self.is_closed.load(Ordering::SeqCst);
        if self.is(Turn::Answered) {
            let words = self.read();
            self.turn.store(Turn::Empty as u8, Ordering::SeqCst);
            return Some(Ok(words));
        }
        if self.is(Turn::Refused) {
            self.turn.store(Turn::Empty as u8, Ordering::SeqCst);
            return Some(Err(NoAnswer::Gone));
        }
        is_closed.then(|| {
            self.take_back();
            Err(NoAnswer::Gone)
        })
    }

    /// Takes a call back: what the server answers reaches none. The slot is empty at once, or as soon as it has answered.
    pub fn take_back(&self) {
        if !self.turns(Turn::Asked, Turn::Empty) && !self.turns(Turn::Taken, Turn::Forgotten) {
            // The answer has come.
            self.turn.store(Turn::Empty as u8, Ordering::SeqCst);
        }
    }
}

/// The server's side.
impl Slot {
    /// Takes the call, if there is one.
    pub fn take(&self) -> Option<[u64; 4]> {
        self.turns(Turn::Asked, Turn::Taken).then(|| self.read())
    }

    /// Leaves the answer to the call that was taken.
    pub fn answer(&self, words: [u64; 4]) {
        self.write(words);
        self.end(Turn::Answered);
    }

    /// Leaves word that the call that was taken has no answer.
    pub fn refuse(&self) {
        self.end(Turn::Refused);
    }

    /// Leaves word that no call is taken any more.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    fn end(&self, turn: Turn) {
        if !self.turns(Turn::Taken, turn) {
            // Forgotten. From here on the caller may write.
            self.turn.store(Turn::Empty as u8, Ordering::SeqCst);
        }
    }
}

impl Slot {
    /// Whether it is this turn. Sequentially consistent, as all of these accesses: a CPU that is about to halt announces it,
    /// and then looks here once more.
    fn is(&self, turn: Turn) -> bool {
        self.turn.load(Ordering::SeqCst) == turn as u8
    }

    fn turns(&self, from: Turn, to: Turn) -> bool {
        self.turn.compare_exchange(from as u8, to as u8, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn read(&self) -> [u64; 4] {
        core::array::from_fn(|i| self.words[i].load(Ordering::Relaxed))
    }

    fn write(&self, words: [u64; 4]) {
        self.words.iter().zip(words).for_each(|(place, word)| place.store(word, Ordering::Relaxed));
    }
}
