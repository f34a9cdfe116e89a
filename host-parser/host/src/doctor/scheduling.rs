//! The scheduling policy of this process, which its guests inherit.

use super::check::Check;
use super::finding::Finding;
use super::host::Host;
use crate::{Root, proc_pid_stat};

/// The longest time that real-time tasks run in each period, in microseconds; -1 is no limit (Linux,
/// Documentation/scheduler/sched-rt-group.rst).
const RUNTIME: &str = "/proc/sys/kernel/sched_rt_runtime_us";
const PERIOD: &str = "/proc/sys/kernel/sched_rt_period_us";

/// Whether Linux would stop the guests for part of every second, as it does with real-time tasks.
pub fn probe(host: &Host) -> Finding {
    let check = Check::Scheduling;
    let Some(policy) = policy(&host.root) else { return check.unknown("no /proc/self/stat") };
    // The numbers of SCHED_OTHER and the others: linux/sched.h.
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
        ("idle", _) => check.warn("idle: all other work comes first"),
        _ => check.ok(name),
    }
}

/// The scheduling policy of this process.
fn policy(root: &Root) -> Option<u64> {
    proc_pid_stat::parse(&root.text("/proc/self/stat")?)?.policy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Status::{self, Ok, Unknown, Warn};
    use crate::fixture::Fixture;

    /// The finding for a process with this policy, if real-time tasks may run `runtime` us of every second.
    fn judge(policy: u32, runtime: &str) -> (Status, String) {
        // Fields 4 to 40.
        let fields = ["0"; 37].join(" ");
        let host = Fixture::with_cpus("0,1")
            .file("/proc/self/stat", &format!("7 (a ) b) S {fields} {policy} 0 0"))
            .file(RUNTIME, runtime)
            .file(PERIOD, "1000000");
        let found = host.probe("0,1", false, probe);
        (found.status, found.value)
    }

    #[test]
    fn warns_of_real_time_priority_with_a_limit() {
        assert_eq!(judge(0, "950000"), (Ok, "other".to_owned()));
        assert_eq!(judge(1, "950000"), (Warn, "fifo, real-time: 950000 of every 1000000 us".to_owned()));
        assert_eq!(judge(2, "-1"), (Ok, "round-robin, real-time: all of it".to_owned()));
        assert_eq!(judge(1, "1000000").0, Ok);
        assert_eq!(judge(5, "950000").0, Warn);
    }

    #[test]
    fn an_unreadable_or_unknown_policy_is_unknown() {
        assert_eq!(Fixture::with_cpus("0").probe("0", false, probe).status, Unknown);
        assert_eq!(judge(9, "950000").0, Unknown);
    }
}
