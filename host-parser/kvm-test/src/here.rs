//! Runs cases on this host, each as a process of its own.

use std::fmt::Write as _;
use std::panic;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use host::process::{Capture, Captured, End, Process};

use crate::cases::{CASES, Case, Done};
use crate::verdict::{Outcome, Verdict};

/// What a case's process ends with if it was not run.
const NOT_RUN: u8 = 3;
/// How much of a failed case's output is shown: the end has the reason.
const SHOWN_LINES: usize = 60;
const OUTPUT_BYTES: usize = 4 << 20;

/// Runs these cases, one after the other.
pub fn run(cases: &[&'static Case], on_verdict: &mut dyn FnMut(&'static str, Verdict)) {
    for case in cases {
        println!("{} ...", case.name);
        on_verdict(case.name, judge(case));
    }
}

/// Runs a case in this process. The last line of its output is what was seen.
pub fn run_in_this_process(name: &str) -> ExitCode {
    let Some(case) = CASES.iter().find(|case| case.name == name) else {
        println!("no such case");
        return ExitCode::from(2);
    };
    panic::set_hook(Box::new(|info| print_error(&info.to_string())));
    match (case.run)() {
        Ok(Done::Passed(seen)) => {
            println!("{seen}");
            ExitCode::SUCCESS
        }
        Ok(Done::NotRun(why)) => {
            println!("{why}");
            ExitCode::from(NOT_RUN)
        }
        Err(error) => {
            print_error(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Prints all of an error, which may have a log in it, and its first line again: the last line is the note.
fn print_error(error: &str) {
    println!("{error}\n{}", error.lines().next().unwrap_or_default());
}

fn judge(case: &Case) -> Verdict {
    let begin = Instant::now();
    let deadline = Duration::from_secs(case.seconds);
    let captured = start(case).and_then(|process| {
        let capture = Capture { deadline, limit_bytes: OUTPUT_BYTES, cancel: None };
        capture.run(process, &mut |_, _| ())
    });
    let (outcome, note) = match captured {
        Ok(captured) => of_captured(case, &captured),
        Err(error) => (Outcome::Failed, format!("its process: {error}")),
    };
    Verdict { case: case.name.to_owned(), outcome, took: begin.elapsed(), note }
}

fn start(case: &Case) -> std::io::Result<Process> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--case", case.name]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Process::spawn(&mut command)
}

fn of_captured(case: &Case, captured: &Captured) -> (Outcome, String) {
    let output = String::from_utf8_lossy(&captured.output);
    let lines: Vec<&str> = output.lines().collect();
    let note = lines.last().copied().unwrap_or_default().to_owned();
    let (outcome, note) = match captured.end {
        End::Itself(status) if status.success() => return (Outcome::Passed, note),
        End::Itself(status) if status.code() == Some(NOT_RUN.into()) => return (Outcome::NotRun, note),
        End::Itself(status) if status.code() == Some(1) => (Outcome::Failed, note),
        End::Itself(status) => (Outcome::Failed, format!("{status}: {note}")),
        End::Deadline => (Outcome::Failed, format!("had not ended after {} s", case.seconds)),
        End::Cancelled | End::Overflow { .. } => (Outcome::Failed, "its output was too long".to_owned()),
    };
    let mut shown = String::new();
    for line in lines.iter().rev().take(SHOWN_LINES).rev() {
        let _ = writeln!(shown, "    {line}");
    }
    print!("{shown}{}", captured.stderr);
    (outcome, note)
}
