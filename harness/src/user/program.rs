//! What the workers of a plan run: their image, and the corpus that they read.

use super::elf::ElfImage;
use super::layout::Granted;
use abi::plan::Needs;

/// A program with everything that a plan grants its workers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Program<'a> {
    /// Its image.
    pub image: ElfImage<'a>,
    /// What each worker needs.
    pub needs: Needs,
    /// The corpus and how many copies of it there are; nothing without one.
    pub corpus: Option<Corpus<'a>>,
}

/// The corpus.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Corpus<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Whether all workers read one copy.
    pub is_shared: bool,
}

impl Program<'_> {
    /// What each worker is granted.
    #[must_use]
    pub fn granted(&self) -> Granted {
        Granted::of(&self.needs, self.corpus.map_or(0, |corpus| corpus.bytes.len() as u64))
    }
}
