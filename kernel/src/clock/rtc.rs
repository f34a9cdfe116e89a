//! The real-time clock (Motorola, "MC146818A", section "Time, calendar, and alarm locations"). It counts whole seconds by an
//! oscillator of its own, and no turn of it is short: what takes seconds cannot hide from it. The TSC's frequency from it
//! takes two seconds, so it is a last resort: a microVM without PIT, HPET and PM timer has nothing else.
#![expect(unsafe_code, reason = "reads the real-time clock by port")]

use core::sync::atomic::{AtomicU64, Ordering};

use harness::clock::Clock;
use harness::x86::tsc;
use spin::Mutex;

use crate::x86::port;

const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;
/// The highest bit of the index port, which masks NMIs, stays clear.
const SECONDS: u8 = 0x00;
/// Seconds, minutes, hours, day of the month, month, year.
const CALENDAR: [u8; 6] = [SECONDS, 0x02, 0x04, 0x07, 0x08, 0x09];
/// Status: an update is under way or about to begin.
const REGISTER_A: u8 = 0x0a;
const UPDATE_IN_PROGRESS: u8 = 1 << 7;
/// Whether it counts in binary, and by 24 hours.
const REGISTER_B: u8 = 0x0b;
const BINARY: u8 = 1 << 2;
const BY_24_HOURS: u8 = 1 << 1;
/// Of the hours, if it counts by 12.
const AFTERNOON: u8 = 1 << 7;

/// The index and the data port belong together: one CPU at a time.
static PORTS: Mutex<()> = Mutex::new(());
/// The last time that was read, for a clock that stops answering.
static LAST: AtomicU64 = AtomicU64::new(0);

/// How long to wait for the next second, in microseconds.
const SECOND_US: u64 = 1_500_000;
/// How long two readings may differ, or none be possible, in microseconds: an update takes at most 2 ms, and is announced
/// a quarter of a millisecond before.
const UPDATE_US: u64 = 5_000;
/// How often it is tried at least: a vCPU that is not run between two ports has used up the time with one try.
const TRIES: usize = 16;
/// The most edges that are observed until two are sharp.
const EDGES: usize = 10;
/// An edge is sharp if the polls around it are at most this fraction of a second apart.
const EDGE_PER_SECOND: u64 = 1_000;

/// The time in seconds since 1970, after the end of an update if there is one; `None` without a clock that is set to a
/// date.
pub fn since_1970() -> Option<u64> {
    let _ports = PORTS.lock();
    let deadline = tsc::read().saturating_add(Clock::AT_MOST.cycles(UPDATE_US));
    let mut tries = 0..TRIES;
    loop {
        if let Some(now) = date() {
            LAST.store(now, Ordering::Relaxed);
            return Some(now);
        }
        // Ports that nothing answers read as all ones, which would be an update without end.
        if read(REGISTER_A) == u8::MAX || tries.next().is_none() && tsc::read() >= deadline {
            return None;
        }
    }
}

/// The same as a count that never fails: that of the last reading if the clock has stopped answering.
///
/// Once in some 450 readings it waits for the end of an update, for 2.2 ms at most. So the count is that of a second which
/// ended no earlier than the reading began, and two readings are wrong by less than a second together. The count of an
/// earlier reading in its place could be old by any time.
pub fn count() -> u64 {
    since_1970().unwrap_or_else(|| LAST.load(Ordering::Relaxed))
}

/// The time, if no update changed it meanwhile.
fn date() -> Option<u64> {
    let fields = || (read(REGISTER_A) & UPDATE_IN_PROGRESS == 0).then(|| CALENDAR.map(read));
    let (one, other) = (fields()?, fields()?);
    (one == other).then_some(())?;
    decode(one, read(REGISTER_B))
}

