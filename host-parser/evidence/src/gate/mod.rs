//! The gate: the rules that a run's evidence must pass before there is a measurement.
//!
//! Owns the reasons for a refusal ([`ReasonCode`]) and the only way to a [`Measurement`], [`Gate::judge`]. Never takes
//! the guest's word: it computes every answer from the parameters in the log, and every time from the workers' clock
//! readings. Knows no statistics: it judges a run before anything reads its speed.

mod build;
mod evidence;
mod exclusion;
mod experienced;
mod facts;
mod machine;
mod measurement;
mod reason;
mod rules;
mod topology;
mod verdict;

pub use evidence::{Ended, ExpectedCase, FunctionalOnly, HostEvidence, HostSteal, RunExpectation, VcpuDelay};
pub use exclusion::{Exclusion, Scope};
pub use experienced::{Experienced, ExperiencedTime};
pub use machine::{CpuPlace, MachineReport, Platform, Topology};
pub use measurement::{Basis, Clock, Cycles, Identity, Measurement, Nanos, Sample, Sweep, WorkerSample};
pub use reason::{Class, ReasonCode};
pub use verdict::{Finding, Outcome, Verdict};

/// The tolerances of the rules, for docs/GATE.md.
pub use rules::limits;

use std::collections::{HashMap, HashSet};

use abi::wire::record::{self, SystemName};
use workloads::Lookup;

use self::facts::Facts;
use self::rules::{Disturbed, Known, Run};
use self::verdict::Findings;
use crate::transcript::{Boot, Transcript};

/// The gate of one experiment. It remembers what the runs of a system must have in common (kernel, program, whole), and
/// what no two runs may share (the nonce). Whether different systems did the same work is for a comparison to prove.
pub struct Gate {
    lookup: Lookup,
    nonces: HashSet<u64>,
    known: HashMap<SystemName, Known>,
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
        Self { lookup, nonces: HashSet::new(), known: HashMap::new() }
    }

    /// Judges the log of one run of one machine. A second boot in the log is a reset.
    pub fn judge(
        &mut self,
        log: &Transcript<'_>,
        expectation: &RunExpectation,
        evidence: &HostEvidence,
    ) -> Verdict<Measurement> {
        self.judge_boots(log, &log.boots, log.boots.get(1), expectation, evidence)
    }

    /// Judges a log from elsewhere, which may have several runs of one machine. Judges each boot by itself, in order. A
    /// boot that has no end before the next one begins was reset.
    pub fn judge_log(
        &mut self,
        log: &Transcript<'_>,
        expectation: &RunExpectation,
    ) -> Vec<Verdict<Measurement>> {
        let evidence = HostEvidence::default();
        if log.boots.is_empty() {
            return vec![self.judge(log, expectation, &evidence)];
        }
        let each = log.boots.iter().enumerate().map(|(i, boot)| {
            let reset = log.boots.get(i + 1).filter(|_| boot.end().is_none());
            self.judge_boots(log, std::slice::from_ref(boot), reset, expectation, &evidence)
        });
        each.collect()
    }

    fn judge_boots(
        &mut self,
        log: &Transcript<'_>,
        boots: &[Boot<'_>],
        reset: Option<&Boot<'_>>,
        expectation: &RunExpectation,
        evidence: &HostEvidence,
    ) -> Verdict<Measurement> {
        let mut findings = Findings::default();
        let facts: Vec<Facts> = boots.iter().map(Facts::new).collect();
        rules::log(log, boots, &facts, reset, evidence, &mut findings);
        let whole =
            reset.is_none() && boots.iter().all(|boot| boot.defects.is_empty() && boot.end().is_some());
        let mut disturbed = Disturbed::default();
        for facts in &facts {
            let known = facts.one::<record::System>().and_then(|system| self.known.get(&system.is.name));
            let (findings, disturbed) = (&mut findings, &mut disturbed);
            let mut run = Run { facts, expectation, evidence, whole, findings, disturbed };
            rules::identity(&mut run, &mut self.nonces, known);
            rules::machine(&mut run);
            rules::workers(&mut run);
            if let Some(workload) = rules::workload(&mut run, self.lookup) {
                rules::plan(&mut run, workload, known);
                rules::answers(&mut run, workload);
                rules::sweep(&mut run, workload);
            }
            rules::cases(&mut run);
            rules::census(&mut run);
            rules::gap_records(&mut run);
            rules::elapsed(&mut run);
            rules::clock(&mut run, known);
            rules::host(&mut run);
        }
        rules::status(&facts, evidence, &mut findings);
        rules::control(&facts, &mut findings);
        let times = match &facts[..] {
            [facts] if whole && findings.are_the_hosts() => {
                build::measurement(facts, evidence, &disturbed, self.lookup)
            }
            _ => None,
        };
        if !findings.is_empty() {
            let late = findings.has(ReasonCode::LateStart);
            return findings.refusal(times.and_then(|times| Experienced::of_refused(&times, late)));
        }
        if let Some(measurement) = &times {
            let system = measurement.machine().system;
            self.known.entry(system).or_insert_with(|| Known::of(measurement));
        }
        findings.verdict(times)
    }
}
