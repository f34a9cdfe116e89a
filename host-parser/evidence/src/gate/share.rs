//! Keeps once what is equal in many measurements.

use std::sync::Arc;

use abi::wire::record::Phase;

use super::machine::MachineReport;
use super::measurement::{Clock, Measurement, Subject};

/// Parts of earlier measurements.
#[derive(Debug, Default)]
pub(super) struct Shared {
    subjects: Recent<Subject>,
    machines: Recent<MachineReport>,
    clocks: Recent<Clock>,
    phases: Recent<[Phase]>,
}

impl Shared {
    /// Replaces the parts of a measurement by equal ones of earlier measurements.
    pub fn share(&mut self, measurement: &mut Measurement) {
        self.subjects.share(&mut measurement.subject);
        self.machines.share(&mut measurement.machine);
        self.clocks.share(&mut measurement.clock);
        self.phases.share(&mut measurement.phases);
    }
}

/// The last different values of one part, the last one that was asked for first.
#[derive(Debug)]
struct Recent<T: ?Sized>(Vec<Arc<T>>);

impl<T: ?Sized> Default for Recent<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// How many values are compared: the cases of a log differ in them, and there are few.
const COMPARED: usize = 8;

impl<T: PartialEq + ?Sized> Recent<T> {
    fn share(&mut self, part: &mut Arc<T>) {
        match self.0.iter().position(|known| known == part) {
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
