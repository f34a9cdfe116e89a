//! The simulated sessions as a table.

use stats::Rate;

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
                "  {:<11}{:>6} {:>6} {:>5} {:>5} {:>5} {:>5}  others",
                "session", "truth", "claim", "held", "own", "few", "met"
            ),
        ];
        let mut pattern = None;
        for row in &self.rows {
            if pattern.replace(row.pattern) != Some(row.pattern) {
                lines.push(row.pattern.to_owned());
            }
            lines.push(line(row));
        }
        lines.extend([
            String::new(),
            "truth: the ratio of the mean times with nothing left out; claim: 5 % above it;".to_owned(),
            "held: called HOLDS or holds-undisturbed, in %; own: of these, the session's own".to_owned(),
            "boots miss the claim by 5 % too; few: sessions that met what slows the host once".to_owned(),
            "or never (several boots within one stay are once); met: held in the others. If".to_owned(),
            "few is above 2 % (*), no rule can know, and met counts. others: how the others".to_owned(),
            "ended, by shares/gap/contended/open/does not hold.".to_owned(),
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
        lines.extend(self.power());
        lines.extend(self.repeats());
        lines.join("\n") + "\n"
    }
}

impl SelectionQuality {
    /// The largest figure of a row, in per cent.
    fn worst(&self, of: impl Fn(&SelectionRow) -> f64) -> f64 {
        self.rows.iter().map(of).fold(0.0, f64::max) * 100.0
    }

    /// How often claims held that should, one line for each pattern and shape.
    fn power(&self) -> Vec<String> {
        let head = format!(
            "  {:<11}{:>6} {:>8} {:>6} {:>6}  others of the usual claim",
            "session", "truth", "-5 %", "1.6", "1.98"
        );
        let mut lines =
            vec![String::new(), "claims that the host may well reach, held in %:".to_owned(), head];
        let mut pattern = None;
        for row in &self.rows {
            if pattern.replace(row.pattern) != Some(row.pattern) {
                lines.push(row.pattern.to_owned());
            }
            let usual = 100.0 * (row.usual.holds + row.usual.holds_undisturbed) as f64 / self.sessions as f64;
            lines.push(format!(
                "  {:<11}{:>6.3} {:>8.1} {usual:>6.1} {:>6.1}  {}",
                row.shape,
                row.truth,
                row.held_true.rate * 100.0,
                row.held_strict.rate * 100.0,
                others(row.usual)
            ));
        }
        lines.extend([
            "-5 %: a claim that the truth is 5 % above; 1.6: the usual claim, 80 % of as many".to_owned(),
            "workers as there are; 1.98: 99 % of them".to_owned(),
        ]);
        lines
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
            "undisturbed: mean of the medians; all: ratio of the mean times of all sessions,".to_owned(),
            "with every attempt; first: of first attempts alone, as if none were made again".to_owned(),
        ]);
        lines
    }
}

fn line(row: &SelectionRow) -> String {
    let percent = |rate: Rate| rate.rate * 100.0;
    let few = format!("{:.1}{}", percent(row.few), if row.is_rare() { "*" } else { " " });
    format!(
        "  {:<11}{:>6.3} {:>6.3} {:>5.1} {:>5.1} {few:>6}{:>5.1}  {}",
        row.shape,
        row.truth,
        row.claim,
        percent(row.held),
        percent(row.held_against_own),
        percent(row.held_though_met),
        others(row.ends)
    )
}

fn others(ends: Ends) -> String {
    let open = ends.inconclusive + ends.other;
    let Ends { selection_by_shares, selection_by_gap, host_contended, does_not_hold, .. } = ends;
    format!("{selection_by_shares}/{selection_by_gap}/{host_contended}/{open}/{does_not_hold}")
}
