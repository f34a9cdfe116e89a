//! The table of the cases: a line for each figure, and one for what follows from them.

use report::Table;
use results::session::{CaseVerdict, FigureVerdict, SessionComparison};

/// The table. Times are divided by `scale`.
pub fn table(comparison: &SessionComparison, scale: f64) -> Table {
    let header = ["case", "by", "A", "B", "B/A", "interval", "p", "verdict"];
    let rows = comparison.cases.iter().flat_map(|case| rows(case, scale)).collect();
    Table { header: header.map(str::to_owned).to_vec(), rows, left: vec![1, 5, 7] }
}

fn rows(case: &CaseVerdict, scale: f64) -> Vec<Vec<String>> {
    let functional = case.functional_only.is_some();
    let name = if functional { format!("{}*", case.case) } else { case.case.to_string() };
    let mut rows: Vec<Vec<String>> =
        case.figures.iter().map(|figure| row(&name, case, figure, scale)).collect();
    // With several figures, the last line of the case is its verdict.
    if let Some(verdict) = case.verdict.filter(|_| case.figures.len() > 1) {
        rows.push([&name, "together", "", "", "", "", "", verdict.word()].map(str::to_owned).to_vec());
    }
    if rows.is_empty() {
        rows.push([&name, "-", "-", "-", "-", "-", "-", "no rounds"].map(str::to_owned).to_vec());
    }
    rows
}

fn row(name: &str, case: &CaseVerdict, figure: &FigureVerdict, scale: f64) -> Vec<String> {
    let by = if case.figures.len() > 1 { figure.figure.words() } else { "time" };
    let (a, b) = (format!("{:.2}", figure.median_a / scale), format!("{:.2}", figure.median_b / scale));
    let Some(compared) = &figure.comparison else {
        let why = if case.functional_only.is_some() { "functional only" } else { "no rounds" };
        return [name, by, &a, &b, "-", "-", "-", why].map(str::to_owned).to_vec();
    };
    let interval = format!("{:.4}-{:.4}", compared.interval.low, compared.interval.high);
    let (ratio, p) = (format!("{:.4}", compared.ratio), format!("{:.0e}", compared.p_value));
    [name, by, &a, &b, &ratio, &interval, &p, compared.verdict.word()].map(str::to_owned).to_vec()
}
