//! What `assay exact` prints.

use std::fmt::Write as _;

use exact::{Difference, LockedRow, Row, Subject};

use super::counted::Counted;

/// The rows of a subject, and what they hold for.
pub fn table(counted: &Counted, boots: u16) -> String {
    let Subject { name, qemu, cpu_model, memory_mib, .. } = &counted.subject;
    let mut text = format!(
        "{name}: instructions (TCG), not times\n\
         QEMU {qemu}, {cpu_model}, 1 CPU, {memory_mib} MiB; {boots} boots, all the same\n\n\
         {:<28}{:>16}{:>16}{:>9}\n",
        "row", "least", "median", "samples"
    );
    for row in &counted.rows {
        let (least, median) = (grouped(row.least()), grouped(row.median()));
        let _ = writeln!(text, "{:<28}{least:>16}{median:>16}{:>9}", row.name, row.samples());
    }
    text
}

/// The worker's instructions on both systems.
pub fn side_by_side(ours: &[Row], linux: &[Row]) -> String {
    let find = |rows: &[Row]| rows.iter().find(|row| row.name == "worker").map(Row::least);
    let (Some(ours), Some(linux)) = (find(ours), find(linux)) else { return String::new() };
    let verdict = match linux.checked_sub(ours) {
        Some(0) => "equal: the same work, and nothing that either system adds".to_owned(),
        Some(more) => format!("{more} more under Linux, by interrupts in each sample"),
        None => format!("{} fewer under Linux", ours - linux),
    };
    format!("worker, least: {} on Assay, {} under Linux\n{verdict}\n", grouped(ours), grouped(linux))
}

/// The differences, and the lines that make the lock agree.
pub fn update(differences: &[Difference], locked: &Subject, counted: &Counted, tolerance_ppm: u64) -> String {
    let mut text: String = differences.iter().map(|difference| format!("  {difference}\n")).collect();
    let lines: Vec<String> = differences
        .iter()
        .filter_map(|difference| {
            let row = match difference {
                Difference::Count { row, .. }
                | Difference::Unsteady { row, .. }
                | Difference::New { row, .. } => row,
                // A goal is not changed by a run, and a row that was not counted has no line.
                Difference::Goal { .. } | Difference::Missing { .. } => return None,
            };
            let fresh = counted.to_lock(tolerance_ppm).rows.into_iter().find(|fresh| fresh.name == *row)?;
            let at_most =
                locked.rows.iter().find(|before| before.name == *row).and_then(|before| before.at_most);
            Some(format!("    {}\n", LockedRow { at_most, ..fresh }.line()))
        })
        .collect();
    if !lines.is_empty() {
        text += "\nif that is meant, these lines say so (`assay exact record` writes them):\n";
        text.extend(lines);
    }
    text
}

/// A number with commas.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(rows: Vec<Row>) -> Counted {
        let (name, qemu, cpu_model) = ("assay".to_owned(), "7.2.22".to_owned(), "qemu64,-erms".to_owned());
        let subject =
            Subject { name, qemu, cpu_model, memory_mib: 128, append: String::new(), rows: Vec::new() };
        Counted { subject, rows, spans: Vec::new() }
    }

    #[test]
    fn is_at_most_80_columns_wide() {
        let row = Row::new("boot: first-worker", vec![u64::from(u32::MAX) * 1000]).unwrap();
        let text = table(&counted(vec![row]), 20);
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        assert!(text.contains("4,294,967,295,000"), "{text}");
    }

    #[test]
    fn names_both_counts_and_the_line_that_updates_the_lock() {
        let row = |count| Row::new("boot", vec![count]).unwrap();
        let goal = LockedRow { at_most: Some(8_000_000), ..LockedRow::of(&row(1_000), 0, None) };
        let locked = Subject { rows: vec![goal], ..counted(Vec::new()).subject };
        let now = counted(vec![row(1_001)]);
        let text = update(&exact::compare(&locked.rows, &now.rows), &locked, &now, 1_000);
        assert!(text.contains("boot: 1000 in the lock, 1001 counted: +1\n"), "{text}");
        let line = "{ name = \"boot\", instructions = 1001, at-most = 8000000 },";
        assert!(text.contains(line), "{text}");
    }

    #[test]
    fn states_whether_the_worker_has_the_same_instructions() {
        let worker = |count| vec![Row::new("worker", vec![count]).unwrap()];
        assert!(side_by_side(&worker(9), &worker(9)).contains("equal"));
        assert!(side_by_side(&worker(9), &worker(11)).contains("2 more under Linux"));
        assert!(side_by_side(&worker(9), &worker(8)).contains("1 fewer under Linux"));
    }
}
