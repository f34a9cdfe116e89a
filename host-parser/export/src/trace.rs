//! Chrome's trace events (JSON object form): Perfetto and chrome://tracing open the timeline of a session.
//!
//! A process for each system has a lane for its runs and one for each worker; a process for the host has its native probes,
//! and counters of what it took. Times are microseconds since the first run was started, by the host's clock. The guest's
//! clock has no common zero with it: the workers of an iteration keep their distances from each other exactly, and are placed
//! by the host's account of the iteration (`args.placed`).

use evidence::gate::{Measurement, Sample};
use results::{RunRecord, System};
use serde_json::{Value, json};

use crate::Subject;

/// The process of the host.
const HOST: usize = 100;

/// The session as trace events.
#[must_use]
pub fn trace(subject: &Subject<'_>) -> String {
    let results = subject.results;
    let mut events =
        vec![name("process_name", HOST, 0, "host"), name("thread_name", HOST, 0, "native probe")];
    let first = results.runs.iter().filter_map(|run| run.made.started_unix_ms).min();
    let mut named: Vec<System> = Vec::new();
    let mut next = 0.0;
    for run in &results.runs {
        if !named.contains(&run.system) {
            named.push(run.system);
            events.push(name("process_name", process(run.system), 0, run.system.word()));
            events.push(name("thread_name", process(run.system), 0, "runs"));
        }
        // Logs from elsewhere have no time of the host: one run after the other.
        let start = match (first, run.made.started_unix_ms) {
            (Some(first), Some(started)) => started.saturating_sub(first) as f64 * 1e3,
            _ => next,
        };
        let length = run.made.wall_ms.map_or_else(|| length_of(run), |ms| ms as f64 * 1e3);
        next = start + length;
        of_run(&mut events, run, start, length);
    }
    let workers = results.runs.iter().filter_map(|run| run.verdict.outcome.measurement());
    let most = workers.flat_map(Measurement::samples).map(|sample| sample.workers.len()).max().unwrap_or(0);
    for system in named {
        events.extend(
            (0..most)
                .map(|worker| name("thread_name", process(system), worker + 1, &format!("worker {worker}"))),
        );
    }
    probes(&mut events, subject, first);
    let trace = json!({
        "traceEvents": events,
        "displayTimeUnit": "ms",
        "otherData": {
            "experiment": results.experiment.name,
            "session": subject.session(),
            "tool": results.tool.to_string(),
        },
    });
    format!("{trace}\n")
}

/// The number of a system's process.
fn process(system: System) -> usize {
    1 + System::ALL.iter().position(|&of| of == system).unwrap_or(0)
}

fn name(what: &str, pid: usize, tid: usize, name: &str) -> Value {
    json!({ "ph": "M", "name": what, "pid": pid, "tid": tid, "args": { "name": name } })
}

/// How long a run's timed regions took, in us, if the host did not time the run.
fn length_of(run: &RunRecord) -> f64 {
    let Some(measured) = run.verdict.outcome.measurement() else { return 0.0 };
    let Some(khz) = khz(measured) else { return 0.0 };
    measured.samples().iter().map(|sample| sample.makespan().0 as f64 / khz * 1e3).sum()
}

fn khz(measured: &Measurement) -> Option<f64> {
    measured.clock().tsc.as_ref().map(|tsc| tsc.khz as f64).filter(|&khz| khz > 0.0)
}

fn of_run(events: &mut Vec<Value>, run: &RunRecord, start: f64, length: f64) {
    let pid = process(run.system);
    let case = run.case.map(|case| format!(", {case} workers")).unwrap_or_default();
    let excluded = run.excluded.as_ref().map(ToString::to_string);
    let refused = run.verdict.outcome.refusal().map(|(reason, detail)| format!("{reason}: {detail}"));
    let why = excluded.clone().or(refused);
    let category = match &why {
        None => "counts",
        Some(_) if excluded.is_some() => "excluded",
        Some(_) => "refused",
    };
    events.push(json!({
        "ph": "X", "cat": category, "name": format!("round {}{case}", run.round + 1), "pid": pid, "tid": 0,
        "ts": start, "dur": length,
        "args": { "run": run.run, "attempt": run.attempt + 1, "outcome": run.verdict.outcome.word(), "why": why },
    }));
    interference(events, run, start, length);
    let Some(measured) = run.verdict.outcome.measurement() else { return };
    let Some(khz) = khz(measured) else { return };
    let mut at = start;
    for sample in measured.samples() {
        let span = sample.makespan().0 as f64 / khz * 1e3;
        let (begin, placed) = match ends_at(run, sample) {
            Some(end) => ((start + end - span).max(start), "by the host's account"),
            None => (at, "one after the other"),
        };
        at = begin + span;
        of_sample(events, pid, sample, begin, khz, placed);
    }
}

