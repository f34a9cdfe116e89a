//! A diagnosis in words: ASCII, one line each.

use evidence::gate::Ended;

use super::address::Address;
use super::report::{CpuState, Diagnosis, LocatedCpu, LocatedException, LocatedPanic, Recurrence};
use super::symbols::Place;

/// How many CPUs the summary names.
const NAMED: usize = 2;

/// What it was and where.
pub(super) fn summary(diagnosis: &Diagnosis, under: &str) -> String {
    match diagnosis.recurrence {
        Recurrence::Same => cause(diagnosis),
        Recurrence::Otherwise => format!("in another way under {under}: {}", cause(diagnosis)),
        Recurrence::None => {
            let ended = how(&diagnosis.ended);
            let first = of_interest(&diagnosis.first_cpus);
            let first = first.map(|cpus| format!("; of the first guest, {cpus}")).unwrap_or_default();
            format!("did not happen again under {under}: the second guest {ended}{first}")
        }
    }
}

/// Everything, the summary first.
pub(super) fn lines(diagnosis: &Diagnosis) -> Vec<String> {
    let mut lines = vec![diagnosis.summary.clone(), format!("the second guest {}", how(&diagnosis.ended))];
    lines.extend(diagnosis.exceptions.iter().map(|located| {
        let LocatedException { exception, cpu, place } = located;
        let cpu = cpu.map(|cpu| format!(" on CPU {cpu}")).unwrap_or_default();
        format!("{exception}{cpu}, RIP {} RSP {}{}", exception.rip, exception.rsp, within(place.as_ref()))
    }));
    lines.extend(diagnosis.triple_fault.then(|| "triple fault".to_owned()));
    lines.extend(diagnosis.panic.as_ref().map(panic));
    lines.extend(diagnosis.cpus.iter().map(|located| format!("{}, RIP {}", cpu(located), located.rip)));
    lines.extend(
        diagnosis
            .first_cpus
            .iter()
            .map(|located| format!("first guest: {}, RIP {}", cpu(located), located.rip)),
    );
    lines.extend(diagnosis.without_symbols.iter().map(|why| format!("addresses have no names: {why}")));
    lines
}

fn cause(diagnosis: &Diagnosis) -> String {
    let exceptions = chain(&diagnosis.exceptions);
    match (exceptions, &diagnosis.panic) {
        (Some(exceptions), _) if diagnosis.triple_fault => format!("triple fault: {exceptions}"),
        (None, _) if diagnosis.triple_fault => {
            with_cpus("triple fault, whose exceptions are not in the trace", diagnosis)
        }
        (Some(exceptions), Some(panic)) => {
            format!("{exceptions}; the kernel's panic was on CPU {} at {}", panic.cpu, panic.at)
        }
        (Some(exceptions), None) => format!("{exceptions}; the guest {}", how(&diagnosis.ended)),
        (None, Some(found)) => panic(found),
        (None, None) => {
            with_cpus(&format!("the guest {} and took no exception", how(&diagnosis.ended)), diagnosis)
        }
    }
}

/// `#PF (...), then #DF on CPU 0 in f at kernel/src/x.rs:1`.
fn chain(exceptions: &[LocatedException]) -> Option<String> {
    let first = exceptions.first()?;
    let names: Vec<String> = exceptions.iter().map(|located| located.exception.to_string()).collect();
    let cpu = exceptions.iter().find_map(|located| located.cpu);
    let cpu = cpu.map(|cpu| format!(" on CPU {cpu}")).unwrap_or_default();
    Some(format!("{}{cpu}{}", names.join(", then "), at(first.exception.rip, first.place.as_ref())))
}

fn panic(panic: &LocatedPanic) -> String {
    let LocatedPanic { cpu, at, message, place } = panic;
    let place = place.as_ref().map_or_else(|| format!("at {at}"), |place| format!("in {place}"));
    format!("panic on CPU {cpu} {place}: {message}")
}

fn with_cpus(what: &str, diagnosis: &Diagnosis) -> String {
    of_interest(&diagnosis.cpus).map_or_else(|| what.to_owned(), |cpus| format!("{what}; {cpus}"))
}

/// The CPUs that matter most.
fn of_interest(cpus: &[LocatedCpu]) -> Option<String> {
    let first = cpus.iter().map(|cpu| cpu.state).min()?;
    let named: Vec<String> = cpus.iter().filter(|cpu| cpu.state == first).map(cpu).collect();
    let more = named.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!("; and {more} more CPUs likewise") };
    Some(named[..named.len().min(NAMED)].join("; ") + &more)
}

fn cpu(located: &LocatedCpu) -> String {
    let LocatedCpu { cpu, rip, state, place, .. } = located;
    match state {
        CpuState::Dead => {
            format!("CPU {cpu} had halted for good, interrupts off,{}", at(*rip, place.as_ref()))
        }
        CpuState::InKernel => format!("CPU {cpu} was{}", at(*rip, place.as_ref())),
        CpuState::InProgram => format!("CPU {cpu} ran a program{}", at(*rip, None)),
        CpuState::Waiting => format!("CPU {cpu} waited for an interrupt{}", at(*rip, place.as_ref())),
    }
}

fn at(address: Address, place: Option<&Place>) -> String {
    place.map_or_else(|| format!(" at {address}"), |place| format!(" in {place}"))
}

fn within(place: Option<&Place>) -> String {
    place.map(|place| format!(", in {place}")).unwrap_or_default()
}

/// How a guest ended; after "the guest".
fn how(ended: &Ended) -> String {
    match ended {
        Ended::Unknown => "ended in an unknown way".to_owned(),
        Ended::DebugExit { value } => format!("ended by itself with exit value {value:#04x}"),
        Ended::Reset => "was reset".to_owned(),
        Ended::ResetToEnd => "reset itself to end".to_owned(),
        Ended::Shutdown => "switched itself off".to_owned(),
        Ended::Panicked => "reported a panic".to_owned(),
        Ended::InternalError { detail } => format!("was stopped by its hypervisor ({detail})"),
        Ended::Deadline => "had not ended by its deadline".to_owned(),
        Ended::Cancelled => "was cancelled".to_owned(),
        Ended::SerialOverflow { limit_bytes } => format!("printed more than {limit_bytes} bytes"),
        Ended::Died { detail } => format!("ended with its hypervisor ({detail})"),
    }
}
