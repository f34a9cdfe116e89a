//! A sealed session: session.jsonl, from which results.json, samples.csv and summary.md are derived.
//!
//! Owns the hash chain that a session writes while it runs (what it commits itself to, each probe, each run with its
//! evidence and the SHA-256 of its log, each decision, its end), its verification, and its signature. Verification
//! believes no decision and no verdict: it judges every log again and works every exclusion out again. What the host
//! observed is recorded once and can only be read. So a session that verifies shows no fault, no mistake and no
//! selection; it shows nothing against an operator who forges logs, evidence and chain together.

mod archive;
mod chain;
mod decisions;
mod entry;
mod files;
mod fits;
mod links;
mod replay;
mod sealed;
pub mod signature;
mod writer;

pub use archive::{ArchiveError, pack, unpack};
pub use chain::Chain;
pub use decisions::Decision;
pub use entry::{Commitment, End, Entry, FORM, RunEntry, SealedManifest, SealedSet};
pub use files::{CHAIN, MANIFEST, SIGNATURE, locate};
pub use links::{ChainError, LinkWriter, read_links};
pub use sealed::{Problem, SealError, SealedSession, incomplete};
pub use writer::SealWriter;
