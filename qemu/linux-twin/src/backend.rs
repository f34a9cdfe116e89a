//! Linux as the driver's backend.

use std::io;

use abi::grant::PageSize;
use abi::plan::{Plan, Platform};
use abi::wire::Record;
use abi::wire::record::{SkipReason, SystemName};
use harness::agenda::Item;
use harness::clock::{Clock, Mark};
use harness::mechanism::{self, Errand};
use harness::sampler::{Book, Figure};
use harness::user::Program;
use harness::{Backend, Sink, TeamReport};
use rustix::thread::{sched_getaffinity, sched_setaffinity};

use crate::console::Console;
use crate::cpus::{Cpu, pin};
use crate::linux::rtc;
use crate::mechanism::Linux;
use crate::platform::Threads;
use crate::second::SecondClock;
use crate::tuning;
use crate::worker::{Limits, Team, lay_out_corpus, map};

/// The CPUs, their clock, and the console.
pub struct Processes<'a> {
    /// Guest or host.
    pub system: SystemName,
    /// The CPUs, in worker order.
    pub cpus: &'a [Cpu],
    /// Whether the workers are real-time processes.
    pub tuned: bool,
    /// The clock.
    pub clock: &'a Clock,
    /// The second clock.
    pub second: SecondClock,
    /// The output.
    pub console: &'a mut Console,
    /// Whether what every worker's process inherits is there.
    pub has_begun: bool,
}

impl Sink for Processes<'_> {
    fn record(&mut self, record: Record) {
        self.console.record(record);
    }
}

impl Backend for Processes<'_> {
    type Team = Team;

    fn mark(&mut self) -> Mark {
        self.second.mark()
    }

    fn seconds(&mut self) -> Option<Mark> {
        rtc::seconds()
    }

    fn platform(&mut self, asked: &Platform, samples: u32, clock: &Clock) -> Vec<Figure> {
        let before = sched_getaffinity(None);
        if let Some(first) = self.cpus.first() {
            // The rows of one CPU run on this thread.
            let _pinned = pin(first.linux);
        }
        let mut threads = Threads { cpus: self.cpus, console: self.console };
        let figures = harness::platform::run(asked, samples, clock, &mut threads);
        if let Ok(before) = before {
            let _restored = sched_setaffinity(None, &before);
        }
        figures
    }

    fn mechanisms(&mut self, errand: &Errand<'_>, book: &mut Book) {
        if self.system == SystemName::Linux {
            // This guest is ours: its real-time processes keep their CPU.
            let _written = tuning::let_real_time_run();
        }
        let small = map::set_small_pages_only(true);
        if let Err(error) = small {
            self.console.problem("mechanism-scene", format_args!("{error}"));
        }
        let mut linux = Linux::new(self.cpus, self.console, errand.elf, errand.clock);
        mechanism::run(errand, book, &mut linux);
    }

    fn assemble(&mut self, plan: &Plan<'_>, item: &Item, program: &Program<'_>) -> Result<Team, SkipReason> {
        let cpus = self.cpus.get(..usize::from(item.case.workers)).ok_or(SkipReason::Cpus)?;
        let limits = Limits { timeout_ms: item.case.timeout_ms, warm_up_ms: plan.warm_up_ms };
        let team = self
            .begin(program)
            .and_then(|()| Team::assemble(cpus, &item.splits, program, plan.head.challenge.0, limits));
        team.map_err(|error| self.no_process(&error))
    }

    fn run(&mut self, team: Team, program: &Program<'_>, _: u16) -> Result<TeamReport, SkipReason> {
        // The UART's interrupts for what was printed must not fall into the timed region.
        self.console.drain();
        team.run(program, self.clock, self.second, self.system, self.tuned)
            .map_err(|error| self.no_process(&error))
    }
}

impl Processes<'_> {
    /// Does once what every worker's process inherits: the size of pages, and the corpus that all read.
    fn begin(&mut self, program: &Program<'_>) -> io::Result<()> {
        if !self.has_begun {
            map::set_small_pages_only(program.needs.pages == PageSize::Small)?;
            lay_out_corpus(program)?;
            self.has_begun = true;
        }
        Ok(())
    }

    /// Reports why a worker has no process. What the machine lacks is no error: the case is skipped, and says so.
    fn no_process(&mut self, error: &io::Error) -> SkipReason {
        if error.kind() == io::ErrorKind::Unsupported {
            return SkipReason::Unsupported;
        }
        self.console.problem("worker-process", format_args!("{error}"));
        SkipReason::Memory
    }
}
