//! When everything happens: the stamps, and all that depends on when an iteration ran.

use abi::wire::Record;
use abi::wire::record::Moment;

use super::Guest;
use super::chance::Chance;

/// How much of the second clock passes in a microsecond.
pub const PER_MICRO: u64 = 100;
/// The TSC at the time 0 of the stamps.
const TSC_AT_ZERO: u64 = 3_000_000_000;
/// From `case-ready` to the first mark, and to the end of the last warm-up.
const READY_US: u64 = 20;
const WARM_UP_US: u64 = 21_200;
/// The real-time clock at the time 0 of the stamps, in microseconds.
const RTC_AT_ZERO_US: u64 = 1_795_262_400_400_000;
/// From there to the common start.
pub(super) const LEAD_US: u64 = 2_000;
/// From the end of the last worker to the last mark, and to `case-begin`.
const BACK_US: u64 = 12;
const PACE_CHECK_US: u64 = 900;
const LAST_US: u64 = 950;

pub(super) fn cycles_in(micros: u64, khz: u64) -> u64 {
    u64::try_from(u128::from(micros) * u128::from(khz) / 1_000).expect("a TSC that has not wrapped around")
}

fn tsc_at(micros: u64, khz: u64) -> u64 {
    TSC_AT_ZERO + cycles_in(micros, khz)
}

/// Fills in everything that depends on when an iteration ran, and returns each record's stamp in microseconds.
pub(super) fn place_in_time(records: &mut [Record], guest: &Guest) -> Vec<u64> {
    let khz = guest.khz;
    let (mut now, mut stamps) = (20_000, Vec::with_capacity(records.len()));
    let (mut ready, mut ended) = (0, 0);
    for at in 0..records.len() {
        now += 731;
        let makespan = makespan_us(&records[at..], khz);
        match &mut records[at] {
            Record::CaseReady(_) => ready = now,
            Record::CaseBegin(begin) => {
                let start = ready + warm_up_us(guest, begin.case, begin.iter) + LEAD_US;
                begin.start_tsc = tsc_at(start, khz);
                ended = start + makespan;
                now = ended + LAST_US;
            }
            Record::Mark(mark) => {
                let micros = match mark.moment {
                    Moment::Ready => ready + READY_US,
                    Moment::Warm => ready + warm_up_us(guest, mark.case, mark.iter),
                    Moment::Back => ended + BACK_US,
                    Moment::Done => {
                        ended + PACE_CHECK_US + guest.chance((mark.case, mark.iter, Chance::CHECK), 32)
                    }
                };
                (mark.tsc, mark.count) = (tsc_at(micros, khz), micros * PER_MICRO);
            }
            Record::Seconds(seconds) => {
                (seconds.tsc, seconds.count) = (tsc_at(now, khz), (RTC_AT_ZERO_US + now) / 1_000_000);
            }
            _ => {}
        }
        stamps.push(now);
    }
    stamps
}

fn warm_up_us(guest: &Guest, case: u16, iter: u16) -> u64 {
    WARM_UP_US + guest.chance((case, iter, Chance::WARM_UP), 256)
}

/// How long the workers of the first case in `records` took together, in microseconds; 0 if there is none.
fn makespan_us(records: &[Record], khz: u64) -> u64 {
    let makespan = records.iter().find_map(|record| match record {
        Record::CaseEnd(end) => Some(end.makespan),
        _ => None,
    });
    let micros = u128::from(makespan.unwrap_or(0)) * 1_000 / u128::from(khz);
    u64::try_from(micros).expect("not for ever") + 1
}
