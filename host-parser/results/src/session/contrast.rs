//! What two sessions do not have in common: what must not differ, and what may and is reported.

use std::collections::BTreeSet;

use serde::Serialize;

use super::StoredSession;
use super::counted::SessionCase;
use crate::{Artifact, Environment};

/// Something in which two sessions differ.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Differing {
    /// What.
    pub what: String,
    /// In A.
    pub a: String,
    /// In B.
    pub b: String,
}

/// What is meant to differ.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Accepted {
    /// Whether the workers' programs may: two builds of one worker. Its plan names the program, and differs too; what
    /// the workers were given is then compared in its place.
    pub blobs: bool,
    /// The cases to compare; all if empty. Only they must then be the same.
    pub cases: BTreeSet<u16>,
}

/// What differs and must not, and what differs and may.
pub(super) struct Contrast {
    pub refused: Vec<Differing>,
    pub allowed: Vec<Differing>,
}

/// What stands for a value that results.json does not have.
const UNKNOWN: &str = "not known";

/// Holds B against A.
pub(super) fn contrast(a: &StoredSession, b: &StoredSession, accepted: &Accepted) -> Contrast {
    let mut refused = Vec::new();
    let mut allowed = Vec::new();
    let mut must =
        |what: &str, value: &dyn Fn(&StoredSession) -> String| compare(&mut refused, what, a, b, value);
    let mut may =
        |what: &str, value: &dyn Fn(&StoredSession) -> String| compare(&mut allowed, what, a, b, value);

    let blob = |s: &StoredSession| s.identity.blob_sha256.to_string();
    if accepted.blobs {
        may("program", &blob)
    } else {
        must("program", &blob)
    }
    must("workload", &|s| s.identity.workload.to_string());
    must("parameters", &|s| s.identity.whole.map(|param| param.to_string()).join(" "));
    must("authority", &|s| s.identity.authority.to_string());
    must("cases", &|s| join(s.chosen(accepted).map(|(case, _)| case)));
    for case in a.chosen(accepted).map(|(case, _)| case).filter(|case| b.cases.contains_key(case)) {
        let of_case = |s: &StoredSession, value: fn(&SessionCase) -> String| value(&s.cases[&case]);
        must(&format!("splits of case {case}"), &|s| of_case(s, splits));
        must(&format!("iterations of case {case}"), &|s| of_case(s, |case| join(&case.iterations)));
        if !accepted.blobs {
            must(&format!("plan of case {case}"), &|s| of_case(s, |case| join(&case.plans)));
        }
    }
    must("boot path", &|s| s.machine.firmware.to_string());
    must("accelerator", &|s| known(s.environment.accelerator.as_ref().map(|accelerator| &accelerator.name)));
    let cpu_model = |s: &StoredSession| known(s.environment.cpu_model.as_ref());
    if a.environment.vmm_name() == b.environment.vmm_name() {
        must("QEMU's CPU model", &cpu_model);
    } else {
        // Each VMM has words of its own for the host's CPU. What the guests saw of it is below.
        may("CPU model", &cpu_model);
    }
    must("further arguments of QEMU", &|s| s.environment.qemu_args.join(" "));

    may("experiment", &|s| s.experiment.clone());
    may("kernel", &|s| s.identity.build.to_string());
    may("VMM", &|s| s.environment.vmm_name().unwrap_or(UNKNOWN).to_owned());
    let same_vmm = a.environment.vmm_name() == b.environment.vmm_name();
    let version = if same_vmm && a.environment.qemu.is_some() { "QEMU" } else { "VMM's version" };
    may(version, &|s| s.environment.vmm_version().unwrap_or(UNKNOWN).to_owned());
    may("machine", &|s| known(s.environment.machine.as_ref()));
    may("memory", &|s| known(s.environment.memory_mib.map(|mib| format!("{mib} MiB")).as_ref()));
    may("guest CPU", &|s| s.machine.brand.to_string());
    may("host", &|s| host(&s.environment));
    may("pinning", &|s| pinning(&s.environment));
    Contrast { refused, allowed }
}

fn compare(
    found: &mut Vec<Differing>,
    what: &str,
    a: &StoredSession,
    b: &StoredSession,
    value: &dyn Fn(&StoredSession) -> String,
) {
    let (a, b) = (value(a), value(b));
    if a != b {
        found.push(Differing { what: what.to_owned(), a, b });
    }
}

impl StoredSession {
    /// The cases that are compared.
    pub(super) fn chosen(&self, accepted: &Accepted) -> impl Iterator<Item = (u16, &SessionCase)> {
        let all = accepted.cases.is_empty();
        let chosen = move |case: &u16| all || accepted.cases.contains(case);
        self.cases.iter().filter(move |(case, _)| chosen(case)).map(|(&case, of_case)| (case, of_case))
    }

    /// The file of this name that was booted.
    #[must_use]
    pub fn artifact(&self, name: &str) -> Option<&Artifact> {
        self.environment.artifacts.iter().find(|artifact| artifact.name == name)
    }
}

fn join<T: ToString>(values: impl IntoIterator<Item = T>) -> String {
    values.into_iter().map(|value| value.to_string()).collect::<Vec<_>>().join(" ")
}

fn known(value: Option<&String>) -> String {
    value.cloned().unwrap_or_else(|| UNKNOWN.to_owned())
}

/// The parameters of each worker; more than one set is that of runs which were not given the same.
fn splits(case: &SessionCase) -> String {
    let of_worker = |params: &[u64; 4]| join(params);
    let of_run = |workers: &Vec<[u64; 4]>| workers.iter().map(of_worker).collect::<Vec<_>>().join(", ");
    case.splits.iter().map(of_run).collect::<Vec<_>>().join("; ")
}

pub(super) fn host(environment: &Environment) -> String {
    let host = environment.host.as_ref();
    known(host.map(|host| format!("{}, {}, {} online", host.system, host.cpu, host.cpus_online)).as_ref())
}

fn pinning(environment: &Environment) -> String {
    environment.pinning.as_ref().map_or("none".to_owned(), |pinning| pinning.host_cpus.clone())
}
