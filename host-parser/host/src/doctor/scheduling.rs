//! Scheduling: by which rules the guests of this process get their CPUs. What it starts inherits its own.

use super::check::Check;
use super::finding::Finding;
use super::host::Host;
use crate::Root;

/// Which field of /proc/PID/stat is the policy, of those after the name: field 41 (proc_pid_stat(5)), the name being 2.
const POLICY: usize = 41 - 3;

/// How long real-time tasks run at most in each period, in microseconds; -1 for no limit (Linux,
/// Documentation/scheduler/sched-rt-group.rst).
const RUNTIME: &str = "/proc/sys/kernel/sched_rt_runtime_us";
const PERIOD: &str = "/proc/sys/kernel/sched_rt_period_us";

/// Whether the guests would be stopped for a part of every second: real-time priority is asked for to have a CPU alone, and
/// is what takes it away.
pub fn probe(host: &Host) -> Finding {
    let check = Check::Scheduling;
    let Some(policy) = policy(&host.root) else { return check.unknown("no /proc/self/stat") };
    // sched(7) has their numbers from the kernel's interface.
    let name = match policy {
        0 => "other",
        1 => "fifo",
        2 => "round-robin",
        3 => "batch",
        5 => "idle",
        6 => "deadline",
        _ => return check.unknown(format!("policy {policy}")),
    };
    let limit = host.root.line(RUNTIME).and_then(|text| text.parse::<i64>().ok());
    match (name, limit.zip(host.root.number(PERIOD))) {
        ("fifo" | "round-robin", Some((runtime, period))) => {
            let limited = u64::try_from(runtime).is_ok_and(|runtime| runtime < period);
            let each =
                if limited { format!("{runtime} of every {period} us") } else { "all of it".to_owned() };
            check.judge(format!("{name}, real-time: {each}"), limited, false)
        }
        ("idle", _) => check.warn("idle: whatever else runs comes first"),
        _ => check.ok(name),
    }
}

/// The scheduling policy of this process.
fn policy(root: &Root) -> Option<u32> {
    let stat = root.line("/proc/self/stat")?;
    // The name is in parentheses and may hold any character.
    let (_, fields) = stat.rsplit_once(") ")?;
    fields.split(' ').nth(POLICY)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{self, Ok, Unknown, Warn};
    use crate::fixture::Fixture;

    /// A process with this policy, where real-time tasks have so much of every second.
    fn judge(policy: u32, runtime: &str) -> (Status, String) {
        let fields = ["0"; POLICY - 1].join(" ");
        let host = Fixture::with_cpus("0,1")
            .file("/proc/self/stat", &format!("7 (a ) b) S {fields} {policy} 0 0"))
            .file(RUNTIME, runtime)
            .file(PERIOD, "1000000");
        let found = host.probe("0,1", false, probe);
        (found.status, found.value)
    }

    #[test]
    fn real_time_priority_that_is_limited_is_told() {
        assert_eq!(judge(0, "950000"), (Ok, "other".to_owned()));
        assert_eq!(judge(1, "950000"), (Warn, "fifo, real-time: 950000 of every 1000000 us".to_owned()));
        assert_eq!(judge(2, "-1"), (Ok, "round-robin, real-time: all of it".to_owned()));
        assert_eq!(judge(1, "1000000").0, Ok);
        assert_eq!(judge(5, "950000").0, Warn);
    }

    #[test]
    fn a_process_that_cannot_be_seen_is_unknown() {
        assert_eq!(Fixture::with_cpus("0").probe("0", false, probe).status, Unknown);
        assert_eq!(judge(9, "950000").0, Unknown);
    }
}
