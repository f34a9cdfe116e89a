//! The watch over a worker's timed call.
//!
//! A CPU that runs a worker has nothing else to do, so nothing notices if the whole machine stands still: a VMM that is
//! stopped, or a snapshot. Its clocks go on all the same (under SIGSTOP all of them do), and the pause looks like work.
//! So each such CPU has a timer interrupt at long intervals. One that comes late shows how long the CPU did not run.

/// From the entry of a worker to the first interrupt, and from each to the next, in microseconds. Long enough that short
/// calls have none at all and long ones lose nothing that could be measured; a pause longer than this is always seen.
pub const WATCH_US: u64 = 250_000;
