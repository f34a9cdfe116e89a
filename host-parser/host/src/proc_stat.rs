//! /proc/stat: what each CPU did since the host booted, in the kernel's ticks.

use std::collections::BTreeMap;

/// Length of a tick, in milliseconds: 1 / USER_HZ, which is 100 on x86, proc_stat(5).
pub const TICK_MS: u64 = 10;

/// One CPU's time, in ticks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct CpuTimes {
    /// Spent on tasks, guests and interrupts.
    pub busy: u64,
    /// Stolen by the hypervisor under this host.
    pub steal: u64,
    /// The sum of busy, stolen, idle and I/O wait.
    pub total: u64,
}

impl CpuTimes {
    /// The growth since `before`, at least 0: some counters have been seen to go back by a tick.
    pub const fn since(self, before: &Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(before.busy),
            steal: self.steal.saturating_sub(before.steal),
            total: self.total.saturating_sub(before.total),
        }
    }
}

/// The times of each CPU in `stat`, by its number. Lines of another form are skipped.
pub fn parse(stat: &str) -> BTreeMap<usize, CpuTimes> {
    stat.lines().filter_map(parse_line).collect()
}

/// Reads `cpu0 user nice system idle iowait irq softirq steal guest guest_nice`, proc_stat(5). User and nice include the
/// time of guests. The file's first line, the sum, has no number and is skipped.
fn parse_line(line: &str) -> Option<(usize, CpuTimes)> {
    let mut words = line.split_ascii_whitespace();
    let cpu = words.next()?.strip_prefix("cpu")?.parse().ok()?;
    let ticks: Vec<u64> = words.take(8).map(str::parse).collect::<Result<_, _>>().ok()?;
    let &[user, nice, system, idle, iowait, irq, softirq, steal] = ticks.as_slice() else { return None };
    let busy = [user, nice, system, irq, softirq].into_iter().fold(0, u64::saturating_add);
    let total = [busy, idle, iowait, steal].into_iter().fold(0, u64::saturating_add);
    Some((cpu, CpuTimes { busy, steal, total }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  9 9 9 9 9 9 9 426 0 0\ncpu0 65021 190496 24769 62302 695 0 21 206 0 0\n\
                        cpu1 69104 194180 28257 49811 1673 0 266 220 0 0\nintr 5 1 2\n";

    #[test]
    fn reads_the_steal_of_each_cpu() {
        let stolen: Vec<(usize, u64)> =
            parse(STAT).into_iter().map(|(cpu, times)| (cpu, times.steal)).collect();
        assert_eq!(stolen, [(0, 206), (1, 220)]);
        assert!(parse("cpu0 1 2 3\nctxt 7\n").is_empty());
    }

    #[test]
    fn adds_up_busy_and_total_ticks() {
        let times = parse("cpu3 1 2 3 10 20 4 5 100 7 8");
        assert_eq!(times[&3], CpuTimes { busy: 15, steal: 100, total: 145 });
        assert_eq!(CpuTimes::default().since(&times[&3]), CpuTimes::default());
    }
}
