//! What a machine that was loaded must have kept, and what must not pass unnoticed: judged from its own records, and from what
//! the VMM printed of it before and after.

use abi::wire::Record;
use abi::wire::record::{Clocks, Held, Kept, KeptCpu, Offset, TimerState, Warp};

use super::outcome::{Check, Verdict};

/// What was held, by the records of the answer to `hold`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    pub held: Held,
    pub clocks: Clocks,
}

/// What was found, by the records of the answer to `check`.
#[derive(Clone, Debug)]
pub(super) struct After {
    pub kept: Kept,
    pub cpus: Vec<KeptCpu>,
    pub clocks: Clocks,
    pub warp: Option<Warp>,
    pub offsets: Vec<Offset>,
}

/// The frequencies by which a machine's clocks count.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    pub tsc_khz: u64,
    pub second_hz: u64,
    pub second_bits: u16,
}

/// How long a machine was away between the two, by the host's clock, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Away {
    /// From the end of the first answer to the begin of the second.
    pub wall_us: u64,
    /// Of that, how long it ran at most.
    pub ran_us: u64,
}

/// What the checks are called, in their order.
pub(super) const MEMORY: &str = "memory";
pub(super) const FPU: &str = "fpu";
pub(super) const APIC: &str = "apic";
pub(super) const TIMER: &str = "timer";
pub(super) const TSC: &str = "tsc-offsets";
pub(super) const CLOCKS: &str = "clocks-agree";

impl Before {
    /// Those of an answer.
    pub fn of(records: &[Record]) -> Option<Self> {
        let held = records.iter().find_map(|record| match record {
            Record::Held(held) => Some(*held),
            _ => None,
        })?;
        Some(Self { held, clocks: clocks(records)? })
    }
}

impl After {
    /// Those of an answer.
    pub fn of(records: &[Record]) -> Option<Self> {
        let kept = records.iter().find_map(|record| match record {
            Record::Kept(kept) => Some(*kept),
            _ => None,
        })?;
        let (mut cpus, mut offsets, mut warp) = (Vec::new(), Vec::new(), None);
        for record in records {
            match record {
                Record::KeptCpu(cpu) => cpus.push(*cpu),
                Record::Offset(offset) => offsets.push(*offset),
                Record::Warp(found) => warp = Some(*found),
                _ => {}
            }
        }
        Some(Self { kept, cpus, clocks: clocks(records)?, warp, offsets })
    }
}

fn clocks(records: &[Record]) -> Option<Clocks> {
    records.iter().find_map(|record| match record {
        Record::Clocks(clocks) => Some(*clocks),
        _ => None,
    })
}

impl Rates {
    /// Those that an answer, or a boot, states.
    pub fn of(records: &[Record]) -> Option<Self> {
        let tsc_khz = records.iter().find_map(|record| match record {
            Record::Tsc(tsc) => Some(tsc.khz),
            _ => None,
        })?;
        let second = records.iter().find_map(|record| match record {
            Record::SecondClock(second) => Some(*second),
            _ => None,
        })?;
        Some(Self { tsc_khz, second_hz: second.hz, second_bits: second.bits })
    }
}

/// What the guest itself must have kept, one check for each kind of state.
pub(super) fn kept(before: &Before, after: &After) -> Vec<Check> {
    let (held, Kept { bytes, digest, wrong, .. }) = (before.held, after.kept);
    let is_kept = bytes == held.bytes && bytes > 0 && digest == held.digest && wrong == 0;
    let memory = format!("{} MiB, {wrong} words wrong, digest {digest} of {}", bytes >> 20, held.digest);
    let of_cpus = |name, unit, bytes: fn(&KeptCpu) -> u16| {
        let wrong: u32 = after.cpus.iter().map(|cpu| u32::from(bytes(cpu))).sum();
        let is_whole = after.cpus.len() == usize::from(held.cpus) && held.cpus > 0;
        Check::new(name, is_whole && wrong == 0, format!("{} CPUs, {wrong} {unit} wrong", after.cpus.len()))
    };
    let fired: Vec<_> = after.cpus.iter().filter(|cpu| cpu.timer != TimerState::None).collect();
    let is_right =
        fired.len() == usize::from(held.timers) && fired.iter().all(|cpu| cpu.timer == TimerState::Fired);
    let late = fired.iter().map(|cpu| cpu.late_us).max().unwrap_or(0);
    let words: Vec<_> = fired.iter().map(|cpu| cpu.timer.word()).collect();
    let timer = match held.timers {
        // The timer of the CPU that waits for commands is no record; without it there is no answer.
        0 => Check::not_applicable(TIMER, "one CPU, whose own timer fired: it answered"),
        _ => Check::new(TIMER, is_right, format!("{}; at most {late} us late", words.join(", "))),
    };
    vec![
        Check::new(MEMORY, is_kept, memory),
        of_cpus(FPU, "bytes of x87 and SSE", |cpu| cpu.fpu),
        of_cpus(APIC, "registers", |cpu| cpu.apic),
        timer,
        offsets(after),
    ]
}

