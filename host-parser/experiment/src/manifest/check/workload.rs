//! What is run: the program, its authority and parameters, and what it should answer.

use abi::syscall::{Authority, Syscall};
use toml::Spanned;
use user_workers::reference::{self, Answer, BadParameter, Lookup, Workload};

use super::super::profile::{Oracle, Tier};
use super::super::raw::{RawOracle, RawParameters};
use super::Checker;

/// What the names of the programs that fail on purpose begin with.
const CONTROL_PREFIX: &str = "control-";

impl Checker<'_> {
    /// The syscalls that a worker may make.
    pub(super) fn authority(&mut self, raw: &Spanned<Vec<Spanned<String>>>) -> Authority {
        let key = "workload.authority";
        let mut authority = Authority::NONE;
        for name in raw.get_ref() {
            match Syscall::ALL.into_iter().find(|&(_, known)| known == name.get_ref()) {
                None => {
                    let known: Vec<_> = Syscall::ALL.into_iter().map(|(_, known)| known).collect();
                    self.refuse(key, name.span(), &format!("names out of: {}", known.join(", ")));
                }
                Some((call, _)) if authority.allows(call) => {
                    self.refuse(key, name.span(), "each syscall once");
                }
                Some((call, _)) => authority = authority.with(call),
            }
        }
        if !authority.allows(Syscall::Exit) {
            self.refuse(key, raw.span(), "a list with \"exit\", without which no worker can end");
        }
        authority
    }

    /// The reference of the program, which must suit the tier.
    pub(super) fn workload(
        &mut self,
        program: &Spanned<String>,
        lookup: Lookup,
        tier: Tier,
        kernel_errs: bool,
    ) -> Option<&'static dyn Workload> {
        // One thing goes wrong at a time: if the kernel does, the worker does not.
        let suits = |name: &str| name.starts_with(CONTROL_PREFIX) == (tier == Tier::Control && !kernel_errs);
        let found = lookup(program.get_ref()).filter(|workload| suits(workload.name()));
        if found.is_none() {
            let known: Vec<_> = reference::names().filter(|name| suits(name)).collect();
            let expected = format!("a worker program of this tier: {}", known.join(", "));
            self.refuse("workload.program", program.span(), &expected);
        }
        found
    }

    /// The parameters by their names, in the workload's order.
    pub(super) fn params(
        &mut self,
        workload: &dyn Workload,
        raw: &Spanned<RawParameters>,
    ) -> Option<[u64; 4]> {
        let (names, given) = (workload.parameters(), raw.get_ref());
        let key = |name: &str| format!("workload.parameters.{name}");
        let problems_before = self.problems.len();
        for name in given.keys().filter(|name| !names.contains(&name.get_ref().as_str())) {
            let expected = format!("a parameter of this program: {}", names.join(", "));
            self.refuse(&key(name.get_ref()), name.span(), &expected);
        }
        let mut params = [0; 4];
        for (param, &name) in params.iter_mut().zip(names) {
            match given.iter().find(|(key, _)| key.get_ref() == name) {
                // What is negative is in no workload's range, and neither is this.
                Some((_, value)) => *param = u64::try_from(*value.get_ref()).unwrap_or(u64::MAX),
                None => {
                    self.note(&key(name), raw.span(), "expected a whole number, found nothing".to_owned())
                }
            }
        }
        if self.problems.len() > problems_before {
            return None;
        }
        if let Err(BadParameter { index, expected }) = workload.check(params) {
            let name = names.get(index).copied().unwrap_or_default();
            let value = given.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value.span());
            self.refuse(&key(name), value.unwrap_or(raw.span()), expected);
            return None;
        }
        Some(params)
    }

    /// The totals as written, which must be those of the reference.
    pub(super) fn oracle(
        &mut self,
        raw: &RawOracle,
        workload: &dyn Workload,
        params: [u64; 4],
    ) -> Option<Oracle> {
        let Answer { answer, work, .. } = workload.expected(params);
        let mut total = |key: &str, written: &Spanned<i64>, reference: u64| {
            let same = u64::try_from(*written.get_ref()) == Ok(reference);
            if !same {
                let expected = format!("{reference}, which the reference gives for these parameters");
                self.refuse(key, written.span(), &expected);
            }
            same
        };
        let same = total("oracle.answer", &raw.answer, answer) & total("oracle.work", &raw.work, work);
        same.then_some(Oracle { answer, work })
    }
}
