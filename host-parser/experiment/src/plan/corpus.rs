//! The corpus as a file of the ramdisk.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use abi::Digest;
use abi::wire::Label;

/// The seed of every corpus: a workload's reference makes the same bytes.
pub const SEED: u64 = 0;

/// A corpus and its digest. Clones share the bytes.
#[derive(Clone)]
pub struct CorpusFile(Arc<Made>);

struct Made {
    name: Label,
    bytes: Vec<u8>,
    sha256: Digest,
}

/// The corpora that were made, by size in MiB: each plan of a session has the same one.
static MADE: Mutex<BTreeMap<u16, CorpusFile>> = Mutex::new(BTreeMap::new());

impl CorpusFile {
    /// The corpus of `mib` MiB: the first bytes of the only one there is.
    #[must_use]
    pub fn of(mib: u16) -> Self {
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry(mib).or_insert_with(|| Self::make(mib)).clone()
    }

    fn make(mib: u16) -> Self {
        let mut bytes = vec![0; usize::from(mib) << 20];
        corpus::fill(&mut bytes, SEED, 0);
        let name = Label::new(&format!("corpus-{mib}-mib")).expect("such a name is a label");
        let sha256 = Digest::of(&bytes);
        Self(Arc::new(Made { name, bytes, sha256 }))
    }

    /// The name of its file.
    #[must_use]
    pub fn name(&self) -> Label {
        self.0.name
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0.bytes
    }

    /// SHA-256 of its bytes.
    #[must_use]
    pub fn sha256(&self) -> Digest {
        self.0.sha256
    }
}

impl fmt::Debug for CorpusFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.name, self.0.sha256)
    }
}
