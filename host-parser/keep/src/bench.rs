//! `make bench-history`: the rates that docs/HISTORY.md has, measured anew.

use clap::Args;
use lab::{Coded, Exit, console};
use stats::{FALSE_ALARM_EVERY, LEAST_FOR_CHANGE, change_trials, derive_limits};

/// The options.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Series for each line
    #[arg(long, default_value_t = 4000)]
    series: usize,
    /// Seed of the series
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Derive the limits too, from so many series of 60 sessions
    #[arg(long, value_name = "SERIES")]
    limits: Option<usize>,
}

/// Prints the rates.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &BenchArgs) -> Result<Exit, Coded> {
    let mut text = format!(
        "series of 60 sessions, looked at after each from the {LEAST_FOR_CHANGE}th on;\n\
         designed for one false alarm in {FALSE_ALARM_EVERY} looks; {} series a line\n\n\
         {:<24}{:>12}{:>12}{:>22}\n",
        args.series, "values", "step, sd", "found, %", "median delay, sessions"
    );
    for trial in change_trials(args.series, args.seed) {
        let step = if trial.step == 0.0 { "none".to_owned() } else { trial.step.to_string() };
        let delay = trial.delay.map_or_else(|| "-".to_owned(), |delay| delay.to_string());
        let found = 100.0 * trial.found;
        text += &format!("{:<24}{step:>12}{found:>12.1}{delay:>22}\n", trial.kind.words());
    }
    if let Some(series) = args.limits {
        text += "\nlimits:";
        for (n, limit) in derive_limits(series, 60, args.seed) {
            text += &format!(" {n}: {limit:.2}");
        }
        text.push('\n');
    }
    console::answer(&text).map(|()| Exit::Holds)
}
