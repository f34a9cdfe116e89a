//! JSON Schemas of what this crate serialises by hand. The fixtures of crate `schema` hold these forms to what is written.

use std::borrow::Cow;
use std::num::NonZeroU64;

use abi::wire::Hex64;
use abi::wire::record::Phase;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::evidence::FunctionalOnly;
use super::exclusion::Exclusion;
use super::machine::MachineReport;
use super::measurement::{Clock, Conditions, Cycles, Identity, Measurement, Sweep};
use super::platform_rows::PlatformRows;
use super::reason::ReasonCode;
use super::sample::{Basis, Sample, WorkerSample};

/// What a run measured, and under which conditions.
#[derive(JsonSchema)]
#[schemars(rename = "Measurement")]
#[expect(dead_code, reason = "the form of what is serialised by hand")]
struct MeasurementForm {
    identity: Identity,
    machine: MachineReport,
    clock: Clock,
    functional_only: Option<FunctionalOnly>,
    phases: Vec<Phase>,
    /// Cases of the plan that the machine was too small for.
    skipped: Vec<u16>,
    sweep: Option<Sweep>,
    /// Left out if nothing was watched.
    #[schemars(skip_serializing_if = "Option::is_none")]
    conditions: Option<Conditions>,
    /// Left out if the plan asked for no platform rows.
    #[schemars(skip_serializing_if = "Option::is_none")]
    platform: Option<PlatformRows>,
    samples: Vec<Sample>,
}

/// The times of one iteration of one case.
#[derive(JsonSchema)]
#[schemars(rename = "Sample")]
#[expect(dead_code, reason = "the form of what is serialised by hand")]
struct SampleForm {
    /// The case, named by how many workers it has.
    case: u16,
    /// The iteration, from 0.
    iteration: u16,
    /// Why its iteration is excluded.
    set_aside: Option<Exclusion>,
    /// Whether workers shared a core.
    smt: bool,
    /// Its time; `basis` says which.
    cycles: Cycles,
    basis: Basis,
    /// Cycles from the first worker's start to the last worker's end.
    makespan: Cycles,
    /// Cycles of the longest worker.
    longest: Cycles,
    /// Cycles from the first worker's start to the last worker's.
    start_spread: Cycles,
    workers: Vec<WorkerSample>,
}

/// One worker of a sample.
#[derive(JsonSchema)]
#[schemars(rename = "WorkerSample")]
#[expect(dead_code, reason = "the form of what is serialised by hand")]
struct WorkerSampleForm {
    /// The worker's number, from 0.
    worker: u16,
    /// The CPU it ran on.
    cpu: u16,
    params: [u64; 4],
    /// Cycles from the common start to its first clock reading.
    skew: Cycles,
    /// Cycles of its timed region.
    cycles: Cycles,
    /// The same, shifted right by 20.
    scaled: u32,
    /// Interrupts on its CPU in its timed region.
    irqs: u16,
    /// The pace check just before.
    reads_before: u32,
    /// The pace check just after.
    reads_after: u32,
    /// The clock of its CPU, in kHz; left out if it is not known.
    #[schemars(skip_serializing_if = "Option::is_none")]
    effective_khz: Option<NonZeroU64>,
    answer: u64,
    work: u64,
    digest: Hex64,
}

macro_rules! by_form {
    ($($type:ident as $form:ident;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                $form::json_schema(generator)
            }
        }
    )*};
}

by_form! {
    Measurement as MeasurementForm;
    Sample as SampleForm;
    WorkerSample as WorkerSampleForm;
}

impl JsonSchema for Exclusion {
    fn schema_name() -> Cow<'static, str> {
        "Exclusion".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "The reason's code, the run if one shows it, and what it shows." })
    }
}

/// A code, and no list of them: new reasons do not change the version (docs/GATE.md has the table).
impl JsonSchema for ReasonCode {
    fn schema_name() -> Cow<'static, str> {
        "ReasonCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[a-z0-9-]+$", "description": "The table is in docs/GATE.md." })
    }
}
