//! Keeps once what is equal in many measurements.

use std::sync::Arc;

use super::measurement::{Measurement, Report, Setting};
use super::sample::Task;

/// Parts of earlier measurements.
#[derive(Debug, Default)]
pub(super) struct Shared {
    settings: Recent<Setting>,
    reports: Recent<Report>,
    tasks: Recent<Task>,
}

impl Shared {
    /// Replaces the parts of a measurement by equal ones of earlier measurements.
    pub fn share(&mut self, measurement: &mut Measurement) {
        // Nothing else has the report of a new measurement, so this is no copy.
        self.settings.share(&mut Arc::make_mut(&mut measurement.report).setting, PartialEq::eq);
        self.reports.share(&mut measurement.report, is_same);
        let workers = measurement.samples.iter_mut().flat_map(|sample| &mut sample.workers);
        workers.for_each(|worker| self.tasks.share(&mut worker.task, PartialEq::eq));
    }
}

/// Whether two reports are equal, whose equal settings are one.
fn is_same(one: &Report, other: &Report) -> bool {
    let Report { plan, challenge, setting, clock, phases, platform } = one;
    Arc::ptr_eq(setting, &other.setting)
        && (plan, challenge) == (&other.plan, &other.challenge)
        && (clock, phases, platform) == (&other.clock, &other.phases, &other.platform)
}

/// The last different values of one part, the last one that was asked for first.
#[derive(Debug)]
struct Recent<T>(Vec<Arc<T>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// How many values are compared: the cases of a log differ in them, and there are few.
const COMPARED: usize = 8;

impl<T> Recent<T> {
    fn share(&mut self, part: &mut Arc<T>, is_same: fn(&T, &T) -> bool) {
        match self.0.iter().position(|known| is_same(known, part)) {
            Some(at) => {
                self.0[..=at].rotate_right(1);
                part.clone_from(&self.0[0]);
            }
            None => {
                self.0.truncate(COMPARED - 1);
                self.0.insert(0, Arc::clone(part));
            }
        }
    }
}
