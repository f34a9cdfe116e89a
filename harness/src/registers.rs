//! Registers that decide how a CPU runs code in ring 3: which of them a CPU has, the state that our kernel sets them to,
//! and the records that describe them.
//!
//! Firmware leaves them in any state. The boot CPU gets no INIT, and an INIT leaves most of them as they are, so the
//! CPUs of one machine may differ.

use abi::CpuId;
use abi::wire::Hex64;
use abi::wire::record::{Register, RegisterName};
use alloc::vec::Vec;

use crate::sink::Sink;
use crate::x86::cpuid::{self, bit, leaf};

/// A model-specific register.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ModelSpecific {
    /// Its name.
    pub name: RegisterName,
    /// Its number.
    pub number: u32,
}

/// A register of a CPU.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct State {
    /// The register.
    pub name: RegisterName,
    /// Its value as it was found.
    pub found: u64,
    /// Its value in force.
    pub value: u64,
}

/// What CPUID says about the registers of a CPU.
#[derive(Clone, Copy, Debug, Default)]
struct Promises {
    intel: bool,
    amd: bool,
    family: u32,
    /// CPUID.1:EDX.
    basic: u32,
    /// CPUID.6:EAX and ECX.
    power: (u32, u32),
    /// CPUID.7.0:ECX and EDX.
    structured: (u32, u32),
    /// CPUID.8000_0001H:EDX.
    extended: u32,
    /// CPUID.8000_0008H:EBX.
    speculation: u32,
    /// CPUID.8000_0021H:EAX.
    extended_2: u32,
}

impl Promises {
    fn read() -> Self {
        let (vendor, one) = (cpuid::vendor(), leaf(1, 0));
        let (six, seven) = (leaf(6, 0), leaf(7, 0));
        Self {
            intel: vendor.as_str() == "GenuineIntel",
            amd: matches!(vendor.as_str(), "AuthenticAMD" | "HygonGenuine"),
            family: family(one.eax),
            basic: one.edx,
            power: (six.eax, six.ecx),
            structured: (seven.ecx, seven.edx),
            extended: leaf(0x8000_0001, 0).edx,
            speculation: leaf(0x8000_0008, 0).ebx,
            extended_2: leaf(0x8000_0021, 0).eax,
        }
    }

    /// Intel SDM vol. 4, table 2-2, with the CPUID bits of its comments; AMD64 APM vol. 2, appendix A, and vol. 3,
    /// appendix E.
    fn registers(&self) -> impl Iterator<Item = ModelSpecific> {
        // IBRS, IBPB and STIBP, and SSBD: each brings SPEC_CTRL.
        let spec_ctrl = [26, 27, 31].into_iter().any(|n| bit(self.structured.1, n))
            || self.amd && [14, 15, 24].into_iter().any(|n| bit(self.speculation, n));
        let all = [
            (RegisterName::SysenterCs, 0x174, bit(self.basic, 11)),
            (RegisterName::TscAux, 0xc000_0103, bit(self.extended, 27) || bit(self.structured.0, 22)),
            (RegisterName::Debugctl, 0x1d9, (self.intel || self.amd) && self.family >= 6),
            (RegisterName::SpecCtrl, 0x48, spec_ctrl),
            (RegisterName::ArchCapabilities, 0x10a, bit(self.structured.1, 29)),
            (RegisterName::Pat, 0x277, bit(self.basic, 16)),
            (RegisterName::MtrrDefType, 0x2ff, bit(self.basic, 12)),
            (RegisterName::MiscEnable, 0x1a0, self.intel && self.family >= 6),
            (RegisterName::PmEnable, 0x770, self.intel && bit(self.power.0, 7)),
            (RegisterName::HwpRequest, 0x774, self.intel && bit(self.power.0, 7)),
            (RegisterName::EnergyPerfBias, 0x1b0, self.intel && bit(self.power.1, 3)),
            // Without the register LFENCE is as it should be: on families 0FH and 11H, and if CPUID says that it always is.
            (
                RegisterName::DeCfg,
                0xc001_1029,
                self.amd && self.family >= 0x10 && self.family != 0x11 && !bit(self.extended_2, 2),
            ),
            (RegisterName::Hwcr, 0xc001_0015, self.amd && self.family >= 0xf),
        ];
        let present = all.into_iter().filter(|&(.., present)| present);
        present.map(|(name, number, _)| ModelSpecific { name, number })
    }
}

