//! The times of a run whatever the host did to it: what a user of the machine experiences.
//!
//! Owns [`Experienced`]. A run that passed has one, and so has a run that the gate refused only because the host disturbed
//! it. It is no [`Measurement`], and nothing makes one of it: what excludes a run or an iteration is not in it, so no
//! figure of the undisturbed system can be worked out from it.

use serde::Serialize;

use super::measurement::{Cycles, Measurement};
use super::sample::Basis;

/// Every time of a run, excluded iterations included.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Experienced {
    /// The frequency of its clock; `None` if no source gave one.
    khz: Option<u64>,
    times: Vec<ExperiencedTime>,
}

/// How long one iteration of one case took, whatever the host did meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ExperiencedTime {
    /// The case, named by how many workers it has.
    pub case: u16,
    /// The iteration, from 0.
    pub iteration: u16,
    /// How long it took.
    pub cycles: Cycles,
}

impl Experienced {
    /// The times of a run that the gate refused for what the host did. `None` if a worker started late and its time does
    /// not say so: the longest worker's own time leaves out how long it waited for its start.
    pub(super) fn of_refused(measured: &Measurement, late: bool) -> Option<Self> {
        let hides_a_wait = measured.samples().iter().any(|sample| sample.basis == Basis::LongestWorker);
        (!(late && hides_a_wait)).then(|| measured.experienced())
    }

    /// The times, in the order in which they ran.
    #[must_use]
    pub fn times(&self) -> &[ExperiencedTime] {
        &self.times
    }

    /// The frequency of the clock that counted them, in kHz.
    #[must_use]
    pub const fn khz(&self) -> Option<u64> {
        self.khz
    }
}

impl Measurement {
    /// Every time of the run, excluded iterations included.
    #[must_use]
    pub fn experienced(&self) -> Experienced {
        let khz = self.clock().tsc.as_ref().map(|tsc| tsc.khz);
        Experienced { khz, times: self.experienced_times().collect() }
    }

    /// The same one by one, in the order in which they ran.
    pub fn experienced_times(&self) -> impl Iterator<Item = ExperiencedTime> {
        self.samples().iter().map(|sample| ExperiencedTime {
            case: sample.case,
            iteration: sample.iteration,
            cycles: sample.experienced(),
        })
    }
}
