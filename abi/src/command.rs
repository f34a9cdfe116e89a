//! Commands to a running machine: one line each on its serial port, in the envelope of a record.
//!
//! ```text
//! ASSAY1 seq=0 ts=- ev=exec after=5eed000000000002 plan=ASSAY-PLAN2%0Aplan%20experiment%3D... crc=7c1f0a35
//! ```
//!
//! A machine that stays after its last record takes them (`after=stay:SECONDS`, [`crate::config`]). `seq` counts the commands
//! that it has taken, from 0. `after` is the nonce of the last stream that counts: the boot's, or that of the answer to the
//! last command that was taken. So a command fits one moment of one boot: a line that is sent again, or to another machine,
//! is refused. A clone of a machine is at the same moment as the machine, and takes the same command.
//!
//! [`Collector`] makes lines of bytes and [`read`] reads one, both within [`MAX_BYTES`] and for any bytes. docs/PROTOCOL.md
//! describes the answers.

use core::fmt;

use crate::control::ControlKind;
use crate::plan::{Plan, PlanError};
use crate::wire::line::{self, LineError, read_envelope, write_checksum};
use crate::wire::message::take;
use crate::wire::record::{CommandKind, RefusedFor};
use crate::wire::{Hex64, Text, Value, label};

/// The most bytes of a line, without its end. A plan for 64 workers fits.
pub const MAX_BYTES: usize = 16 << 10;

/// How long a line may take from its first byte to its end, in microseconds. At 9,600 baud the longest takes 17 s.
pub const LINE_US: u64 = 30_000_000;

/// After so many commands in a row that were refused, further ones are counted and not answered: a flood of the port
/// does not fill the log.
pub const MOST_ANSWERED: u32 = 32;

/// The place in a boot at which a command is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The commands that were taken before.
    pub number: u32,
    /// The nonce of the last stream that counts.
    pub after: Hex64,
}

/// What a machine is to do.
#[derive(Clone, Copy, Debug)]
pub enum Order<'a> {
    /// Run this plan.
    Exec(Plan<'a>),
}

/// A command that is taken.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// What to do.
    pub order: Order<'a>,
    /// The bytes of its plan; none for another order.
    pub plan: &'a [u8],
}

impl Order<'_> {
    /// Its word.
    #[must_use]
    pub const fn kind(&self) -> CommandKind {
        match self {
            Self::Exec(_) => CommandKind::Exec,
        }
    }
}

/// Why a line is no command that can be taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The reason.
    pub reason: RefusedFor,
    /// The particulars.
    pub detail: Text<64>,
}

impl Refusal {
    /// One for which the reason says it all, in other words.
    #[must_use]
    pub fn new(reason: RefusedFor, detail: fmt::Arguments<'_>) -> Self {
        Self { reason, detail: Text::format(detail) }
    }
}

/// Reads a line, without its end, at a `place` of a boot. The text of a plan is decoded where it is.
///
/// # Errors
/// Why it is not taken. Nothing of it has an effect then.
pub fn read(line: &mut [u8], place: Place) -> Result<Command<'_>, Refusal> {
    let malformed = |detail| Refusal::new(RefusedFor::Malformed, format_args!("expected {detail}"));
    let (seq, _, text) = read_envelope(line).map_err(|error| {
        let reason = if error == LineError::Checksum { RefusedFor::Checksum } else { RefusedFor::Malformed };
        Refusal::new(reason, format_args!("{error}"))
    })?;
    let begin = line.len() - line::TAIL_BYTES - text.len();
    let mut rest = text.strip_prefix(CommandKind::Exec.word().as_bytes()).ok_or_else(|| {
        let word = CommandKind::Exec.word();
        Refusal::new(RefusedFor::Unknown, format_args!("expected ev={word}"))
    })?;
    let after: Hex64 = take(&mut rest, "after").map_err(|_| malformed("after="))?;
    if after != place.after {
        let detail = format_args!("expected after={}", place.after);
        return Err(Refusal::new(RefusedFor::Replayed, detail));
    }
    if seq != place.number {
        return Err(Refusal::new(RefusedFor::OutOfOrder, format_args!("expected seq={}", place.number)));
    }
    let encoded = rest.strip_prefix(b" plan=").ok_or_else(|| malformed("plan="))?;
    let from = begin + text.len() - encoded.len();
    let to = from + encoded.len();
    let len =
        label::decode_in_place(&mut line[from..to]).ok_or_else(|| malformed("plan= percent-encoded"))?;
    let plan = &line[from..from + len];
    let refused =
        |PlanError { line, kind }| Refusal::new(RefusedFor::Plan, format_args!("line {line}: {kind}"));
    let parsed = Plan::parse(plan).map_err(refused)?;
    if parsed.control.kind != ControlKind::None {
        let detail = format_args!("a control is put in force at the boot only");
        return Err(Refusal::new(RefusedFor::Plan, detail));
    }
    Ok(Command { order: Order::Exec(parsed), plan })
}

/// Writes the command that has a machine at `place` run `plan`, without the line's end, into an empty text.
///
/// # Errors
/// Those of `out`.
pub fn write_exec<S: fmt::Write + AsRef<[u8]>>(out: &mut S, place: Place, plan: &[u8]) -> fmt::Result {
    let Place { number, after } = place;
    write!(out, "{} seq={number} ts=- ev={} after=", line::TAG, CommandKind::Exec.word())?;
    after.write(out)?;
    out.write_str(" plan=")?;
    label::write_encoded(plan, out)?;
    out.write_str(" ")?;
    write_checksum(out)
}

/// Makes lines of the bytes that a port receives. A line that is too long is dropped up to its end, and so is the rest of one
/// that was given up; an empty one is none.
pub struct Collector {
    bytes: [u8; MAX_BYTES],
    len: usize,
    drops: bool,
}

/// What a byte has completed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Collected {
    /// A line ([`Collector::line`]).
    Line,
    /// A line that is longer than [`MAX_BYTES`].
    TooLong,
}

impl Collector {
    /// One without bytes.
    pub const EMPTY: Self = Self { bytes: [0; MAX_BYTES], len: 0, drops: false };

    /// Takes a byte. Returns what it completes. After a line, what is collected is to be taken before the next byte.
    pub fn push(&mut self, byte: u8) -> Option<Collected> {
        if byte == b'\n' {
            let (ended, is_empty) = (!self.drops, self.bytes[..self.len].iter().all(|&byte| byte == b'\r'));
            self.drops = false;
            if !ended || is_empty {
                self.len = 0;
            }
            return (ended && !is_empty).then_some(Collected::Line);
        }
        if self.drops {
            return None;
        }
        match self.bytes.get_mut(self.len) {
            Some(place) => {
                *place = byte;
                self.len += 1;
                None
            }
            // Refused at once: its end may never come.
            None => {
                self.give_up();
                Some(Collected::TooLong)
            }
        }
    }

    /// The line that is complete, without its end. The next one begins.
    pub fn line(&mut self) -> &mut [u8] {
        let len = core::mem::take(&mut self.len);
        let line = &mut self.bytes[..len];
        match line {
            [.., b'\r'] => &mut line[..len - 1],
            _ => line,
        }
    }

    /// Whether a line has begun that is not dropped.
    #[must_use]
    pub const fn is_within_line(&self) -> bool {
        self.len > 0
    }

    /// Drops the line that has begun, up to its end.
    pub const fn give_up(&mut self) {
        (self.len, self.drops) = (0, true);
    }
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
