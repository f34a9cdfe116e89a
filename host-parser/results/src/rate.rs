//! Work a second: of a machine, of each of its CPUs, and for a unit of money.
//!
//! The work of a case is the exact count that its log has, and the time is the median that is shown beside it. Nothing
//! here decides anything, and no rate is stored: it follows from results.json.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Serialize;

use super::model::Results;
use super::system::System;

/// The work that a case of a system does in a second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CaseRate {
    /// What ran the workers.
    pub system: System,
    /// The case, which is its number of CPUs.
    pub case: u16,
    /// The work of all workers in one iteration.
    pub work: u64,
    /// That in a second: of the machine.
    pub per_second: f64,
    /// The same of each CPU.
    pub per_cpu: f64,
    /// Whether there were more CPUs than the host has: then it shows function, and is no rate of any machine.
    pub functional_only: bool,
    /// Whether the time is the undisturbed one; else it is that as experienced, of a case of which nothing counts.
    pub undisturbed: bool,
}

/// What a machine costs an hour.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Price {
    /// The amount.
    pub per_hour: f64,
    /// The currency, as it was given; empty if none was.
    pub currency: String,
}

/// Why a text is no price.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a price above 0 for an hour, with any currency: 0.096/h, or 0.096 USD/h")]
pub struct NoPrice;

impl FromStr for Price {
    type Err = NoPrice;

    /// `0.096/h`, `0.096 USD/h`, `$0.096/h`; the `/h` may be left out.
    fn from_str(text: &str) -> Result<Self, NoPrice> {
        let text = text.trim();
        let text = text.strip_suffix("/h").unwrap_or(text).trim();
        let is_part = |letter: char| letter.is_ascii_digit() || letter == '.';
        let from = text.find(is_part).ok_or(NoPrice)?;
        let to = text[from..].find(|letter| !is_part(letter)).map_or(text.len(), |length| from + length);
        let per_hour: f64 = text[from..to].parse().map_err(|_| NoPrice)?;
        let (before, after) = (text[..from].trim(), text[to..].trim());
        let currency = [before, after].concat();
        let one_side = before.is_empty() || after.is_empty();
        let plain =
            !currency.chars().any(|letter| letter.is_control() || is_part(letter) || "/-+,".contains(letter));
        let sound =
            per_hour.is_finite() && per_hour > 0.0 && one_side && plain && currency.chars().count() <= 8;
        if sound { Ok(Self { per_hour, currency }) } else { Err(NoPrice) }
    }
}

impl Price {
    /// The work for one unit of money, at so much work a second.
    #[must_use]
    pub fn work_for_one(&self, per_second: f64) -> f64 {
        per_second * 3_600.0 / self.per_hour
    }

    /// What the money is called: its currency, or a unit.
    #[must_use]
    pub fn unit(&self) -> &str {
        if self.currency.is_empty() { "unit of money" } else { &self.currency }
    }
}

impl CaseRate {
    /// The rate of a case that does `work` in `nanos` ns; `None` if it has no such time.
    #[must_use]
    pub fn of(system: System, case: u16, work: u64, nanos: Option<f64>, undisturbed: bool) -> Option<Self> {
        let nanos = nanos.filter(|&nanos| nanos > 0.0)?;
        let per_second = work as f64 * 1e9 / nanos;
        let per_cpu = per_second / f64::from(case.max(1));
        Some(Self { system, case, work, per_second, per_cpu, functional_only: false, undisturbed })
    }
}

impl CaseRate {
    /// The same, marked if it shows function only.
    #[must_use]
    pub fn shows_function_only(self, functional_only: bool) -> Self {
        Self { functional_only, ..self }
    }
}

impl Results {
    /// The rate of each case that has a time in nanoseconds and a count of its work, in the order of rows.
    #[must_use]
    pub fn rates(&self) -> Vec<CaseRate> {
        let mut work: BTreeMap<u16, u64> = BTreeMap::new();
        for sample in
            self.runs.iter().filter_map(|run| run.verdict.outcome.measurement()).flat_map(|of| of.samples())
        {
            let of_workers =
                || sample.workers.iter().try_fold(0_u64, |sum, worker| sum.checked_add(worker.task.work));
            if !work.contains_key(&sample.case)
                && let Some(of_case) = of_workers()
            {
                work.insert(sample.case, of_case);
            }
        }
        let rate = |of: &super::ExperiencedCase| {
            let counted = self.cases.iter().find(|row| (row.system, row.stats.case) == (of.system, of.case));
            let nanos = match counted {
                Some(row) => row.stats.nanos.as_ref(),
                None => of.nanos.as_ref(),
            };
            let nanos = nanos.map(|nanos| nanos.median);
            let rate = CaseRate::of(of.system, of.case, *work.get(&of.case)?, nanos, counted.is_some())?;
            Some(rate.shows_function_only(counted.is_some_and(|row| row.stats.functional_only.is_some())))
        };
        self.experienced.iter().filter_map(rate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_has_an_amount_and_any_currency() {
        let read = |text: &str| text.parse::<Price>().map(|of| (of.per_hour, of.currency));
        for (text, amount, currency) in [
            ("0.096/h", 0.096, ""),
            ("0.096", 0.096, ""),
            ("0.096 USD/h", 0.096, "USD"),
            ("$0.096/h", 0.096, "$"),
            (" 12€ /h", 12.0, "€"),
        ] {
            assert_eq!(read(text), Ok((amount, currency.to_owned())), "{text}");
        }
        for text in
            ["", "/h", "0/h", "-1/h", "1/s", "1/month", "USD", "1 2/h", "1.2.3/h", "1e9/h5", "1\n2", "A1B/h"]
        {
            assert_eq!(read(text), Err(NoPrice), "{text:?}");
        }
    }

    #[test]
    fn a_rate_is_of_the_machine_of_a_cpu_and_for_money() {
        let rate = CaseRate::of(System::Assay, 4, 1_000, Some(2e6), true).unwrap();
        assert!((rate.per_second - 500_000.0).abs() < 1e-6 && (rate.per_cpu - 125_000.0).abs() < 1e-6);
        let price: Price = "0.5 EUR/h".parse().unwrap();
        assert!((price.work_for_one(rate.per_second) - 3.6e9).abs() < 1.0);
        assert_eq!(CaseRate::of(System::Assay, 4, 1_000, None, true), None);
        assert_eq!(CaseRate::of(System::Assay, 4, 1_000, Some(0.0), true), None);
    }
}
