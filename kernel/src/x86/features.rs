//! The CPU's protections, which are enabled if the CPU has them.
#![expect(unsafe_code, reason = "writes CR0, CR4 and EFER")]

use harness::x86::cpuid::{bit, leaf};
use x86_64::registers::control::{Cr0, Cr0Flags, Cr4, Cr4Flags, Efer, EferFlags};

/// The features in use. They are the same on every CPU: detected on the BSP and enabled everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Features {
    /// No-execute pages.
    pub nx: bool,
    /// Supervisor-mode execution prevention.
    pub smep: bool,
    /// Supervisor-mode access prevention.
    pub smap: bool,
    /// User-mode instruction prevention: SGDT and its kind fault in ring 3.
    pub umip: bool,
    /// Machine-check exceptions (CPUID.1:EDX[7]).
    pub mce: bool,
    /// The TSC runs at one rate in every power state (CPUID.8000_0007H:EDX[8]).
    pub invariant_tsc: bool,
}

impl Features {
    /// Detects the features of this CPU.
    #[must_use]
    pub fn detect() -> Self {
        let structured = leaf(7, 0);
        Self {
            nx: bit(leaf(0x8000_0001, 0).edx, 20),
            smep: bit(structured.ebx, 7),
            smap: bit(structured.ebx, 20),
            umip: bit(structured.ecx, 2),
            mce: bit(leaf(1, 0).edx, 7),
            invariant_tsc: bit(leaf(0x8000_0007, 0).edx, 8),
        }
    }

    /// Enables them on this CPU.
    ///
    /// The kernel never reads or writes through a user mapping (it uses the window on physical memory), so SMAP needs
    /// no exceptions anywhere.
    pub fn enable(self) {
        let mut cr4 = Cr4Flags::PHYSICAL_ADDRESS_EXTENSION | Cr4Flags::OSFXSR | Cr4Flags::OSXMMEXCPT_ENABLE;
        cr4.set(Cr4Flags::SUPERVISOR_MODE_EXECUTION_PROTECTION, self.smep);
        cr4.set(Cr4Flags::SUPERVISOR_MODE_ACCESS_PREVENTION, self.smap);
        cr4.set(Cr4Flags::USER_MODE_INSTRUCTION_PREVENTION, self.umip);
        // Without it a machine check is not a #MC, which has a gate and a record, but a shutdown (Intel SDM vol. 3A,
        // "Control Registers", CR4.MCE; vol. 3B, "Machine-Check Architecture").
        cr4.set(Cr4Flags::MACHINE_CHECK_EXCEPTION, self.mce);
        // Everything else that firmware may have enabled is disabled: TSD would fault a worker's RDTSC, PCIDE and PGE would
        // allow stale translations. OSXSAVE comes back once the state behind it is known (`cpu::xstate`).
        // SAFETY: PAE stays on, and LA57 is off (`pages_have_five_levels`); the kernel is soft-float, keeps no translation
        // global and uses no user mapping.
        unsafe { Cr4::write(cr4) };
        // EM off and NE on: ring 3 can use SSE, and x87 errors are #MF. TS off: no state is switched lazily.
        let cr0 = Cr0Flags::PROTECTED_MODE_ENABLE
            | Cr0Flags::MONITOR_COPROCESSOR
            | Cr0Flags::EXTENSION_TYPE
            | Cr0Flags::NUMERIC_ERROR
            | Cr0Flags::WRITE_PROTECT
            | Cr0Flags::PAGING;
        // SAFETY: protected mode and paging stay on, caches (CD, NW) are on; nothing here writes to read-only pages.
        unsafe { Cr0::write(cr0) };
        let mut efer = Efer::read() | EferFlags::SYSTEM_CALL_EXTENSIONS;
        efer.set(EferFlags::NO_EXECUTE_ENABLE, self.nx);
        // SAFETY: long mode stays on; NXE is already on if the current tables use it.
        unsafe { Efer::write(efer) };
    }
}

/// Whether firmware left 5-level paging on (CR4.LA57). This kernel's tables have four levels, and the number of levels
/// cannot change in long mode (Intel SDM vol. 3A, "4-Level Paging and 5-Level Paging").
#[must_use]
pub fn pages_have_five_levels() -> bool {
    has_five_levels(Cr4::read_raw())
}

/// The same of a value of CR4.
const fn has_five_levels(cr4: u64) -> bool {
    cr4 & Cr4Flags::L5_PAGING.bits() != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_levels_are_bit_12_of_cr4_and_no_other() {
        // PAE, OSFXSR and OSXMMEXCPT, as a loader leaves them; then with LA57, and with each bit alone.
        assert!(!has_five_levels(0x620) && has_five_levels(0x1620));
        assert!((0..64).all(|bit| has_five_levels(1 << bit) == (bit == 12)));
    }
}
