//! The TSC's frequency from the seconds of the real-time clock (Motorola, "MC146818A", section "Time, calendar, and alarm
//! locations"). It takes two seconds, so it is a last resort: a microVM without PIT, HPET and PM timer has nothing else.
#![expect(unsafe_code, reason = "reads the real-time clock by port")]

use harness::clock::Clock;
use harness::x86::tsc;

use crate::x86::port;

const INDEX: u16 = 0x70;
const DATA: u16 = 0x71;
/// The highest bit of the index port, which masks NMIs, stays clear.
const SECONDS: u8 = 0x00;

/// How long to wait for the next second, in microseconds.
const SECOND_US: u64 = 1_500_000;
/// How long two readings may differ, in microseconds: an update takes at most 2 ms.
const UPDATE_US: u64 = 5_000;
/// The most edges that are observed until two are sharp.
const EDGES: usize = 10;
/// An edge is sharp if the polls around it are at most this fraction of a second apart.
const EDGE_PER_SECOND: u64 = 1_000;

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
    fn reads_bcd_and_nothing_else() {
        assert_eq!([0x00, 0x09, 0x59].map(from_bcd), [Some(0), Some(9), Some(59)]);
        assert_eq!([0x0a, 0x60, 0xff].map(from_bcd), [None; 3]);
    }
}
