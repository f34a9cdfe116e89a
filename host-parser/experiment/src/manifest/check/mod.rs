//! From a [`RawManifest`] to a [`Manifest`](super::Manifest): checks every value and collects all problems.

mod control;
mod lifecycle;
mod mechanisms;
mod needs;
mod outside;
mod platform;
mod shape;
mod workload;

use std::ops::{Range, RangeInclusive};
use std::path::Path;

use abi::series::Shortened;
use toml::Spanned;
use workloads::Lookup;

use super::outside::OracleAt;
use super::problem::Problem;
use super::profile::MachineProfile;
use super::raw::RawManifest;
use super::{Checked, MAX_ROUNDS, SCHEMA};

/// Checks `raw`, which was read from `source`, the text of `path`, against the workloads of `lookup`. An oracle is read from
/// the file that `oracle_at` gives.
///
/// # Errors
/// All problems, in no particular order.
pub(super) fn check(
    path: &Path,
    source: &str,
    raw: &RawManifest,
    lookup: Lookup,
    oracle_at: OracleAt<'_>,
) -> Result<Checked, Vec<Problem>> {
    let mut checker = Checker { source, problems: Vec::new() };
    checker.number("schema", &raw.schema, SCHEMA..=SCHEMA);
    let tier = *raw.tier.get_ref();
    let name = checker.name(&raw.name);
    let rounds = checker.number("rounds", &raw.rounds, 1..=MAX_ROUNDS);
    let machine_type = *raw.machine.machine_type.get_ref();
    let sweep = checker.sweep(&raw.cases, tier);
    let scaling = checker.scaling(raw);
    let iterations = checker.iterations(&raw.cases, tier);
    let warm_up_ms = checker.warm_up_ms(&raw.cases);
    let cases = checker.cases(&raw.cases, machine_type.max_cpus());
    let gate = raw.gate.as_ref().and_then(|gate| checker.gate(gate, &cases, sweep));
    let timeouts = checker.timeouts(&raw.timeouts);
    let boot = checker.boot("machine.boot", machine_type, &raw.machine.boot);
    let memory_mib = checker.number("machine.memory-mib", &raw.machine.memory_mib, 16..=1 << 20);
    let machine = MachineProfile { machine_type, boot, memory_mib };
    let authority = checker.authority(&raw.workload.authority);
    let lifecycle = checker.lifecycle(raw, tier, machine, &cases);
    let control = checker.control(raw.control.as_ref(), tier);
    let platform = checker.platform(raw.platform.as_ref(), tier);
    let mechanisms = checker.mechanisms(raw.mechanisms.as_ref(), tier);
    let most_samples = checker.most_samples(raw);
    let shortens = platform.is_some_and(|platform| platform.short != Shortened::None)
        || mechanisms.as_ref().is_some_and(|mechanisms| mechanisms.short != Shortened::None);
    let kernel_errs = shortens || raw.control.as_ref().is_some_and(|control| control.kernel.is_some());
    let is_outside = raw.workload.program.get_ref().contains('/');
    let (workload, outside) = if is_outside {
        checker.outside(path, raw, oracle_at).unzip()
    } else {
        checker.not_outside(raw);
        (checker.workload(&raw.workload.program, lookup, tier, kernel_errs), None)
    };
    let params = workload.and_then(|workload| checker.params(workload, &raw.workload.parameters));
    let corpus = checker.corpus(&raw.workload);
    let needs =
        checker.needs(&raw.workload, authority, workload, params.map(|whole| (whole, &cases[..], scaling)));
    let oracle = workload.zip(params).and_then(|(workload, params)| {
        // This is last, and only for a valid workload: its cost grows with the number of candidates.
        if checker.problems.is_empty() { checker.oracle(&raw.oracle, workload, params) } else { None }
    });

    match (name, workload, params, oracle) {
        (Some(name), Some(workload), Some(params), Some(oracle)) if checker.problems.is_empty() => {
            Ok(Checked {
                name,
                tier,
                rounds,
                workload,
                outside,
                params,
                authority,
                needs,
                corpus,
                cases,
                scaling,
                sweep,
                iterations,
                warm_up_ms,
                gate,
                oracle,
                timeouts,
                machine,
                platform,
                mechanisms,
                most_samples,
                lifecycle,
                control,
            })
        }
        _ => Err(checker.problems),
    }
}

/// Collects problems. Each method returns a value to continue with, even if it found one.
struct Checker<'a> {
    source: &'a str,
    problems: Vec<Problem>,
}

impl Checker<'_> {
    /// Records that the value at `span` is not what was expected.
    fn refuse(&mut self, key: &str, span: Range<usize>, expected: &str) {
        let found = self.source.get(span.clone()).unwrap_or_default();
        let found: String = found.lines().next().unwrap_or_default().chars().take(40).collect();
        self.note(key, span, format!("expected {expected}, found {found}"));
    }

    /// Records a problem with the text at `span`, or with a missing key.
    fn note(&mut self, key: &str, span: Range<usize>, message: String) {
        self.problems.push(Problem::at(self.source, &span, key, message));
    }

    /// A whole number in `range`. If the value is outside, the least of the range.
    fn number<T: TryFrom<i64> + Copy + PartialOrd + std::fmt::Display>(
        &mut self,
        key: &str,
        value: &Spanned<i64>,
        range: RangeInclusive<T>,
    ) -> T {
        if let Ok(number) = T::try_from(*value.get_ref())
            && range.contains(&number)
        {
            return number;
        }
        let (least, most) = (*range.start(), *range.end());
        let expected = if least == most {
            least.to_string()
        } else {
            format!("a whole number of at least {least} and at most {most}")
        };
        self.refuse(key, value.span(), &expected);
        least
    }
}
