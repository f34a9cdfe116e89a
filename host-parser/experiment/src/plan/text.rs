//! The plan's text: the cases, their splits, and each worker's expected answer.

use abi::Digest;
use abi::control::ControlKind;
use abi::plan::{self, Case, Head, Needs, Plan, PlanLine, Split};
use abi::wire::Hex64;
use workloads::{Expectation, Words, Workload};

use super::{CorpusFile, WorkerBlob};
use crate::manifest::{Manifest, Mechanisms};

/// The plan's settings that the manifest does not have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PlanOptions {
    /// How often the kernel runs each case in one boot; 1 if each round is a separate boot.
    pub iterations: u16,
    /// How long the machine stays up after its last record, in milliseconds.
    pub linger_ms: u32,
    /// The number that every worker folds into its digest.
    pub challenge: u64,
    /// Whether the rows of the platform and of the mechanisms are left out: the cases run, and nothing else.
    pub cases_only: bool,
}

impl Default for PlanOptions {
    fn default() -> Self {
        Self { iterations: 1, linger_ms: 0, challenge: 0, cases_only: false }
    }
}

/// A plan as a kernel reads it.
#[derive(Clone, Debug)]
pub struct PlanBytes {
    lines: Vec<PlanLine>,
    workload: &'static dyn Workload,
    whole: Words,
    corpus: Option<CorpusFile>,
    text: String,
    digest: Digest,
}

/// Why a plan cannot be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// The program is not the manifest's.
    #[error("the manifest's program is {wanted}, not {given}")]
    Program {
        /// The manifest's.
        wanted: &'static str,
        /// The blob's.
        given: abi::wire::Label,
    },
    /// The manifest asks for rows of mechanisms, and the program of their tasks was not loaded with the workload's.
    #[error("the program of the mechanisms' tasks was not loaded")]
    NoTasks,
    /// The workload cannot be split at cut points.
    #[error("a sweep of {0}: its parts are not ranges of its first two parameters")]
    CutPoints(&'static str),
    /// The kernel would refuse the plan: no cases, a case without workers or with too many, or no iterations.
    #[error("{0}")]
    Refused(plan::PlanError),
}

impl PlanBytes {
    /// Makes the plan for one boot that runs `cases`, each named by how many workers it has, with the program `blob`.
    ///
    /// The cases need not be the manifest's. A machine skips the cases for which it has too few CPUs. A sweep's manifest has
    /// no cases, and its plan suits a machine of any size.
    ///
    /// # Errors
    /// The program is not the manifest's, or the kernel would refuse the plan.
    pub fn new(
        manifest: &Manifest,
        blob: &WorkerBlob,
        cases: &[u16],
        options: PlanOptions,
    ) -> Result<Self, PlanError> {
        if blob.name().as_str() != manifest.program() {
            return Err(PlanError::Program { wanted: manifest.program(), given: blob.name() });
        }
        let PlanOptions { linger_ms, challenge, .. } = options;
        let head = Head { experiment: manifest.name(), linger_ms, challenge: Hex64(0) };
        let workload =
            plan::Workload { name: blob.name(), sha256: blob.sha256(), authority: manifest.authority() };
        let none = plan::Control { kind: ControlKind::None, target: 0 };
        let control = manifest.control().map_or(none, |control| control.kernel);
        let warm_up = plan::WarmUp { ms: manifest.warm_up_ms() };
        let mut lines: Vec<PlanLine> = vec![head.into(), workload.into(), control.into(), warm_up.into()];
        if manifest.needs() != Needs::NONE {
            lines.push(manifest.needs().into());
        }
        let corpus = manifest.corpus().map(|spec| CorpusFile::of(spec.mib));
        if let Some((corpus, spec)) = corpus.as_ref().zip(manifest.corpus()) {
            let (name, sha256) = (corpus.name(), corpus.sha256());
            lines.push(plan::Corpus { name, sha256, copies: spec.copies }.into());
        }
        let has_rows = !options.cases_only;
        lines.extend(manifest.platform().filter(|_| has_rows).map(PlanLine::from));
        let mechanisms = manifest.mechanisms().filter(|_| has_rows);
        if let Some(asked) = mechanisms {
            let tasks = blob.tasks().ok_or(PlanError::NoTasks)?;
            lines.push(asked.line(tasks.name(), tasks.sha256()));
        }
        let samples = manifest.most_samples().filter(|_| has_rows);
        lines.extend(samples.map(|samples| PlanLine::from(plan::Sampling { samples })));
        lines.extend(mechanisms.into_iter().flat_map(Mechanisms::profile));
        let timeout_ms = u32::try_from(manifest.timeouts().worker.as_millis()).unwrap_or(u32::MAX);
        if manifest.sweep().is_some() && cases.is_empty() {
            lines.extend(sweep(manifest, options.iterations, timeout_ms)?);
        }
        for &workers in cases {
            lines.push(Case { workers, iterations: options.iterations, timeout_ms }.into());
            lines.extend(splits(manifest, workers).map(PlanLine::from));
        }
        let plan = Self::written(lines, manifest.workload(), manifest.params(), challenge, corpus);
        Plan::parse(plan.text.as_bytes()).map_err(PlanError::Refused)?;
        Ok(plan)
    }

