//! The diagnosis: what was seen, each address with its place, and what that comes to.

use std::mem::discriminant;

use serde::Serialize;

use super::{Address, CpuSeen, Exception, PanicSeen, Place, Seen, Symbols, is_death, words};
use evidence::gate::Ended;

/// Why a guest died, as far as a second one shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnosis {
    /// Whether the second guest died too.
    pub recurrence: Recurrence,
    /// What it was and where, in one line.
    pub summary: String,
    /// How the second guest ended.
    pub ended: Ended,
    /// Whether it ended in a triple fault.
    pub triple_fault: bool,
    /// What came up in the kernel, the cause first, each in the delivery of the one before.
    pub exceptions: Vec<LocatedException>,
    /// What the kernel said last.
    pub panic: Option<LocatedPanic>,
    /// Where its CPUs were at its end.
    pub cpus: Vec<LocatedCpu>,
    /// Where the CPUs of the first guest were at its end; empty where that is not known.
    pub first_cpus: Vec<LocatedCpu>,
    /// Why addresses have no names, where they have none.
    pub without_symbols: Option<String>,
    /// The second guest's log and trace, and this diagnosis as text.
    pub files: Vec<String>,
}

/// Whether a second guest died as the first one did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recurrence {
    /// It died in the same way.
    Same,
    /// It died in another way.
    Otherwise,
    /// It did not die.
    None,
}

/// An exception and where it came up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocatedException {
    /// What it was.
    #[serde(flatten)]
    pub exception: Exception,
    /// The CPU, where one is found at that very place in the end.
    pub cpu: Option<u32>,
    /// Where.
    pub place: Option<Place>,
}

/// A CPU and where it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocatedCpu {
    /// The hypervisor's number of it.
    pub cpu: u32,
    /// The next instruction; after a HLT the one behind it.
    pub rip: Address,
    /// The privilege level.
    pub ring: u8,
    /// What it was about.
    pub state: CpuState,
    /// Where it was.
    pub place: Option<Place>,
}

/// What a CPU was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CpuState {
    /// It had halted with interrupts off, for good.
    Dead,
    /// It ran the kernel.
    InKernel,
    /// It ran a program.
    InProgram,
    /// It had halted until the next interrupt.
    Waiting,
}

/// A panic and where it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocatedPanic {
    /// The CPU.
    pub cpu: u16,
    /// File and line, by the record.
    pub at: String,
    /// What the kernel found.
    pub message: String,
    /// The function, by the symbols.
    pub place: Option<Place>,
}

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
