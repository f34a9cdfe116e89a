//! Whether the records of an iteration are in the order in which every system prints them. Which records belong to it
//! is settled by `facts`.

use abi::wire::record::{Gap, Moment};

use super::Run;
use crate::gate::facts::{At, Iteration};
use crate::gate::reason::ReasonCode;

/// Judges the order. Needs a log without losses.
pub(in crate::gate) fn order(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    for iteration in &run.facts.iterations {
        let gaps = run.facts.gaps_of(iteration.case, iteration.iter);
        if let Some(line) = out_of_order(iteration, gaps) {
            let detail = format!("{}: the record is not where every system prints it", iteration.name());
            run.add(ReasonCode::InconsistentRecord, line, detail);
        }
    }
}

/// The line of the first record that is not after those before it: the workers by number, each with its time, its result,
/// its chunks, the readings around it and its end; the root over all chunks; the end of the iteration; the workers' gaps; the moments; the workers' conditions
/// and counters.
fn out_of_order(iteration: &Iteration, gaps: &[At<Gap>]) -> Option<u64> {
    let mut lines = Vec::with_capacity(6 + 8 * iteration.workers.len() + gaps.len());
    lines.push(iteration.line);
    for worker in iteration.workers.values() {
        lines.extend(worker.timing.map(|at| at.line));
        lines.extend(worker.answer.map(|at| at.line));
        lines.extend(worker.chunks.map(|at| at.line));
        lines.extend(worker.region.map(|at| at.line));
        lines.extend(worker.fault.map(|at| at.line));
        lines.extend(worker.end.map(|at| at.line));
    }
    lines.extend(iteration.root.map(|at| at.line));
    lines.extend(iteration.end.map(|at| at.line));
    lines.extend(gaps.iter().map(|gap| gap.line));
    lines.extend(
        [Moment::Ready, Moment::Warm, Moment::Back, Moment::Done]
            .into_iter()
            .filter_map(|at| Some(iteration.mark(at)?.line)),
    );
    lines.extend(iteration.conditions.values().map(|at| at.line));
    lines.extend(iteration.counters.values().map(|at| at.line));
    lines.windows(2).find(|pair| pair[1] <= pair[0]).map(|pair| pair[1])
}
