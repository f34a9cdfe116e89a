//! The gate: the rules that a run's evidence must pass before there is a measurement.
//!
//! Owns the reasons for a refusal ([`ReasonCode`]) and the only way to a [`Measurement`], [`Gate::judge`]. Never takes
//! the guest's word: it computes every answer from the parameters in the log, and every time from the workers' clock
//! readings. Knows no statistics: it judges a run before anything reads its speed.

mod build;
mod by_kind;
mod evidence;
mod exclusion;
mod experienced;
mod facts;
mod machine;
mod measurement;
mod platform_rows;
mod reason;
mod row;
mod rows;
mod rules;
mod sample;
#[cfg(feature = "schema")]
mod schema;
mod seeded;
mod share;
mod topology;
mod verdict;

pub use evidence::{
    AskedMechanisms, AskedRows, Ended, ExpectedCase, FunctionalOnly, HostEvidence, HostSteal, RunExpectation,
    VcpuDelay, WatcherDelay,
};
pub use exclusion::{Exclusion, Scope};
pub use experienced::{Experienced, ExperiencedTime};
pub use machine::{CpuPlace, MachineReport, Platform, Topology};
pub use measurement::{Clock, Conditions, Cycles, Identity, Measurement, Nanos, Scaling, Sweep};
pub use platform_rows::{
    Bucket, Costs, Figures, Mechanisms, PlatformRows, PlatformSeries, SeriesPlace, SeriesState,
};
pub use reason::{Class, ReasonCode};
pub use row::{Difference, Row, Same, granted};
pub use rows::MOST_ROWS;
pub use sample::{Basis, Sample, Task, WorkerSample};
pub use verdict::{Finding, Outcome, Verdict};

/// The tolerances of the rules, for docs/GATE.md.
pub use rules::limits;

use std::collections::HashMap;

use abi::wire::record::{self, SystemName};
use workloads::{Lookup, Workload};

use self::facts::Facts;
use self::rows::Rows;
use self::rules::{Disturbed, EarlierBoots, Known, Run, Said, SoundTimes};
use self::share::Shared;
use self::verdict::Findings;
use crate::transcript::{Boot, Extent, Transcript};

/// The gate of one experiment. It remembers what the runs of a system must have in common (kernel, program, whole), and
/// what no two runs may share (the nonce, and the last digits of clock readings). Whether different systems did the same work is for a comparison to prove.
pub struct Gate {
    references: References,
    said: Said,
    known: HashMap<SystemName, Known>,
    sound: SoundTimes,
    earlier: EarlierBoots,
    rows: Rows,
    shared: Shared,
}

/// A boot of a log from elsewhere, judged.
#[derive(Clone, Debug)]
pub struct JudgedBoot {
    /// The verdict.
    pub verdict: Verdict<Measurement>,
    /// The row that it belongs to, by its place in [`Gate::rows`]; `None` if it has no times.
    pub row: Option<usize>,
    /// The system that its log names; `None` if it names none.
    pub system: Option<SystemName>,
}

/// Where the gate finds the reference of a workload.
#[derive(Clone, Copy)]
struct References {
    lookup: Lookup,
    /// The experiment's own, which need not be among those.
    own: Option<&'static dyn Workload>,
}

impl References {
    /// The workload of this name.
    fn find(self, name: &str) -> Option<&'static dyn Workload> {
        self.own.filter(|own| own.name() == name).or_else(|| (self.lookup)(name))
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new(workloads::by_name)
    }
}

impl Gate {
    /// Returns a gate that verifies answers with the workloads that `lookup` finds.
    #[must_use]
    pub fn new(lookup: Lookup) -> Self {
        Self {
            references: References { lookup, own: None },
            said: Said::default(),
            known: HashMap::new(),
            sound: SoundTimes::default(),
            earlier: EarlierBoots::default(),
            rows: Rows::default(),
            shared: Shared::default(),
        }
    }

    /// Returns a gate for the experiment of `workload`, whose program need not be one of Assay's own.
    #[must_use]
    pub fn of(workload: &'static dyn Workload) -> Self {
        let gate = Self::default();
        Self { references: References { own: Some(workload), ..gate.references }, ..gate }
    }

    /// Judges the log of one run of one machine. A second boot in the log is a reset. All runs of a system are of one row:
    /// a run of another does not pass.
    pub fn judge(
        &mut self,
        log: &Transcript,
        expectation: &RunExpectation,
        evidence: &HostEvidence,
    ) -> Verdict<Measurement> {
        let facts: Vec<Facts> = log.boots.iter().map(Facts::new).collect();
        let reset = log.boots.first().and_then(|boot| boot.next_boot);
        let judged = Judged { extent: log.extent, boots: &log.boots, facts: &facts, reset };
        let known = facts.last().and_then(system_of).and_then(|system| self.known.remove(&system));
        let (mut findings, times) = self.findings(&judged, expectation, evidence, known.as_ref());
        let measured = times.as_ref().filter(|_| findings.is_empty());
        let other_row = times.as_ref().zip(known.as_ref()).and_then(|(it, known)| known.other_row(it));
        let mut known = known.or_else(|| measured.map(Known::of));
        if let Some(detail) = other_row {
            findings.add(ReasonCode::RowMismatch, None, detail);
        } else if let Some((known, measured)) = known.as_mut().zip(measured) {
            known.learn(measured);
        }
        if let Some((known, system)) = known.zip(facts.last().and_then(system_of)) {
            self.known.insert(system, known);
        }
        concluded(findings, times)
    }

