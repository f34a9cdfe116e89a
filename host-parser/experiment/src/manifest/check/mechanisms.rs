//! The rows of the kernel's mechanisms, and the authority profile of their tasks.

use abi::plan::{HandleGrant, KernelObject, PlanLine};
use abi::series::Shortened;
use abi::wire::Message;
use toml::Spanned;

use super::super::mechanisms::Mechanisms;
use super::super::profile::Tier;
use super::super::raw::RawMechanisms;
use super::Checker;

const PAGE: &str = "docs/MECHANISMS.md";

impl Checker<'_> {
    /// What each boot measures of the mechanisms. The mechanism tier requires it.
    pub(super) fn mechanisms(&mut self, raw: Option<&RawMechanisms>, tier: Tier) -> Option<Mechanisms> {
        let Some(raw) = raw else {
            if tier == Tier::Mechanism {
                let expected = "expected a table [mechanisms], found nothing in a manifest of this tier";
                self.note("mechanisms", 0..0, expected.to_owned());
            }
            return None;
        };
        let rows = raw.rows.as_ref();
        let rows = rows.map_or(Shortened::All, |word| self.rows("mechanisms.rows", word, PAGE));
        let objects = self.lines::<KernelObject>("mechanisms.objects", raw.objects.get_ref());
        let grants = self.lines::<HandleGrant>("mechanisms.grants", raw.grants.get_ref());
        let short = self.short("mechanisms.short", raw.short.as_ref(), tier, PAGE);
        let mechanisms = Mechanisms { rows, short, samples: raw.samples.unwrap_or(false), objects, grants };
        if let Some(problem) = mechanisms.problem() {
            self.refuse(
                "mechanisms.objects",
                raw.objects.span(),
                &format!("a profile that a kernel takes ({problem})"),
            );
        }
        Some(mechanisms)
    }

    /// The lines of a plan that the strings are, without their word.
    fn lines<T: Message<List = PlanLine>>(&mut self, key: &str, lines: &[Spanned<String>]) -> Vec<T> {
        let mut read = Vec::new();
        for line in lines {
            let text = format!(" {}", line.get_ref());
            match PlanLine::parse_fields(T::NAME.as_bytes(), text.as_bytes()).map(|line| T::of(&line)) {
                Ok(Some(line)) => read.push(line),
                Ok(None) => {}
                Err(error) => self.refuse(key, line.span(), &format!("a line of a plan ({error})")),
            }
        }
        read
    }
}
