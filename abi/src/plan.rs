//! The plan: the work of a kernel. Nothing else varies from one experiment to another.
//!
//! Text, one message a line, written by the host tool and read in place by the kernel:
//!
//! ```text
//! ASSAY-PLAN2
//! plan experiment=smp-process-scale linger_ms=0 challenge=...
//! workload name=primes sha256=... authority=exit
//! control kind=none target=0
//! warm-up ms=20
//! needs prepare=1 verify=1 memory_mib=64 stack_kib=64 pages=4k requires=none shared_kib=0 chunks=0
//! corpus name=mixed sha256=... copies=one
//! case workers=2 iterations=1 timeout_ms=60000
//! split worker=0 p0=2 p1=1893000 p2=0 p3=0 answer=... work=... digest=...
//! split worker=1 ...
//! ```
//!
//! The splits of a case follow it, one for each worker, numbered from 0. The expected answers let the kernel report on
//! its console whether the work was done. The host tool derives them itself and does not trust the kernel.
//!
//! The challenge is a number that the host chooses for each run. Every digest depends on it, so no answer of another run
//! fits. [`Plan::work_digest`] identifies the work whatever the challenge is.
//!
//! `warm-up`, `needs` and `corpus` may be left out: then the warm-up is [`WARM_UP_MS`], the needs are [`Needs::NONE`], and
//! there is no corpus. After them, a line `platform` asks for the rows of the platform ([`crate::series`]), which are
//! measured when all cases have run. A line `mechanisms` after it asks for the rows of the kernel's mechanisms. A line
//! `sampling` after them bounds the samples of each row, for a quick look. Then come the objects that the kernel makes for
//! the tasks of these rows, and the handles that each task has ([`Profile`]):
//!
//! ```text
//! platform noise_ms=10000 short=none samples=0
//! mechanisms program=primitives sha256=... memory_mib=4 shared_kib=1028 rows=all short=none samples=0
//! sampling samples=100
//! object name=door kind=endpoint bytes=0
//! grant task=client object=door rights=call badge=7
//! grant task=server object=door rights=serve badge=0
//! ```
//!
//! A plan for a machine of unknown size has no cases. Instead it has a sweep (see [`crate::sweep`]) and its cut
//! points, whose word is `knot`:
//!
//! ```text
//! sweep iterations=7 timeout_ms=60000 seed=... p2=0 p3=0 answer=... work=... digest=...
//! knot at=2
//! knot at=36913
//! ```

mod check;
mod error;
mod lines;
mod profile;
mod reader;

use crate::Digest;
use crate::digest::Hasher;
use crate::series::{EVENTS, FEWEST, MAX_NOISE_MS};
use lines::parse_line;
use reader::Reader;

pub use error::{PlanError, PlanErrorKind};
pub use lines::{
    Case, Control, Corpus, CutPoint, HandleGrant, Head, KernelObject, Mechanisms, Needs, PlanLine, Platform,
    Sampling, Split, Sweep, WarmUp, Workload, write_line,
};
pub use profile::Profile;

/// The first line. The number is the format's version.
pub const HEADER: &str = "ASSAY-PLAN2";

/// The most workers a case can have.
pub const MAX_WORKERS: u16 = 1024;

/// How long each worker is warmed up before it is timed, in milliseconds, unless the plan says otherwise. A CPU that was
/// idle takes milliseconds to reach its clock.
pub const WARM_UP_MS: u32 = 20;

/// The longest warm-up, in milliseconds.
pub const MAX_WARM_UP_MS: u32 = 10_000;

/// The most cut points that a sweep can have.
pub const MAX_CUT_POINTS: usize = 8193;

/// The most objects of a plan.
pub const MAX_OBJECTS: usize = 32;

/// A plan of which every line has been read and checked.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// Its purpose.
    pub head: Head,
    /// The program.
    pub workload: Workload,
    /// The fault that the kernel is to make.
    pub control: Control,
    /// How long each worker is warmed up, in milliseconds.
    pub warm_up_ms: u32,
    /// What each worker is granted; [`Needs::NONE`] if the plan does not say.
    pub needs: Needs,
    /// The corpus, if there is one.
    pub corpus: Option<Corpus>,
    /// What is to be measured of the platform; `None` for nothing.
    pub platform: Option<Platform>,
    /// What is to be measured of the kernel's mechanisms; `None` for nothing.
    pub mechanisms: Option<Mechanisms>,
    /// The objects and handles of the mechanisms' tasks.
    pub profile: Profile<'a>,
    /// The most samples of a row.
    pub samples: u32,
    /// The text after the header. Every line of it has been parsed once.
    lines: &'a str,
    /// The text from the first case, or the sweep, to the end.
    work: &'a str,
}

