//! Whether the second clock agrees with the TSC: over the whole boot, which checks the TSC's frequency, and from each
//! moment to the next, which checks that the TSC ran at that rate throughout.
//!
//! A second clock that is derived from the TSC shows a wrong frequency only. The measurement says which one there was.

use abi::wire::record::{Mark, Moment, SecondClock, SecondSource};

use super::account::{Missing, limit_ns, missing};
use super::{Run, limits};
use crate::gate::facts::{At, Iteration};
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;

/// Judges the second clock. Needs a log without losses.
pub(in crate::gate) fn second_clock(run: &mut Run<'_>) {
    let Some(clock) = run.facts.one::<SecondClock>().filter(|_| run.whole && !run.refused()) else { return };
    if let Some(detail) = impossible(clock.is) {
        return run.add(ReasonCode::InconsistentRecord, clock.line, detail);
    }
    if clock.is.source == SecondSource::None {
        return no_counts(run);
    }
    let Some(khz) = run.facts.khz() else { return };
    let Some(counter) = Counter::of(run, clock.is, khz) else { return };
    rate(run, clock, &counter);
    intervals(run, &counter);
}

/// What no such clock is, if the record is that.
fn impossible(clock: SecondClock) -> Option<String> {
    let SecondClock { source, hz, bits, independent } = clock;
    let known = match source {
        // HPET specification 1.0a, section 2.3.4: a period of at most 100 ns; the counter has 32 or 64 bits.
        SecondSource::Hpet => {
            (10_000_000..=10_000_000_000).contains(&hz) && matches!(bits, 32 | 64) && independent
        }
        // ACPI 6.5, section 4.8.2.1.
        SecondSource::PmTimer => hz == 3_579_545 && matches!(bits, 24 | 32) && independent,
        SecondSource::ClockMonotonic => (hz, bits) == (1_000_000_000, 64),
        SecondSource::Kvmclock => (hz, bits, independent) == (1_000_000_000, 64, false),
        SecondSource::Rtc => (hz, bits, independent) == (1, 64, true),
        SecondSource::None => (hz, bits, independent) == (0, 0, false),
    };
    let independent = if independent { "independent" } else { "dependent" };
    (!known).then(|| format!("no clock `{source}` has {hz} Hz and {bits} bits and is {independent}"))
}

/// Without a second clock there is nothing to count.
fn no_counts(run: &mut Run<'_>) {
    for iteration in &run.facts.iterations {
        for mark in iteration.marks.iter().filter(|mark| mark.is.count != 0) {
            let detail = format!("{}: `mark` has a count, but there is no second clock", iteration.name());
            run.add(ReasonCode::InconsistentRecord, mark.line, detail);
        }
    }
}

/// The second clock, held against the TSC over the whole boot.
struct Counter {
    hz: u64,
    bits: u16,
    /// What the boot's iterations took by the second clock, and by the TSC, both in ns.
    boot: (u64, u64),
}

impl Counter {
    /// From the first `ready` to the last `done`.
    fn of(run: &Run<'_>, clock: SecondClock, khz: u64) -> Option<Self> {
        let (first, last) = (run.facts.iterations.first()?, run.facts.iterations.last()?);
        let (first, last) = (first.mark(Moment::Ready)?, last.mark(Moment::Done)?);
        let none = Self { hz: clock.hz, bits: clock.bits, boot: (1, 1) };
        let by_tsc = Cycles(last.is.tsc.checked_sub(first.is.tsc)?).nanos(khz)?.0;
        let by_count = none.counted(first.is, last.is, by_tsc)?;
        Some(Self { boot: (by_count, by_tsc), ..none })
    }

    /// What passed between two marks by the second clock, in ns, about `expected` ns after the first. The counter may have
    /// begun again meanwhile: of the times that fit the counts, this is the one nearest to what is expected.
    fn counted(&self, from: Mark, to: Mark, expected: u64) -> Option<u64> {
        let span = 1_u128 << self.bits;
        let modulo = u128::from(to.count).wrapping_sub(u128::from(from.count)) & (span - 1);
        let due = quotient(u128::from(expected) * u128::from(self.hz), 1_000_000_000);
        let turns = (due.saturating_sub(modulo) + span / 2) >> self.bits;
        let counts = modulo + turns * span;
        u64::try_from(quotient(counts * 1_000_000_000, self.hz)).ok()
    }

