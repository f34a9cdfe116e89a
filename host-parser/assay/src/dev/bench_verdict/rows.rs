//! The rows of a recording: two identical ones, and one for each slowed build of the workload.

use std::path::Path;

use anyhow::anyhow;
use experiment::plan::WorkerBlob;
use lab::{Coded, Exit, GuestEnv, OrExit};
use workloads::{Slowed, Workload};

/// The folders of the two identical rows.
pub const SAME: [&str; 2] = ["a1", "a2"];

/// A row of a recording, before its program is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RowName {
    /// The folder of its session.
    pub folder: &'static str,
    /// The program that is booted under the workload's name; `None` for the workload's own program.
    pub program: Option<&'static str>,
    /// How much slower it is, in percent.
    pub percent: u16,
}

/// The two identical rows, and the rows that are slower by one of `percents`; every slowed row if it is empty.
///
/// # Errors
/// A percentage that the workload has no build for.
pub fn named_rows(workload: &dyn Workload, percents: &[u16]) -> anyhow::Result<Vec<RowName>> {
    let known: Vec<u16> = workload.slowed().iter().map(|slowed| slowed.percent).collect();
    if let Some(unknown) = percents.iter().find(|percent| !known.contains(percent)) {
        let known: Vec<_> = known.iter().map(u16::to_string).collect();
        let (name, known) = (workload.name(), known.join(", "));
        return Err(anyhow!("--percent {unknown}: {name} has slowed builds of {known} percent"));
    }
    let mut rows = all(workload);
    rows.retain(|row| row.percent == 0 || percents.is_empty() || percents.contains(&row.percent));
    Ok(rows)
}

/// The rows of the recording in `folder`: the two identical ones, and the slowed ones that have a folder there.
pub fn recorded(workload: &dyn Workload, folder: &Path) -> Vec<RowName> {
    let mut rows = all(workload);
    rows.retain(|row| row.percent == 0 || folder.join(row.folder).is_dir());
    rows
}

/// Every row; the first two are identical.
fn all(workload: &dyn Workload) -> Vec<RowName> {
    let same = SAME.map(|folder| RowName { folder, program: None, percent: 0 });
    // A slowed program's folder is its own name.
    let slowed = workload.slowed().iter().map(|&Slowed { program, percent }| RowName {
        folder: program,
        program: Some(program),
        percent,
    });
    same.into_iter().chain(slowed).collect()
}

impl RowName {
    /// What its guests are made of: `env` with this row's program, under the name of the worker.
    ///
    /// # Errors
    /// The program is not in the folder `workers`.
    pub fn env(&self, env: &GuestEnv, workers: &Path) -> Result<GuestEnv, Coded> {
        let mut env = env.clone();
        if let Some(program) = self.program {
            let slowed = WorkerBlob::load(workers, program).or_exit(Exit::Environment)?;
            env.blob = env.blob.with_bytes(slowed.bytes().to_vec());
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
            named_rows(workload, percents).unwrap().into_iter().map(|row| row.folder).collect::<Vec<_>>()
        };
        let slowed = workload.slowed().iter().map(|slowed| slowed.program);
        assert_eq!(folders(&[]), SAME.into_iter().chain(slowed).collect::<Vec<_>>());
        assert_eq!(folders(&[percent]), [SAME[0], SAME[1], program]);
        let said = named_rows(workload, &[percent, 77]).unwrap_err().to_string();
        assert!(said.starts_with("--percent 77: ") && said.contains(&percent.to_string()), "{said}");
        // A control has none.
        let control = REGISTRY.controls().next().unwrap();
        assert_eq!(named_rows(control, &[]).unwrap().len(), SAME.len());
    }
}
