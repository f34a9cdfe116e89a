//! The ELF of the workload and of the mechanisms' tasks in the ramdisk, and the corpus.

use abi::Digest;
use abi::grant::Copies;
use abi::plan::{self, Plan};
use abi::ramdisk::{self, CORPORA, RamdiskError, WORKERS};
use abi::wire::Label;
use abi::wire::record::{Blob, Corpus as CorpusRecord, MechanismProgram};

use crate::sink::Sink;
use crate::user::elf::{ElfError, ElfImage};
use crate::user::{Corpus, Program, layout};

/// Why the workload's ELF cannot be run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BlobError {
    /// The ramdisk is damaged.
    Ramdisk(RamdiskError),
    /// The ramdisk does not hold it.
    Missing,
    /// Its SHA-256 is not the plan's.
    OtherHash,
    /// It cannot be loaded.
    Elf(ElfError),
    /// The ramdisk does not hold the plan's corpus.
    NoCorpus,
    /// The corpus has another SHA-256 than the plan's.
    OtherCorpus,
    /// The corpus is empty, or larger than the room for it.
    CorpusSize,
}

impl BlobError {
    /// The code of the `error` record.
    pub const CODE: &'static str = "blob";

    /// A short text for records.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Ramdisk(error) => error.message(),
            Self::Missing => "the ramdisk has no such worker",
            Self::OtherHash => "the worker's sha256 is not the plan's",
            Self::Elf(error) => error.message(),
            Self::NoCorpus => "the ramdisk has no such corpus",
            Self::OtherCorpus => "the corpus's sha256 is not the plan's",
            Self::CorpusSize => "the corpus is empty or too large",
        }
    }
}

/// Finds the plan's workload and its corpus in `ramdisk`, emits the `blob` and `corpus` records, and checks them.
///
/// # Errors
/// The ELF is missing, is not the one that the plan names, or cannot be loaded; the corpus likewise. The records are
/// emitted even for another ELF or corpus.
pub fn load<'a>(plan: &Plan<'_>, ramdisk: &'a [u8], sink: &mut impl Sink) -> Result<Program<'a>, BlobError> {
    let plan::Workload { name, sha256, .. } = plan.workload;
    let found = find(name, ramdisk)?;
    let Found { bytes, sha256: has, .. } = found;
    sink.record(Blob { name, bytes, sha256: has }.into());
    let image = found.image(sha256)?;
    let corpus = plan.corpus.map(|corpus| load_corpus(&corpus, ramdisk, sink)).transpose()?;
    Ok(Program { image, needs: plan.needs, corpus })
}

fn load_corpus<'a>(
    corpus: &plan::Corpus,
    ramdisk: &'a [u8],
    sink: &mut impl Sink,
) -> Result<Corpus<'a>, BlobError> {
    let plan::Corpus { name, sha256: expected, copies } = *corpus;
    let found = ramdisk::find(ramdisk, CORPORA, name.as_str());
    let bytes = found.map_err(BlobError::Ramdisk)?.ok_or(BlobError::NoCorpus)?;
    let (sha256, length) = (Digest::of(bytes), bytes.len() as u64);
    sink.record(CorpusRecord { name, bytes: length, sha256, copies }.into());
    if sha256 != expected {
        return Err(BlobError::OtherCorpus);
    }
    if length == 0 || length > layout::MAX_CORPUS_BYTES {
        return Err(BlobError::CorpusSize);
    }
    Ok(Corpus { bytes, is_shared: copies == Copies::One })
}

/// Finds the program of the mechanisms' tasks, as [`load`] does the plan's workload. Returns it and its ELF.
///
/// # Errors
/// As for [`load`].
pub fn load_tasks<'a>(
    asked: &plan::Mechanisms,
    ramdisk: &'a [u8],
    sink: &mut impl Sink,
) -> Result<(Program<'a>, &'a [u8]), BlobError> {
    let plan::Mechanisms { program, sha256, memory_mib, shared_kib, .. } = *asked;
    let found = find(program, ramdisk)?;
    let Found { file, bytes, sha256: has } = found;
    sink.record(MechanismProgram { name: program, bytes, sha256: has }.into());
    let image = found.image(sha256)?;
    let needs = plan::Needs { memory_mib, shared_kib, ..plan::Needs::NONE };
    Ok((Program { image, needs, corpus: None }, file))
}

/// An ELF in the ramdisk.
#[derive(Clone, Copy)]
struct Found<'a> {
    file: &'a [u8],
    bytes: u32,
    sha256: Digest,
}

fn find(name: Label, ramdisk: &[u8]) -> Result<Found<'_>, BlobError> {
    let found = ramdisk::find(ramdisk, WORKERS, name.as_str());
    let file = found.map_err(BlobError::Ramdisk)?.ok_or(BlobError::Missing)?;
    Ok(Found { file, bytes: u32::try_from(file.len()).unwrap_or(u32::MAX), sha256: Digest::of(file) })
}

impl<'a> Found<'a> {
    /// Its image, if it is the one that the plan names.
    fn image(&self, expected: Digest) -> Result<ElfImage<'a>, BlobError> {
        if self.sha256 != expected {
            return Err(BlobError::OtherHash);
        }
        ElfImage::parse(self.file, layout::IMAGE_LIMIT - layout::IMAGE).map_err(BlobError::Elf)
    }
}
