//! Whether all CPUs that ran workers are in one state.

use std::collections::{BTreeMap, BTreeSet};

use abi::wire::record::{Machine, Register, RegisterName, WarmUp};

use super::Run;
use crate::gate::reason::ReasonCode;

/// Judges the registers. A register of another CPU than CPU 0 has a record only if it differs. Our kernel reports them since
/// it warms workers up by time.
pub(in crate::gate) fn registers(run: &mut Run<'_>) {
    let facts = run.facts;
    if !run.whole || run.refused() {
        return;
    }
    let settles = facts.masks_interrupts() && facts.one::<WarmUp>().is_some();
    if settles && !facts.all::<Register>().any(|at| at.is.name == RegisterName::Dr7) {
        run.add(ReasonCode::EvidenceMissing, None, "the log has no `register` record of dr7");
    }
    let mut first: BTreeMap<RegisterName, Register> = BTreeMap::new();
    let mut reported = BTreeSet::new();
    let ran: BTreeSet<u16> = facts
        .iterations
        .iter()
        .flat_map(|iteration| iteration.workers.values())
        .filter_map(|worker| Some(worker.timing?.is.cpu.0))
        .collect();
    // The memory types of a guest are the hypervisor's.
    let bare = facts.one::<Machine>().is_some_and(|machine| machine.is.hypervisor.is_empty());
    for at in facts.all::<Register>() {
        let Register { cpu, name, found, value } = at.is;
        let twice = !reported.insert((cpu.0, name));
        let same = first.get(&name).copied();
        if twice
            || !facts.is_online(cpu.0)
            || same.is_some_and(|same| (same.found, same.value) == (found, value))
        {
            let detail =
                format!("`register` of CPU {cpu}: {name} is there twice, or of no CPU, or no difference");
            run.add(ReasonCode::InconsistentRecord, at.line, detail);
        }
        let Some(same) = same else {
            // The first CPU that reports one comes first.
            if first.values().next().is_none_or(|register| register.cpu == cpu) {
                first.insert(name, at.is);
            } else if ran.contains(&cpu.0) && decides(name, bare) {
                let detail = format!("CPU {cpu} has the register {name}, and CPU 0 has not");
                run.add(ReasonCode::CpusDiffer, at.line, detail);
            }
            continue;
        };
        if same.value != value && ran.contains(&cpu.0) && decides(name, bare) && facts.masks_interrupts() {
            let detail =
                format!("CPU {cpu} ran workers with {name} = {value}, CPU {} has {}", same.cpu, same.value);
            run.add(ReasonCode::CpusDiffer, at.line, detail);
        }
    }
}

/// Whether a register decides how fast a CPU runs code in ring 3. The others are hints, or identify the CPU.
const fn decides(name: RegisterName, bare: bool) -> bool {
    match name {
        RegisterName::Dr7
        | RegisterName::Xcr0
        | RegisterName::Debugctl
        | RegisterName::SpecCtrl
        | RegisterName::MiscEnable
        | RegisterName::PmEnable
        | RegisterName::DeCfg
        | RegisterName::Hwcr => true,
        RegisterName::Pat | RegisterName::MtrrDefType => bare,
        // A component that XINUSE marks can be in its initial configuration all the same (Intel SDM vol. 1, "Processor
        // Tracking of XSAVE-Managed State"), and all are put into it before each worker. Under an emulated SVM the bits were seen
        // to differ between CPUs.
        RegisterName::Xinuse
        | RegisterName::Dr6
        | RegisterName::Ldtr
        | RegisterName::SysenterCs
        | RegisterName::TscAux
        | RegisterName::ArchCapabilities
        | RegisterName::HwpRequest
        | RegisterName::EnergyPerfBias => false,
    }
}
