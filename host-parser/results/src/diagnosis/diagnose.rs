//! Makes a diagnosis from the evidence of two guests.

use std::mem::discriminant;

use super::report::{CpuState, Diagnosis, LocatedCpu, LocatedException, LocatedPanic, Recurrence};
use super::seen::{CpuSeen, PanicSeen, Seen, is_death};
use super::symbols::{Place, Symbols};
use super::words;

impl Diagnosis {
    /// Works out what `second`, which was run like `first` but `under` something that can be traced, shows of it.
    /// Without symbols there is a reason for that.
    #[must_use]
    pub fn new(first: &Seen, second: Seen, under: &str, symbols: Result<&Symbols<'_>, String>) -> Self {
        let place = |address: u64| symbols.as_ref().ok()?.place(address);
        let located = |cpu: &CpuSeen| LocatedCpu {
            cpu: cpu.cpu,
            rip: cpu.rip,
            ring: cpu.ring,
            state: CpuState::of(cpu),
            place: place(cpu.instruction()).filter(|_| cpu.ring == 0),
        };
        let chain =
            second.triple_fault.as_ref().filter(|chain| !chain.is_empty()).unwrap_or(&second.in_kernel);
        let exceptions = chain.iter().map(|&exception| {
            let is_there = |cpu: &&CpuSeen| (cpu.rip, cpu.rsp) == (exception.rip, exception.rsp);
            let cpu = second.cpus.iter().find(is_there).map(|cpu| cpu.cpu);
            LocatedException { exception, cpu, place: place(exception.rip.0) }
        });
        let panic = second.panic.as_ref().map(|panic| {
            let place = symbols.as_ref().ok().and_then(|symbols| panicked(panic, symbols));
            LocatedPanic { cpu: panic.cpu, at: panic.at.clone(), message: panic.message.clone(), place }
        });
        let mut diagnosis = Self {
            recurrence: Recurrence::of(first, &second),
            summary: String::new(),
            triple_fault: second.triple_fault.is_some(),
            exceptions: exceptions.collect(),
            panic,
            cpus: second.cpus.iter().map(located).collect(),
            first_cpus: first.cpus.iter().map(located).collect(),
            ended: second.ended,
            without_symbols: symbols.err(),
            files: Vec::new(),
        };
        diagnosis.summary = words::summary(&diagnosis, under);
        diagnosis
    }

    /// All of it for people, a line each, beginning with the summary.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        words::lines(self)
    }
}

/// The function of the line that a panic names.
fn panicked(panic: &PanicSeen, symbols: &Symbols<'_>) -> Option<Place> {
    let (file, line) = panic.at.rsplit_once(':')?;
    symbols.place_of_line(file, line.parse().ok()?)
}

impl Recurrence {
    fn of(first: &Seen, second: &Seen) -> Self {
        let at = |seen: &Seen| seen.panic.as_ref().map(|panic| panic.at.clone());
        let elsewhere = at(first).zip(at(second)).is_some_and(|(first, second)| first != second);
        if !is_death(&second.ended) {
            Self::None
        } else if discriminant(&first.ended) == discriminant(&second.ended) && !elsewhere {
            Self::Same
        } else {
            Self::Otherwise
        }
    }
}

impl CpuState {
    fn of(cpu: &CpuSeen) -> Self {
        match (cpu.halted, cpu.ring) {
            (true, _) if !cpu.takes_interrupts => Self::Dead,
            (true, _) => Self::Waiting,
            (false, 3) => Self::InProgram,
            (false, _) => Self::InKernel,
        }
    }
}