/// Whether the TSCs of all CPUs are in step after the machine was loaded.
fn offsets(after: &After) -> Check {
    let Some(warp) = after.warp.filter(|warp| warp.cpus > 1) else {
        return Check::not_applicable(TSC, "one CPU");
    };
    let worst = after.offsets.iter().map(|offset| offset.least_ns.max(-offset.most_ns)).max();
    let is_tested = after.offsets.len() + 1 == usize::from(warp.cpus) && warp.least > 0;
    let within: Vec<_> =
        after.offsets.iter().map(|offset| format!("{} to {} ns", offset.least_ns, offset.most_ns)).collect();
    let is_in_step = worst.is_some_and(|worst| worst <= 0) && warp.max_warp == 0;
    Check::new(TSC, is_tested && is_in_step, within.join(", "))
}

/// How much the machine's clocks went on between the two answers, in microseconds: the TSC, the second clock, and the real-time
/// clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct WentOn {
    pub tsc_us: u64,
    pub second_us: Option<u64>,
    pub rtc_us: Option<u64>,
}

impl WentOn {
    pub fn between(before: &Clocks, after: &Clocks, rates: Rates) -> Self {
        let us = |count: u64, hz: u64| {
            u64::try_from(u128::from(count) * 1_000_000 / u128::from(hz.max(1))).unwrap_or(u64::MAX)
        };
        let mask = u64::MAX.checked_shr(64_u32.saturating_sub(rates.second_bits.into())).unwrap_or(0);
        let seconds = after.seconds.zip(before.seconds);
        Self {
            tsc_us: us(after.tsc.wrapping_sub(before.tsc), rates.tsc_khz * 1000),
            second_us: (rates.second_hz > 0)
                .then(|| us(after.count.wrapping_sub(before.count) & mask, rates.second_hz)),
            rtc_us: seconds.map(|(after, before)| after.saturating_sub(before) * 1_000_000),
        }
    }
}

/// How far the TSC and the second clock may be apart, in microseconds, beyond a hundredth.
const APART_US: u64 = 20_000;
/// The real-time clock counts whole seconds, so two readings are known to two of them.
const RTC_US: u64 = 2_000_000;

/// Whether the TSC and the second clock agree on the time, and neither has counted more than passed.
pub(super) fn clocks_agree(went_on: WentOn, away: Away) -> Check {
    let WentOn { tsc_us, second_us, .. } = went_on;
    let detail = format!(
        "TSC {} ms, second clock {} ms, ran {} ms, away {} ms",
        tsc_us / 1000,
        second_us.map_or_else(|| "-".to_owned(), |us| (us / 1000).to_string()),
        away.ran_us / 1000,
        away.wall_us / 1000,
    );
    let is_alike = second_us.is_none_or(|us| us.abs_diff(tsc_us) <= APART_US + tsc_us / 100);
    let is_possible = tsc_us <= away.wall_us + away.wall_us / 100 + APART_US;
    Check::new(CLOCKS, is_alike && is_possible, detail)
}

/// What the machine could notice of its pause: by how much its real-time clock has gone on without its TSC, or its TSC without it
/// having run. `None` if it has no such clock.
pub(super) fn noticed_us(went_on: WentOn, away: Away) -> Option<u64> {
    let by_tsc = went_on.tsc_us.saturating_sub(away.ran_us + RTC_US);
    let by_rtc = went_on.rtc_us?.saturating_sub(went_on.tsc_us + RTC_US);
    Some(by_tsc.max(by_rtc))
}

/// Whether a pause of a machine is noticed, and no pause is reported if there was none.
pub(super) fn pause(name: &'static str, went_on: WentOn, away: Away, was_away: bool) -> Check {
    let Some(noticed) = noticed_us(went_on, away) else {
        return Check::not_applicable(name, "the machine has no real-time clock");
    };
    let paused = away.wall_us.saturating_sub(away.ran_us);
    let detail = format!(
        "away {} ms; its clocks differ by {} ms more than two seconds",
        paused / 1000,
        noticed / 1000
    );
    Check::new(name, (noticed > 0) == was_away, detail)
}

/// Whether two texts or two files of a stopped machine are the same.
pub(super) fn same(name: &'static str, is_same: bool, what: &str) -> Check {
    Check::new(name, is_same, format!("{what}: {}", if is_same { "the same" } else { "they differ" }))
}

/// The checks whose verdict a control must change, and no other.
pub(super) fn spoilt_alone(name: &str, checks: &[Check]) -> bool {
    checks.iter().all(|check| match check.verdict {
        Verdict::Holds => check.name != name,
        Verdict::Fails => check.name == name,
        Verdict::NotApplicable => check.name != name,
    })
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
