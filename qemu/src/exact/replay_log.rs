//! QEMU's replay log (QEMU, docs/devel/replay.rst), read for one thing: after how many instructions the guest wrote each
//! byte to its serial port.
//!
//! QEMU writes the log while it records a run (`-icount rr=record`): the instructions executed since the last event, and
//! each event that a replay must repeat. A write to a character device is one. So the log has the count at the moment of
//! the OUT instruction, whatever the guest is, and the guest takes no part in it. The format is that of `REPLAY_VERSION`
//! 0xe0200c, which QEMU 7.2 writes. Another version is refused: its events may have other numbers.

use std::fmt;

/// The version of the format: `REPLAY_VERSION` in QEMU's replay/replay.c.
const VERSION: u32 = 0x00e0_200c;
/// The most bytes that a guest may print; QEMU is stopped before that.
const MOST_BYTES: usize = 16 << 20;
/// The version, and an offset that is not used.
const HEADER_BYTES: usize = 12;

/// Events: `enum ReplayEvents` in QEMU's replay/replay-internal.h. All numbers in the log are big-endian.
mod event {
    /// So many instructions; a double word.
    pub const INSTRUCTION: u8 = 0;
    pub const INTERRUPT: u8 = 1;
    pub const EXCEPTION: u8 = 2;
    /// A bottom half of QEMU's; a quad word. The next one is the same.
    pub const ASYNC_BH: u8 = 3;
    pub const ASYNC_BH_ONESHOT: u8 = 4;
    /// A block request is done; a quad word.
    pub const ASYNC_BLOCK: u8 = 8;
    /// Plus the cause: `ShutdownCause` in QEMU's qapi/run-state.json.
    pub const SHUTDOWN: u8 = 10;
    pub const SHUTDOWN_LAST: u8 = 21;
    /// A write to a character device: two double words, what it returned and how many bytes were written.
    pub const CHAR_WRITE: u8 = 22;
    /// Random bytes: a double word, then a length and the bytes.
    pub const RANDOM: u8 = 27;
    /// A clock of the host; a quad word.
    pub const CLOCK: u8 = 28;
    pub const CLOCK_LAST: u8 = 29;
    pub const CHECKPOINT: u8 = 30;
    pub const CHECKPOINT_LAST: u8 = 38;
    pub const END: u8 = 39;
}

/// The cause of a shutdown by the guest, as by ACPI's S5.
const GUEST_SHUTDOWN: u8 = 6;

/// What is read of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayLog {
    /// For each byte on the serial port, how many instructions were executed before it was written.
    bytes_at: Vec<u64>,
    /// The instructions of the whole run.
    instructions: u64,
    guest_shutdown: bool,
}

/// Why a log cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayLogError {
    /// It ends early, as after QEMU was killed.
    Truncated,
    /// It is of another version of the format.
    Version(u32),
    /// It has an event that no run without input from outside has: its number, and where it is.
    Event {
        /// The number.
        event: u8,
        /// The offset in the log.
        at: usize,
    },
}

impl ReplayLog {
    /// Reads a log.
    ///
    /// # Errors
    /// It is not whole, or has what this reader does not know.
    pub fn read(log: &[u8]) -> Result<Self, ReplayLogError> {
        let mut reader = Reader { log, at: 0 };
        let version = reader.double_word()?;
        if version != VERSION {
            return Err(ReplayLogError::Version(version));
        }
        reader.skip(HEADER_BYTES - reader.at)?;
        let mut this = Self::default();
        while this.take(&mut reader)? {}
        Ok(this)
    }

    /// Takes one event. Returns whether another follows.
    fn take(&mut self, reader: &mut Reader<'_>) -> Result<bool, ReplayLogError> {
        let at = reader.at;
        match reader.byte()? {
            event::INSTRUCTION => {
                self.instructions = self.instructions.saturating_add(reader.double_word()?.into());
            }
            event::INTERRUPT | event::EXCEPTION | event::CHECKPOINT..=event::CHECKPOINT_LAST => {}
            event::ASYNC_BH | event::ASYNC_BH_ONESHOT | event::ASYNC_BLOCK => reader.skip(8)?,
            cause @ event::SHUTDOWN..=event::SHUTDOWN_LAST => {
                self.guest_shutdown |= cause - event::SHUTDOWN == GUEST_SHUTDOWN;
            }
            event::CHAR_WRITE => {
                reader.skip(4)?;
                let bytes = self.bytes_at.len() + reader.length()?;
                if bytes > MOST_BYTES {
                    return Err(ReplayLogError::Truncated);
                }
                self.bytes_at.resize(bytes, self.instructions);
            }
            event::RANDOM => {
                reader.skip(4)?;
                let bytes = reader.length()?;
                reader.skip(bytes)?;
            }
            event::CLOCK..=event::CLOCK_LAST => reader.skip(8)?,
            event::END => return Ok(false),
            event => return Err(ReplayLogError::Event { event, at }),
        }
        Ok(true)
    }

    /// For each byte on the serial port, how many instructions were executed before it was written.
    #[must_use]
    pub fn bytes_at(&self) -> &[u64] {
        &self.bytes_at
    }

