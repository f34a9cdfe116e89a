//! The simulated sessions as a table.

use crate::quality::{Ends, SelectionQuality, SelectionRow};

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
                "{:<52}{:<12}{:>7}{:>7}{:>8}{:>8}  {:<32}{}",
                "what slows the host",
                "session",
                "truth",
                "claim",
                "held %",
                "own %",
                "so: shares/gap/contended/open/no",
                "1.6: held/shares/gap/contended/open/no"
            ),
        ];
        lines.extend(self.rows.iter().map(line));
        lines.extend([
            String::new(),
            "truth: the ratio of the mean times with nothing left out; claim: 5 % above it; held: called HOLDS or".to_owned(),
            "holds-undisturbed; own: of these, the session's own boots miss the claim by 5 % too. * stretches as long as a"
                .to_owned(),
            "session: many sessions see none, and no rule can know of them; own counts. Then how the other sessions ended,"
                .to_owned(),
            "and how all ended that claimed 1.6.".to_owned(),
            format!(
                "{}: at most {} % held: {:.1} % at worst",
                if self.reached() { "REACHED" } else { "MISSED" },
                Self::MOST * 100.0,
                self.rows.iter().map(|row| row.false_claims().rate).fold(0.0, f64::max) * 100.0
            ),
        ]);
        lines.join("\n") + "\n"
    }
}

fn line(row: &SelectionRow) -> String {
    let name = format!("{}{}", row.pattern, if row.rare { " *" } else { "" });
    format!(
        "{name:<52}{:<12}{:>7.3}{:>7.3}{:>8.1}{:>8.1}  {:<32}{}/{}",
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
