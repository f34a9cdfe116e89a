//! CPUID, executed only for leaves that the CPU reports (Intel SDM vol. 2A, "CPUID").

use core::arch::x86_64::{__cpuid_count, CpuidResult};

use abi::wire::{Label, Text};

/// Executes CPUID for a leaf and sub-leaf.
pub type Query<'a> = &'a dyn Fn(u32, u32) -> CpuidResult;

/// A leaf and sub-leaf; zeros if the CPU does not have the leaf.
#[must_use]
pub fn leaf(leaf: u32, sub_leaf: u32) -> CpuidResult {
    let range = range_of(leaf);
    // A hypervisor's range exists only if CPUID.1:ECX[31] reports a hypervisor. Without one, Intel CPUs answer with the
    // data of another leaf.
    let missing = CpuidResult { eax: 0, ebx: 0, ecx: 0, edx: 0 };
    if is_hypervisors(leaf) && !has_hypervisor() || leaf > __cpuid_count(range, 0).eax {
        return missing;
    }
    __cpuid_count(leaf, sub_leaf)
}

/// Executes CPUID leaf 0 once, without asking first: the maximum leaf and the vendor.
#[must_use]
#[inline]
pub fn maximum() -> (u32, u32, u32, u32) {
    let CpuidResult { eax, ebx, ecx, edx } = __cpuid_count(0, 0);
    (eax, ebx, ecx, edx)
}

/// The size of the largest cache that leaf 4, or 8000_001DH of AMD, reports, in bytes (Intel SDM vol. 2A, "CPUID"; AMD64
/// APM vol. 3, appendix E.4); `None` if neither reports one.
#[must_use]
pub fn last_level_cache() -> Option<u64> {
    last_level_cache_of(&leaf)
}

fn last_level_cache_of(query: Query<'_>) -> Option<u64> {
    /// More levels than any CPU has.
    const MOST: u32 = 16;
    let size = |number, sub_leaf| {
        let CpuidResult { eax, ebx, ecx, .. } = query(number, sub_leaf);
        let [ways, partitions, line] = [ebx >> 22, ebx >> 12 & 0x3ff, ebx & 0xfff].map(|n| u64::from(n) + 1);
        // A level without a type is none.
        (eax & 0x1f != 0).then(|| ways * partitions * line * (u64::from(ecx) + 1))
    };
    let largest = |number| (0..MOST).map_while(|sub_leaf| size(number, sub_leaf)).max();
    largest(4).max(largest(0x8000_001d))
}

/// The first leaf of a leaf's range, which states the last. Each interface of a hypervisor has a range of 256 leaves.
const fn range_of(leaf: u32) -> u32 {
    leaf & if is_hypervisors(leaf) { 0xffff_ff00 } else { 0xffff_0000 }
}

const fn is_hypervisors(leaf: u32) -> bool {
    leaf & 0xffff_0000 == HYPERVISOR
}

/// First leaf of the ranges that a hypervisor answers. One with several interfaces has others at multiples of 100H from
/// there, up to 4000_FF00H: KVM is at 4000_0100H if it also looks like Hyper-V (Linux,
/// Documentation/virt/kvm/x86/cpuid.rst).
pub const HYPERVISOR: u32 = 0x4000_0000;
const HYPERVISOR_STEP: usize = 0x100;
const HYPERVISOR_LAST: u32 = 0x4000_ff00;

/// The interfaces of hypervisors that this crate knows, by their signature.
const KVM: &[u8; 12] = b"KVMKVMKVM\0\0\0";
const HYPER_V: &[u8; 12] = b"Microsoft Hv";

/// The first leaf of the range of the interface with this signature.
fn interface(query: Query<'_>, signature: &[u8; 12]) -> Option<u32> {
    (HYPERVISOR..=HYPERVISOR_LAST).step_by(HYPERVISOR_STEP).find(|&base| {
        let CpuidResult { ebx, ecx, edx, .. } = query(base, 0);
        bytes_of([ebx, ecx, edx]) == *signature
    })
}

/// KVM's features, CPUID.4000_0001H:EAX or that of its range; `None` without KVM.
#[must_use]
pub fn kvm_features() -> Option<u32> {
    kvm_features_of(&leaf)
}

fn kvm_features_of(query: Query<'_>) -> Option<u32> {
    interface(query, KVM).map(|base| query(base + 1, 0).eax)
}

