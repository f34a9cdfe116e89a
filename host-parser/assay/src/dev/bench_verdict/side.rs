//! The sides: two that are the same bytes, and one for each slowed build.

use std::path::Path;

use host_parser::plan::WorkerBlob;
use lab::{Coded, Exit, GuestEnv, OrExit};
use user_workers::reference::SLOWED;

/// A side, and the name of its session's folder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SideName {
    /// The folder's name.
    pub folder: &'static str,
    /// The program that is booted as `primes`; none for `primes` itself.
    pub program: Option<&'static str>,
    /// By how many percent it is slower.
    pub percent: u16,
}

/// The two that are the same, and those that are slower by one of `percents`.
pub fn sides(percents: &[u16]) -> Vec<SideName> {
    all().into_iter().filter(|side| side.percent == 0 || percents.contains(&side.percent)).collect()
}

/// The sides of the recording in `folder`: the two that are the same, and those of the slowed that took part.
pub fn recorded(folder: &Path) -> Vec<SideName> {
    all().into_iter().filter(|side| side.percent == 0 || folder.join(side.folder).is_dir()).collect()
}

/// All of them; the first two are the same.
fn all() -> Vec<SideName> {
    let same = ["a1", "a2"].map(|folder| SideName { folder, program: None, percent: 0 });
    // A slowed program's folder is its own name.
    let slowed =
        SLOWED.map(|(program, percent)| SideName { folder: program, program: Some(program), percent });
    same.into_iter().chain(slowed).collect()
}

impl SideName {
    /// What its guests are made of: `lab` with the program of this side in place of its worker, by the worker's name.
    ///
    /// # Errors
    /// The program is not in the folder `workers`.
    pub fn lab(&self, lab: &GuestEnv, workers: &Path) -> Result<GuestEnv, Coded> {
        let mut lab = lab.clone();
        if let Some(program) = self.program {
            let slowed = WorkerBlob::load(workers, program).or_exit(Exit::Environment)?;
            lab.blob = WorkerBlob::new(lab.blob.name(), slowed.bytes().to_vec());
        }
        Ok(lab)
    }
}
