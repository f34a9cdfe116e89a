//! The host CPUs that a guest gets, and the option or variable that named them.

use std::ffi::{OsStr, OsString};
use std::io;

use abi::wire::record::SystemName;

use crate::{CpuSet, CpuSetError, HostTopology};

/// The variables that can name the set if the option does not: our own, and the one that shell harnesses set.
const VARIABLES: [&str; 2] = ["ASSAY_QEMU_CPUS", "CAPOS_SMP_SCALE_QEMU_TASKSET_CPUS"];
/// The harnesses' variable for the Linux guest.
const LINUX_VARIABLE: &str = "LINUX_SMP_SCALE_QEMU_TASKSET_CPUS";

/// A set of host CPUs, and the option or variable that named it.
#[derive(Clone, Debug)]
pub struct HostCpus {
    /// The set to pin to; `None` leaves the scheduler free.
    pub set: Option<CpuSet>,
    asked_by: &'static str,
    /// All CPUs that the guest can run on.
    pub available: CpuSet,
}

/// Why no set of host CPUs can be chosen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PinningError {
    /// The system did not return this process's CPU affinity.
    #[error("reading this process's CPU affinity: {0}")]
    Affinity(io::Error),
    /// An option or variable that is not a CPU list, or that names CPUs which this process may not use.
    #[error("{asked_by}: {source}")]
    List {
        /// The option or variable.
        asked_by: &'static str,
        /// What is wrong.
        source: CpuSetError,
    },
    /// Two variables name different CPUs for the two systems.
    #[error(
        "{} is {} and {} is {}: systems on different host CPUs cannot be compared; name one set with --cpus, or run each by \
         itself with --systems", .ours.0, .ours.1, .linux.0, .linux.1
    )]
    Disagree {
        /// The variable for our own guests, and its set.
        ours: (&'static str, CpuSet),
        /// The variable for the Linux guest, and its set.
        linux: (&'static str, CpuSet),
    },
}

impl HostCpus {
    /// The set for a session of our own guests only.
    ///
    /// # Errors
    /// As [`HostCpus::choose_for`].
    pub fn choose(option: Option<&str>) -> Result<Self, PinningError> {
        Self::choose_for(option, &[SystemName::Assay])
    }

    /// The one set for all `systems` of a session. `option` comes first, then the first environment variable that is not
    /// empty. The Linux guest's variable counts only if the Linux guest takes part, and comes first if our kernel does
    /// not.
    ///
    /// # Errors
    /// A malformed list, CPUs that this process may not use, or variables that name different CPUs for the systems.
    pub fn choose_for(option: Option<&str>, systems: &[SystemName]) -> Result<Self, PinningError> {
        let linux = variable(LINUX_VARIABLE).filter(|_| systems.contains(&SystemName::Linux));
        let ours = VARIABLES.into_iter().find_map(variable);
        let asked = match option {
            Some(list) => Some(("--cpus", OsString::from(list))),
            None if systems.contains(&SystemName::Assay) => {
                agree(ours.as_ref(), linux.as_ref())?;
                ours.or(linux)
            }
            None => linux.or(ours),
        };
        let allowed = CpuSet::allowed().map_err(PinningError::Affinity)?;
        let Some((asked_by, list)) = asked else {
            return Ok(Self { set: None, asked_by: "", available: allowed });
        };
        let set = parse(asked_by, &list)?;
        set.check_within(&allowed).map_err(|source| PinningError::List { asked_by, source })?;
        Ok(Self { set: Some(set.clone()), asked_by, available: set })
    }

    /// The option or variable that named the set; empty if none did.
    #[must_use]
    pub const fn asked_by(&self) -> &'static str {
        self.asked_by
    }

    /// One line for the report: the CPUs, whether the guest is pinned to them, and by what.
    #[must_use]
    pub fn describe(&self) -> String {
        let unknown = match self.cores() {
            Some(_) => "",
            None => " (the host does not show which of them share a core: each counts as one)",
        };
        match &self.set {
            Some(set) => format!("pinned to host CPUs {set} by {}{unknown}", self.asked_by),
            None => format!("on host CPUs {}, not pinned{unknown}", self.available),
        }
    }

    /// How many cores the available CPUs are on; `None` if the host does not show it.
    #[must_use]
    pub fn cores(&self) -> Option<u16> {
        HostTopology::here().cores(&self.available).map(|cores| u16::try_from(cores).unwrap_or(u16::MAX))
    }
}

/// A variable and its value.
type Asked = (&'static str, OsString);

/// A variable that is set and not empty.
fn variable(name: &'static str) -> Option<Asked> {
    Some((name, std::env::var_os(name).filter(|list| !list.is_empty())?))
}

/// Refuses two variables that name different CPUs: systems on different CPUs cannot be compared.
fn agree(ours: Option<&Asked>, linux: Option<&Asked>) -> Result<(), PinningError> {
    let (Some((our_name, ours)), Some((linux_name, linux))) = (ours, linux) else { return Ok(()) };
    let (our_set, linux_set) = (parse(our_name, ours)?, parse(linux_name, linux)?);
    if our_set == linux_set {
        return Ok(());
    }
    Err(PinningError::Disagree { ours: (*our_name, our_set), linux: (*linux_name, linux_set) })
}

fn parse(asked_by: &'static str, list: &OsStr) -> Result<CpuSet, PinningError> {
    CpuSet::from_list_without_repeats(&list.to_string_lossy())
        .map_err(|source| PinningError::List { asked_by, source })
}