/// The TSC's frequency in kHz as the hypervisor's leaf 10H states it: VMware's leaf, which KVM, EC2 and others have too.
/// Hyper-V gives that leaf no such meaning.
#[must_use]
pub(crate) fn hypervisor_khz(query: Query<'_>) -> Option<u64> {
    let first = (interface(query, HYPER_V) != Some(HYPERVISOR)).then_some(HYPERVISOR);
    let ranges = [interface(query, KVM), first];
    let mut stated = ranges.into_iter().flatten().map(|base| u64::from(query(base + 0x10, 0).eax));
    stated.find(|&khz| khz > 0)
}

/// Whether Hyper-V lets a guest read the TSC's frequency from an MSR (Microsoft, "Hypervisor Top-Level Functional
/// Specification", section "Feature and Interface Discovery"): the guest may (EAX[11] of leaf 4000_0003H), and the MSR is
/// there (EDX[8]).
#[must_use]
pub fn has_hyper_v_frequency() -> bool {
    has_hyper_v_frequency_of(&leaf)
}

fn has_hyper_v_frequency_of(query: Query<'_>) -> bool {
    let Some(base) = interface(query, HYPER_V) else { return false };
    let CpuidResult { eax, edx, .. } = query(base + 3, 0);
    bit(eax, 11) && bit(edx, 8)
}

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
    use alloc::vec::Vec;

    use super::*;

    /// A hypervisor with these leaves, and zeros otherwise.
    fn answers(leaves: &[(u32, [u32; 4])]) -> impl Fn(u32, u32) -> CpuidResult + use<> {
        let leaves: Vec<_> = leaves.to_vec();
        move |leaf, _| {
            let [eax, ebx, ecx, edx] = leaves.iter().find(|it| it.0 == leaf).map_or([0; 4], |it| it.1);
            CpuidResult { eax, ebx, ecx, edx }
        }
    }

    /// The first leaf of an interface, with the number of its last leaf.
    fn signature(base: u32, last: u32, text: &[u8; 12]) -> (u32, [u32; 4]) {
        let [ebx, ecx, edx] = [0, 4, 8].map(|at| u32::from_le_bytes(*text[at..].first_chunk().unwrap()));
        (base, [base + last, ebx, ecx, edx])
    }

    const FEATURES: u32 = 0x0100_7efb;

    #[test]
    fn finds_kvm_wherever_its_leaves_begin() {
        for base in [0x4000_0000, 0x4000_0100, 0x4000_0200, 0x4000_ff00] {
            let kvm = [
                signature(base, 0x10, KVM),
                (base + 1, [FEATURES, 0, 0, 0]),
                (base + 16, [2_596_079, 0, 0, 0]),
            ];
            let hyper_v = [signature(HYPERVISOR, 0xb, HYPER_V), (0x4000_0010, [77, 0, 0, 0])];
            let all = if base == HYPERVISOR { kvm.to_vec() } else { [&hyper_v[..], &kvm].concat() };
            let query = answers(&all);
            assert_eq!(kvm_features_of(&query), Some(FEATURES), "{base:#x}");
            assert_eq!(hypervisor_khz(&query), Some(2_596_079), "{base:#x}");
        }
    }

    #[test]
    fn takes_leaf_10h_of_any_hypervisor_but_hyper_v() {
        let stated = |text| {
            let query = answers(&[signature(HYPERVISOR, 0x10, text), (0x4000_0010, [3_000_000, 0, 0, 0])]);
            (kvm_features_of(&query), hypervisor_khz(&query))
        };
        assert_eq!(stated(b"VMwareVMware"), (None, Some(3_000_000)));
        assert_eq!(stated(HYPER_V), (None, None));
        assert_eq!(hypervisor_khz(&answers(&[])), None);
    }

    #[test]
    fn hyper_vs_msr_needs_both_its_bits() {
        let has = |eax, edx| {
            let query = answers(&[signature(HYPERVISOR, 0xb, HYPER_V), (0x4000_0003, [eax, 0, 0, edx])]);
            has_hyper_v_frequency_of(&query)
        };
        assert!(has(1 << 11, 1 << 8) && has(u32::MAX, u32::MAX));
        assert!(!has(1 << 11, 0) && !has(0, 1 << 8) && !has(!(1 << 11), u32::MAX));
        // KVM's own leaf of that number means something else.
        let kvm = [signature(HYPERVISOR, 0x10, KVM), (0x4000_0003, [u32::MAX; 4])];
        assert!(!has_hyper_v_frequency_of(&answers(&kvm)));
    }

    #[test]
    fn each_interface_of_a_hypervisor_has_a_range_with_its_own_end() {
        assert_eq!(range_of(0x4000_0110), 0x4000_0100);
        assert_eq!(range_of(0x4000_0010), 0x4000_0000);
        assert_eq!(range_of(0x8000_0026), 0x8000_0000);
        assert_eq!(range_of(0x15), 0);
    }

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
