//! The registry: every workload, and the controls that fail at it.

use abi::Digest;

use crate::{BadParameter, Expectation, Needs, Parameter, Room, Units, Words, Workload};

/// Finds a workload by its name.
pub type Lookup = fn(&str) -> Option<&'static dyn Workload>;

/// A set of workloads, made by [`workloads!`](crate::workloads).
#[derive(Debug)]
pub struct Registry(#[doc(hidden)] pub &'static [Entry]);

/// A line of a registry.
#[derive(Debug)]
pub struct Entry {
    /// The workload that is measured.
    pub workload: &'static dyn Workload,
    /// The programs that are given its task and fail at it.
    pub controls: &'static [Control],
}

/// A control: a program that is given the task of a workload and fails at it, in a way that the gate must notice.
#[derive(Debug)]
pub struct Control {
    /// Its name: that of its program.
    pub name: &'static str,
    /// The workload whose task it is given.
    pub of: &'static dyn Workload,
}

impl Registry {
    /// The workloads that are measured.
    pub fn measured(&self) -> impl Iterator<Item = &'static dyn Workload> + use<> {
        self.0.iter().map(|entry| entry.workload)
    }

    /// The controls.
    pub fn controls(&self) -> impl Iterator<Item = &'static dyn Workload> + use<> {
        let controls = self.0.iter().flat_map(|entry| entry.controls);
        controls.map(|control| control as &'static dyn Workload)
    }

    /// Every workload, controls included.
    pub fn all(&self) -> impl Iterator<Item = &'static dyn Workload> + use<> {
        self.measured().chain(self.controls())
    }

    /// The workload of this name, which may be a control.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&'static dyn Workload> {
        self.all().find(|workload| workload.name() == name)
    }

    /// The names of all programs: workloads, controls and slowed builds.
    pub fn programs(&self) -> impl Iterator<Item = &'static str> + use<> {
        let slowed = self.measured().flat_map(Workload::slowed).map(|slowed| slowed.program);
        self.all().map(Workload::name).chain(slowed)
    }
}

/// The task and its answer are the workload's; the name is its own, and so is the failure.
impl Workload for Control {
    fn name(&self) -> &'static str {
        self.name
    }

    fn control_of(&self) -> Option<&'static str> {
        Some(self.of.name())
    }

    fn units(&self) -> Units {
        self.of.units()
    }

    fn parameters(&self) -> &'static [Parameter] {
        self.of.parameters()
    }

    fn example(&self) -> Words {
        self.of.example()
    }

    fn needs(&self) -> Needs {
        self.of.needs()
    }

    fn room(&self, params: Words) -> Room {
        self.of.room(params)
    }

    fn chunk_root(&self, params: Words, challenge: u64) -> (u32, Digest) {
        self.of.chunk_root(params, challenge)
    }

    fn chunks(&self, params: Words, challenge: u64) -> Vec<Digest> {
        self.of.chunks(params, challenge)
    }

    fn check(&self, whole: Words) -> Result<(), BadParameter> {
        self.of.check(whole)
    }

    fn expectation(&self, params: Words, challenge: u64) -> Expectation {
        self.of.expectation(params, challenge)
    }

    fn split(&self, whole: Words, workers: u16) -> Vec<Words> {
        self.of.split(whole, workers)
    }

    fn join(&self, parts: &[Words]) -> Option<Words> {
        self.of.join(parts)
    }

    fn cut_points(&self, whole: Words) -> Option<Vec<u64>> {
        self.of.cut_points(whole)
    }
}

/// Declares a [`Registry`]: a line for each [`Task`](crate::Task), with the names of its controls, if it has any.
#[macro_export]
macro_rules! workloads {
    (
        $(#[$meta:meta])*
        $visibility:vis static $NAME:ident;
        $($Task:path $(, failed by $($control:literal)+)?;)+
    ) => {
        $(#[$meta])*
        $visibility static $NAME: $crate::Registry = $crate::Registry(&[$({
            static WORKLOAD: $crate::Typed<$Task> = $crate::Typed::new();
            $crate::Entry {
                workload: &WORKLOAD,
                controls: &[$($($crate::Control { name: $control, of: &WORKLOAD }),+)?],
            }
        }),+]);
    };
}
