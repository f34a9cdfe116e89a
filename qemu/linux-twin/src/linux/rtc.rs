//! /sys/class/rtc/rtc0/since_epoch: the seconds of the real-time clock.

use std::fs;

use harness::clock::Mark;
use harness::x86::tsc;

const SINCE_EPOCH: &str = "/sys/class/rtc/rtc0/since_epoch";

/// The TSC and the real-time clock now, in seconds since 1970; `None` if Linux has no such clock.
#[must_use]
pub fn seconds() -> Option<Mark> {
    let count = fs::read_to_string(SINCE_EPOCH).ok()?.trim().parse().ok()?;
    Some(Mark { tsc: tsc::read_ordered(), count })
}