    /// The same plan with another challenge. Its text has the same length.
    #[must_use]
    pub fn with_challenge(&self, challenge: u64) -> Self {
        Self::written(self.lines.clone(), self.workload, self.whole, challenge, self.corpus.clone())
    }

    fn written(
        mut lines: Vec<PlanLine>,
        workload: &'static dyn Workload,
        whole: Words,
        challenge: u64,
        corpus: Option<CorpusFile>,
    ) -> Self {
        let digest = |params| Hex64(workload.expectation(params, challenge).digest);
        // What changes a seed that the earlier challenge has changed already. The head comes first.
        let mut change = 0;
        for line in &mut lines {
            match line {
                PlanLine::Head(head) => {
                    change = head.challenge.0 ^ challenge;
                    head.challenge = Hex64(challenge);
                }
                PlanLine::Split(split) => split.digest = digest([split.p0, split.p1, split.p2, split.p3]),
                PlanLine::Sweep(sweep) => {
                    sweep.digest = digest(whole);
                    sweep.seed.0 ^= change;
                }
                _ => {}
            }
        }
        let text = written(&lines);
        Self { digest: Digest::of(text.as_bytes()), text, lines, workload, whole, corpus }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The corpus that belongs into the ramdisk beside it, if there is one.
    #[must_use]
    pub const fn corpus(&self) -> Option<&CorpusFile> {
        self.corpus.as_ref()
    }

    /// The SHA-256 of its bytes, which the `start` record has too.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// What identifies the work, whatever the challenge is: see [`Plan::work_digest`].
    #[must_use]
    pub fn work_digest(&self) -> Digest {
        Plan::parse(self.text.as_bytes()).map_or(self.digest, |plan| plan.work_digest())
    }
}

/// The split and the expected answer of each of `workers`, without the digest, which the challenge decides.
fn splits(manifest: &Manifest, workers: u16) -> impl Iterator<Item = Split> {
    let workload = manifest.workload();
    let parts = manifest.parts(workers);
    (0..).zip(parts).map(|(worker, params)| {
        let Expectation { answer, work, .. } = workload.expectation(params, 0);
        let [p0, p1, p2, p3] = params;
        Split { worker, p0, p1, p2, p3, answer, work, digest: Hex64(0) }
    })
}

/// The sweep of the whole, likewise, and its cut points.
fn sweep(manifest: &Manifest, iterations: u16, timeout_ms: u32) -> Result<Vec<PlanLine>, PlanError> {
    let (workload, whole) = (manifest.workload(), manifest.params());
    let cut_points = workload.cut_points(whole).ok_or(PlanError::CutPoints(manifest.program()))?;
    let Expectation { answer, work, .. } = workload.expectation(whole, 0);
    let [_, _, p2, p3] = whole;
    let (seed, digest) = (Hex64(order_seed(manifest)), Hex64(0));
    let sweep = plan::Sweep { iterations, timeout_ms, seed, p2, p3, answer, work, digest };
    let cut_points = cut_points.into_iter().map(|at| plan::CutPoint { at }.into());
    Ok(std::iter::once(sweep.into()).chain(cut_points).collect())
}

/// The seed of the order of a sweep's cases, which the challenge changes: each boot has its own order, so that no case is
/// always the first.
fn order_seed(manifest: &Manifest) -> u64 {
    let Digest(bytes) = manifest.sha256();
    bytes.first_chunk().map_or(0, |first| u64::from_be_bytes(*first))
}

/// The lines under their header.
fn written(lines: &[PlanLine]) -> String {
    let mut text = format!("{}\n", plan::HEADER);
    for line in lines {
        plan::write_line(&mut text, line).expect("a String takes all");
    }
    text
}
