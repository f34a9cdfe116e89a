//! Whether the guest described its machine, and started all of its CPUs.

use abi::wire::record::{self, CpuState};

use super::Run;
use crate::gate::reason::ReasonCode;

/// Judges what the guest reported about its machine.
pub(in crate::gate) fn machine(run: &mut Run<'_>) {
    cpus(run);
    if run.whole && !run.refused() {
        disclosures(run);
    }
}

fn cpus(run: &mut Run<'_>) {
    let silent = run.facts.all::<record::Cpu>().filter(|cpu| cpu.is.state == CpuState::NoResponse);
    for cpu in silent.collect::<Vec<_>>() {
        let detail = format!("CPU {} (APIC id {}) did not respond", cpu.is.cpu, cpu.is.apic);
        run.add(ReasonCode::CpuMissing, cpu.line, detail);
    }
    let (online, listed) = (run.facts.online(), run.facts.all::<record::Cpu>().count());
    let expected = run.expectation.cpus.filter(|_| run.whole && listed > 0);
    // A CPU that did not respond is reported already.
    if let Some(expected) = expected.filter(|_| !run.findings.has(ReasonCode::CpuMissing)) {
        if online < expected {
            let detail = format!("{online} CPUs are online, but the machine has {expected}");
            run.add(ReasonCode::CpuMissing, None, detail);
        } else if online > expected {
            let detail = format!("{online} CPUs are online, but the machine has only {expected}");
            run.add(ReasonCode::InconsistentRecord, None, detail);
        }
    }
}

fn disclosures(run: &mut Run<'_>) {
    let facts = run.facts;
    let needs_warp = facts.iterations.iter().any(|iteration| iteration.case > 1);
    let present = [
        ("machine", facts.one::<record::Machine>().is_some()),
        ("system", facts.one::<record::System>().is_some()),
        ("brand", facts.one::<record::Brand>().is_some()),
        ("features", facts.one::<record::Features>().is_some()),
        ("memory", facts.one::<record::Memory>().is_some()),
        ("cpu", facts.one::<record::Cpu>().is_some()),
        ("tsc", facts.one::<record::Tsc>().is_some()),
        ("experiment", facts.one::<record::Experiment>().is_some()),
        ("blob", facts.one::<record::Blob>().is_some()),
        ("warp", facts.one::<record::Warp>().is_some() || !needs_warp),
    ];
    for (name, _) in present.into_iter().filter(|&(_, present)| !present) {
        run.add(ReasonCode::DisclosureMissing, None, format!("the log has no `{name}` record"));
    }
}
