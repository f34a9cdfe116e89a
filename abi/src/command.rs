//! Commands to a running machine: one line each on its serial port, in the envelope of a record.
//!
//! ```text
//! ASSAY1 seq=0 ts=- ev=exec after=5eed000000000002 plan=ASSAY-PLAN2%0Aplan%20experiment%3D... crc=7c1f0a35
//! ASSAY1 seq=1 ts=- ev=hold after=... memory_mib=64 timer_ms=5000 crc=...
//! ASSAY1 seq=2 ts=- ev=check after=... spoil=none crc=...
//! ```
//!
//! A machine that stays after its last record takes them (`after=stay:SECONDS`, [`crate::config`]). `seq` counts the
//! commands that it has taken, from 0. `after` is the nonce of the last stream that counts: the boot's, or that of the answer to the
//! last command that was taken. So a command fits one moment of one boot: a line that is sent again, or to another machine,
//! is refused. A clone of a machine is at the same moment as the machine, and takes the same command.
//!
//! [`Collector`] makes lines of bytes and [`read`] reads one, both within [`MAX_BYTES`] and for any bytes. docs/PROTOCOL.md
//! describes the answers.

use core::fmt;

use crate::control::ControlKind;
use crate::plan::{Plan, PlanError};
use crate::wire::line::{self, LineError, read_envelope, write_checksum};
use crate::wire::message::{split_word, take};
use crate::wire::record::{CommandKind, RefusedFor, Spoilt};
use crate::wire::{FieldError, Hex64, Text, Value, label};

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
#[expect(clippy::large_enum_variant, reason = "one lives at a time, and there is no heap")]
pub enum Order<'a> {
    /// Run this plan.
    Exec(Plan<'a>),
    /// Hold what is to be kept.
    Hold(Hold),
    /// Report what was kept, after something was spoilt.
    Check(Spoilt),
}

/// What a machine is to hold while it is saved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hold {
    /// How much memory is filled, in MiB.
    pub memory_mib: u32,
    /// When the timers of the CPUs fire that are free for it, in milliseconds from then; at most [`MOST_TIMER_MS`].
    pub timer_ms: u32,
}

/// The longest time for which a timer is armed, in milliseconds.
pub const MOST_TIMER_MS: u32 = 600_000;

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
            Self::Hold(_) => CommandKind::Hold,
            Self::Check(_) => CommandKind::Check,
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
    /// One for which the reason says it all.
    #[must_use]
    pub fn of(reason: RefusedFor) -> Self {
        Self { reason, detail: Text::new("") }
    }

    /// One that says more.
    fn with(reason: RefusedFor, detail: fmt::Arguments<'_>) -> Self {
        Self { reason, detail: Text::format(detail) }
    }
}

/// Reads a line, without its end, at a `place` of a boot. The text of a plan is decoded in place.
///
/// # Errors
/// Why it is not taken. Nothing of it has an effect then.
pub fn read(line: &mut [u8], place: Place) -> Result<Command<'_>, Refusal> {
    let malformed = |error: FieldError| Refusal::with(RefusedFor::Malformed, format_args!("{error}"));
    let (seq, _, text) = read_envelope(line).map_err(|error| {
        let is_changed = error == LineError::Checksum;
        Refusal::of(if is_changed { RefusedFor::Checksum } else { RefusedFor::Malformed })
    })?;
    let end = line.len() - line::TAIL_BYTES;
    let (word, mut rest) = split_word(text);
    let kind = CommandKind::read(word).ok_or(Refusal::of(RefusedFor::Unknown))?;
    let after: Hex64 = take(&mut rest, "after").map_err(malformed)?;
    if after != place.after {
        return Err(Refusal::of(RefusedFor::Replayed));
    }
    if seq != place.number {
        return Err(Refusal::of(RefusedFor::OutOfOrder));
    }
    match kind {
        CommandKind::Exec => {
            let encoded = rest.strip_prefix(b" plan=").ok_or(malformed(FieldError::Missing("plan")))?.len();
            read_plan(&mut line[end - encoded..end])
        }
        CommandKind::Hold => {
            let memory_mib = take(&mut rest, "memory_mib").map_err(malformed)?;
            let timer_ms = take(&mut rest, "timer_ms").map_err(malformed)?;
            if timer_ms > MOST_TIMER_MS {
                return Err(malformed(FieldError::BadValue("timer_ms")));
            }
            whole(Order::Hold(Hold { memory_mib, timer_ms }), rest)
        }
        CommandKind::Check => {
            let spoilt = take(&mut rest, "spoil").map_err(malformed)?;
            whole(Order::Check(spoilt), rest)
        }
    }
}

/// A command without a plan, of which this is left.
fn whole<'a>(order: Order<'a>, rest: &[u8]) -> Result<Command<'a>, Refusal> {
    if rest.is_empty() {
        return Ok(Command { order, plan: &[] });
    }
    Err(Refusal::of(RefusedFor::Malformed))
}

/// Reads a plan, percent-encoded.
fn read_plan(encoded: &mut [u8]) -> Result<Command<'_>, Refusal> {
    let len = label::decode_in_place(encoded).ok_or(Refusal::of(RefusedFor::Malformed))?;
    let plan = &encoded[..len];
    let refused =
        |PlanError { line, kind }| Refusal::with(RefusedFor::Plan, format_args!("line {line}: {kind}"));
    let parsed = Plan::parse(plan).map_err(refused)?;
    if parsed.control.kind != ControlKind::None {
        return Err(Refusal::with(RefusedFor::Plan, format_args!("a control is for a boot only")));
    }
    Ok(Command { order: Order::Exec(parsed), plan })
}

/// Writes the command that has a machine at `place` run `plan`, without the line's end, into an empty text.
///
/// # Errors
/// Those of `out`.
pub fn write_exec<S: fmt::Write + AsRef<[u8]>>(out: &mut S, place: Place, plan: &[u8]) -> fmt::Result {
    write_head(out, place, CommandKind::Exec)?;
    out.write_str(" plan=")?;
    label::write_encoded(plan, out)?;
    out.write_str(" ")?;
    write_checksum(out)
}

/// Writes the command that has a machine at `place` hold something, likewise.
///
/// # Errors
/// Those of `out`.
pub fn write_hold<S: fmt::Write + AsRef<[u8]>>(out: &mut S, place: Place, hold: Hold) -> fmt::Result {
    write_head(out, place, CommandKind::Hold)?;
    let Hold { memory_mib, timer_ms } = hold;
    write!(out, " memory_mib={memory_mib} timer_ms={timer_ms} ")?;
    write_checksum(out)
}

/// Writes the command that has a machine at `place` report what it has kept, likewise.
///
/// # Errors
/// Those of `out`.
pub fn write_check<S: fmt::Write + AsRef<[u8]>>(out: &mut S, place: Place, spoil: Spoilt) -> fmt::Result {
    write_head(out, place, CommandKind::Check)?;
    write!(out, " spoil={spoil} ")?;
    write_checksum(out)
}

fn write_head(out: &mut dyn fmt::Write, place: Place, kind: CommandKind) -> fmt::Result {
    let Place { number, after } = place;
    write!(out, "{} seq={number} ts=- ev={kind} after={after}", line::TAG)
}

/// Makes lines of the bytes that a port receives. A line that is too long is dropped up to its end, and so is the rest of
/// one that was given up; an empty one is none.
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