/// When an iteration's timed region was over, in us since the run was started: the first worker's time, and how long the host
/// watched each iteration up to this one.
fn ends_at(run: &RunRecord, sample: &Sample) -> Option<f64> {
    let first = run.made.boot?.first_worker_us? as f64;
    let watched = run.made.evidence.delays.iter().filter(|delay| delay.vcpu == 0);
    let mut sum = 0.0;
    for delay in watched {
        sum += delay.wall_ns as f64 / 1e3;
        if (delay.case, delay.iteration) == (sample.case, sample.iteration) {
            return Some(first + sum);
        }
    }
    None
}

fn of_sample(events: &mut Vec<Value>, pid: usize, sample: &Sample, begin: f64, khz: f64, placed: &str) {
    let micros = |cycles: u64| cycles as f64 / khz * 1e3;
    let last = sample.workers.iter().max_by_key(|worker| worker.skew.0.saturating_add(worker.cycles.0));
    let earliest = sample.workers.iter().map(|worker| worker.skew.0).min().unwrap_or(0);
    for worker in &sample.workers {
        let excluded = sample.excluded.as_ref().map(ToString::to_string);
        events.push(json!({
            "ph": "X", "cat": if excluded.is_some() { "excluded" } else { "worker" },
            "name": format!("case {} iteration {}", sample.case, sample.iteration + 1),
            "pid": pid, "tid": usize::from(worker.worker) + 1,
            "ts": begin + micros(worker.skew.0 - earliest), "dur": micros(worker.cycles.0),
            "args": {
                "cpu": worker.cpu, "cycles": worker.cycles.0, "skew_cycles": worker.skew.0,
                "reads_before": worker.reads_before, "reads_after": worker.reads_after,
                "last": last.is_some_and(|last| last.worker == worker.worker), "why": excluded, "placed": placed,
            },
        }));
    }
}

/// What the host took while a run ran: counters, back at 0 when it is over.
fn interference(events: &mut Vec<Value>, run: &RunRecord, start: f64, length: f64) {
    let mut counter = |name: &str, percent: f64| {
        for (at, value) in [(start, percent), (start + length, 0.0)] {
            events.push(
                json!({ "ph": "C", "name": name, "pid": HOST, "tid": 0, "ts": at, "args": { "%": value } }),
            );
        }
    };
    let delays = &run.made.evidence.delays;
    if !delays.is_empty() {
        let waited: u64 = delays.iter().map(|delay| delay.delay_ns).sum();
        let watched: u64 = delays.iter().map(|delay| delay.wall_ns).sum();
        counter("vCPUs waited", 100.0 * waited as f64 / (watched.max(1)) as f64);
    }
    if let Some(steal) = run.made.evidence.host_steal {
        counter("stolen from the host", 100.0 * steal.stolen_ms as f64 / steal.wall_ms.max(1) as f64);
    }
}

/// The native probes. Those before the first run begin at 0.
fn probes(events: &mut Vec<Value>, subject: &Subject<'_>, first: Option<u64>) {
    let Some(first) = first else { return };
    for probe in &subject.results.probes.made {
        let at = probe.started_unix_ms.saturating_sub(first) as f64 * 1e3;
        events.push(json!({
            "ph": "X", "cat": "probe", "name": "native probe", "pid": HOST, "tid": 0, "ts": at,
            "dur": (probe.one_ns + probe.all_ns) as f64 / 1e3,
            "args": { "one_ns": probe.one_ns, "all_ns": probe.all_ns, "capacity": probe.capacity },
        }));
    }
}
