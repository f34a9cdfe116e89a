//! A host that becomes busy in the middle of a session: the reason is reported, and no claim is made.

use std::hint;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use host::CpuSet;
use rustix::thread::{CpuSet as Mask, sched_setaffinity};
use serde_json::Value;

use crate::assay::{assay, finish, workspace};
use crate::experiments::results;

const DEADLINE: Duration = Duration::from_secs(300);

/// A busy loop on one host CPU, until it is dropped.
struct Hog {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    /// Time just after its start, in milliseconds since 1970.
    since_unix_ms: u64,
}

impl Hog {
    fn on(cpu: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut mask = Mask::new();
            mask.set(cpu);
            sched_setaffinity(None, &mask).unwrap();
            while !seen.load(Ordering::Relaxed) {
                hint::spin_loop();
            }
        });
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self { over, thread: Some(thread), since_unix_ms: u64::try_from(since.as_millis()).unwrap() }
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Waits until `count` runs are over. The rest of the output stays in the pipe.
fn wait_for_runs(assay: &mut Child, count: usize) {
    let mut lines = BufReader::new(assay.stderr.as_mut().unwrap()).lines().map_while(Result::ok);
    let over = lines.by_ref().filter(|line| line.starts_with("run ")).take(count).count();
    assert_eq!(over, count, "runs");
}

/// Whether the run started after the loop, with a host CPU for each vCPU.
fn is_beside(run: &Value, hog: &Hog) -> bool {
    run["started_unix_ms"].as_u64().unwrap() > hog.since_unix_ms && run["functional_only"].is_null()
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn reports_a_busy_loop_beside_a_guest_and_makes_no_claim() {
    let out = tempfile::tempdir().unwrap();
    let allowed = CpuSet::allowed().unwrap();
    let cpus: Vec<usize> = allowed.iter().take(2).collect();
    let list = cpus.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
    let mut command =
        assay(["run", "--label", "t", "--rounds", "5", "--no-probe", "--no-diagnosis", "--cpus", &list]);
    command.arg("--out").arg(out.path()).arg(workspace().join("manifests/smp-process-scale.toml"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Two runs may end undisturbed. The loop's CPU has the vCPU of case 1 and the first vCPU of case 2.
    wait_for_runs(&mut child, 2);
    let hog = Hog::on(cpus[0]);
    let said = finish(child, DEADLINE);

    said.expect_exit(75).expect_answer(&["vcpu-preempted in run ", "NOT MADE", "host-contended"]);
    // The loop still runs. On a busy host another program may take more than it.
    let last = said.out.lines().skip_while(|line| !line.starts_with("next: ")).collect::<Vec<_>>().join(" ");
    assert!(last.contains(" takes ") && last.contains(" % of CPU ") && last.contains(" now"), "{}", said.out);
    for claimed in ["HOLDS", "DOES NOT HOLD", "INCONCLUSIVE"] {
        assert!(!said.out.contains(claimed), "{}", said.out);
    }
    let results = results(out.path(), "smp-process-scale", "t");
    assert_eq!(results["claim"]["reason"], "host-contended", "{}", results["claim"]);
    let runs = results["runs"].as_array().unwrap();
    let beside: Vec<&Value> = runs.iter().filter(|run| is_beside(run, &hog)).collect();
    assert!(beside.len() >= 5, "{said:?}", said = said.err);
    for run in beside {
        assert_eq!(run["reason"], "vcpu-preempted", "run {}: {}", run["run"], run["detail"]);
        assert!(run["set_aside"].is_string());
    }
}
