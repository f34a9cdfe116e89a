//! The plan: what a kernel is to run. It is all that varies from one experiment to another.
//!
//! Text, one message a line, written by the host tool and read in place by the kernel:
//!
//! ```text
//! ASSAY-PLAN1
//! plan experiment=smp-process-scale linger_ms=0
//! workload name=primes sha256=... authority=exit
//! control kind=none target=0
//! case workers=2 iterations=1 timeout_ms=60000
//! split worker=0 p0=2 p1=1893000 p2=0 p3=0 answer=... work=... digest=...
//! split worker=1 ...
//! ```
//!
//! A case's splits follow it, numbered from 0, one for each worker. The expected answers let the kernel say on its
//! console whether the work was done; the host tool works them out for itself and does not trust the kernel's word.

use core::fmt;

use crate::Digest;
use crate::control::ControlKind;
use crate::syscall::Authority;
use crate::wire::{FieldError, Hex64, Label, messages};

/// The first line. The number is the format's version.
pub const HEADER: &str = "ASSAY-PLAN1";

/// The most workers a case can have.
pub const MAX_WORKERS: u16 = 1024;

messages! {
    /// A line of a plan.
    pub enum PlanLine;

    /// What the plan is for.
    Head = "plan" {
        /// The experiment's name.
        experiment: Label,
        /// How long the machine stays up after its last record, repeating its summary, before it powers off.
        linger_ms: u32,
    }

    /// The program that the workers run.
    Workload = "workload" {
        /// Its name: that of its ELF in the ramdisk.
        name: Label,
        /// SHA-256 of its ELF.
        sha256: Digest,
        /// The syscalls it may make.
        authority: Authority,
    }

    /// What the kernel is to do wrong, so that the gate can be seen to notice it.
    Control = "control" {
        /// What.
        kind: ControlKind,
        /// On which CPU, by its dense number, where that matters.
        target: u16,
    }

    /// One case.
    Case = "case" {
        /// How many workers, each on a CPU of its own.
        workers: u16,
        /// How many times to run it.
        iterations: u16,
        /// How long a worker may take, from the common start.
        timeout_ms: u32,
    }

    /// What one worker of the case before is given, and what it should answer.
    Split = "split" {
        /// Which worker, from 0.
        worker: u16,
        /// The first parameter; for `primes`, the first candidate.
        p0: u64,
        /// The second parameter; for `primes`, the end of the candidates, not itself one.
        p1: u64,
        /// The third parameter.
        p2: u64,
        /// The fourth parameter.
        p3: u64,
        /// The expected answer.
        answer: u64,
        /// The expected work.
        work: u64,
        /// The expected digest.
        digest: Hex64,
    }
}

/// A plan that was read through and found whole.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// What it is for.
    pub head: Head,
    /// The program.
    pub workload: Workload,
    /// What the kernel is to do wrong.
    pub control: Control,
    /// The text from the first case on; every line of it has been parsed once.
    cases: &'a str,
}

/// Why a text is no plan: the line, from 1, and what was wrong with it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PlanError {
    /// The line's number, from 1.
    pub line: u32,
    /// What is wrong.
    pub kind: PlanErrorKind,
}

/// What is wrong with a line of a plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PlanErrorKind {
    /// The text is not UTF-8, or does not begin with [`HEADER`], or does not end in a line feed.
    NotAPlan,
    /// The line is no message.
    Line(FieldError),
    /// The line is a message, but not one that can stand here.
    OutOfPlace,
    /// A case has no workers, more than [`MAX_WORKERS`], as many as an earlier one, no iterations or no time.
    BadCase,
    /// A split's number is not the next, or a case has fewer or more splits than workers.
    BadSplit,
    /// There is no case.
    NoCase,
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "plan line {}: ", self.line)?;
        match self.kind {
            PlanErrorKind::NotAPlan => write!(f, "expected {HEADER} and whole lines"),
            PlanErrorKind::Line(error) => error.fmt(f),
            PlanErrorKind::OutOfPlace => f.write_str("message out of place"),
            PlanErrorKind::BadCase => {
                f.write_str("workers repeated, or workers, iterations or timeout_ms out of range")
            }
            PlanErrorKind::BadSplit => f.write_str("splits must be numbered from 0, one for each worker"),
            PlanErrorKind::NoCase => f.write_str("no case"),
        }
    }
}

/// Reads one line.
fn parse_line(line: &str) -> Result<PlanLine, FieldError> {
    let (name, fields) = line.split_at(line.find(' ').unwrap_or(line.len()));
    PlanLine::parse_fields(name, fields)
}

