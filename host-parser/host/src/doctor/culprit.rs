//! Who disturbs the guest's CPUs at this moment: one sentence, for the last line of a run that the host disturbed.

use std::fmt;

use super::host::Host;
use super::load::SAMPLED;
use super::sample::{Program, Sample, Snapshot};

/// From this part of a CPU on, a program is a culprit.
const GREEDY: f64 = 0.1;
/// From this fraction of steal on, the hypervisor under the host is one.
const STEAL: f64 = 0.02;

/// What takes the guest's CPUs away.
#[derive(Clone, Debug, PartialEq)]
pub enum Culprit {
    /// A program on one of the guest's CPUs, which is the busiest of them.
    Program {
        /// The CPU.
        cpu: usize,
        /// The program that used most of it.
        program: Program,
        /// The part of the CPU that all programs used.
        busy: f64,
    },
    /// The hypervisor that the host itself runs under.
    Hypervisor {
        /// The part of the guest's CPUs that it took.
        steal: f64,
    },
    /// A program on another thread of a core on which the guest runs.
    Sibling {
        /// The CPU.
        cpu: usize,
        /// The program that used most of it.
        program: Program,
        /// The part of the CPU that all programs used.
        busy: f64,
    },
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program { cpu, program, busy } => {
                write!(f, "{} takes {:.0} % of CPU {cpu} now", name(program), percent(program, *busy))
            }
            Self::Hypervisor { steal } => {
                write!(f, "the hypervisor under this host takes {:.0} % of its CPUs now", steal * 100.0)
            }
            Self::Sibling { cpu, program, busy } => write!(
                f,
                "{} takes {:.0} % of CPU {cpu} now, which shares a core with the guest's",
                name(program),
                percent(program, *busy)
            ),
        }
    }
}

/// A program has its time on all CPUs together; it cannot have used more of this one than was used.
fn percent(program: &Program, busy: f64) -> f64 {
    program.part.min(busy) * 100.0
}

fn name(program: &Program) -> String {
    match program.processes {
        1 => program.name.clone(),
        n => format!("{} ({n} processes)", program.name),
    }
}

/// Samples the host for half a second, and names what takes most of a guest's CPU; `None` if nothing takes much.
#[must_use]
pub fn culprit(host: &Host) -> Option<Culprit> {
    let before = Snapshot::take(&host.root)?;
    std::thread::sleep(SAMPLED);
    let after = Snapshot::take(&host.root)?;
    let of = |cpu: usize| before.until(&after, &[cpu].into()).map(|sample| (cpu, sample));
    let mine: Vec<_> = host.cpus.iter().filter_map(of).collect();
    let beside: Vec<_> = host.idle_siblings().into_iter().filter_map(of).collect();
    worst(&mine, &beside)
}

/// The worst of what was seen on the guest's CPUs, and on those beside them.
fn worst(mine: &[(usize, Sample)], beside: &[(usize, Sample)]) -> Option<Culprit> {
    let steal = mine.iter().map(|(_, sample)| sample.steal).fold(0.0, f64::max);
    let program = greediest(mine);
    if steal >= STEAL && program.as_ref().is_none_or(|(_, _, busy)| steal > *busy) {
        return Some(Culprit::Hypervisor { steal });
    }
    if let Some((cpu, program, busy)) = program {
        return Some(Culprit::Program { cpu, program, busy });
    }
    greediest(beside).map(|(cpu, program, busy)| Culprit::Sibling { cpu, program, busy })
}

/// The busiest CPU on which one program takes much, and that program.
fn greediest(on: &[(usize, Sample)]) -> Option<(usize, Program, f64)> {
    let each = on.iter().filter_map(|(cpu, sample)| {
        let program = sample.programs.first().filter(|program| program.part >= GREEDY)?;
        (sample.busy_cpus >= GREEDY).then(|| (*cpu, program.clone(), sample.busy_cpus))
    });
    each.max_by(|(_, _, one), (_, _, other)| one.total_cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(busy_cpus: f64, steal: f64, name: &str, part: f64) -> Sample {
        let programs = vec![Program { name: name.to_owned(), processes: 1, part }];
        Sample { busy_cpus, steal, programs }
    }

    #[test]
    fn names_the_program_on_the_busiest_cpu() {
        let mine = [(0, sample(0.3, 0.0, "cron", 0.3)), (1, sample(0.8, 0.0, "rustc", 1.6))];
        let found = worst(&mine, &[]).unwrap();
        assert_eq!(found.to_string(), "rustc takes 80 % of CPU 1 now", "no more of a CPU than was used");
        let several = Program { name: "cc1".to_owned(), processes: 3, part: 0.5 };
        let found = Culprit::Program { cpu: 0, program: several, busy: 0.9 };
        assert_eq!(found.to_string(), "cc1 (3 processes) takes 50 % of CPU 0 now");
    }

    #[test]
    fn names_the_hypervisor_or_a_sibling_if_they_take_more() {
        let quiet = || sample(0.02, 0.0, "init", 0.01);
        let stolen = [(0, sample(0.1, 0.4, "cron", 0.1)), (1, quiet())];
        let found = worst(&stolen, &[]).unwrap().to_string();
        assert_eq!(found, "the hypervisor under this host takes 40 % of its CPUs now");
        let beside = [(4, sample(1.0, 0.0, "ld", 0.97))];
        let found = worst(&[(0, quiet())], &beside).unwrap().to_string();
        assert_eq!(found, "ld takes 97 % of CPU 4 now, which shares a core with the guest's");
        assert_eq!(worst(&[(0, quiet())], &[]), None);
    }
}
