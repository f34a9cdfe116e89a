//! Kernel objects as ring 3 sees them: kinds, handles, rights, calls and what they return.
//!
//! Convention: SYSCALL with the call in RAX, a handle in RDI, and four words in RSI, RDX, R10 and R8. On return RAX is a
//! [`Status`], and the words are in the same registers. RDI and R9 are overwritten, and by the instruction itself RCX and
//! R11 (AMD64 APM vol. 2, "SYSCALL and SYSRET"); all other registers keep their values.
//!
//! A call is the kind of object that it is for, times 256, plus a method of that kind. Calls of [`Kind::Own`] are for no
//! handle. A method from 128 on may let another thread run before it returns. The kernel looks at a handle in one order:
//! index, generation, kind, method, right. The first that does not fit is the status.

use core::fmt;

use crate::wire::Value;
use crate::wire::value::{self, words};

/// The slots of a table of handles.
pub const HANDLES: usize = 32;

/// The bit of a handle at which its generation begins.
const GENERATION_SHIFT: u32 = 8;

/// A name of an object in one address space: a slot of its table, and how often that slot has been used.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Handle(pub u64);

impl Handle {
    /// The handle of a slot in this generation. A slot's first generation is 1.
    #[must_use]
    pub const fn new(index: u8, generation: u32) -> Self {
        Self((generation as u64) << GENERATION_SHIFT | index as u64)
    }

    /// The slot, which may be past the table's end.
    #[must_use]
    #[inline(always)]
    pub const fn index(self) -> usize {
        (self.0 & 0xff) as usize
    }

    /// The generation, with all bits above: so that a number with more bits fits no slot.
    #[must_use]
    #[inline(always)]
    pub const fn generation(self) -> u64 {
        self.0 >> GENERATION_SHIFT
    }
}

words! {
    /// A kind of object.
    pub enum Kind {
        /// None: calls of a thread on itself.
        Own = "own",
        /// Callers meet a server here.
        Endpoint = "endpoint",
        /// A word of bits, and one that waits for them.
        Notification = "notification",
        /// Pages of memory.
        Memory = "memory",
        /// A program that can be started.
        Image = "image",
        /// A task: an address space and its thread.
        Task = "task",
    }

    /// What a handle lets its owner do, besides asking what it is.
    pub enum HandleRight {
        /// Call through an endpoint.
        Call = "call",
        /// Serve an endpoint.
        Serve = "serve",
        /// Signal a notification.
        Signal = "signal",
        /// Wait for a notification or for the end of a task.
        Wait = "wait",
        /// Map memory.
        Map = "map",
        /// Map memory so that it can be written to.
        Write = "write",
        /// Start an image.
        Spawn = "spawn",
        /// End a task.
        Kill = "kill",
        /// Copy the handle, with these rights or fewer.
        Copy = "copy",
        /// Revoke the object: every handle to it is void from then on.
        Revoke = "revoke",
    }
}

/// A set of [`HandleRight`]s. The text form is their words with commas between, or `none`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Rights(u32);

impl Rights {
    /// No right.
    pub const NONE: Self = Self(0);
    /// Every right.
    pub const ALL: Self = Self((1 << HandleRight::ALL.len()) - 1);

    /// This set and `right`.
    #[must_use]
    pub const fn with(self, right: HandleRight) -> Self {
        Self(self.0 | 1 << right as u32)
    }

    /// Whether `right` is in the set.
    #[must_use]
    #[inline(always)]
    pub const fn has(self, right: HandleRight) -> bool {
        self.0 & (1 << right as u32) != 0
    }

    /// The rights that are in both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The set as bits, for a word of a call.
    #[must_use]
    pub const fn bits(self) -> u64 {
        self.0 as u64
    }

    /// The set with these bits; bits that no right has are dropped.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "rights have the low bits")]
        let low = bits as u32;
        Self(low & Self::ALL.0)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl Value for Rights {
    const MAX_LEN: usize = value::set_len(HandleRight::WORDS);
    const SHAPE: &'static str = "names of rights to an object with commas between, or `none`";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        value::write_set(self.0, HandleRight::WORDS, ',', out)
    }

    fn read(text: &[u8]) -> Option<Self> {
        value::read_set(text, HandleRight::WORDS, b',').map(Self)
    }
}

