//! The experiment's own values: its name, cases, gate and timeouts.

use std::time::Duration;

use abi::plan::{MAX_WARM_UP_MS, MAX_WORKERS, WARM_UP_MS};
use abi::wire::Label;
use evidence::gate::Scaling;
use toml::Spanned;

use super::super::MAX_ITERATIONS;
use super::super::profile::{Gate, Sweep, Tier, Timeouts};
use super::super::raw::{RawCases, RawGate, RawManifest, RawTimeouts};
use super::Checker;

impl Checker<'_> {
    /// The experiment's name.
    pub(super) fn name(&mut self, name: &Spanned<String>) -> Option<Label> {
        // The results' folder has the same name.
        let label = Label::new(name.get_ref()).filter(|label| !label.as_str().starts_with(['.', '-']));
        if label.is_none() {
            let expected = "a name of 1 to 32 of A-Z a-z 0-9 . _ + -, not beginning with . or -";
            self.refuse("name", name.span(), expected);
        }
        label
    }

    /// The sweep, if it replaces the list of cases.
    pub(super) fn sweep(&mut self, raw: &RawCases, tier: Tier) -> Option<Sweep> {
        let key = "cases.sweep";
        let Some(sweep) = &raw.sweep else {
            if raw.workers.is_none() {
                let expected = "expected a list workers, or sweep = \"powers-of-two\", found neither";
                self.note("cases", 0..0, expected.to_owned());
            }
            return None;
        };
        if raw.workers.is_some() {
            self.refuse(key, sweep.span(), "either this or cases.workers, not both");
        }
        if tier == Tier::Control {
            self.refuse(key, sweep.span(), "a list cases.workers in the tier \"control\"");
        }
        Some(*sweep.get_ref())
    }

    /// How the work grows. What weak scaling does not have is refused where it stands.
    pub(super) fn scaling(&mut self, raw: &RawManifest) -> Scaling {
        let scaling = raw.cases.scaling.as_ref().map_or(Scaling::Strong, |scaling| *scaling.get_ref());
        if scaling == Scaling::Weak {
            if let Some(sweep) = &raw.cases.sweep {
                self.refuse("cases.sweep", sweep.span(), "a list cases.workers in weak scaling");
            }
            if let Some(gate) = &raw.gate {
                let expected = "no claim in weak scaling, whose ratio of times is an efficiency";
                self.refuse("gate.min-speedup", gate.min_speedup.span(), expected);
            }
            if let Some(shared) = &raw.workload.shared_kib {
                let expected = "none in weak scaling, in which workers share nothing";
                self.refuse("workload.shared-kib", shared.span(), expected);
            }
        }
        scaling
    }

    /// How often a boot runs its case.
    pub(super) fn iterations(&mut self, raw: &RawCases, tier: Tier) -> u16 {
        let key = "cases.iterations";
        let Some(value) = &raw.iterations else { return 1 };
        if raw.sweep.is_some() {
            self.refuse(key, value.span(), "none beside a sweep, whose rounds are iterations");
        } else if tier == Tier::Control {
            self.refuse(key, value.span(), "none in the tier \"control\", in which the control decides");
        }
        self.number(key, value, 1..=MAX_ITERATIONS)
    }

    /// How long each worker is warmed up, in milliseconds.
    pub(super) fn warm_up_ms(&mut self, raw: &RawCases) -> u32 {
        let value = raw.warm_up_ms.as_ref();
        value.map_or(WARM_UP_MS, |value| self.number("cases.warm-up-ms", value, 0..=MAX_WARM_UP_MS))
    }

    /// The cases, none larger than the machine type allows; `None` if there is no list.
    pub(super) fn cases(&mut self, raw: &RawCases, max_cpus: u16) -> Vec<u16> {
        let key = "cases.workers";
        let mut cases = Vec::new();
        let Some(workers) = &raw.workers else { return cases };
        for value in workers.get_ref() {
            let workers = self.number(key, value, 1..=max_cpus);
            if cases.contains(&workers) && i64::from(workers) == *value.get_ref() {
                self.refuse(key, value.span(), "each number of workers once");
            }
            cases.push(workers);
        }
        if cases.is_empty() {
            self.refuse(key, workers.span(), "at least one number of workers");
        }
        cases
    }

    /// The gate; `None` if it names a case that does not exist.
    pub(super) fn gate(&mut self, raw: &RawGate, cases: &[u16], sweep: Option<Sweep>) -> Option<Gate> {
        let mut case = |key: &str, value: &Spanned<i64>| {
            let workers = u16::try_from(*value.get_ref()).ok().filter(|&workers| workers <= MAX_WORKERS);
            let there = |&workers: &u16| match sweep {
                Some(sweep) => sweep.has(workers),
                None => cases.contains(&workers),
            };
            let found = workers.filter(there);
            if found.is_none() {
                let expected = if sweep.is_some() {
                    "a case of the sweep"
                } else {
                    "one of the numbers in cases.workers"
                };
                self.refuse(key, value.span(), expected);
            }
            found
        };
        let from = case("gate.from-workers", &raw.from_workers);
        let to = case("gate.to-workers", &raw.to_workers);
        let (from_workers, to_workers) = from.zip(to)?;
        let min_speedup = *raw.min_speedup.get_ref();
        let ideal = f64::from(to_workers) / f64::from(from_workers);
        if from_workers >= to_workers {
            self.refuse("gate.to-workers", raw.to_workers.span(), "more workers than gate.from-workers");
        } else if !(min_speedup > 0.0 && min_speedup <= ideal) {
            let expected = format!("a number above 0 and at most {ideal}, the ideal");
            self.refuse("gate.min-speedup", raw.min_speedup.span(), &expected);
        }
        Some(Gate { from_workers, to_workers, min_speedup })
    }

    /// The timeouts.
    pub(super) fn timeouts(&mut self, raw: &RawTimeouts) -> Timeouts {
        /// A day: far more than any step takes, and within the range of the plan's milliseconds.
        const MOST: u32 = 86_400;
        let boot: u32 = self.number("timeouts.boot-seconds", &raw.boot_seconds, 1..=MOST);
        let worker: u32 = self.number("timeouts.worker-seconds", &raw.worker_seconds, 1..=MOST);
        let run: u32 = self.number("timeouts.run-seconds", &raw.run_seconds, 1..=2 * MOST);
        if run < boot + worker && *raw.run_seconds.get_ref() > 0 {
            let expected = "at least timeouts.boot-seconds and timeouts.worker-seconds together";
            self.refuse("timeouts.run-seconds", raw.run_seconds.span(), expected);
        }
        let [boot, worker, run] = [boot, worker, run].map(|seconds| Duration::from_secs(seconds.into()));
        Timeouts { boot, worker, run }
    }
}
