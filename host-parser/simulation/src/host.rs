//! A simulated host: what slows each CPU, and when.

use abi::random::SplitMix64;

use crate::recorded::Trace;
use crate::timeline::{Presence, Timeline, unit};

/// What a source of slowness does to a CPU while it is there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Effect {
    /// The CPU takes this many times as long. Nothing accounts for it: only pace checks show it.
    Slow(f64),
    /// The CPU is taken away. The scheduler's account has it as run delay.
    Taken,
}

/// A source of slowness.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    pub effect: Effect,
    pub presence: Presence,
    /// The CPUs that it meets; each by itself, unless `together`.
    pub cpus: &'static [u16],
    /// Whether all CPUs meet it at the same times.
    pub together: bool,
    /// The fewest workers of a case that it slows: 1 for a neighbour, 2 for what only vCPUs side by side have.
    pub from_case: u16,
}

/// One source's timeline on its CPUs.
#[derive(Clone, Debug)]
struct Present {
    effect: Effect,
    cpus: Vec<u16>,
    from_case: u16,
    timeline: Timeline,
}

/// One stay of what slows a CPU: its source, and when it began, in us (recorded: when it ended).
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Stay {
    source: Option<usize>,
    at_us: i64,
}

/// A host with its sources.
#[derive(Clone, Debug)]
pub struct Host {
    present: Vec<Present>,
    random: SplitMix64,
    /// By how much the CPUs' clock falls in an hour of simulated time, as a part.
    drift: f64,
    /// Recorded noise.
    trace: Option<Trace>,
}

impl Host {
    /// `recorded` adds the recorded noise, with so much quiet time after each repetition, in ms.
    pub(crate) fn new(sources: &[Source], drift: f64, recorded: Option<f64>, seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut present = Vec::new();
        for source in sources {
            let groups: Vec<Vec<u16>> = match source.together {
                true => vec![source.cpus.to_vec()],
                false => source.cpus.iter().map(|&cpu| vec![cpu]).collect(),
            };
            for cpus in groups {
                let timeline = Timeline::new(source.presence, &mut random);
                let (effect, from_case) = (source.effect, source.from_case);
                present.push(Present { effect, cpus, from_case, timeline });
            }
        }
        let trace = recorded.map(|quiet_ms| Trace::new(quiet_ms, unit(&mut random)));
        Self { present, random, drift, trace }
    }

    pub(crate) const fn random(&mut self) -> &mut SplitMix64 {
        &mut self.random
    }

    /// Makes what happens from `from` to `to`, in ms.
    pub(crate) fn cover(&mut self, from: f64, to: f64) {
        for present in &mut self.present {
            present.timeline.cover(from, to, &mut self.random);
        }
    }

    /// The speed of a CPU in a case at a time, 0 if it is taken away, and until when that stays.
    fn speed(&self, cpu: u16, case: u16, at: f64) -> (f64, f64) {
        let (recorded, mut until) =
            self.trace.as_ref().map_or((1.0, f64::INFINITY), |trace| trace.at(cpu, at));
        let mut speed = recorded * (1.0 - self.drift * at / 3_600_000.0);
        for present in self.present.iter().filter(|of| case >= of.from_case && of.cpus.contains(&cpu)) {
            let (is_there, change) = present.timeline.at(at);
            until = until.min(change);
            speed *= match present.effect {
                _ if !is_there => 1.0,
                Effect::Slow(times) => 1.0 / times,
                Effect::Taken => 0.0,
            };
        }
        (speed, until.max(at + 1e-6))
    }

    /// The stays that slow a CPU in a case between `from` and `to`, in ms.
    pub(crate) fn stays(&self, cpu: u16, case: u16, from: f64, to: f64) -> impl Iterator<Item = Stay> {
        let meets = move |present: &Present| case >= present.from_case && present.cpus.contains(&cpu);
        let sources = self.present.iter().enumerate().filter(move |(_, present)| meets(present));
        let begun = sources.flat_map(move |(source, present)| {
            present.timeline.begun(from, to).map(move |at| (Some(source), at))
        });
        let recorded = self.trace.iter().flat_map(move |trace| trace.slowed(cpu, from, to));
        begun.chain(recorded.map(|at| (None, at))).map(|(source, at)| Stay { source, at_us: micros(at) })
    }

