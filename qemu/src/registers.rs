//! The registers of a guest's CPUs, parsed from the output of QEMU's monitor.
//!
//! QMP has no command for this, only the monitor's `info registers`. Its format is x86_cpu_dump_state in
//! target/i386/cpu-dump.c of QEMU's sources. Pure: any text gives a list, possibly empty.

use serde::Serialize;

/// RFLAGS.IF: Intel SDM vol. 1, "EFLAGS Register".
const INTERRUPTS_ON: u64 = 1 << 9;

/// The registers that show what a CPU was doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CpuState {
    /// QEMU's index of the CPU, from 0.
    pub cpu: u32,
    /// The next instruction's address, relative to the code segment in real mode. After a HLT it is the one after it.
    pub rip: u64,
    /// The stack pointer.
    pub rsp: u64,
    /// The flags.
    pub rflags: u64,
    /// The address of the last page fault.
    pub cr2: u64,
    /// The page table.
    pub cr3: u64,
    /// The privilege level: 0 in the kernel, 3 in a program.
    pub cpl: u8,
    /// Whether it had executed HLT and waited for an interrupt.
    pub halted: bool,
}

impl CpuState {
    /// Whether it would have taken an interrupt.
    #[must_use]
    pub fn takes_interrupts(&self) -> bool {
        self.rflags & INTERRUPTS_ON != 0
    }

    /// Reads what `info registers -a` prints. A CPU without an instruction pointer is left out.
    #[must_use]
    pub fn all_in(text: &str) -> Vec<Self> {
        // Text before the first heading belongs to no CPU.
        text.split("CPU#").skip(1).filter_map(cpu).collect()
    }
}

fn cpu(text: &str) -> Option<CpuState> {
    let (number, rest) = text.split_once('\n')?;
    Some(CpuState {
        cpu: number.trim().parse().ok()?,
        rip: register(rest, "RIP").or_else(|| register(rest, "EIP"))?,
        rsp: register(rest, "RSP").or_else(|| register(rest, "ESP")).unwrap_or(0),
        rflags: register(rest, "RFL").or_else(|| register(rest, "EFL"))?,
        cr2: register(rest, "CR2").unwrap_or(0),
        cr3: register(rest, "CR3").unwrap_or(0),
        cpl: register(rest, "CPL").and_then(|cpl| u8::try_from(cpl).ok()).unwrap_or(0),
        halted: register(rest, "HLT") == Some(1),
    })
}

/// The value of the first `name=VALUE`, in hexadecimal.
fn register(text: &str, name: &str) -> Option<u64> {
    let mut words = text.split_ascii_whitespace().filter_map(|word| word.split_once('='));
    let (_, value) = words.find(|(word, _)| *word == name)?;
    u64::from_str_radix(value, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // Captured from QEMU 7.2, without the registers that are not read.
    const TWO_CPUS: &str = "\r\nCPU#0\r\nRAX=0000000000000000 RBX=ffffffff80038a30\r\n\
        RBP=ffffffff80038b10 RSP=ffffffff800389f0\r\n\
        RIP=ffffffff80021f3e RFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\r\n\
        CS =0008 0000000000000000 ffffffff 00af9a00 DPL=0 CS64 [-R-]\r\n\
        CR0=80010033 CR2=0000000000000010 CR3=000000000009d000 CR4=003000e0\r\n\
        \r\nCPU#1\r\nRIP=0000000000401000 RFL=00000202 [-------] CPL=3 II=0 A20=1 SMM=0 HLT=0\r\n\
        CR0=80010033 CR2=0000000000000000 CR3=00000000000a1000 CR4=003000e0\r\n";

    #[test]
    fn reads_every_cpu() {
        let cpus = CpuState::all_in(TWO_CPUS);
        let first = CpuState {
            cpu: 0,
            rip: 0xffff_ffff_8002_1f3e,
            rsp: 0xffff_ffff_8003_89f0,
            rflags: 0x46,
            cr2: 0x10,
            cr3: 0x9d000,
            cpl: 0,
            halted: true,
        };
        assert_eq!(cpus.len(), 2);
        assert_eq!(cpus[0], first);
        assert_eq!((cpus[1].cpu, cpus[1].cpl, cpus[1].halted), (1, 3, false));
        assert_eq!((cpus[0].takes_interrupts(), cpus[1].takes_interrupts()), (false, true));
    }

    #[test]
    fn reads_a_cpu_in_real_mode() {
        let cpus =
            CpuState::all_in("CPU#0\nEIP=00007c02 EFL=00000046 [---Z-P-] CPL=0 II=0 A20=1 SMM=0 HLT=1\n");
        assert_eq!((cpus[0].rip, cpus[0].halted), (0x7c02, true));
    }

    #[test]
    fn leaves_out_what_it_cannot_read() {
        assert_eq!(CpuState::all_in("unknown command: 'info registers'\r\n"), []);
        assert_eq!(CpuState::all_in("CPU#0\nRIP=zz RFL=0\nCPU#x\nRIP=0 RFL=0\nCPU#2"), []);
    }

    proptest! {
        #[test]
        fn survives_any_text(text: String) {
            let _ = CpuState::all_in(&text);
        }

        #[test]
        fn survives_any_change_of_one_character(at in 0..TWO_CPUS.len(), with: char) {
            let mut text = TWO_CPUS.to_owned();
            text.replace_range(at..=at, with.encode_utf8(&mut [0; 4]));
            assert!(CpuState::all_in(&text).len() <= 3);
        }
    }
}
