//! The runs, in their order, with a further round for each that the host disturbed.

use host::CancelToken;
use host_parser::gate::{Ended, Gate};
use host_parser::results::{RunRecord, System};

use super::Session;
use crate::exit::Coded;
use crate::progress_line::ProgressLine;
use crate::rounds::Step;
use crate::run::{Run, RunKey, cpus};

/// So many runs that do not pass, and the rest is not made: what is broken stays broken, and each could take as long
/// as its deadline.
const MAX_REFUSED: usize = 3;

impl Session {
    /// Makes the runs in their order; gives those that were made, and why the others were not.
    pub(super) fn run_all(&self, cancel: &CancelToken) -> (Vec<RunRecord>, Option<Coded>) {
        let mut gate = Gate::default();
        let mut progress = ProgressLine::new(self.rounds.undisturbed(), |task| self.name(task));
        let mut runs = Vec::new();
        let mut stopped = None;
        let folder = self.folder.join("runs");
        let mut last_cpus = Vec::new();
        let mut round = 0;
        for &slot in self.rounds.order() {
            self.prober.before(slot.round, cancel);
            if cancel.is_cancelled() {
                break;
            }
            match self.rounds.step(slot.round, &runs, &self.prober.seen()) {
                Step::Make => {}
                Step::PassOver => continue,
                Step::Stop => break,
            }
            // So that a crash of this program, or of the host, costs one run and not all. With several systems one round:
            // to work all of them out takes its time, and is heat on the CPUs that are measured next.
            let next_round = slot.round != std::mem::replace(&mut round, slot.round);
            let compares = self.tasks.iter().any(|task| task.system != slot.item.system);
            if (next_round || !compares && !runs.is_empty())
                && let Err(error) = self.write(&self.results(runs.clone(), false, None))
            {
                stopped = Some(error);
                break;
            }
            let name = self.name(slot.item);
            progress.wait(slot.round, &name);
            let waited_ms = self.prober.wait(slot.item.case, cancel);
            progress.begin(slot.round, &name);
            let run = self.systems.run(Run {
                manifest: &self.manifest,
                number: u32::try_from(runs.len()).unwrap_or(u32::MAX),
                slot,
                folder: &folder,
                gate: &mut gate,
                session: cancel,
                on_record: &mut || progress.working(slot.round, &name),
                last_cpus: &mut last_cpus,
            });
            match run {
                Ok(run) => {
                    let verdict = run.verdict.clone();
                    runs.push(RunRecord { waited_ms, ..run });
                    progress.end(slot.round, &name, &verdict, self.planned(&runs));
                    self.diagnose(&mut runs, slot.item, &last_cpus, &progress, cancel);
                }
                Err(error) => {
                    stopped = Some(error);
                    break;
                }
            }
            if cancel.is_cancelled() || hopeless(&runs).is_some() || self.too_disturbed(&runs) {
                break;
            }
        }
        progress.finish();
        (runs, stopped)
    }

    /// How many runs there are to be.
    pub(super) fn planned(&self, runs: &[RunRecord]) -> usize {
        self.rounds.planned(runs, &self.prober.seen())
    }

    /// Whether more rounds were set aside than may be.
    pub(super) fn too_disturbed(&self, runs: &[RunRecord]) -> bool {
        self.rounds.too_disturbed(runs, &self.prober.seen())
    }

    /// A run's name among others of its round: `2 CPUs`, or `linux, 2 CPUs`.
    fn name(&self, RunKey { system, case }: RunKey) -> String {
        let compares = self.tasks.iter().any(|task| task.system != system);
        if compares { format!("{system}, {}", cpus(case)) } else { cpus(case) }
    }
}

/// Why it makes no sense to go on, if so.
pub(super) fn hopeless(runs: &[RunRecord]) -> Option<&'static str> {
    let hosts = |run: &&RunRecord| run.verdict.outcome.refusal().is_some_and(|(r, _)| r.is_the_hosts());
    let refused = runs.iter().filter(|run| run.verdict.outcome.measurement().is_none() && !hosts(run));
    if let Some(last) = runs.last().filter(|run| matches!(run.evidence.ended, Ended::Died { .. })) {
        return Some(if last.system == System::Native { "the twin failed" } else { "QEMU failed" });
    }
    (refused.count() >= MAX_REFUSED).then_some("too many of them did not pass")
}