impl<'a> Plan<'a> {
    /// Reads a plan and checks all of it.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PlanError> {
        let fail = |line, kind| PlanError { line, kind };
        let not_a_plan = fail(1, PlanErrorKind::NotAPlan);
        let text = core::str::from_utf8(bytes).map_err(|_| not_a_plan)?;
        if !text.ends_with('\n') {
            return Err(not_a_plan);
        }
        let (header, rest) = text.split_once('\n').ok_or(not_a_plan)?;
        if header != HEADER {
            return Err(not_a_plan);
        }
        let (head, rest) = rest.split_once('\n').ok_or(fail(2, PlanErrorKind::OutOfPlace))?;
        let (workload, rest) = rest.split_once('\n').ok_or(fail(3, PlanErrorKind::OutOfPlace))?;
        let (control, cases) = rest.split_once('\n').ok_or(fail(4, PlanErrorKind::OutOfPlace))?;
        let message =
            |number, line| parse_line(line).map_err(|error| fail(number, PlanErrorKind::Line(error)));
        let PlanLine::Head(head) = message(2, head)? else { return Err(fail(2, PlanErrorKind::OutOfPlace)) };
        let PlanLine::Workload(workload) = message(3, workload)? else {
            return Err(fail(3, PlanErrorKind::OutOfPlace));
        };
        let PlanLine::Control(control) = message(4, control)? else {
            return Err(fail(4, PlanErrorKind::OutOfPlace));
        };
        check_cases(cases)?;
        Ok(Self { head, workload, control, cases })
    }

    /// The cases in their order, each with its splits.
    pub fn cases(&self) -> impl Iterator<Item = (Case, Splits<'a>)> + use<'a> {
        let mut rest = self.cases;
        core::iter::from_fn(move || {
            let (line, after) = rest.split_once('\n')?;
            let Ok(PlanLine::Case(case)) = parse_line(line) else { return None };
            let splits = Splits { rest: after };
            rest = after;
            for _ in 0..case.workers {
                rest = rest.split_once('\n')?.1;
            }
            Some((case, splits))
        })
    }
}

/// The splits of a case, in the order of their workers.
#[derive(Clone, Copy, Debug)]
pub struct Splits<'a> {
    rest: &'a str,
}

impl Iterator for Splits<'_> {
    type Item = Split;

    fn next(&mut self) -> Option<Split> {
        let (line, rest) = self.rest.split_once('\n')?;
        let Ok(PlanLine::Split(split)) = parse_line(line) else { return None };
        self.rest = rest;
        Some(split)
    }
}

/// Checks that `cases` is at least one case, each with its splits after it.
fn check_cases(cases: &str) -> Result<(), PlanError> {
    let mut number = 5;
    // Splits that the case at hand still lacks, and how many it has in all.
    let (mut lacking, mut workers) = (0, 0);
    // Records name a case by how many workers it has, so there is one of each at most.
    let mut seen = [false; MAX_WORKERS as usize + 1];
    // Not `lines`, which would pass over a carriage return that the iterators below would stumble over.
    for line in cases.split_terminator('\n') {
        let fail = |kind| Err(PlanError { line: number, kind });
        match parse_line(line) {
            Err(error) => return fail(PlanErrorKind::Line(error)),
            Ok(PlanLine::Case(_)) if lacking > 0 => return fail(PlanErrorKind::BadSplit),
            Ok(PlanLine::Case(case)) => {
                let fits =
                    (1..=MAX_WORKERS).contains(&case.workers) && case.iterations > 0 && case.timeout_ms > 0;
                let repeated =
                    seen.get_mut(usize::from(case.workers)).map(|seen| core::mem::replace(seen, true));
                if !fits || repeated != Some(false) {
                    return fail(PlanErrorKind::BadCase);
                }
                (lacking, workers) = (case.workers, case.workers);
            }
            Ok(PlanLine::Split(split)) if lacking > 0 && split.worker == workers - lacking => lacking -= 1,
            Ok(PlanLine::Split(_)) => return fail(PlanErrorKind::BadSplit),
            Ok(PlanLine::Head(_) | PlanLine::Workload(_) | PlanLine::Control(_)) => {
                return fail(PlanErrorKind::OutOfPlace);
            }
        }
        number += 1;
    }
    match (workers, lacking) {
        (0, _) => Err(PlanError { line: number, kind: PlanErrorKind::NoCase }),
        (_, 0) => Ok(()),
        _ => Err(PlanError { line: number, kind: PlanErrorKind::BadSplit }),
    }
}

/// Writes a line of a plan, with its line feed.
///
/// # Errors
/// Those of `out`.
pub fn write_line(out: &mut dyn fmt::Write, line: &PlanLine) -> fmt::Result {
    out.write_str(line.name())?;
    line.write_fields(out)?;
    out.write_char('\n')
}
