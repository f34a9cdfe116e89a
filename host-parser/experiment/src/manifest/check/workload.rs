//! The workload: the program, its authority and parameters, and the expected answer.

use abi::syscall::{Authority, Right};
use abi::wire::Value;
use toml::Spanned;
use workloads::{BadParameter, Expectation, Lookup, Table, Units, Words, Workload};

use super::super::profile::{Oracle, Tier};
use super::super::raw::{RawOracle, RawParameters};
use super::Checker;

impl Checker<'_> {
    /// What a worker may do.
    pub(super) fn authority(&mut self, raw: &Spanned<Vec<Spanned<String>>>) -> Authority {
        let key = "workload.authority";
        let mut authority = Authority::NONE;
        for name in raw.get_ref() {
            match Right::parse(name.get_ref()) {
                None => {
                    let expected = format!("names out of: {}", Right::WORDS.join(", "));
                    self.refuse(key, name.span(), &expected);
                }
                Some(right) if authority.has(right) => self.refuse(key, name.span(), "each right once"),
                Some(right) => authority = authority.with(right),
            }
        }
        if !authority.has(Right::Exit) {
            self.refuse(key, raw.span(), "a list with \"exit\", without which no worker can end");
        }
        authority
    }

    /// The program's workload. It must suit the tier.
    pub(super) fn workload(
        &mut self,
        program: &Spanned<String>,
        lookup: Lookup,
        tier: Tier,
        kernel_errs: bool,
    ) -> Option<&'static dyn Workload> {
        // Only one thing goes wrong at a time: the kernel or the worker.
        let control = tier == Tier::Control && !kernel_errs;
        let suits = |workload: &&dyn Workload| workload.control_of().is_some() == control;
        let found = lookup(program.get_ref()).filter(suits);
        if found.is_none() {
            let known: Vec<_> = workloads::REGISTRY.all().filter(suits).map(Workload::name).collect();
            let expected = format!("a worker program of this tier: {}", known.join(", "));
            self.refuse("workload.program", program.span(), &expected);
        }
        found
    }

    /// The parameters, as words.
    pub(super) fn params(&mut self, workload: &dyn Workload, raw: &Spanned<RawParameters>) -> Option<Words> {
        let given = raw.get_ref();
        let table: Table<'_> =
            given.iter().map(|(key, value)| (key.get_ref().as_str(), *value.get_ref())).collect();
        let bad = match workload.read_table(&table) {
            Ok(words) => return Some(words),
            Err(bad) => bad,
        };
        for BadParameter { key, expected } in bad {
            let name = format!("workload.parameters.{key}");
            let known = workload.parameters().iter().any(|parameter| parameter.key == key);
            match given.iter().find(|(given, _)| *given.get_ref() == key) {
                Some((_, value)) if known => self.refuse(&name, value.span(), &expected),
                Some((key, _)) => self.refuse(&name, key.span(), &expected),
                None => self.note(&name, raw.span(), format!("expected {expected}, found nothing")),
            }
        }
        None
    }

    /// The totals in the manifest. They must equal the reference's.
    pub(super) fn oracle(
        &mut self,
        raw: &RawOracle,
        workload: &dyn Workload,
        params: Words,
    ) -> Option<Oracle> {
        let (Expectation { answer, work, .. }, units) = (workload.expectation(params, 0), workload.units());
        let Units { answer: answers, work: steps } = units;
        let right = self.total("oracle.answer", &raw.answer, answer, answers)
            & self.total("oracle.work", &raw.work, work, steps);
        right.then_some(Oracle { answer, work })
    }

    /// Whether a total equals the reference's.
    fn total(&mut self, key: &str, written: &Spanned<i64>, reference: u64, unit: &str) -> bool {
        let same = u64::try_from(*written.get_ref()) == Ok(reference);
        if !same {
            let expected = format!("{reference}, which the reference gives for these parameters (in {unit})");
            self.refuse(key, written.span(), &expected);
        }
        same
    }
}
