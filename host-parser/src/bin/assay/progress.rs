//! What a person sees while runs are made: a bar on a terminal, a line for each run elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use host_parser::gate::{Measurement, Verdict};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::schedule::Slot;

/// Progress of an experiment.
pub struct Progress {
    bar: ProgressBar,
    on_terminal: bool,
    total: usize,
    done: usize,
}

impl Progress {
    /// For `total` runs.
    pub fn new(total: usize) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let target = if on_terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(total as u64), target);
        let template = "{bar:28} {pos}/{len}  {elapsed} gone, about {eta} left  {msg}";
        bar.set_style(ProgressStyle::with_template(template).expect("a good template").progress_chars("=> "));
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, on_terminal, total, done: 0 }
    }

    /// A run begins.
    pub fn begin(&mut self, slot: Slot) {
        self.bar.set_message(format!("round {}, case {}: booting", slot.round + 1, slot.case));
    }

    /// The run's guest is up and at work.
    pub fn working(&self, slot: Slot) {
        self.bar.set_message(format!("round {}, case {}: measuring", slot.round + 1, slot.case));
    }

    /// The run is over.
    pub fn end(&mut self, slot: Slot, verdict: &Verdict<Measurement>) {
        self.done += 1;
        self.bar.inc(1);
        let refusal = verdict.outcome.refusal();
        let said = match (verdict.outcome.measurement(), refusal) {
            (Some(measured), _) => times(measured),
            (None, Some((reason, detail))) => format!("{reason}: {detail}"),
            (None, None) => String::new(),
        };
        let (round, case, word) = (slot.round + 1, slot.case, verdict.outcome.word());
        let line =
            format!("run {:>3}/{}  round {round:>2}  case {case:>3}  {word}  {said}", self.done, self.total);
        if !self.on_terminal {
            eprintln!("{line}");
        } else if refusal.is_some() {
            self.bar.println(line);
        }
    }

    /// All runs are over.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A run's times, in milliseconds where the clock is known.
fn times(measured: &Measurement) -> String {
    let khz = measured.clock().tsc.as_ref().map(|tsc| tsc.khz);
    let times = measured.samples().iter().map(|sample| match khz.and_then(|khz| sample.cycles.nanos(khz)) {
        Some(nanos) => format!("{}.{:03} ms", nanos.0 / 1_000_000, nanos.0 / 1000 % 1000),
        None => format!("{} cycles", sample.cycles.0),
    });
    times.collect::<Vec<_>>().join(", ")
}