    /// How long it shows the same count, in ns. Only for the seconds of a real-time clock does that matter.
    fn resolution_ns(&self) -> u64 {
        1_000_000_000_u64.checked_div(self.hz).unwrap_or(0)
    }

    fn can_show(&self, count: u64) -> bool {
        u128::from(count) < 1 << self.bits
    }

    /// What `ns` by the TSC are by the second clock, at the boot's rate.
    fn at_rate(&self, ns: u64) -> u64 {
        let (by_count, by_tsc) = self.boot;
        u64::try_from(quotient(u128::from(ns) * u128::from(by_count), by_tsc.max(1))).unwrap_or(u64::MAX)
    }
}

/// The quotient, without a division of 128 bits if it can be: that takes longer than all else here.
fn quotient(dividend: u128, divisor: u64) -> u128 {
    match u64::try_from(dividend) {
        Ok(dividend) => (dividend / divisor).into(),
        Err(_) => dividend / u128::from(divisor),
    }
}

/// The boot's rate agrees with the TSC's frequency.
fn rate(run: &mut Run<'_>, clock: At<SecondClock>, counter: &Counter) {
    let (by_count, by_tsc) = counter.boot;
    let apart = by_count.abs_diff(by_tsc);
    let drift = u128::from(by_tsc) * u128::from(limits::RATE_PPM) / 1_000_000;
    if u128::from(apart) > drift + u128::from(limits::SECOND_MICROS * 1_000 + counter.resolution_ns()) {
        let detail = format!(
            "the iterations took {} us by the clock `{}`, and {} us by the TSC at its frequency",
            by_count / 1_000,
            clock.is.source,
            by_tsc / 1_000
        );
        run.add(ReasonCode::TscDisagree, clock.line, detail);
    }
}

/// From each moment to the next, and over each iteration, as much time passed by one clock as by the other.
fn intervals(run: &mut Run<'_>, counter: &Counter) {
    let facts = run.facts;
    let Some(khz) = facts.khz() else { return };
    let mut before: Option<At<Mark>> = None;
    for iteration in &facts.iterations {
        let [ready, warm, back, done] =
            [Moment::Ready, Moment::Warm, Moment::Back, Moment::Done].map(|at| iteration.mark(at));
        for mark in iteration.marks.iter().filter(|mark| !counter.can_show(mark.is.count)) {
            let detail = format!(
                "{}: a clock of {} bits cannot show {}",
                iteration.name(),
                counter.bits,
                mark.is.count
            );
            run.add(ReasonCode::InconsistentRecord, mark.line, detail);
        }
        let pairs = [(before, ready), (ready, warm), (warm, back), (back, done), (warm, done), (ready, done)];
        for (from, to) in pairs {
            let Some((from, to)) = from.zip(to) else { continue };
            interval(run, counter, khz, iteration, from, to);
        }
        before = done;
    }
}

fn interval(
    run: &mut Run<'_>,
    counter: &Counter,
    khz: u64,
    iteration: &Iteration,
    from: At<Mark>,
    to: At<Mark>,
) {
    // That the TSC runs backwards is another rule's finding.
    let by_tsc = to.is.tsc.checked_sub(from.is.tsc).and_then(|cycles| Cycles(cycles).nanos(khz));
    let Some(by_tsc) = by_tsc.map(|nanos| counter.at_rate(nanos.0)) else { return };
    let by_count = counter.counted(from.is, to.is, by_tsc).unwrap_or(u64::MAX);
    let limit_ns = limit_ns(limits::SECOND_MICROS, by_tsc).saturating_add(counter.resolution_ns());
    let what = format_args!(
        "from `{}` to `{}` {} us passed by the TSC, and {} us by the second clock",
        from.is.moment,
        to.is.moment,
        by_tsc / 1_000,
        by_count / 1_000
    );
    if let Some(ns) = by_count.checked_sub(by_tsc) {
        let reason = ReasonCode::TimeMissing;
        missing(
            run,
            iteration,
            Missing { line: Some(to.line), what, ns, limit_ns, reason, late_ns: 0, interruptible: false },
        );
    } else if by_tsc - by_count > limit_ns {
        let detail = format!("{}: {what} (limit {} us)", iteration.name(), limit_ns / 1_000);
        run.add(ReasonCode::TscDisagree, to.line, detail);
    }
}