    /// The instructions of the whole run, from the reset on.
    #[must_use]
    pub const fn instructions(&self) -> u64 {
        self.instructions
    }

    /// Whether the guest switched the machine off.
    #[must_use]
    pub const fn has_guest_shutdown(&self) -> bool {
        self.guest_shutdown
    }
}

/// The bytes of a log, and how far they are read.
struct Reader<'a> {
    log: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// The longest array: no event that is known has more, and a damaged length must not ask for memory.
    const LONGEST: u32 = 64 << 10;

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], ReplayLogError> {
        let end = self.at.checked_add(count).ok_or(ReplayLogError::Truncated)?;
        let bytes = self.log.get(self.at..end).ok_or(ReplayLogError::Truncated)?;
        self.at = end;
        Ok(bytes)
    }

    fn skip(&mut self, count: usize) -> Result<(), ReplayLogError> {
        self.bytes(count).map(drop)
    }

    fn byte(&mut self) -> Result<u8, ReplayLogError> {
        self.bytes(1).map(|bytes| bytes[0])
    }

    fn double_word(&mut self) -> Result<u32, ReplayLogError> {
        let bytes = self.bytes(4)?.first_chunk().ok_or(ReplayLogError::Truncated)?;
        Ok(u32::from_be_bytes(*bytes))
    }

    /// A double word that is a length. A longer one than is possible, or a negative one, is a log that is damaged.
    fn length(&mut self) -> Result<usize, ReplayLogError> {
        let length = self.double_word()?;
        let possible = Some(length).filter(|&length| length <= Self::LONGEST);
        possible.and_then(|length| usize::try_from(length).ok()).ok_or(ReplayLogError::Truncated)
    }
}

impl fmt::Display for ReplayLogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated => f.write_str("it ends early or is damaged"),
            Self::Version(version) => {
                write!(f, "it has format {version:#x}, and {VERSION:#x} is known, which QEMU 7.2 writes")
            }
            Self::Event { event, at } => {
                write!(f, "event {event} at byte {at} is input from outside, or unknown")
            }
        }
    }
}

impl std::error::Error for ReplayLogError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log with these events.
    fn log(events: &[&[u8]]) -> Vec<u8> {
        let header = [VERSION.to_be_bytes().as_slice(), &[0; 8]].concat();
        [header.as_slice(), &events.concat()].concat()
    }

    const CLOCK: &[u8] = &[event::CLOCK, 1, 2, 3, 4, 5, 6, 7, 8];
    const WRITE: &[u8] = &[event::CHAR_WRITE, 0, 0, 0, 1, 0, 0, 0, 1];
    const FIVE: &[u8] = &[event::INSTRUCTION, 0, 0, 0, 5];
    const MANY: &[u8] = &[event::INSTRUCTION, 0, 1, 0, 0];
    const HOST_SIGNAL: &[u8] = &[event::SHUTDOWN + 4];
    const S5: &[u8] = &[event::SHUTDOWN + GUEST_SHUTDOWN];
    const END: &[u8] = &[event::END];

    #[test]
    fn counts_the_instructions_before_each_byte() {
        let random: &[u8] = &[event::RANDOM, 0, 0, 0, 0, 0, 0, 0, 2, 7, 7];
        let log = log(&[
            CLOCK,
            MANY,
            WRITE,
            FIVE,
            &[event::EXCEPTION],
            random,
            FIVE,
            WRITE,
            FIVE,
            HOST_SIGNAL,
            END,
        ]);
        let read = ReplayLog::read(&log).unwrap();
        assert_eq!(read.bytes_at(), [0x1_0000, 0x1_000a]);
        assert_eq!((read.instructions(), read.has_guest_shutdown()), (0x1_000f, false));
    }

    #[test]
    fn knows_a_shutdown_by_the_guest_from_the_one_that_qemu_adds_at_its_end() {
        let read = ReplayLog::read(&log(&[FIVE, S5, HOST_SIGNAL, END])).unwrap();
        assert!(read.has_guest_shutdown());
    }

    #[test]
    fn a_log_of_a_qemu_that_was_killed_is_refused() {
        let whole = log(&[CLOCK, FIVE, WRITE, HOST_SIGNAL, END]);
        assert!(ReplayLog::read(&whole).is_ok());
        for end in 0..whole.len() {
            assert_eq!(ReplayLog::read(&whole[..end]), Err(ReplayLogError::Truncated), "{end}");
        }
    }

    #[test]
    fn refuses_input_from_outside_and_another_format() {
        // REPLAY_ASYNC_EVENT_CHAR_READ.
        let error = ReplayLog::read(&log(&[FIVE, &[7, 0], END])).unwrap_err();
        assert_eq!(error, ReplayLogError::Event { event: 7, at: HEADER_BYTES + FIVE.len() });
        assert_eq!(ReplayLog::read(&[0, 0xe0, 0x20, 0x0b]), Err(ReplayLogError::Version(0xe0_200b)));
    }

    #[test]
    fn a_damaged_length_takes_no_memory() {
        let write: &[u8] = &[event::CHAR_WRITE, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(ReplayLog::read(&log(&[write, END])), Err(ReplayLogError::Truncated));
    }
}
