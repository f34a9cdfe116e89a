//! Prints a line for each boot when it ends, and a summary. It writes straight to standard error, past the test
//! harness's capture, because the run takes minutes.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::judge::Judged;
use crate::lab::Over;

/// One row's outcome.
pub struct Row {
    name: &'static str,
    kind: Kind,
}

enum Kind {
    Skipped(String),
    Tried { took: Duration, tries: usize, first_record: Option<Duration>, judged: Judged, log: String },
}

impl Row {
    /// A row that this host cannot run.
    pub fn skipped(name: &'static str, lacks: String) -> Self {
        Self { name, kind: Kind::Skipped(lacks) }
    }

    /// A row that was run.
    pub fn tried(name: &'static str, took: Duration, tries: usize, over: &Over, judged: Judged) -> Self {
        let kind = Kind::Tried { took, tries, first_record: over.first_record, judged, log: over.text() };
        Self { name, kind }
    }
}

/// The counts of the rows so far.
pub struct Report {
    begin: Instant,
    expected: usize,
    unexpected: Vec<&'static str>,
    skipped: usize,
}

impl Report {
    /// Prints the head of the table.
    pub fn begin(emulator: &str) -> Self {
        print(&format!(
            "\n{emulator}\nCPUs up: guest time from the first start-up message to the last CPU online"
        ));
        print("seconds  first record  CPUs  CPUs up     machine and outcome");
        Self { begin: Instant::now(), expected: 0, unexpected: Vec::new(), skipped: 0 }
    }

    /// Prints a row, and its log if it ended unexpectedly.
    pub fn add(&mut self, row: Row) {
        let name = row.name;
        match row.kind {
            Kind::Skipped(lacks) => {
                self.skipped += 1;
                print(&format!("      -             -     -        -  -  {name}: SKIPPED, {lacks}"));
            }
            Kind::Tried { took, tries, first_record, judged, log } => {
                let Judged { wrong, online, all_up_us, ended, .. } = judged;
                let first = milliseconds(first_record.map(|first| first.as_secs_f64() * 1e3));
                let up = milliseconds(all_up_us.map(|us| us as f64 / 1e3));
                let mark = if wrong.is_empty() { "ok" } else { "UNEXPECTED" };
                let again = if tries > 1 { format!(" (try {tries})") } else { String::new() };
                let seconds = took.as_secs_f64();
                print(&format!(
                    "{seconds:7.1}  {first:>12}  {online:>4}  {up:>9}  {mark}  {name}: {ended}{again}"
                ));
                if wrong.is_empty() {
                    self.expected += 1;
                    return;
                }
                self.unexpected.push(name);
                wrong.iter().for_each(|line| print(&format!("         {line}")));
                print(&format!("--- log\n{}\n---", tail(&log)));
            }
        }
    }

    /// Prints the counts, and returns the names of the rows that ended unexpectedly.
    pub fn end(self) -> Vec<&'static str> {
        let seconds = self.begin.elapsed().as_secs();
        let (expected, unexpected, skipped) = (self.expected, self.unexpected.len(), self.skipped);
        print(&format!("{expected} as expected, {unexpected} unexpected, {skipped} skipped; {seconds} s"));
        self.unexpected
    }
}

fn milliseconds(ms: Option<f64>) -> String {
    ms.map_or("-".to_owned(), |ms| format!("{ms:.1} ms"))
}

/// The last lines of a log, which usually show the cause of a failure.
fn tail(log: &str) -> String {
    const LINES: usize = 40;
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn print(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
