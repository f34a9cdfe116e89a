//! Detects a confidential VM: one whose memory its host cannot read. This kernel does not run in one. Its page tables do
//! not mark memory as encrypted or shared, and port I/O, MMIO and many MSRs raise exceptions that a guest has to turn into
//! calls to its host.
//!
//! - SEV (AMD APM vol. 2, "Secure Encrypted Virtualization"): CPUID.8000_001FH:EAX[1], then the MSR SEV_STATUS.
//! - TDX (Intel, "TDX Module Base Architecture Specification", CPUID leaf 21H): a signature.
//!
//! The kernel can report it only if the machine gets this far. With SEV-ES and SNP, CPUID itself raises #VC, which ends
//! the VM before there is an IDT; most loaders get no further either.

use core::arch::x86_64::CpuidResult;

use harness::x86::cpuid::{bit, has_hypervisor, leaf};

use super::msr;

/// A kind of confidential VM.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// AMD SEV: encrypted memory; port I/O still works.
    Sev,
    /// AMD SEV-ES or SEV-SNP.
    SevEs,
    /// Intel TDX.
    Tdx,
}

impl Kind {
    /// A text for records.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Sev => "unsupported: an AMD SEV guest, whose memory is encrypted",
            Self::SevEs => "unsupported: an AMD SEV-ES or SEV-SNP guest",
            Self::Tdx => "unsupported: an Intel TDX guest",
        }
    }

    /// Whether an access to an I/O port raises an exception.
    #[must_use]
    pub const fn traps_ports(self) -> bool {
        !matches!(self, Self::Sev)
    }
}

/// The kind of this machine, if it is confidential. Called before the first port access. `read_msr` reads a register;
/// `None` if that faults.
#[must_use]
pub fn kind(read_msr: impl FnOnce(u32) -> Option<u64>) -> Option<Kind> {
    let encryption = leaf(0x8000_001f, 0).eax;
    // The MSR should exist if CPUID lists SEV. A host's own CPUs have it too, but there it describes no guest.
    let has_status = has_hypervisor() && bit(encryption, 1);
    let status = has_status.then(|| read_msr(msr::SEV_STATUS)).flatten();
    judge(&leaf(0x21, 0), status)
}

fn judge(tdx: &CpuidResult, sev_status: Option<u64>) -> Option<Kind> {
    /// SEV_STATUS: SEV, SEV-ES, SEV-SNP.
    const SEV: u64 = 1 << 0;
    const ES_OR_SNP: u64 = 0b110;
    let signature = [tdx.ebx, tdx.edx, tdx.ecx].map(u32::to_le_bytes);
    if signature.as_flattened() == b"IntelTDX    " {
        return Some(Kind::Tdx);
    }
    match sev_status? {
        status if status & ES_OR_SNP != 0 => Some(Kind::SevEs),
        status if status & SEV != 0 => Some(Kind::Sev),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: CpuidResult = CpuidResult { eax: 0, ebx: 0, ecx: 0, edx: 0 };

    #[test]
    fn detects_tdx_by_its_signature_alone() {
        // EBX "Inte", EDX "lTDX", ECX four spaces.
        let tdx = CpuidResult { eax: 0, ebx: 0x6574_6e49, edx: 0x5844_546c, ecx: 0x2020_2020 };
        assert_eq!(judge(&tdx, None), Some(Kind::Tdx));
        assert_eq!(judge(&CpuidResult { ecx: 0, ..tdx }, None), None);
        assert!(Kind::Tdx.traps_ports());
    }

    #[test]
    fn distinguishes_the_kinds_of_sev() {
        assert_eq!(judge(&NOTHING, None), None);
        assert_eq!(
            [0, 1, 3, 7].map(|status| judge(&NOTHING, Some(status))),
            [None, Some(Kind::Sev), Some(Kind::SevEs), Some(Kind::SevEs)]
        );
        assert!(!Kind::Sev.traps_ports() && Kind::SevEs.traps_ports());
    }
}
