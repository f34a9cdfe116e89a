//! The results on a terminal, at most 80 columns wide.

use std::fmt::Write as _;

use report::Table;

use super::outcome::{SnapshotResults, Verdict};

/// The columns of a line.
const WIDTH: usize = 80;

/// The page of a session.
#[must_use]
pub fn page(results: &SnapshotResults) -> String {
    let word = if results.holds() { "PASSED" } else { "FAILED" };
    let environment = &results.environment;
    let vmm = environment.vmm_version().unwrap_or("an unknown VMM");
    let is_emulated = environment.accelerator.as_ref().is_some_and(|of| of.emulated);
    let what = if is_emulated { " (emulated: no time of it is a time of hardware)" } else { "" };
    let mut text = format!("{word}: {} rounds of {}{what}\n{vmm}\n\n", results.rounds, results.machine);
    text += &rows(results).text();
    text.push('\n');
    for size in &results.sizes {
        let (blocks, length) = (size.block_bytes, size.file_bytes);
        let _ = writeln!(
            text,
            "{}: snapshot of {} KiB in blocks, {} KiB long",
            size.subject,
            blocks >> 10,
            length >> 10
        );
    }
    text += "\nwhat must survive, and what must not pass unnoticed\n";
    for check in &results.checks {
        let verdict = match check.verdict {
            Verdict::Holds => "holds",
            Verdict::Fails => "FAILS",
            Verdict::NotApplicable => "n/a",
        };
        line(&mut text, &check.name, verdict, &check.detail);
    }
    text += "\nspoilt on purpose\n";
    for control in &results.controls {
        let verdict = if control.noticed { "noticed" } else { "MISSED" };
        line(&mut text, &control.spoilt, verdict, &control.detail);
    }
    text.push('\n');
    for failure in &results.failures {
        wrapped(&mut text, "FAILED: ", failure, WIDTH);
    }
    for left_out in &results.left_out {
        wrapped(&mut text, "left out: ", left_out, WIDTH);
    }
    text
}

/// A line of a list; the rest of a long detail follows in lines of its own.
fn line(text: &mut String, name: &str, verdict: &str, detail: &str) {
    wrapped(text, &format!("{name:<15} {verdict:<8} "), detail, WIDTH);
}

/// `words` after `head`, in lines of at most `width` columns; those after the first begin below the first word.
fn wrapped(text: &mut String, head: &str, words: &str, width: usize) {
    let (mut rest, mut head, room) = (words, head.to_owned(), width - head.len());
    loop {
        let cut = rest
            .char_indices()
            .nth(room)
            .map_or(rest.len(), |(at, _)| rest[..at].rfind(' ').filter(|&space| space > 0).unwrap_or(at));
        let _ = writeln!(text, "{head}{}", &rest[..cut]);
        rest = rest[cut..].trim_start();
        head = " ".repeat(head.len());
        if rest.is_empty() {
            return;
        }
    }
}

fn rows(results: &SnapshotResults) -> Table {
    let header = ["lives on it", "in ms", "times", "min", "median", "p95", "max"];
    let ms = |us: u64| format!("{}.{}", us / 1000, us % 1000 / 100);
    let lines = results.rows.iter().map(|row| {
        let of = row.figures;
        let times = [of.min_us, of.median_us, of.p95_us, of.max_us].map(ms);
        let names = [row.subject.to_string(), row.row.clone(), of.cycles.to_string()];
        names.into_iter().chain(times).collect()
    });
    Table { header: header.map(str::to_owned).to_vec(), rows: lines.collect(), left: vec![0, 1] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_detail_goes_on_below_its_first_word() {
        let mut text = String::new();
        wrapped(&mut text, "why: ", "one two three four-and-more", 15);
        assert_eq!(text, "why: one two\n     three\n     four-and-m\n     ore\n");
        let mut text = String::new();
        line(&mut text, "memory", "holds", &"word ".repeat(30));
        assert!(text.lines().all(|line| line.len() <= WIDTH), "{text}");
    }
}
