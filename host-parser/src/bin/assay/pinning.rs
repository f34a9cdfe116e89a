//! Which host CPUs a guest is given, and who says so.

use std::ffi::OsString;

use anyhow::{Context, Result};
use host_parser::results::Pinning;
use qemu::CpuSet;

/// Where the set can come from, after the option: our own name for it, and the one that shell harnesses know.
const VARIABLES: [&str; 2] = ["ASSAY_QEMU_CPUS", "CAPOS_SMP_SCALE_QEMU_TASKSET_CPUS"];

/// A set of host CPUs and where it was asked for.
#[derive(Clone, Debug)]
pub struct HostCpus {
    /// The set to pin to; `None` leaves the scheduler free.
    pub set: Option<CpuSet>,
    asked_by: &'static str,
    /// All that the guest could run on.
    pub available: CpuSet,
}

impl HostCpus {
    /// The set that `option` names, else that of the first environment variable which is not empty.
    ///
    /// # Errors
    /// A list that is none, or CPUs that this process may not use.
    pub fn choose(option: Option<&str>) -> Result<Self> {
        let option = option.map(|list| ("--cpus", OsString::from(list)));
        let variables = VARIABLES.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        let asked = option.into_iter().chain(variables.filter(|(_, list)| !list.is_empty())).next();
        let allowed = CpuSet::allowed().context("reading this process's CPU affinity")?;
        let Some((asked_by, list)) = asked else {
            return Ok(Self { set: None, asked_by: "", available: allowed });
        };
        let set: CpuSet = list.to_string_lossy().parse().context(asked_by)?;
        set.check_within(&allowed).context(asked_by)?;
        Ok(Self { set: Some(set.clone()), asked_by, available: set })
    }

    /// In words.
    pub fn tell(&self) -> String {
        match &self.set {
            Some(set) => format!("pinned to host CPUs {set} by {}", self.asked_by),
            None => format!("on host CPUs {}, not pinned", self.available),
        }
    }

    /// For the report.
    pub fn describe(&self) -> Option<Pinning> {
        let set = self.set.as_ref()?;
        Some(Pinning { host_cpus: set.to_string(), asked_by: self.asked_by.to_owned() })
    }
}
