//! The table of rates: the work of each case in a second, of the machine and of each CPU, and for a unit of money.

use std::collections::BTreeSet;

use results::{CaseRate, Price, Results, System};

use super::lines::wrapped;
use super::number::grouped;
use super::table::{Table, quoted, workers};

/// A rate in at most seven characters: `193.1 M`.
pub(crate) fn shown(rate: f64) -> String {
    let scales = [(1e18, " E"), (1e15, " P"), (1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
    match scales.into_iter().find(|(scale, _)| rate >= *scale) {
        Some((scale, letter)) => format!("{}{letter}", grouped(rate / scale, 1)),
        None => grouped(rate, 1),
    }
}

/// What the work of results counts, as a plural; `None` if that is not known.
pub(crate) fn unit(results: &Results) -> Option<String> {
    let ours = || {
        let run = results.runs.iter().find_map(|run| run.verdict.outcome.measurement())?;
        Some(workloads::by_name(run.identity().workload.as_str())?.units().work.to_owned())
    };
    results.experiment.work_unit.clone().or_else(ours)
}

/// The rates of results as a table; `None` if no case has a rate.
#[must_use]
pub fn rate_table(results: &Results, price: Option<&Price>) -> Option<Table> {
    let rates = results.rates();
    (!rates.is_empty()).then(|| table(&rates, price))
}

/// The table and how to read it, for a terminal: lines of at most 80 columns.
#[must_use]
pub fn rates(results: &Results, price: Option<&Price>) -> Vec<String> {
    lines(&results.rates(), unit(results).as_deref(), price)
}

/// The same of rates that are known.
pub(crate) fn lines(rates: &[CaseRate], unit: Option<&str>, price: Option<&Price>) -> Vec<String> {
    if rates.is_empty() {
        return Vec::new();
    }
    let mut lines: Vec<String> = table(rates, price).text().lines().map(str::to_owned).collect();
    lines.extend(wrapped(&note(unit, price), ""));
    lines
}

/// How to read the table of results.
#[must_use]
pub fn rate_note(results: &Results, price: Option<&Price>) -> String {
    note(unit(results).as_deref(), price)
}

fn note(unit: Option<&str>, price: Option<&Price>) -> String {
    let unit = unit.unwrap_or("its unit is not known");
    let note = format!("work: {unit}; by the exact count and the median time above");
    match price {
        Some(Price { per_hour, currency }) => {
            let amount = format!("{per_hour} {currency}");
            format!("{note}; price as it was stated: {} an hour of the machine", amount.trim_end())
        }
        None => note,
    }
}

fn table(rates: &[CaseRate], price: Option<&Price>) -> Table {
    let mut header = vec!["CPUs".to_owned(), "work/s".to_owned(), "work/s of a CPU".to_owned()];
    header.extend(price.map(|price| format!("work for 1 {}", price.unit())));
    let systems: BTreeSet<System> = rates.iter().map(|of| of.system).collect();
    let several = systems.len() > 1;
    if several {
        header.insert(0, "system".to_owned());
    }
    let row = |of: &CaseRate| {
        let figure = |rate| quoted(of.functional_only, shown(rate));
        let mut cells = vec![workers(of.case, of.functional_only), figure(of.per_second), figure(of.per_cpu)];
        cells.extend(price.map(|price| figure(price.work_for_one(of.per_second))));
        if several {
            cells.insert(0, of.system.to_string());
        }
        cells
    };
    Table { header, rows: rates.iter().map(row).collect(), left: if several { vec![0] } else { Vec::new() } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_keeps_four_figures_at_most() {
        for (rate, text) in [(0.25, "0.2"), (999.0, "999.0"), (193_100_000.0, "193.1 M"), (2.5e12, "2.5 T")] {
            assert_eq!(shown(rate), text);
        }
    }

    #[test]
    fn the_widest_table_fits_a_terminal() {
        let rates: Vec<CaseRate> = System::ALL
            .into_iter()
            .filter_map(|system| CaseRate::of(system, 255, 1_000_000_000_000, Some(1e6), true))
            .collect();
        let price = "0.01 ABCDEFGH/h".parse().unwrap();
        let lines = lines(&rates, Some("candidates tried, of a workload with a long name"), Some(&price));
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
        assert!(lines.iter().any(|line| line.contains("work for 1 ABCDEFGH")), "{lines:#?}");
    }
}
