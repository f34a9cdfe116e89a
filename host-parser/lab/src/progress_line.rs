//! The progress that a person sees: on a terminal one line with the current run, the last result and the time left;
//! elsewhere a line for each run. It is drawn when something happens, and never by a timer: a run may be measured.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use evidence::gate::{Cycles, Measurement, Verdict};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::console;
use crate::schedule::Slot;

/// At this many times or more, a line shows only the range.
const MANY: usize = 5;
const TEMPLATE: &str = "[{bar:30}] {pos} of {len} runs, {gone} gone, {left}\n  {wide_msg}";

/// How many runs a session is to have, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub struct Count {
    /// All of them. It grows with what is lost.
    pub planned: usize,
    /// How many of those that were made do not count.
    pub lost: usize,
}

/// ProgressLine of an experiment.
pub struct ProgressLine {
    bar: ProgressBar,
    on_terminal: bool,
    /// The length of the longest name of a run.
    width: usize,
    runs: usize,
    rounds: u32,
    done: usize,
    last: String,
    forecast: Forecast,
    patience: Option<Duration>,
    /// How many runs were lost when the forecast was last printed.
    warned: usize,
}

impl ProgressLine {
    /// A line for runs in this order, with the names that `name` gives them.
    pub fn new<T: Copy>(order: &[Slot<T>], name: impl Fn(T) -> String) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let target = if on_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(order.len() as u64), target);
        let forecast = Forecast::default();
        let (shown, style) = (forecast.clone(), ProgressStyle::with_template(TEMPLATE));
        let gone = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            // If this fails, the line lacks the time; nothing else is lost.
            let _ = write!(out, "{} s", state.elapsed().as_secs());
        };
        let left = move |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = out.write_str(&shown.left(state.elapsed()));
        };
        let style = style.expect("a good template").with_key("gone", gone).with_key("left", left);
        bar.set_style(style.progress_chars("=> "));
        let rounds = order.last().map_or(0, |slot| slot.round + 1);
        let width = order.iter().map(|slot| name(slot.item).len()).max().unwrap_or(0);
        let (runs, last) = (order.len(), String::new());
        Self { bar, on_terminal, width, runs, rounds, done: 0, last, forecast, patience: None, warned: 0 }
    }

    /// The session may take as long as this, if it has patience.
    pub fn allow(&mut self, patience: Option<Duration>) {
        self.patience = patience;
    }

    /// A run waits for the host's CPUs.
    pub fn wait(&self, round: u32, name: &str) {
        self.show(round, name, "waiting for the host");
    }

    /// A run begins.
    pub fn begin(&mut self, round: u32, name: &str) {
        self.show(round, name, "booting");
    }

    /// The run's guest is up and at work.
    pub fn working(&self, round: u32, name: &str) {
        self.show(round, name, "measuring");
    }

    fn show(&self, round: u32, name: &str, doing: &str) {
        let (round, rounds, last) = (round + 1, self.rounds, &self.last);
        self.bar.set_message(format!("round {round} of {rounds}, {name}: {doing}{last}"));
    }

    /// A run is over. `count` has the new total.
    pub fn end(&mut self, round: u32, name: &str, verdict: &Verdict<Measurement>, count: Count) {
        self.done += 1;
        let Count { planned: runs, lost } = count;
        self.runs = runs;
        self.bar.set_length(runs as u64);
        self.bar.inc(1);
        self.rounds = self.rounds.max(round + 1);
        self.forecast.update(self.bar.elapsed(), self.done, count);
        let refusal = verdict.outcome.refusal();
        let said = match (verdict.outcome.measurement(), refusal) {
            (Some(measured), _) => times(measured),
            (None, Some((reason, detail))) => format!("{reason}: {detail}"),
            (None, None) => String::new(),
        };
        let (word, width) = (verdict.outcome.word(), self.width);
        let (done, runs, round) = (self.done, self.runs, round + 1);
        // The number that the run has in its files and in the results, which counts from 0.
        let number = done - 1;
        let line =
            format!("run {number:03} ({done} of {runs})  round {round}  {name:>width$}  {word}  {said}");
        self.last = format!("   (last: {name}, {word}, {said})");
        if !self.on_terminal {
            console::note(&line);
        } else if refusal.is_some() {
            self.bar.println(line);
        }
        self.warn(lost);
    }

    /// Prints what the session would take at this noise beside its patience, whenever more was lost.
    fn warn(&mut self, lost: usize) {
        if lost <= self.warned {
            return;
        }
        self.warned = lost;
        let elapsed = self.bar.elapsed();
        if let Some(line) =
            self.patience.and_then(|patience| self.forecast.beside(elapsed, patience.saturating_sub(elapsed)))
        {
            self.note(&line);
        }
    }

    /// Prints a line between two runs.
    pub fn note(&self, line: &str) {
        if self.on_terminal {
            self.bar.println(line);
        } else {
            console::note(line);
        }
    }

    /// All runs are over.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// When all will be done, in milliseconds from the start; 0 as long as no run is over to judge by.
