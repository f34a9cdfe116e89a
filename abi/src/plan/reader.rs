//! A plan's lines, taken one by one.

use super::lines::{PlanLine, parse_line};
use super::{PlanError, PlanErrorKind};
use crate::wire::Message;

/// The lines of a plan that have not been read.
pub(super) struct Reader<'a> {
    rest: &'a str,
    /// The number of the last line that was read, from 1.
    number: u32,
}

impl<'a> Reader<'a> {
    /// `lines` are those after the plan's first.
    pub(super) const fn after_header(lines: &'a str) -> Self {
        Self { rest: lines, number: 1 }
    }

    /// The text of the lines that have not been read.
    pub(super) const fn rest(&self) -> &'a str {
        self.rest
    }

    /// The next line; `None` at the end.
    ///
    /// # Errors
    /// It is not a message.
    pub(super) fn next(&mut self) -> Result<Option<PlanLine>, PlanError> {
        let Some((line, rest)) = self.rest.split_once('\n') else { return Ok(None) };
        (self.rest, self.number) = (rest, self.number + 1);
        parse_line(line).map(Some).map_err(|error| self.fault(PlanErrorKind::Line(error)))
    }

    /// The next line, which must be this message.
    ///
    /// # Errors
    /// It is another, or none.
    pub(super) fn needed<M: Message<List = PlanLine>>(&mut self) -> Result<M, PlanError> {
        let line = self.next()?.ok_or_else(|| self.fault_after(PlanErrorKind::OutOfPlace))?;
        M::of(&line).ok_or_else(|| self.fault(PlanErrorKind::OutOfPlace))
    }

    /// The next line if it is this message. Any other stays.
    pub(super) fn optional<M: Message<List = PlanLine>>(&mut self) -> Option<M> {
        let (line, rest) = self.rest.split_once('\n')?;
        let message = M::of(&parse_line(line).ok()?)?;
        (self.rest, self.number) = (rest, self.number + 1);
        Some(message)
    }

    /// An error of the last line that was read.
    pub(super) const fn fault(&self, kind: PlanErrorKind) -> PlanError {
        PlanError { line: self.number, kind }
    }

    /// An error where the plan ends too early.
    pub(super) const fn fault_after(&self, kind: PlanErrorKind) -> PlanError {
        PlanError { line: self.number + 1, kind }
    }

    /// # Errors
    /// The last line that was read has this error, as `holds` is false.
    pub(super) fn check(&self, holds: bool, kind: PlanErrorKind) -> Result<(), PlanError> {
        if holds { Ok(()) } else { Err(self.fault(kind)) }
    }
}