    /// Judges a log from elsewhere, which may have several runs of several machines: each boot by [`judge_boot`].
    ///
    /// [`judge_boot`]: Self::judge_boot
    pub fn judge_log(&mut self, log: &Transcript, expectation: &RunExpectation) -> Vec<Verdict<Measurement>> {
        if log.boots.is_empty() {
            return vec![self.judge(log, expectation, &HostEvidence::default())];
        }
        log.boots.iter().map(|boot| self.judge_boot(boot, expectation).verdict).collect()
    }

    /// Judges one boot of a log from elsewhere, by itself, and finds its row. A boot that has no end before the next one
    /// begins was reset.
    pub fn judge_boot(&mut self, boot: &Boot, expectation: &RunExpectation) -> JudgedBoot {
        let (evidence, facts) = (HostEvidence::default(), Facts::new(boot));
        let (boots, facts) = (std::slice::from_ref(boot), std::slice::from_ref(&facts));
        let reset = boot.next_boot.filter(|_| boot.end().is_none());
        let judged = Judged { extent: Extent::default(), boots, facts, reset };
        let (mut findings, mut times) = self.findings(&judged, expectation, &evidence, None);
        if let Some(times) = &mut times {
            self.shared.share(times);
        }
        let mut row = None;
        match times.as_ref().map(|times| self.rows.place(times)) {
            Some(Err(detail)) => {
                findings.add(ReasonCode::RowMismatch, boot.records.first().map(|first| first.line), detail);
            }
            Some(Ok(at)) => row = Some(at),
            None => {}
        }
        JudgedBoot { verdict: concluded(findings, times), row, system: system_of(&facts[0]) }
    }

    /// The rows of the boots that [`judge_boot`](Self::judge_boot) has judged so far.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        self.rows.all()
    }

    /// Applies every rule. The times are a measurement if there is no finding. If all findings are about what the host did,
    /// they are what was experienced.
    fn findings(
        &mut self,
        judged: &Judged<'_>,
        expectation: &RunExpectation,
        evidence: &HostEvidence,
        known: Option<&Known>,
    ) -> (Findings, Option<Measurement>) {
        let &Judged { extent, boots, facts, reset } = judged;
        let mut findings = Findings::default();
        rules::log(extent, boots, facts, reset, evidence, &mut findings);
        let is_whole = |boot: &Boot| boot.defects.is_empty() && boot.end().is_some();
        let whole = reset.is_none() && boots.iter().all(is_whole);
        let mut disturbed = Disturbed::default();
        for facts in facts {
            let (findings, disturbed) = (&mut findings, &mut disturbed);
            let mut run = Run { facts, expectation, evidence, whole, findings, disturbed, open: Vec::new() };
            rules::identity(&mut run, &mut self.said, known);
            rules::copies(&mut run, &mut self.earlier);
            rules::machine(&mut run);
            rules::workers(&mut run);
            rules::strays(&mut run);
            if let Some(workload) = rules::workload(&mut run, self.references) {
                rules::plan(&mut run, workload, known);
                rules::answers(&mut run, workload);
                rules::grants(&mut run, workload);
                rules::sweep(&mut run, workload);
            }
            rules::cases(&mut run);
            rules::census(&mut run);
            rules::gap_records(&mut run);
            rules::order(&mut run);
            rules::presence(&mut run);
            rules::descriptions(&mut run);
            rules::stamps(&mut run);
            rules::brackets(&mut run);
            rules::second_clock(&mut run);
            rules::seconds(&mut run);
            rules::conditions(&mut run);
            rules::counters(&mut run);
            rules::registers(&mut run);
            rules::offsets(&mut run);
            rules::superlinear(&mut run);
            rules::platform_rows(&mut run);
            rules::elapsed(&mut run);
            rules::clock(&mut run, known);
            rules::settle(&mut run, &mut self.sound);
            rules::host(&mut run);
        }
        rules::status(facts, evidence, &mut findings);
        rules::control(facts, &mut findings);
        let times = match facts {
            [facts] if whole && findings.are_the_hosts() => {
                build::measurement(facts, evidence, &disturbed, self.references)
            }
            _ => None,
        };
        (findings, times)
    }
}

/// What is judged at once.
struct Judged<'a> {
    /// How much there is of a log that has no boot.
    extent: Extent,
    boots: &'a [Boot],
    facts: &'a [Facts<'a>],
    /// The line of a boot that should not be there.
    reset: Option<u64>,
}

/// The verdict: a measurement if there is no finding, else a refusal with what was experienced all the same.
fn concluded(findings: Findings, times: Option<Measurement>) -> Verdict<Measurement> {
    if findings.is_empty() {
        return findings.verdict(times);
    }
    let late = findings.has(ReasonCode::LateStart);
    let times = times.filter(|_| findings.are_the_hosts());
    findings.refusal(times.and_then(|times| Experienced::of_refused(&times, late)))
}

/// The system that a boot's log names.
fn system_of(facts: &Facts) -> Option<SystemName> {
    facts.one::<record::System>().map(|system| system.is.name)
}