    /// The work that a CPU does from `from` to `to`, in ms of an undisturbed CPU, and for how long it was taken away.
    pub(crate) fn work(&self, cpu: u16, case: u16, from: f64, to: f64) -> (f64, f64) {
        let (mut at, mut done, mut taken) = (from, 0.0, 0.0);
        while at < to {
            let (speed, until) = self.speed(cpu, case, at);
            let next = until.min(to);
            done += speed * (next - at);
            taken += if speed > 0.0 { 0.0 } else { next - at };
            at = next;
        }
        (done, taken)
    }

    /// When a CPU has done `work`, in ms of an undisturbed CPU, if it begins at `from`.
    pub(crate) fn end(&self, cpu: u16, case: u16, from: f64, work: f64) -> f64 {
        let (mut at, mut left) = (from, work);
        loop {
            let (speed, until) = self.speed(cpu, case, at);
            if speed > 0.0 && left <= speed * (until - at) {
                return at + left / speed;
            }
            left -= speed * (until - at);
            at = until;
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "far below 2^63")]
fn micros(ms: f64) -> i64 {
    (ms * 1e3).round() as i64
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const HALF: Source = Source {
        effect: Effect::Slow(2.0),
        presence: Presence::Random { part: 0.5, mean_ms: 20.0 },
        cpus: &[0, 1],
        together: false,
        from_case: 2,
    };

    #[test]
    fn a_source_is_there_for_its_part_and_slows_only_its_cases() {
        let mut host = Host::new(&[HALF], 0.0, None, 3);
        host.cover(0.0, 100_000.0);
        let (done, taken) = host.work(0, 2, 0.0, 90_000.0);
        assert!((done / 90_000.0 - 0.75).abs() < 0.02 && taken == 0.0, "{done}");
        assert!((host.work(0, 1, 0.0, 90_000.0).0 - 90_000.0).abs() < 1e-3);
        let apart = (0..900).filter(|at| {
            let of = |cpu| host.speed(cpu, 2, f64::from(*at) * 100.0).0;
            of(0) != of(1)
        });
        assert!((350..550).contains(&apart.count()));
    }

    #[test]
    fn a_stay_is_one_however_often_it_is_met() {
        let mut host = Host::new(&[HALF], 0.0, Some(0.0), 3);
        host.cover(0.0, 5_000.0);
        let of = |cpu, case, from, to| host.stays(cpu, case, from, to).collect::<BTreeSet<_>>();
        let whole = of(0, 2, 0.0, 4_000.0);
        let parts: BTreeSet<_> =
            (0..40).flat_map(|part| of(0, 2, f64::from(part) * 100.0, f64::from(part + 1) * 100.0)).collect();
        assert_eq!(parts, whole);
        // 40 ms from one to the next, and what was recorded, in which case 1 is alone.
        let recorded = of(0, 1, 0.0, 4_000.0);
        assert!((60..140).contains(&(whole.len() - recorded.len())) && recorded.is_subset(&whole));
        assert!(of(1, 2, 0.0, 4_000.0).iter().any(|stay| !whole.contains(stay)));
    }

    #[test]
    fn work_takes_until_it_is_done() {
        let taken = Source { effect: Effect::Taken, together: true, from_case: 1, ..HALF };
        let mut host = Host::new(&[HALF, taken], 0.05, None, 4);
        host.cover(0.0, 10_000.0);
        for (cpu, case, from) in [(0, 1, 0.0), (1, 2, 17.3), (0, 2, 400.0)] {
            let end = host.end(cpu, case, from, 50.0);
            let (done, _) = host.work(cpu, case, from, end);
            assert!((done - 50.0).abs() < 1e-3, "{done}");
        }
    }
}
