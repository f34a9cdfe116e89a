//! Texts on the host: from its kernel, from QEMU, from a person. The first byte says which. What a reader accepts is
//! written back, or compared with a plain reading.

use std::path::Path;

use evidence::gate::HostEvidence;
use host::{CpuSet, SchedStat};
use qemu::{CpuState, Version};
use results::disclosure::{Disclosure, DisclosureError};

pub(crate) fn check(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    match kind % 6 {
        0 => cpu_set(text),
        1 => banner(text),
        2 => sched_stat(text),
        3 => registers(text),
        4 => disclosure(text),
        _ => evidence(text),
    }
}

/// The CPUs of one item of a list: a number or a range.
fn cpus_of(item: &str) -> Option<Vec<usize>> {
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
    (first <= last && last <= CpuSet::MAX_CPU).then(|| (first..=last).collect())
}

/// A list of CPUs: refused if an item is not a number or a range, or is too large.
fn cpu_set(text: &str) {
    let due: Option<Vec<_>> = text.split(',').map(cpus_of).collect();
    let due = due.map(|items| {
        let mut cpus = items.concat();
        cpus.sort_unstable();
        cpus.dedup();
        cpus
    });
    match text.parse::<CpuSet>() {
        Ok(set) => {
            assert_eq!(Some(set.iter().collect()), due);
            assert_eq!(set.to_string().parse().as_ref(), Ok(&set), "written back");
        }
        Err(error) => assert!(due.is_none() && !error.to_string().is_empty()),
    }
}

/// Three numbers with dots between them after QEMU's words, then anything.
fn banner(text: &str) {
    let numbers = text.strip_prefix("QEMU emulator version ").map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        rest[..end].split('.').take(3).map_while(|number| number.parse().ok()).collect::<Vec<u32>>()
    });
    let due = numbers.filter(|numbers| numbers.len() == 3);
    let read = Version::of_banner(text);
    assert_eq!(read.map(|v| vec![v.major, v.minor, v.micro]), due);
    if let Some(version) = read {
        assert_eq!(Version::of_banner(&format!("QEMU emulator version {version} (x)")), Some(version));
    }
}

/// The two files of a thread, with a zero byte between them.
fn sched_stat(text: &str) {
    let (schedstat, status) = text.split_once('\0').unwrap_or((text, ""));
    let Some(read) = SchedStat::parse(schedstat, status) else { return };
    let SchedStat { run_ns, run_delay_ns, voluntary_switches, involuntary_switches } = read;
    let status = format!(
        "Name:\tx\nvoluntary_ctxt_switches:\t{voluntary_switches}\nnonvoluntary_ctxt_switches:\t{involuntary_switches}\n"
    );
    assert_eq!(SchedStat::parse(&format!("{run_ns} {run_delay_ns} 7\n"), &status), Some(read));
    assert!(schedstat.contains(' ') || schedstat.contains(char::is_whitespace));
}

/// The registers of a guest's CPUs, as QEMU's monitor prints them.
fn registers(text: &str) {
    let read = CpuState::all_in(text);
    assert!(read.len() <= text.matches("CPU#").count());
    let written: String = read.iter().map(of_cpu).collect();
    assert_eq!(CpuState::all_in(&written), read, "written back");
}

fn of_cpu(state: &CpuState) -> String {
    let CpuState { cpu, rip, rsp, rflags, cr2, cr3, cpl, halted } = state;
    let halted = u8::from(*halted);
    format!(
        "CPU#{cpu}\nRSP={rsp:x}\nRIP={rip:x} RFL={rflags:x} CPL={cpl:x} HLT={halted}\nCR2={cr2:x} CR3={cr3:x}\n"
    )
}

/// A disclosure: either problems, each with its line, or values that are the same when they are written again.
fn disclosure(text: &str) {
    let path = Path::new("x.toml");
    match Disclosure::parse(path, text) {
        Ok(disclosure) => {
            let written: String = disclosure.values().map(line_of).collect();
            let again = Disclosure::parse(path, &written).expect("accepted again");
            assert_eq!(again, disclosure);
            assert!(disclosure.missing().all(|key| disclosure.get(key).is_none()));
        }
        Err(DisclosureError::Invalid { problems, .. }) => {
            let lines = text.split('\n').count();
            assert!(!problems.is_empty());
            assert!(problems.iter().all(|it| (1..=lines).contains(&it.line) && !it.message.is_empty()));
        }
        Err(error @ DisclosureError::Read { .. }) => panic!("{error}"),
    }
}

/// A value of a disclosure as a line of TOML.
fn line_of((key, value): (&str, &str)) -> String {
    assert!(!value.is_empty() && value.trim() == value && !value.contains(char::is_control));
    format!("{key} = \"{}\"\n", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The host's evidence on a run, as results.json stores it.
fn evidence(text: &str) {
    let Ok(evidence) = serde_json::from_str::<HostEvidence>(text) else { return };
    let written = serde_json::to_string(&evidence).expect("plain data");
    assert_eq!(serde_json::from_str::<HostEvidence>(&written).ok(), Some(evidence), "written back");
}
