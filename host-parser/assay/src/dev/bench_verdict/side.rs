//! The sides: two that are the same bytes, and one for each slowed build of the workload.

use std::path::Path;

use anyhow::anyhow;
use experiment::plan::WorkerBlob;
use lab::{Coded, Exit, GuestEnv, OrExit};
use workloads::{Slowed, Workload};

/// The folders of the two sides that are the same.
pub const SAME: [&str; 2] = ["a1", "a2"];

/// A side, and the name of its session's folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SideName {
    /// The folder's name.
    pub folder: &'static str,
    /// The program that is booted under the workload's name; none for the workload's own.
    pub program: Option<&'static str>,
    /// By how many percent it is slower.
    pub percent: u16,
}

/// The two that are the same, and those that are slower by one of `percents`; all of these if it is empty.
///
/// # Errors
/// A percentage that the workload has no build for.
pub fn sides(workload: &dyn Workload, percents: &[u16]) -> anyhow::Result<Vec<SideName>> {
    let known: Vec<u16> = workload.slowed().iter().map(|slowed| slowed.percent).collect();
    if let Some(unknown) = percents.iter().find(|percent| !known.contains(percent)) {
        let known: Vec<_> = known.iter().map(u16::to_string).collect();
        let (name, known) = (workload.name(), known.join(", "));
        return Err(anyhow!("--percent {unknown}: {name} has slowed builds of {known} percent"));
    }
    let takes_part =
        |side: &SideName| side.percent == 0 || percents.is_empty() || percents.contains(&side.percent);
    Ok(all(workload).into_iter().filter(takes_part).collect())
}

/// The sides of the recording in `folder`: the two that are the same, and those of the slowed that took part.
pub fn recorded(workload: &dyn Workload, folder: &Path) -> Vec<SideName> {
    let took_part = |side: &SideName| side.percent == 0 || folder.join(side.folder).is_dir();
    all(workload).into_iter().filter(took_part).collect()
}

/// All of them; the first two are the same.
fn all(workload: &dyn Workload) -> Vec<SideName> {
    let same = SAME.map(|folder| SideName { folder, program: None, percent: 0 });
    // A slowed program's folder is its own name.
    let slowed = workload.slowed().iter().map(|&Slowed { program, percent }| SideName {
        folder: program,
        program: Some(program),
        percent,
    });
    same.into_iter().chain(slowed).collect()
}

impl SideName {
    /// What its guests are made of: `env` with the program of this side in place of its worker, by the worker's name.
    ///
    /// # Errors
    /// The program is not in the folder `workers`.
    pub fn env(&self, env: &GuestEnv, workers: &Path) -> Result<GuestEnv, Coded> {
        let mut env = env.clone();
        if let Some(program) = self.program {
            let slowed = WorkerBlob::load(workers, program).or_exit(Exit::Environment)?;
            env.blob = WorkerBlob::new(env.blob.name(), slowed.bytes().to_vec());
        }
        Ok(env)
    }
}

#[cfg(test)]
mod tests {
    use workloads::REGISTRY;

    use super::*;

    #[test]
    fn takes_all_slowed_builds_of_the_workload_or_those_that_are_named() {
        let workload = REGISTRY.measured().find(|workload| workload.slowed().len() > 1).unwrap();
        let Slowed { program, percent } = workload.slowed()[1];
        let folders = |percents: &[u16]| {
            sides(workload, percents).unwrap().into_iter().map(|side| side.folder).collect::<Vec<_>>()
        };
        let slowed = workload.slowed().iter().map(|slowed| slowed.program);
        assert_eq!(folders(&[]), SAME.into_iter().chain(slowed).collect::<Vec<_>>());
        assert_eq!(folders(&[percent]), [SAME[0], SAME[1], program]);
        let said = sides(workload, &[percent, 77]).unwrap_err().to_string();
        assert!(said.starts_with("--percent 77: ") && said.contains(&percent.to_string()), "{said}");
        // A control has none.
        let control = REGISTRY.controls().next().unwrap();
        assert_eq!(sides(control, &[]).unwrap().len(), SAME.len());
    }
}
