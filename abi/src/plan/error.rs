//! What is wrong with a plan, and in which line.

use core::fmt;

use super::{HEADER, MAX_CUT_POINTS, MAX_OBJECTS, MAX_WARM_UP_MS};
use crate::object::HANDLES;
use crate::series::{EVENTS, FEWEST, MAX_NOISE_MS};
use crate::wire::FieldError;

/// An error in the text of a plan, and its line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PlanError {
    /// The line's number, from 1.
    pub line: u32,
    /// The error.
    pub kind: PlanErrorKind,
}

/// An error in a line of a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlanErrorKind {
    /// The text is not UTF-8, or does not begin with [`HEADER`], or does not end in a line feed.
    NotAPlan,
    /// The line is not a message.
    Line(FieldError),
    /// The line is a message that cannot be in this place.
    OutOfPlace,
    /// The warm-up is longer than [`MAX_WARM_UP_MS`].
    BadWarmUp,
    /// A worker needs more than it can be granted, or shared memory without the authority for it, or the authority without
    /// shared memory.
    BadNeeds,
    /// The rows of the platform look for gaps for longer than [`MAX_NOISE_MS`], or take other numbers of samples than
    /// [`FEWEST`] to [`EVENTS`].
    BadPlatform,
    /// The tasks of the mechanisms need more than they can be granted, or the rows to measure are none.
    BadMechanisms,
    /// There are more than [`MAX_OBJECTS`] objects or [`HANDLES`] handles of a task, an object's name is an earlier one's, its
    /// kind cannot be made, its length is not what its kind has, or a grant is of an object that the plan does not have.
    BadProfile,
    /// A case has no workers, more than [`MAX_WORKERS`](super::MAX_WORKERS), the number of an earlier case, no iterations or no time-out.
    BadCase,
    /// The number of a split is not the next, or a case has fewer or more splits than workers.
    BadSplit,
    /// There is no case.
    NoCase,
    /// A sweep has no iterations, no time-out, fewer than two cut points, more than [`MAX_CUT_POINTS`], or descending
    /// ones.
    BadSweep,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plan line {}: {}", self.line, self.kind)
    }
}

impl fmt::Display for PlanErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAPlan => write!(f, "expected {HEADER} and whole lines"),
            Self::Line(error) => error.fmt(f),
            Self::OutOfPlace => f.write_str("message out of place"),
            Self::BadWarmUp => write!(f, "a warm-up has at most {MAX_WARM_UP_MS} ms"),
            Self::BadNeeds => f.write_str("needs out of range, or not as the authority has them"),
            Self::BadPlatform => {
                write!(f, "noise_ms is at most {MAX_NOISE_MS}, samples {FEWEST} to {EVENTS}")
            }
            Self::BadMechanisms => f.write_str("memory of the mechanisms' tasks out of range, or rows=none"),
            Self::BadProfile => write!(
                f,
                "at most {MAX_OBJECTS} objects with names and lengths of their own, {HANDLES} grants of them a task"
            ),
            Self::BadCase => {
                f.write_str("workers repeated, or workers, iterations or timeout_ms out of range")
            }
            Self::BadSplit => f.write_str("splits must be numbered from 0, one for each worker"),
            Self::NoCase => f.write_str("no case"),
            Self::BadSweep => write!(
                f,
                "a sweep needs iterations, timeout_ms, and 2 to {MAX_CUT_POINTS} `knot` lines that do not descend"
            ),
        }
    }
}
