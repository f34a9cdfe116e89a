//! What is shown: a line for each boot as it ends, and a summary. Written straight to standard error, past the test
//! harness's capture: the run takes minutes, and somebody watches.

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
    /// A row that this host cannot try.
    pub fn skipped(name: &'static str, lacks: String) -> Self {
        Self { name, kind: Kind::Skipped(lacks) }
    }

    /// A row that was tried.
    pub fn tried(name: &'static str, took: Duration, tries: usize, over: &Over, judged: Judged) -> Self {
        let kind = Kind::Tried { took, tries, first_record: over.first_record, judged, log: over.text() };
        Self { name, kind }
    }
}

/// All rows so far.
pub struct Report {
    begin: Instant,
    right: usize,
    wrong: Vec<&'static str>,
    skipped: usize,
}

impl Report {
    /// Prints the head of the table.
    pub fn begin(emulator: &str) -> Self {
        print(&format!(
            "\n{emulator}\nCPUs up: from the first start-up message to the last CPU, guest's time"
        ));
        print("seconds  first record  CPUs  CPUs up     machine and outcome");
        Self { begin: Instant::now(), right: 0, wrong: Vec::new(), skipped: 0 }
    }

    /// Prints a row, and its log where it is wrong.
    pub fn add(&mut self, row: Row) {
        let name = row.name;
        match row.kind {
            Kind::Skipped(lacks) => {
                self.skipped += 1;
                print(&format!("      -             -     -        -  -  {name}: SKIPPED, {lacks}"));
            }
            Kind::Tried { took, tries, first_record, judged, log } => {
                let Judged { wrong, online, all_up_us, ended, .. } = judged;
                let ms = |ms: Option<f64>| ms.map_or("-".to_owned(), |ms| format!("{ms:.1} ms"));
                let first = ms(first_record.map(|first| first.as_secs_f64() * 1e3));
                let up = ms(all_up_us.map(|us| us as f64 / 1e3));
                let mark = if wrong.is_empty() { "ok" } else { "WRONG" };
                let again = if tries > 1 { format!(" (try {tries})") } else { String::new() };
                let seconds = took.as_secs_f64();
                print(&format!(
                    "{seconds:7.1}  {first:>12}  {online:>4}  {up:>9}  {mark}  {name}: {ended}{again}"
                ));
                if wrong.is_empty() {
                    self.right += 1;
                    return;
                }
                self.wrong.push(name);
                wrong.iter().for_each(|line| print(&format!("         {line}")));
                print(&format!("--- log\n{}\n---", tail(&log)));
            }
        }
    }

    /// Prints the sum; returns what was wrong.
    pub fn end(self) -> Vec<&'static str> {
        let seconds = self.begin.elapsed().as_secs();
        let (right, wrong, skipped) = (self.right, self.wrong.len(), self.skipped);
        print(&format!("{right} as they must, {wrong} not, {skipped} skipped; {seconds} s"));
        self.wrong
    }
}

/// The end of a log: enough to see what it died of.
fn tail(log: &str) -> String {
    const LINES: usize = 40;
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}

fn print(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