impl<'a> Plan<'a> {
    /// Reads a plan and checks all of it.
    ///
    /// # Errors
    /// The first line with an error.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, PlanError> {
        let not_a_plan = PlanError { line: 1, kind: PlanErrorKind::NotAPlan };
        let text = core::str::from_utf8(bytes).map_err(|_| not_a_plan)?;
        let lines = text.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n')).ok_or(not_a_plan)?;
        if !text.ends_with('\n') {
            return Err(not_a_plan);
        }
        let mut reader = Reader::after_header(lines);
        let head = reader.needed::<Head>()?;
        let workload = reader.needed::<Workload>()?;
        let control = reader.needed::<Control>()?;
        let warm_up = reader.optional::<WarmUp>();
        reader.check(warm_up.is_none_or(|WarmUp { ms }| ms <= MAX_WARM_UP_MS), PlanErrorKind::BadWarmUp)?;
        let needs = reader.optional::<Needs>().unwrap_or(Needs::NONE);
        reader.check(check::needs(&needs, workload.authority), PlanErrorKind::BadNeeds)?;
        let corpus = reader.optional::<Corpus>();
        let platform = reader.optional::<Platform>();
        let gaps = platform.is_none_or(|platform| platform.noise_ms <= MAX_NOISE_MS);
        reader.check(gaps, PlanErrorKind::BadPlatform)?;
        let mechanisms = reader.optional::<Mechanisms>();
        reader.check(mechanisms.as_ref().is_none_or(check::mechanisms), PlanErrorKind::BadMechanisms)?;
        let has_rows = platform.is_some() || mechanisms.is_some();
        let samples = if has_rows { reader.optional::<Sampling>() } else { None };
        let samples = samples.map_or(EVENTS, |Sampling { samples }| samples);
        reader.check((FEWEST..=EVENTS).contains(&samples), PlanErrorKind::BadPlatform)?;
        let profile = if mechanisms.is_some() { Profile::take(&mut reader)? } else { Profile::default() };
        let work = reader.rest();
        match reader.optional::<Sweep>() {
            Some(sweep) => check::sweep(&sweep, &mut reader)?,
            None => check::cases(&mut reader)?,
        }
        Ok(Self {
            head,
            workload,
            control,
            warm_up_ms: warm_up.map_or(WARM_UP_MS, |WarmUp { ms }| ms),
            needs,
            corpus,
            platform,
            mechanisms,
            profile,
            samples,
            lines,
            work,
        })
    }

    /// SHA-256 of the plan without what the challenge decides: the text with the challenge and every expected digest
    /// set to 0. Plans with the same value ask for the same work.
    #[must_use]
    pub fn work_digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        hasher.update(HEADER.as_bytes());
        hasher.update(b"\n");
        for line in self.lines.split_terminator('\n') {
            if let Ok(line) = parse_line(line) {
                // A hasher takes all that is written.
                let _ = write_line(&mut hasher, &line.unchallenged());
            }
        }
        hasher.digest()
    }

    /// The sweep and its cut points; `None` for a plan with cases.
    #[must_use]
    pub fn sweep(&self) -> Option<(Sweep, CutPoints<'a>)> {
        let (first, rest) = self.work.split_once('\n')?;
        let Ok(PlanLine::Sweep(sweep)) = parse_line(first) else { return None };
        Some((sweep, CutPoints { rest }))
    }

    /// The cases in order, each with its splits; none for a plan with a sweep.
    pub fn cases(&self) -> impl Iterator<Item = (Case, Splits<'a>)> + use<'a> {
        let mut rest = self.work;
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

/// The cut points of a sweep, in order.
#[derive(Clone, Copy, Debug)]
pub struct CutPoints<'a> {
    rest: &'a str,
}

impl Iterator for CutPoints<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let (line, rest) = self.rest.split_once('\n')?;
        let Ok(PlanLine::CutPoint(point)) = parse_line(line) else { return None };
        self.rest = rest;
        Some(point.at)
    }
}