/// Decodes the fields of the calendar, with register B. Years are from 2000 on.
fn decode(fields: [u8; 6], format: u8) -> Option<u64> {
    let number = |byte: u8| {
        let bcd = (byte >> 4 < 10 && byte & 0xf < 10).then(|| (byte >> 4) * 10 + (byte & 0xf));
        if format & BINARY == 0 { bcd } else { Some(byte) }.map(u64::from)
    };
    let [seconds, minutes, hours, day, month, year] = fields;
    let by_12 = format & BY_24_HOURS == 0;
    let hours_12 = number(hours & !AFTERNOON)? % 12 + if hours & AFTERNOON == 0 { 0 } else { 12 };
    let hours = if by_12 { hours_12 } else { number(hours)? };
    let [seconds, minutes, day, month, year] = [seconds, minutes, day, month, year].map(number);
    let (seconds, minutes, day, month, year) = (seconds?, minutes?, day?, month?, 2_000 + year?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day) && year < 2_100;
    (is_date && hours < 24 && minutes < 60 && seconds < 60)
        .then(|| ((days(year, month, day) * 24 + hours) * 60 + minutes) * 60 + seconds)
}

/// The days from 1970 to a date from 2000 to 2099, in which every fourth year is a leap year.
fn days(year: u64, month: u64, day: u64) -> u64 {
    const BEFORE: [u64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    /// From 1970 to 2000.
    const TO_2000: u64 = 10_957;
    let years = year.saturating_sub(2_000);
    let leap_days = years.div_ceil(4) + u64::from(month > 2 && years.is_multiple_of(4));
    let months = usize::try_from(month.saturating_sub(1)).ok().and_then(|month| BEFORE.get(month));
    TO_2000 + 365 * years + leap_days + months.unwrap_or(&0) + day.saturating_sub(1)
}

/// The moment at which a second began.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Edge {
    /// The second, 0 to 59.
    second: u8,
    /// The TSC at the last poll before it and at the first one after it.
    before: u64,
    after: u64,
}

/// The TSC's frequency in kHz; `None` if no real-time clock runs, or this CPU was descheduled at nearly every edge.
pub fn khz() -> Option<u64> {
    let mut edges = [None; EDGES];
    for seen in 0..EDGES {
        let edge = next_edge()?;
        if let Some(khz) = edges[..seen].iter().flatten().find_map(|&earlier| between(earlier, edge)) {
            return Some(khz);
        }
        edges[seen] = Some(edge);
    }
    None
}

/// The frequency in kHz from two edges; `None` if they are not sharp.
fn between(from: Edge, to: Edge) -> Option<u64> {
    let seconds = u64::from((to.second + 60 - from.second) % 60);
    let cycles = to.before.checked_sub(from.before)?.checked_div(seconds)?;
    let khz = cycles / 1000;
    (from.is_sharp(cycles) && to.is_sharp(cycles) && khz > 0).then_some(khz)
}

impl Edge {
    /// Whether its moment is known well enough, for a second of `cycles`.
    fn is_sharp(self, cycles: u64) -> bool {
        self.after.saturating_sub(self.before) <= cycles / EDGE_PER_SECOND
    }
}

/// Waits for the second to change.
fn next_edge() -> Option<Edge> {
    let first = seconds()?;
    let mut edge = Edge { second: first, before: tsc::read_ordered(), after: 0 };
    let deadline = edge.before.saturating_add(Clock::AT_MOST.cycles(SECOND_US));
    loop {
        let second = seconds()?;
        let now = tsc::read_ordered();
        if second != first {
            return Some(Edge { second, after: now, ..edge });
        }
        if now >= deadline {
            return None;
        }
        edge.before = now;
    }
}

/// The seconds, if two readings agree; `None` if there are none.
fn seconds() -> Option<u8> {
    let deadline = tsc::read().saturating_add(Clock::AT_MOST.cycles(UPDATE_US));
    loop {
        let (one, other) = (read(SECONDS), read(SECONDS));
        if one == other {
            return from_bcd(one);
        }
        if tsc::read() >= deadline {
            return None;
        }
    }
}