/// The family of CPUID.1:EAX, with the extended family.
const fn family(signature: u32) -> u32 {
    let base = signature >> 8 & 0xf;
    if base == 0xf { base + (signature >> 20 & 0xff) } else { base }
}

/// The model-specific registers that CPUID promises on this CPU. A hypervisor may refuse one nevertheless.
#[must_use]
pub fn model_specific() -> Vec<ModelSpecific> {
    Promises::read().registers().collect()
}

/// The value that our kernel gives to a model-specific register: the state after a reset, with what LFENCE needs; no
/// mitigation, as the kernel has none. The others stay as the firmware chose them, and are described only.
#[must_use]
pub const fn settled(name: RegisterName, found: u64) -> u64 {
    match name {
        // A code segment of 0 makes SYSENTER fault. With another one it would enter the firmware's code in ring 0.
        RegisterName::SysenterCs | RegisterName::TscAux | RegisterName::Debugctl | RegisterName::SpecCtrl => {
            0
        }
        // AMD, "Software Techniques for Managing Speculation on AMD Processors".
        RegisterName::DeCfg => found | 1 << 1,
        _ => found,
    }
}

/// Emits the registers of the first CPU, and of the others those that differ from its.
pub fn report(cpus: &[(CpuId, Vec<State>)], sink: &mut impl Sink) {
    let Some((_, first)) = cpus.first() else { return };
    for (at, (cpu, states)) in cpus.iter().enumerate() {
        for state in states.iter().filter(|state| at == 0 || !first.contains(state)) {
            let State { name, found, value } = *state;
            sink.record(Register { cpu: *cpu, name, found: Hex64(found), value: Hex64(value) }.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use abi::wire::Record;
    use alloc::vec;

    use super::*;
    use crate::sink::tests::Kept;

    fn names(promises: Promises) -> Vec<RegisterName> {
        promises.registers().map(|register| register.name).collect()
    }

    #[test]
    fn a_cpu_has_the_registers_that_its_cpuid_promises() {
        assert_eq!(names(Promises::default()), []);
        let zen = Promises { amd: true, family: 0x17, speculation: 1 << 24, ..Promises::default() };
        assert_eq!(
            names(zen),
            [RegisterName::Debugctl, RegisterName::SpecCtrl, RegisterName::DeCfg, RegisterName::Hwcr]
        );
        let always_serialising = Promises { extended_2: 1 << 2, ..zen };
        assert!(!names(always_serialising).contains(&RegisterName::DeCfg));
        assert!(!names(Promises { family: 0x11, ..zen }).contains(&RegisterName::DeCfg));
        let intel =
            Promises { intel: true, family: 6, structured: (0, 1 << 29 | 1 << 26), ..Promises::default() };
        assert_eq!(
            names(intel),
            [
                RegisterName::Debugctl,
                RegisterName::SpecCtrl,
                RegisterName::ArchCapabilities,
                RegisterName::MiscEnable
            ]
        );
        assert!(names(Promises { power: (1 << 7, 1 << 3), ..intel }).ends_with(&[
            RegisterName::PmEnable,
            RegisterName::HwpRequest,
            RegisterName::EnergyPerfBias
        ]));
    }

    #[test]
    fn decodes_families() {
        // A Skylake server, an EPYC Rome, a K8.
        assert_eq!([0x5_0654, 0x83_0f10, 0xf4a].map(family), [6, 0x17, 0xf]);
    }

    #[test]
    fn a_settled_register_stays_as_it_is() {
        for &name in RegisterName::ALL {
            for found in [0, 0x42, u64::MAX] {
                let once = settled(name, found);
                assert_eq!(settled(name, once), once, "{name}");
            }
        }
        assert_eq!(settled(RegisterName::DeCfg, 0x40), 0x42);
    }

    #[test]
    fn describes_the_first_cpu_and_what_differs_on_the_others() {
        let state = |name, value| State { name, found: 7, value };
        let (dr7, pat) = (state(RegisterName::Dr7, 0x400), state(RegisterName::Pat, 5));
        let other = state(RegisterName::Pat, 6);
        let mut kept = Kept::default();
        report(
            &[(CpuId(0), vec![dr7, pat]), (CpuId(1), vec![dr7, pat]), (CpuId(2), vec![dr7, other])],
            &mut kept,
        );
        let reported = kept.0.iter().map(|record| match record {
            Record::Register(Register { cpu, name, value, .. }) => (cpu.0, *name, value.0),
            other => panic!("{other:?}"),
        });
        assert!(reported.eq([(0, dr7.name, 0x400), (0, pat.name, 5), (2, pat.name, 6)]));
    }
}
