//! A manifest as TOML has it: the right keys with the right types, and nothing said yet about their values.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::profile::{Boot, MachineType, Sweep, Tier};

/// A workload's own parameters, by name.
pub(super) type RawParameters = BTreeMap<Spanned<String>, Spanned<i64>>;

/// The whole file. What the values mean is said at [`super::Manifest`] and in [`super::profile`].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawManifest {
    pub schema: Spanned<i64>,
    pub name: Spanned<String>,
    pub tier: Spanned<Tier>,
    pub rounds: Spanned<i64>,
    pub workload: RawWorkload,
    pub cases: RawCases,
    pub gate: Option<RawGate>,
    pub oracle: RawOracle,
    pub timeouts: RawTimeouts,
    pub machine: RawMachine,
    pub control: Option<RawControl>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawWorkload {
    pub program: Spanned<String>,
    pub authority: Spanned<Vec<Spanned<String>>>,
    pub parameters: Spanned<RawParameters>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawCases {
    pub workers: Option<Spanned<Vec<Spanned<i64>>>>,
    pub sweep: Option<Spanned<Sweep>>,
    pub iterations: Option<Spanned<i64>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawGate {
    pub from_workers: Spanned<i64>,
    pub to_workers: Spanned<i64>,
    pub min_speedup: Spanned<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawOracle {
    pub answer: Spanned<i64>,
    pub work: Spanned<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawTimeouts {
    pub boot_seconds: Spanned<i64>,
    pub worker_seconds: Spanned<i64>,
    pub run_seconds: Spanned<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawMachine {
    #[serde(rename = "type")]
    pub machine_type: Spanned<MachineType>,
    pub boot: Spanned<Boot>,
    pub memory_mib: Spanned<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawControl {
    pub expect: Spanned<String>,
    pub kernel: Option<Spanned<String>>,
    pub target_cpu: Option<Spanned<i64>>,
}
