//! The simulated sessions as a table.

use crate::quality::{Ends, RepeatRow, SelectionQuality, SelectionRow};

impl SelectionQuality {
    /// The table, one line for each pattern and shape.
    #[must_use]
    pub fn text(&self) -> String {
        let mut lines = vec![
            format!(
                "selection: {} simulated sessions of each line, judged by the real rules, seed {}",
                self.sessions, self.seed
            ),
            format!(
                "  {:<11}{:>6} {:>6} {:>6} {:>6}  {:<17}{}",
                "session", "truth", "claim", "held %", "own %", "others", "claiming 1.6"
            ),
        ];
        let mut pattern = None;
        for row in &self.rows {
            if pattern.replace(row.pattern) != Some(row.pattern) {
                lines.push(format!("{}{}", row.pattern, if row.rare { " *" } else { "" }));
            }
            lines.push(line(row));
        }
        lines.extend([
            String::new(),
            "truth: the ratio of the mean times with nothing left out; claim: 5 % above it;".to_owned(),
            "held: called HOLDS or holds-undisturbed; own: of these, the session's own boots".to_owned(),
            "miss the claim by 5 % too. others: how the other sessions ended, by shares, gap,".to_owned(),
            "contended, open, does not hold; claiming 1.6: held, then the same.".to_owned(),
            "* stretches as long as the session: many sessions see none, and no rule can know".to_owned(),
            "of them; own counts.".to_owned(),
            format!(
                "{}: at most {} % held; {:.1} % at worst, upper end {:.1} %",
                match self.reached() {
                    Some(true) => "REACHED",
                    Some(false) => "MISSED",
                    None => "NOT DECIDED (too few)",
                },
                Self::MOST * 100.0,
                self.worst(|row| row.false_claims().rate),
                self.worst(|row| row.false_claims().interval.high)
            ),
        ]);
        lines.extend(self.repeats());
        lines.join("\n") + "\n"
    }
}

impl SelectionQuality {
    /// The largest figure of a row, in per cent.
    fn worst(&self, of: impl Fn(&SelectionRow) -> f64) -> f64 {
        self.rows.iter().map(of).fold(0.0, f64::max) * 100.0
    }

    /// What making disturbed runs again did, one line for each pattern and shape.
    fn repeats(&self) -> Vec<String> {
        let head = format!(
            "  {:<11}{:>6} {:>6} {:>12} {:>6} {:>6} {:>6}",
            "session", "runs", "again", "undisturbed", "all", "first", "truth"
        );
        let mut lines = vec![String::new(), "disturbed runs made again in their rounds:".to_owned(), head];
        let mut pattern = None;
        for row in &self.rows {
            if pattern.replace(row.pattern) != Some(row.pattern) {
                lines.push(row.pattern.to_owned());
            }
            let RepeatRow { runs, again, undisturbed, all_attempts, first_attempts } = row.repeats;
            lines.push(format!(
                "  {:<11}{runs:>6.1} {again:>6.1} {undisturbed:>12.3} {all_attempts:>6.3} {first_attempts:>6.3} {:>6.3}",
                row.shape, row.truth
            ));
        }
        lines.extend([
            "undisturbed: mean of the medians; all: ratio of the mean times with every".to_owned(),
            "attempt in it; first: of the first attempts alone, as if none were made again".to_owned(),
        ]);
        lines
    }
}

fn line(row: &SelectionRow) -> String {
    format!(
        "  {:<11}{:>6.3} {:>6.3} {:>6.1} {:>6.1}  {:<17}{}/{}",
        row.shape,
        row.truth,
        row.claim,
        row.held.rate * 100.0,
        row.held_against_own.rate * 100.0,
        others(row.ends),
        row.usual.holds + row.usual.holds_undisturbed,
        others(row.usual)
    )
}

fn others(ends: Ends) -> String {
    let open = ends.inconclusive + ends.other;
    let Ends { selection_by_shares, selection_by_gap, host_contended, does_not_hold, .. } = ends;
    format!("{selection_by_shares}/{selection_by_gap}/{host_contended}/{open}/{does_not_hold}")
}
