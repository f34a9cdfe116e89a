//! The sides: two that are the same bytes, and one for each slowed build.

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

/// All of them; the first two are the same.
pub fn all() -> Vec<SideName> {
    let same = ["a1", "a2"].map(|folder| SideName { folder, program: None, percent: 0 });
    // A slowed program's folder is its own name.
    let slowed =
        SLOWED.map(|(program, percent)| SideName { folder: program, program: Some(program), percent });
    same.into_iter().chain(slowed).collect()
}