/// Decodes BCD, in which every PC's clock counts. A value that is no second comes from no clock.
fn from_bcd(byte: u8) -> Option<u8> {
    let (tens, ones) = (byte >> 4, byte & 0xf);
    (tens < 6 && ones < 10).then_some(tens * 10 + ones)
}

fn read(register: u8) -> u8 {
    // SAFETY: the real-time clock's ports; nothing else in this kernel uses them, and reading the time has no effect.
    unsafe { port::write_u8(INDEX, register) };
    // SAFETY: as above.
    unsafe { port::read_u8(DATA) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(second: u8, before: u64, width: u64) -> Edge {
        Edge { second, before, after: before + width }
    }

    #[test]
    fn divides_by_the_seconds_between_two_edges() {
        let second = 2_600_000_000;
        assert_eq!(between(edge(7, 1000, 5000), edge(8, 1000 + second, 5000)), Some(2_600_000));
        assert_eq!(between(edge(58, 0, 5000), edge(1, 3 * second, 5000)), Some(2_600_000));
    }

    #[test]
    fn ignores_an_edge_that_may_have_been_much_earlier() {
        let second = 2_600_000_000;
        assert_eq!(between(edge(7, 0, 5000), edge(8, second, 3_000_000)), None);
        assert_eq!(between(edge(7, 0, 3_000_000), edge(8, second, 5000)), None);
        assert_eq!(between(edge(7, 5, 1), edge(7, 6, 1)), None);
        assert_eq!(between(edge(7, 6, 1), edge(8, 5, 1)), None);
    }

    #[test]
    fn counts_seconds_from_1970() {
        let bcd = |date: [u8; 6]| decode(date, BY_24_HOURS);
        assert_eq!(bcd([0, 0, 0, 0x01, 0x01, 0x00]), Some(946_684_800));
        assert_eq!(bcd([0x59, 0x59, 0x23, 0x29, 0x02, 0x24]), Some(1_709_251_199));
        assert_eq!(bcd([0, 0, 0, 0x01, 0x03, 0x24]), Some(1_709_251_200));
        assert_eq!(bcd([0, 0, 0, 0x28, 0x02, 0x00]), Some(951_696_000));
        assert_eq!(bcd([0, 0, 0, 0x01, 0x03, 0x00]), Some(951_868_800));
        assert_eq!(bcd([0x59, 0x59, 0x23, 0x31, 0x12, 0x99]), Some(4_102_444_799));
        // In binary, and by 12 hours: noon, and half past midnight.
        assert_eq!(decode([0, 0, 12, 21, 11, 26], BINARY | BY_24_HOURS), Some(1_795_262_400));
        assert_eq!(decode([0, 0, 12 | AFTERNOON, 21, 11, 26], BINARY), Some(1_795_262_400));
        assert_eq!(decode([0, 30, 12, 21, 11, 26], BINARY), Some(1_795_262_400 - 41_400));
    }

    #[test]
    fn every_day_has_one_number_and_each_is_the_next() {
        let lengths =
            |year: u64| [31, 28 + u64::from(year.is_multiple_of(4)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let mut due = 10_957;
        for (year, month) in (2_000..2_100).flat_map(|year| (1..=12).map(move |month| (year, month))) {
            for day in 1..=lengths(year)[usize::try_from(month).unwrap() - 1] {
                assert_eq!(days(year, month, day), due, "{year}-{month}-{day}");
                due += 1;
            }
        }
    }

    #[test]
    fn takes_no_time_from_ports_that_nothing_answers() {
        assert_eq!(decode([0xff; 6], 0xff), None);
        assert_eq!(decode([0; 6], 0), None);
    }

    #[test]
    fn reads_bcd_and_nothing_else() {
        assert_eq!([0x00, 0x09, 0x59].map(from_bcd), [Some(0), Some(9), Some(59)]);
        assert_eq!([0x0a, 0x60, 0xff].map(from_bcd), [None; 3]);
    }
}
