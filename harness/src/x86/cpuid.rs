//! CPUID, executed only for leaves that the CPU reports (Intel SDM vol. 2A, "CPUID").

use core::arch::x86_64::{__cpuid_count, CpuidResult};

use abi::wire::{Label, Text};

/// A leaf and sub-leaf; zeros if the CPU does not have the leaf.
#[must_use]
pub fn leaf(leaf: u32, sub_leaf: u32) -> CpuidResult {
    let range = leaf & 0xffff_0000;
    // A hypervisor's range exists only if CPUID.1:ECX[31] reports a hypervisor. Without one, Intel CPUs answer with the
    // data of another leaf.
    let missing = CpuidResult { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    if range == HYPERVISOR && !has_hypervisor() || leaf > __cpuid_count(range, 0).eax {
        return missing;
    }
    __cpuid_count(leaf, sub_leaf)
}

/// First leaf of the range that a hypervisor answers.
pub const HYPERVISOR: u32 = 0x4000_0000;

/// Whether bit `n` is set.
#[must_use]
pub const fn bit(register: u32, n: u32) -> bool {
    register >> n & 1 != 0
}

/// The end of the CPU's physical addresses: a page table that names an address from there on faults (Intel SDM vol. 3A,
/// "Enumeration of Paging Features by CPUID").
#[must_use]
pub fn physical_end() -> u64 {
    physical_end_of(leaf(0x8000_0008, 0).eax)
}

/// Decodes EAX of leaf 8000_0008H; 36 bits if the CPU does not report a width.
const fn physical_end_of(eax: u32) -> u64 {
    match eax & 0xff {
        bits @ 32..=52 => 1 << bits,
        _ => 1 << 36,
    }
}

/// Whether the CPU reports a hypervisor.
#[must_use]
pub fn has_hypervisor() -> bool {
    bit(__cpuid_count(1, 0).ecx, 31)
}

/// The vendor string of leaf 0; `unknown` if it is no label.
#[must_use]
pub fn vendor() -> Label {
    let CpuidResult { ebx, ecx, edx, .. } = leaf(0, 0);
    let bytes = bytes_of([ebx, edx, ecx]);
    core::str::from_utf8(&bytes).ok().and_then(Label::new).or(Label::new("unknown")).expect("a label")
}

/// The hypervisor's signature, such as `KVMKVMKVM` or `Microsoft Hv`; empty if there is none.
#[must_use]
pub fn hypervisor_signature() -> Text<36> {
    let CpuidResult { ebx, ecx, edx, .. } = leaf(HYPERVISOR, 0);
    Text::new(trimmed(&bytes_of([ebx, ecx, edx])))
}

/// Whether the hypervisor calls itself KVM (Linux, Documentation/virt/kvm/x86/cpuid.rst).
#[must_use]
pub fn is_kvm() -> bool {
    let CpuidResult { ebx, ecx, edx, .. } = leaf(HYPERVISOR, 0);
    bytes_of([ebx, ecx, edx]) == *b"KVMKVMKVM\0\0\0"
}

/// The brand string of leaves 8000_0002H to 8000_0004H.
#[must_use]
pub fn brand() -> Text<120> {
    let mut bytes = [0; 48];
    for (chunk, number) in bytes.chunks_exact_mut(16).zip(0x8000_0002..) {
        let CpuidResult { eax, ebx, ecx, edx } = leaf(number, 0);
        chunk[..12].copy_from_slice(&bytes_of([eax, ebx, ecx]));
        chunk[12..].copy_from_slice(&edx.to_le_bytes());
    }
    Text::new(trimmed(&bytes))
}

/// The text in three registers.
fn bytes_of(registers: [u32; 3]) -> [u8; 12] {
    let mut bytes = [0; 12];
    for (chunk, register) in bytes.chunks_exact_mut(4).zip(registers) {
        chunk.copy_from_slice(&register.to_le_bytes());
    }
    bytes
}

/// The text up to its first zero byte, without spaces around it; empty if it is not UTF-8.
fn trimmed(bytes: &[u8]) -> &str {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    core::str::from_utf8(&bytes[..end]).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn physical_addresses_end_at_the_width_that_the_cpu_reports() {
        // An EPYC guest: 40 physical and 48 linear bits.
        assert_eq!(physical_end_of(0x3028), 1 << 40);
        assert_eq!(physical_end_of(52), 1 << 52);
        for none in [0, 20, 53, 255] {
            assert_eq!(physical_end_of(none), 1 << 36);
        }
    }
}