/// Declares the calls.
macro_rules! calls {
    ($($(#[$meta:meta])* $name:ident = $kind:ident $method:literal $(needs $right:ident)?;)*) => {
        /// A call: what RAX is.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[repr(u64)]
        pub enum Call {
            $($(#[$meta])* $name = (Kind::$kind as u64) << 8 | $method,)*
        }

        impl Call {
            /// Every call.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The right that its handle must have.
            #[must_use]
            pub const fn right(self) -> Option<HandleRight> {
                match self { $(Self::$name => calls!(@right $($right)?),)* }
            }
        }
    };
    (@right) => { None };
    (@right $right:ident) => { Some(HandleRight::$right) };
}

calls! {
    /// Ends the thread. Does not return.
    Exit = Own 0;
    /// Nothing. The kernel counts it.
    Null = Own 1;
    /// Lets the next thread run that is ready on this CPU.
    Yield = Own 0x80;
    /// Waits until the TSC has the value of the first word. Returns its value at the end in the first word.
    SleepUntil = Own 0x81;

    /// Passes this thread's page faults to an endpoint of its CPU from now on: the first word is a handle with the right to call
    /// it, 0 for none. A fault is a call of three words: the address, the error code, the instruction. The server answers with
    /// a handle of its own to memory, and a page of that times 4 plus an [`Access`]: the page is mapped at the address, and
    /// the thread goes on. Any other answer ends it, and so does the end of the server.
    FaultTo = Own 2;

    /// Returns the kind of the object in the first word.
    EndpointIdentify = Endpoint 0;
    /// Passes four words to the server and waits for its answer of four words.
    EndpointCall = Endpoint 0x80 needs Call;
    /// Answers the last caller with four words, if there is one, and waits for the next one. Returns its words.
    EndpointServe = Endpoint 0x81 needs Serve;

    /// As [`Call::EndpointIdentify`].
    NotificationIdentify = Notification 0;
    /// Sets the bits of the first word, and wakes who waits for them.
    NotificationSignal = Notification 1 needs Signal;
    /// Waits until a bit is set. Returns all that are in the first word, and clears them.
    NotificationWait = Notification 0x80 needs Wait;

    /// As [`Call::EndpointIdentify`].
    MemoryIdentify = Memory 0;
    /// Maps pages: address, first page of the object, number, [`Access`].
    MemoryMap = Memory 1 needs Map;
    /// Takes pages of the object out of this address space: address, number.
    MemoryUnmap = Memory 2 needs Map;
    /// Changes the rights of ring 3 to pages of the object: address, number, [`Access`].
    MemoryProtect = Memory 3 needs Map;
    /// Does the operations of the ring at the page of the object in the first word, at most as many as the second
    /// ([`crate::ring`]). Returns how many. An operation is a call that returns at once, but not this one and not
    /// [`Call::Exit`].
    MemoryEnter = Memory 4 needs Write;

    /// As [`Call::EndpointIdentify`].
    ImageIdentify = Image 0;
    /// Starts a task on this CPU, which waits for nothing. The first word is its argument. The second is a handle that the
    /// task gets too, in its first slot, if it may be copied; 0 for none. Returns a handle to the task in the first word.
    ImageSpawn = Image 1 needs Spawn;

    /// As [`Call::EndpointIdentify`].
    TaskIdentify = Task 0;
    /// Waits for the end of the task. Returns how it ended, and what it left as its answer.
    TaskWait = Task 0x80 needs Wait;
    /// Ends the task.
    TaskKill = Task 1 needs Kill;
}

/// The bit of a call that may let another thread run before it returns.
pub const MAY_SWITCH: u64 = 0x80;
/// Methods that every kind of object has, from this one on.
pub const COMMON_METHODS: u64 = 0x70;
/// A common method: copies the handle, with the rights of the first word that it has itself. Returns the copy in the first
/// word. Needs [`HandleRight::Copy`].
pub const COPY: u64 = COMMON_METHODS;
/// A common method: closes the handle. Its slot is free for another generation.
pub const CLOSE: u64 = COMMON_METHODS + 1;
/// A common method: revokes the object. Needs [`HandleRight::Revoke`].
pub const REVOKE: u64 = COMMON_METHODS + 2;

/// The numbers of calls that return at once, as bits of 32-bit words; those of the common methods of each kind are among them.
const METHODS: [u32; Kind::ALL.len() * 256 / 32] = {
    let mut methods = [0; Kind::ALL.len() * 256 / 32];
    let mut i = 0;
    while i < Call::ALL.len() {
        let number = Call::ALL[i].number();
        if number & MAY_SWITCH == 0 {
            methods[(number / 32) as usize] |= 1 << (number % 32);
        }
        i += 1;
    }
    // No handle names what calls of a thread on itself are for.
    let mut kind = Kind::Own as u64 + 1;
    while kind < Kind::ALL.len() as u64 {
        let mut method = COPY;
        while method <= REVOKE {
            let number = kind << 8 | method;
            methods[(number / 32) as usize] |= 1 << (number % 32);
            method += 1;
        }
        kind += 1;
    }
    methods
};

impl Call {
    /// Whether there is a call with this number that returns at once.
    #[must_use]
    #[inline(always)]
    pub fn is_method(number: u64) -> bool {
        let word = usize::try_from(number / 32).ok().and_then(|word| METHODS.get(word));
        word.is_some_and(|word| word >> (number % 32) & 1 != 0)
    }

    /// The number in RAX.
    #[must_use]
    pub const fn number(self) -> u64 {
        self as u64
    }

    /// The number of a common method of a kind.
    #[must_use]
    pub const fn common(kind: Kind, method: u64) -> u64 {
        Self::number_of(kind as u8, method)
    }

    /// The number of a method of a kind, by the kind's number.
    #[must_use]
    pub const fn number_of(kind: u8, method: u64) -> u64 {
        (kind as u64) << 8 | method
    }
}

/// Ring 3's access to pages that it maps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u64)]
pub enum Access {
    /// None.
    None = 0,
    /// Reading.
    Read = 1,
    /// Reading and writing.
    Write = 2,
    /// Reading and execution.
    Execute = 3,
}

impl Access {
    /// The access of this number.
    #[must_use]
    pub const fn from_number(number: u64) -> Option<Self> {
        Some(match number {
            0 => Self::None,
            1 => Self::Read,
            2 => Self::Write,
            3 => Self::Execute,
            _ => return None,
        })
    }
}

words! {
    /// What a call returns in RAX, as a number from 0 down.
    pub enum Status {
        /// It was done.
        Ok = "ok",
        /// There is no such call, or the thread may not make it.
        NoCall = "no-call",
        /// The handle names no slot.
        Index = "index",
        /// The slot has another generation or nothing, or its object was revoked.
        Generation = "generation",
        /// The object is of another kind than the call is for.
        Kind = "kind",
        /// Objects of this kind have no such method.
        Method = "method",
        /// The handle does not have the right that the call needs.
        Right = "right",
        /// The other side is gone: its task ended, or the object was revoked while the call waited.
        Gone = "gone",
        /// There is not enough memory.
        Memory = "memory",
        /// A word of the call is not what it may be.
        Argument = "argument",
        /// The table of handles, or another of fixed size, is full.
        Full = "full",
        /// Another already does what only one can.
        Busy = "busy",
    }
}

impl Status {
    /// The value of RAX.
    #[must_use]
    #[inline(always)]
    pub const fn value(self) -> u64 {
        (self as u64).wrapping_neg()
    }

    /// The status of this value.
    #[must_use]
    pub fn from_value(value: u64) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.value() == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_call_returns_what_a_refused_syscall_does() {
        assert_eq!(Status::NoCall.value(), crate::syscall::REFUSED);
        assert_eq!(Status::from_value(0), Some(Status::Ok));
        assert!(Status::ALL.iter().all(|status| Status::from_value(status.value()) == Some(*status)));
        assert_eq!(Status::from_value(1), None);
    }

    #[test]
    fn a_handle_with_more_bits_fits_no_slot() {
        let handle = Handle::new(31, u32::MAX);
        assert_eq!((handle.index(), handle.generation()), (31, u64::from(u32::MAX)));
        assert_ne!(Handle(handle.0 | 1 << 40).generation(), handle.generation());
    }

    #[test]
    fn calls_have_numbers_of_their_own_below_the_common_methods() {
        for (i, call) in Call::ALL.iter().enumerate() {
            assert!(call.number() & !MAY_SWITCH & 0xff < COMMON_METHODS);
            assert!(Call::ALL[..i].iter().all(|other| other.number() != call.number()));
        }
        for call in Call::ALL.iter().filter(|call| call.number() & MAY_SWITCH == 0) {
            assert!(Call::is_method(call.number()));
        }
        let is_method = |kind, method| Call::is_method(Call::common(kind, method));
        assert!(!is_method(Kind::Endpoint, 1) && !is_method(Kind::Task, 64) && !is_method(Kind::Memory, 128));
        assert!(
            is_method(Kind::Task, COPY) && is_method(Kind::Endpoint, REVOKE) && !is_method(Kind::Own, CLOSE)
        );
        assert!(!is_method(Kind::Image, COPY - 1) && !is_method(Kind::Image, REVOKE + 1));
        assert!(!Call::is_method(Kind::ALL.len() as u64 * 256) && !Call::is_method(u64::MAX));
        assert_eq!(Call::Exit.number(), crate::syscall::Syscall::Exit.number());
    }

    #[test]
    fn rights_have_names_and_keep_unknown_bits_out() {
        let both = Rights::NONE.with(HandleRight::Call).with(HandleRight::Copy);
        assert_eq!(Rights::parse("call,copy"), Some(both));
        assert_eq!(Rights::from_bits(both.bits() | 1 << 31), both);
        assert_eq!(Rights::from_bits(u64::MAX).and(both), both);
    }
}
