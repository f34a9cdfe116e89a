//! The vCPU threads of a VMM that has no QMP to name them: by the names that it gives its threads.

use std::fs;

use crate::QemuError;

/// The threads of process `pid` whose name is `prefix` and a number: that number and the thread's id, by number. Threads
/// that end meanwhile are left out.
pub(crate) fn named(pid: u32, prefix: &str) -> Vec<(u32, u32)> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut found: Vec<(u32, u32)> = tasks
        .flatten()
        .filter_map(|task| {
            let tid = task.file_name().to_str()?.parse().ok()?;
            let name = fs::read_to_string(task.path().join("comm")).ok()?;
            Some((number(&name, prefix)?, tid))
        })
        .collect();
    found.sort_unstable();
    found
}

/// The number in a thread's name, in the one form in which the VMM writes it.
fn number(name: &str, prefix: &str) -> Option<u32> {
    let digits = name.trim_end_matches('\n').strip_prefix(prefix)?;
    let plain =
        digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    plain.then(|| digits.parse().ok()).flatten()
}

/// Whether these are the threads of CPUs 0 to `vcpus` - 1, one of each.
pub(crate) fn complete(threads: &[(u32, u32)], vcpus: u32) -> bool {
    threads.iter().map(|&(index, _)| index).eq(0..vcpus)
}

/// The error if a guest runs and its threads cannot be found.
pub(crate) fn not_found(pid: u32, prefix: &str, vcpus: u32, found: usize) -> QemuError {
    QemuError::Threads { pid, prefix: prefix.to_owned(), vcpus, found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_only_the_names_that_the_vmm_gives() {
        for (name, expected) in [
            ("fc_vcpu 0\n", Some(0)),
            ("fc_vcpu 31\n", Some(31)),
            ("fc_vcpu 01\n", None),
            ("fc_vcpu \n", None),
            ("fc_vcpu 1x\n", None),
            ("fc_vcpu -1\n", None),
            ("fc_vcpu 99999999999\n", None),
            ("firecracker\n", None),
        ] {
            assert_eq!(number(name, "fc_vcpu "), expected, "{name:?}");
        }
        assert_eq!(number("vcpu7\n", "vcpu"), Some(7));
        assert_eq!(number("vcpu_start\n", "vcpu"), None);
    }

    #[test]
    fn waits_for_every_cpu_once() {
        assert!(complete(&[(0, 10), (1, 11)], 2));
        for threads in [&[][..], &[(0, 10)], &[(0, 10), (0, 11)], &[(0, 10), (2, 11)]] {
            assert!(!complete(threads, 2), "{threads:?}");
        }
    }

    #[test]
    fn finds_threads_of_this_process_by_name() {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("a_vcpu 3".to_owned());
        let thread = thread.spawn(move || stopped.recv()).unwrap();
        let pid = std::process::id();
        let begin = std::time::Instant::now();
        // The thread names itself after it has begun.
        while named(pid, "a_vcpu ").is_empty() && begin.elapsed().as_secs() < 30 {
            std::thread::yield_now();
        }
        let found = named(pid, "a_vcpu ");
        drop(stop);
        let _ = thread.join();
        assert_eq!(found.iter().map(|&(index, _)| index).collect::<Vec<_>>(), [3]);
        assert_ne!(found[0].1, pid);
    }
}
