//! Which host CPUs a guest is given, and who says so.

use std::ffi::OsString;

use abi::wire::record::SystemName;
use anyhow::{Context, Result, ensure};
use host_parser::results::{Pinning, System};
use qemu::{CpuSet, HostTopology};

/// Where the set can come from, after the option: our own name for it, and the one that shell harnesses know.
const VARIABLES: [&str; 2] = ["ASSAY_QEMU_CPUS", "CAPOS_SMP_SCALE_QEMU_TASKSET_CPUS"];
/// The harnesses' name for the Linux guest's.
const LINUX_VARIABLE: &str = "LINUX_SMP_SCALE_QEMU_TASKSET_CPUS";

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
    /// The set for our own guests: that of [`HostCpus::choose_for`] them alone.
    ///
    /// # Errors
    /// The same.
    pub fn choose(option: Option<&str>) -> Result<Self> {
        Self::choose_for(option, &[System::Assay])
    }

    /// The set for a session of `systems`: all of them get the same. It is what `option` names, else what the first
    /// environment variable does which is not empty; the Linux guest's own counts where it takes part, and first where
    /// our kernel does not.
    ///
    /// # Errors
    /// A list that is none, CPUs that this process may not use, or variables that want the systems on different CPUs.
    pub fn choose_for(option: Option<&str>, systems: &[System]) -> Result<Self> {
        let takes_part = |name| systems.iter().any(|system| system.name() == name);
        let variable =
            |name: &'static str| Some((name, std::env::var_os(name).filter(|list| !list.is_empty())?));
        let linux = variable(LINUX_VARIABLE).filter(|_| takes_part(SystemName::Linux));
        let ours = VARIABLES.into_iter().find_map(variable);
        let asked = match option {
            Some(list) => Some(("--cpus", OsString::from(list))),
            None if takes_part(SystemName::Assay) => {
                agree(ours.as_ref(), linux.as_ref())?;
                ours.or(linux)
            }
            None => linux.or(ours),
        };
        let allowed = CpuSet::allowed().context("reading this process's CPU affinity")?;
        let Some((asked_by, list)) = asked else {
            return Ok(Self { set: None, asked_by: "", available: allowed });
        };
        let set = parse(asked_by, &list)?;
        set.check_within(&allowed).context(asked_by)?;
        Ok(Self { set: Some(set.clone()), asked_by, available: set })
    }

    /// In words.
    pub fn tell(&self) -> String {
        let unknown = match self.cores() {
            Some(_) => "",
            None => " (which of them share a core is not known here: each counts as one)",
        };
        match &self.set {
            Some(set) => format!("pinned to host CPUs {set} by {}{unknown}", self.asked_by),
            None => format!("on host CPUs {}, not pinned{unknown}", self.available),
        }
    }

    /// How many cores they are; `None` where the host does not tell.
    fn cores(&self) -> Option<u16> {
        HostTopology::here().cores(&self.available).map(|cores| u16::try_from(cores).unwrap_or(u16::MAX))
    }

    /// For the report.
    pub fn describe(&self) -> Option<Pinning> {
        let set = self.set.as_ref()?;
        Some(Pinning { host_cpus: set.to_string(), asked_by: self.asked_by.to_owned(), cores: self.cores() })
    }
}

/// A variable and its value.
type Asked = (&'static str, OsString);

/// Whether both variables, where both are set, name the same CPUs: what ran on other CPUs cannot be compared.
fn agree(ours: Option<&Asked>, linux: Option<&Asked>) -> Result<()> {
    let (Some((our_name, ours)), Some((linux_name, linux))) = (ours, linux) else { return Ok(()) };
    let (our_set, linux_set) = (parse(our_name, ours)?, parse(linux_name, linux)?);
    ensure!(
        our_set == linux_set,
        "{our_name} is {our_set} and {linux_name} is {linux_set}: systems on different host CPUs cannot be compared; \
         name one set with --cpus, or run each by itself with --systems"
    );
    Ok(())
}

fn parse(asked_by: &'static str, list: &OsString) -> Result<CpuSet> {
    list.to_string_lossy().parse().context(asked_by)
}
