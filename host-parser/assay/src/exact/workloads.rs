//! `assay exact workloads`: the instructions of every workload's worker on our kernel and under Linux.

use std::fmt;

use experiment::manifest::Manifest;
use lab::{Coded, Exit, OrExit, console};
use serde::Serialize;

use super::args::ExactWorkloadsArgs;
use super::counted;
use super::text::grouped;
use crate::ending::Ending;
use crate::workloads::manifests;

/// How many times the work is done in a boot. The least count is compared.
const ITERATIONS: u16 = 5;

/// The instructions between two timer interrupts of Linux: Debian's kernel has 250 a second, and an instruction takes 1 ns in
/// this mode.
const BETWEEN_TICKS: u64 = 4_000_000;

/// The most instructions of a timer interrupt and what it sets off. 3,000 are usual, 17,000 were seen.
const MOST_OF_A_TICK: u64 = 30_000;

/// A workload's worker on both systems.
#[derive(Debug, Serialize)]
struct Line {
    workload: String,
    #[serde(flatten)]
    found: Found,
}

/// What was found of it.
#[derive(Debug, Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
enum Found {
    /// The instructions on our kernel, and under Linux.
    Counted { assay: u64, linux: u64 },
    /// The machine of this mode lacks the features that the build needs.
    Unsupported { needs: String },
}

impl Found {
    /// Whether the worker has the same instructions on both, but for interrupts.
    fn holds(&self) -> bool {
        match *self {
            Self::Counted { assay, linux } => {
                // The first may come at once.
                let ticks = 1 + linux / BETWEEN_TICKS;
                linux.checked_sub(assay).is_some_and(|more| more <= ticks * MOST_OF_A_TICK)
            }
            Self::Unsupported { .. } => true,
        }
    }
}

/// A difference per million, rounded up: what is not equal is not 0.
fn ppm(more: u64, of: u64) -> u64 {
    let million = u128::from(more) * 1_000_000;
    u64::try_from(million.div_ceil(u128::from(of.max(1)))).unwrap_or(u64::MAX)
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Found::Counted { assay, linux } => {
                let (ours, theirs) = (grouped(*assay), grouped(*linux));
                write!(f, "{:<24}{ours:>15}{theirs:>15}", self.workload)?;
                match linux.checked_sub(*assay) {
                    Some(0) => write!(f, "  equal"),
                    Some(more) if self.found.holds() => write!(f, "  +{} ppm", ppm(more, *assay)),
                    Some(more) => write!(f, "  DIFFERS: +{} ppm", ppm(more, *assay)),
                    None => write!(f, "  DIFFERS: fewer"),
                }
            }
            Found::Unsupported { needs } => {
                write!(f, "{:<24}{:>15}{:>15}  needs {needs}", self.workload, "-", "-")
            }
        }
    }
}

/// Counts the workers of a folder's workloads, and prints each as it is done.
///
/// # Errors
/// A manifest is wrong, or a guest cannot be run.
pub fn run(args: &ExactWorkloadsArgs) -> Result<Ending, Coded> {
    let manifests = manifests(&args.folder, args.only.as_deref())?;
    let run = args.run();
    console::answer(&format!(
        "instructions (TCG) of one worker, the least of {ITERATIONS} times; not times\n\n{:<24}{:>15}{:>15}\n",
        "workload", "Assay", "Linux"
    ))?;
    let mut lines = Vec::new();
    for manifest in &manifests {
        let workload = manifest.name().to_string();
        let found = match manifest.needs().requires.is_none() {
            false => Found::Unsupported { needs: manifest.needs().requires.to_string() },
            true => {
                let [assay, linux] = counted::on_both(&run, &alone(manifest)?)?;
                Found::Counted { assay, linux }
            }
        };
        let line = Line { workload, found };
        console::answer(&format!("{line}\n"))?;
        lines.push(line);
    }
    let wrong = lines.iter().filter(|line| !line.found.holds()).count();
    console::data("workloads", &lines)?;
    console::answer(&format!(
        "\n{} of {} hold: equal, or more under Linux by its interrupts, at most\n{} instructions in each {}\n",
        lines.len() - wrong,
        lines.len(),
        grouped(MOST_OF_A_TICK),
        grouped(BETWEEN_TICKS)
    ))?;
    Ok(match wrong {
        0 => Exit::Holds.into(),
        _ => Ending::from(Exit::DoesNotHold).then("find what the worker does that depends on the system."),
    })
}

/// The manifest of a workload for one worker, a few times, without a warm-up by the clock.
fn alone(manifest: &Manifest) -> Result<Manifest, Coded> {
    Manifest::parse(manifest.path(), one_worker(manifest.source()).as_bytes()).or_exit(Exit::BadInput)
}

fn one_worker(source: &str) -> String {
    let line = |line: &str| match line.split_once(" = ") {
        Some(("workers", _)) => Some("workers = [1]\nwarm-up-ms = 0".to_owned()),
        Some(("iterations", _)) => Some(format!("iterations = {ITERATIONS}")),
        Some(("warm-up-ms", _)) => None,
        _ => Some(line.to_owned()),
    };
    source.lines().filter_map(line).map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn counted(assay: u64, linux: u64) -> Line {
        Line { workload: "contention-ticket-lock-2".to_owned(), found: Found::Counted { assay, linux } }
    }

    #[test]
    fn only_more_under_linux_and_little_more_is_its_interrupts() {
        let most = 1_000_000_000_000;
        for (assay, linux, holds, said) in [
            (most, most, true, "equal"),
            (4_000_000, 4_000_001, true, "+1 ppm"),
            (3_000_000, 3_030_000, true, "+10000 ppm"),
            (3_000_000, 3_030_001, false, "DIFFERS: +10001 ppm"),
            (100_000_000, 100_780_000, true, "+7800 ppm"),
            (100_000_000, 100_780_001, false, "DIFFERS: +7801 ppm"),
            (1_000_000, 999_999, false, "DIFFERS: fewer"),
            (1_000_000, 1_100_000, false, "DIFFERS: +100000 ppm"),
        ] {
            let line = counted(assay, linux);
            assert_eq!(line.found.holds(), holds, "{line}");
            let text = line.to_string();
            assert!(text.contains(said) && text.len() <= 80, "{text}");
        }
    }

    #[test]
    fn every_manifest_of_a_workload_can_be_counted() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../manifests/workloads");
        for manifest in manifests(&folder, None).unwrap() {
            let alone = alone(&manifest).unwrap();
            assert_eq!((alone.cases(), alone.iterations(), alone.warm_up_ms()), (&[1][..], ITERATIONS, 0));
            assert_eq!(alone.oracle(), manifest.oracle(), "{}: the same work", manifest.name());
        }
    }
}