#[derive(Clone, Default)]
struct Forecast(Arc<AtomicU64>);

impl Forecast {
    /// Takes the time of each run that counts so far, with what was lost between them, for each that is still to count: at
    /// the noise of this session. Nothing is known as long as none counts.
    fn update(&self, elapsed: Duration, done: usize, Count { planned, lost }: Count) {
        let (counted, to_count) = (done.saturating_sub(lost), planned.saturating_sub(lost));
        let whole = if counted == 0 { 0 } else { elapsed.as_millis() * to_count as u128 / counted as u128 };
        self.0.store(u64::try_from(whole).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What is left at this noise, beside the time that is left of the patience.
    fn beside(&self, elapsed: Duration, patience_left: Duration) -> Option<String> {
        let whole = Duration::from_millis(self.0.load(Ordering::Relaxed));
        let left = whole.checked_sub(elapsed).filter(|_| !whole.is_zero())?;
        let enough = if left <= patience_left { "" } else { ": not all rounds will be made" };
        let (left, patience) = (about(left), about(patience_left));
        Some(format!("at this noise {left} more; patience for {patience}{enough}"))
    }

    fn left(&self, elapsed: Duration) -> String {
        match self.0.load(Ordering::Relaxed) {
            0 => "time left not known yet".to_owned(),
            whole => {
                let left = Duration::from_millis(whole).saturating_sub(elapsed).as_secs();
                format!("about {} s left", left + 1)
            }
        }
    }
}

/// A time for a person: minutes if it is some, else seconds.
fn about(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..120 => format!("about {} s", seconds + 1),
        seconds => format!("about {} minutes", seconds.div_ceil(60)),
    }
}

/// A run's times, in milliseconds if the clock is known: each of a few, the range of many.
fn times(measured: &Measurement) -> String {
    let khz = measured.clock().tsc.as_ref().map(|tsc| tsc.khz);
    let show = |cycles: Cycles| match khz.and_then(|khz| cycles.nanos(khz)) {
        Some(nanos) => format!("{}.{:03} ms", nanos.0 / 1_000_000, nanos.0 / 1000 % 1000),
        None => format!("{} cycles", cycles.0),
    };
    let times = measured.samples().iter().map(|sample| sample.cycles);
    if let (Some(least), Some(most), count @ MANY..) = (times.clone().min(), times.clone().max(), times.len())
    {
        return format!("{count} times, {} to {}", show(least), show(most));
    }
    times.map(show).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_forecast_before_a_run_is_over() {
        let forecast = Forecast::default();
        assert_eq!(forecast.left(Duration::from_secs(5)), "time left not known yet");
        forecast.update(Duration::from_secs(10), 2, Count { planned: 6, lost: 0 });
        assert_eq!(forecast.left(Duration::from_secs(10)), "about 21 s left");
        assert_eq!(forecast.left(Duration::from_secs(25)), "about 6 s left");
        assert_eq!(forecast.left(Duration::from_secs(99)), "about 1 s left");
    }

    #[test]
    fn what_is_left_is_forecast_at_the_noise_so_far() {
        let (forecast, seconds) = (Forecast::default(), Duration::from_secs);
        // None of the runs counts: nothing is known.
        forecast.update(seconds(60), 3, Count { planned: 13, lost: 3 });
        assert_eq!(forecast.beside(seconds(60), seconds(600)), None);
        // One in four counts, 30 s each with what is lost: 8 more take 240 s.
        forecast.update(seconds(60), 8, Count { planned: 16, lost: 6 });
        let beside = |patience| forecast.beside(seconds(60), seconds(patience)).expect("known");
        assert_eq!(beside(600), "at this noise about 4 minutes more; patience for about 10 minutes");
        let short =
            "at this noise about 4 minutes more; patience for about 101 s: not all rounds will be made";
        assert_eq!(beside(100), short);
    }
}
