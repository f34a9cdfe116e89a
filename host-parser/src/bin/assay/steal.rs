//! What the hypervisor under this host takes from its CPUs, by the host's own account: `steal` of /proc/stat.

use std::fs;
use std::time::Instant;

use host_parser::gate::HostSteal;
use qemu::CpuSet;

/// How long a tick of /proc/stat is: 1 / USER_HZ, which is 100 on x86, proc_stat(5).
const TICK_MS: u64 = 10;

/// An account that was opened when a run began.
pub struct Steal {
    since: Instant,
    before: Vec<(u32, u64)>,
}

impl Steal {
    /// Opens the account of `cpus`.
    pub fn watch(cpus: &CpuSet) -> Self {
        let mut before = read();
        before.retain(|&(cpu, _)| cpus.iter().any(|of| u32::try_from(of) == Ok(cpu)));
        Self { since: Instant::now(), before }
    }

    /// What was taken since, from the CPU that lost most; none where Linux does not tell.
    pub fn so_far(&self) -> Option<HostSteal> {
        let wall_ms = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (cpu, ticks) = worst(&self.before, &read())?;
        Some(HostSteal { cpu, stolen_ms: ticks.saturating_mul(TICK_MS), wall_ms })
    }
}

fn read() -> Vec<(u32, u64)> {
    fs::read_to_string("/proc/stat").map(|stat| parse(&stat)).unwrap_or_default()
}

/// The CPU whose account grew most, and by how much; the first of several.
fn worst(before: &[(u32, u64)], after: &[(u32, u64)]) -> Option<(u32, u64)> {
    let grown = before.iter().filter_map(|&(cpu, before)| {
        let (_, after) = after.iter().find(|(of, _)| *of == cpu)?;
        Some((cpu, after.saturating_sub(before)))
    });
    grown.reduce(|worst, other| if other.1 > worst.1 { other } else { worst })
}

/// Each CPU's number and the eighth of its figures. The first line is the sum, and has no number.
fn parse(stat: &str) -> Vec<(u32, u64)> {
    let of_cpu = |line: &str| {
        let mut words = line.strip_prefix("cpu")?.split_ascii_whitespace();
        let cpu = words.next()?.parse().ok()?;
        Some((cpu, words.nth(7)?.parse().ok()?))
    };
    stat.lines().filter(|line| !line.starts_with("cpu ")).filter_map(of_cpu).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "cpu  9 9 9 9 9 9 9 426 0 0\ncpu0 65021 190496 24769 62302 695 0 21 206 0 0\n\
                        cpu1 69104 194180 28257 49811 1673 0 266 220 0 0\nintr 5 1 2\n";

    #[test]
    fn reads_what_was_stolen_from_each_cpu() {
        assert_eq!(parse(STAT), [(0, 206), (1, 220)]);
        assert_eq!(parse("cpu0 1 2 3\nctxt 7\n"), []);
    }

    #[test]
    fn names_the_cpu_that_lost_most() {
        let before = parse(STAT);
        assert_eq!(worst(&before, &[(0, 207), (1, 225)]), Some((1, 5)));
        assert_eq!(worst(&before, &before), Some((0, 0)));
        assert_eq!(worst(&[], &before), None);
    }
}
