//! A CPU's place in the machine, as the CPU itself reports it: package, die, core, thread, and the kind of its core.
//!
//! Sources are tried in this order, and the first that answers decides: CPUID leaf 1FH, AMD's leaf 8000_0026H, leaf 0BH,
//! AMD's leaf 8000_001EH, leaves 1 and 4 (Intel SDM vol. 3A, "Identifying Topological Relationships in a MP System"; AMD64
//! APM vol. 3, "CPUID Fn8000_001E" and "CPUID Fn8000_0026"). Each reports how many low bits of an APIC id number the threads of a core, and how many the CPUs of a
//! package. A hypervisor may hide all of them; then nothing is known, and nothing is assumed.

use core::arch::x86_64::CpuidResult;

use abi::wire::record::{CoreKind, TopologySource};

use super::cpuid::{self, Query, bit};

/// Decodes how APIC ids are split, from one source; `None` if this CPU does not have it.
type Decoder = fn(Query<'_>) -> Option<IdLayout>;

/// A CPU's place. Each number is unique in the machine, an APIC id without the bits of the levels below: two CPUs are in
/// one core if `core` is the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// The source.
    pub source: TopologySource,
    /// Its package.
    pub package: Option<u32>,
    /// Its die, if the source distinguishes dies.
    pub die: Option<u32>,
    /// Its core.
    pub core: Option<u32>,
    /// Which thread of its core it is.
    pub thread: Option<u32>,
    /// The kind of its core.
    pub kind: CoreKind,
}

/// The place of the CPU that runs this.
#[must_use]
pub fn here() -> Place {
    read(&cpuid::leaf)
}

/// How an APIC id is split into bit fields.
#[derive(Clone, Copy)]
struct IdLayout {
    apic_id: u32,
    /// Bits that number the threads of a core.
    thread_bits: u32,
    /// Bits that number the CPUs of a die, if there are dies.
    die_bits: Option<u32>,
    /// Bits that number the CPUs of a package.
    package_bits: u32,
}

/// The place of the CPU that answers `query`.
#[must_use]
pub fn read(query: Query<'_>) -> Place {
    let decoders: [(TopologySource, Decoder); 5] = [
        (TopologySource::Cpuid1f, |query| by_levels(query, 0x1f)),
        (TopologySource::Cpuid80000026, by_amd_levels),
        (TopologySource::Cpuid0b, |query| by_levels(query, 0xb)),
        (TopologySource::CpuidAmd, by_amd),
        (TopologySource::CpuidLegacy, by_legacy),
    ];
    let kind = kind(query);
    let found = decoders.into_iter().find_map(|(source, decode)| Some((source, decode(query)?)));
    let Some((source, layout)) = found else {
        let source = TopologySource::None;
        return Place { source, package: None, die: None, core: None, thread: None, kind };
    };
    // A field of 5 bits holds at most 31, which is within the id's 32.
    let above = |bits: u32| layout.apic_id.checked_shr(bits).unwrap_or(0);
    let core = above(layout.thread_bits);
    Place {
        source,
        package: Some(above(layout.package_bits)),
        die: layout.die_bits.map(above),
        core: Some(core),
        thread: Some(layout.apic_id - core.checked_shl(layout.thread_bits).unwrap_or(0)),
        kind,
    }
}

/// Level types of leaves 0BH and 1FH.
const LEVEL_NONE: u32 = 0;
const LEVEL_THREAD: u32 = 1;
const LEVEL_DIE: u32 = 5;
/// More levels than there are types.
const MAX_LEVELS: u32 = 8;

/// Leaf 0BH or 1FH: a sub-leaf for each level from the thread on, with the shift that turns an id into that of the next
/// level.
fn by_levels(query: Query<'_>, leaf: u32) -> Option<IdLayout> {
    // The leaf exists if its first level has any CPUs.
    if query(leaf, 0).ebx & 0xffff == 0 {
        return None;
    }
    let apic_id = query(leaf, 0).edx;
    let mut layout = IdLayout { apic_id, thread_bits: 0, die_bits: None, package_bits: 0 };
    for level in 0..MAX_LEVELS {
        let CpuidResult { eax, ecx, .. } = query(leaf, level);
        match ecx >> 8 & 0xff {
            LEVEL_NONE => break,
            LEVEL_THREAD => layout.thread_bits = eax & 0x1f,
            LEVEL_DIE => layout.die_bits = Some(layout.package_bits),
            _ => {}
        }
        layout.package_bits = eax & 0x1f;
    }
    // Fewer bits for a package than for its cores would split cores.
    (layout.thread_bits <= layout.package_bits).then_some(layout)
}

/// Leaf 8000_0026H of AMD, and the types of its levels: core, complex, die, socket. Each states the shift that turns an id
/// into that level's own number. The die is the CCD, whose cores share an L3 cache.
const AMD_LEVELS: u32 = 0x8000_0026;
const AMD_LEVEL_CORE: u32 = 1;
const AMD_LEVEL_DIE: u32 = 3;

fn by_amd_levels(query: Query<'_>) -> Option<IdLayout> {
    if !is_amd(query) || query(AMD_LEVELS, 0).ebx & 0xffff == 0 {
        return None;
    }
    let apic_id = query(AMD_LEVELS, 0).edx;
    let mut layout = IdLayout { apic_id, thread_bits: 0, die_bits: None, package_bits: 0 };
    for level in 0..MAX_LEVELS {
        let CpuidResult { eax, ecx, .. } = query(AMD_LEVELS, level);
        let bits = eax & 0x1f;
        match ecx >> 8 & 0xff {
            LEVEL_NONE => break,
            AMD_LEVEL_CORE => layout.thread_bits = bits,
            AMD_LEVEL_DIE => layout.die_bits = Some(bits),
            _ => {}
        }
        layout.package_bits = bits;
    }
    let die_bits = layout.die_bits.unwrap_or(layout.thread_bits);
    (layout.thread_bits <= die_bits && die_bits <= layout.package_bits).then_some(layout)
}

/// AMD's older leaf, for CPUs without leaf 0BH.
fn by_amd(query: Query<'_>) -> Option<IdLayout> {
    if !is_amd(query) || !bit(query(0x8000_0001, 0).ecx, 22) {
        return None;
    }
    let CpuidResult { eax: apic_id, ebx, .. } = query(0x8000_001e, 0);
    let sizes = query(0x8000_0008, 0).ecx;
    // The low byte is the older form of bits 12 to 15.
    let package_bits = match sizes >> 12 & 0xf {
        0 => bits_for((sizes & 0xff) + 1),
        bits => bits,
    };
    let thread_bits = bits_for((ebx >> 8 & 0xff) + 1);
    (thread_bits <= package_bits).then_some(IdLayout { apic_id, thread_bits, die_bits: None, package_bits })
}

/// Leaves 1 and 4: the numbers of ids that a package reserves for CPUs and for cores.
fn by_legacy(query: Query<'_>) -> Option<IdLayout> {
    let CpuidResult { ebx, edx, .. } = query(1, 0);
    // Without this flag (HTT) the count is not valid: the package has one CPU, or a hypervisor hides the others.
    if !bit(edx, 28) {
        return None;
    }
    let cpus = (ebx >> 16 & 0xff).max(1);
    let cores = match query(4, 0).eax {
        // AMD: leaf 4 is Intel's; the CPUs of a package are cores (CmpLegacy), or there is one core.
        0 if is_amd(query) && bit(query(0x8000_0001, 0).ecx, 1) => cpus,
        0 => 1,
        eax => (eax >> 26) + 1,
    };
    let (package_bits, core_bits) = (bits_for(cpus), bits_for(cores));
    let thread_bits = package_bits.checked_sub(core_bits)?;
    Some(IdLayout { apic_id: ebx >> 24, thread_bits, die_bits: None, package_bits })
}

fn is_amd(query: Query<'_>) -> bool {
    let CpuidResult { ebx, ecx, edx, .. } = query(0, 0);
    let vendor = [ebx, edx, ecx].map(u32::to_le_bytes);
    [b"AuthenticAMD", b"HygonGenuine"].iter().any(|known| vendor.as_flattened() == *known)
}

/// The bits needed to number `count` things, 1 or more.
const fn bits_for(count: u32) -> u32 {
    count.next_power_of_two().trailing_zeros()
}

/// The kind of core, on a processor with several kinds: Intel's say so in CPUID.7:EDX[15] and the kind in leaf 1AH, AMD's
/// in EAX[30] of leaf 8000_0026H and the kind in EBX[31:28].
fn kind(query: Query<'_>) -> CoreKind {
    if is_amd(query) {
        let CpuidResult { eax, ebx, .. } = query(AMD_LEVELS, 0);
        return match (bit(eax, 30), ebx >> 28) {
            (false, _) => CoreKind::Alike,
            (true, 0) => CoreKind::Performance,
            (true, 1) => CoreKind::Efficient,
            (true, _) => CoreKind::Other,
        };
    }
    if !bit(query(7, 0).edx, 15) {
        return CoreKind::Alike;
    }
    match query(0x1a, 0).eax >> 24 {
        0x20 => CoreKind::Efficient,
        0x40 => CoreKind::Performance,
        _ => CoreKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// A CPU that answers these leaves, and zeros otherwise.
    fn cpu(answers: &[(u32, u32, [u32; 4])]) -> Place {
        let answers: Vec<_> = answers.to_vec();
        read(&move |leaf, sub_leaf| {
            let found = answers.iter().find(|answer| (answer.0, answer.1) == (leaf, sub_leaf));
            let [eax, ebx, ecx, edx] = found.map_or([0; 4], |answer| answer.2);
            CpuidResult { eax, ebx, ecx, edx }
        })
    }

    fn numbers(place: Place) -> [Option<u32>; 4] {
        [place.package, place.die, place.core, place.thread]
    }

    /// Two threads a core, four cores: ids of one and three bits.
    fn leaf_0b(id: u32) -> [(u32, u32, [u32; 4]); 2] {
        [(0xb, 0, [1, 2, 0x100, id]), (0xb, 1, [3, 8, 0x201, id])]
    }

    const AMD: (u32, u32, [u32; 4]) = (0, 0, [0x10, 0x6874_7541, 0x444d_4163, 0x6974_6e65]);

    #[test]
    fn splits_ids_by_the_levels_of_leaf_0b() {
        let place = cpu(&leaf_0b(13));
        assert_eq!((place.source, place.kind), (TopologySource::Cpuid0b, CoreKind::Alike));
        assert_eq!(numbers(place), [Some(1), None, Some(6), Some(1)]);
        assert_eq!(numbers(cpu(&leaf_0b(12))), [Some(1), None, Some(6), Some(0)]);
    }

    #[test]
    fn prefers_leaf_1f_and_knows_its_dies() {
        // Package 1, die 0b10, core 0b11, thread 1.
        let id = 0b11_0111;
        let levels =
            [(0x1f, 0, [1, 2, 0x100, id]), (0x1f, 1, [3, 8, 0x201, id]), (0x1f, 2, [5, 32, 0x502, id])];
        let place = cpu(&[&levels[..], &leaf_0b(0)].concat());
        assert_eq!(place.source, TopologySource::Cpuid1f);
        assert_eq!(numbers(place), [Some(1), Some(0b110), Some(0b11011), Some(1)]);
    }

    /// A socket of two dies with eight cores of two threads each; ids of a die's cores leave gaps.
    fn leaf_8000_0026(id: u32, features: u32, core: u32) -> [(u32, u32, [u32; 4]); 4] {
        [
            (AMD_LEVELS, 0, [features | 1, core | 2, 0x100, id]),
            (AMD_LEVELS, 1, [4, 16, 0x201, id]),
            (AMD_LEVELS, 2, [5, 16, 0x302, id]),
            (AMD_LEVELS, 3, [7, 32, 0x403, id]),
        ]
    }

    #[test]
    fn prefers_amds_levels_and_knows_their_dies() {
        // Socket 1, die 0b10, core 0b0011, thread 1.
        let id = 0b1_1000_0111;
        let place = cpu(&[&[AMD][..], &leaf_8000_0026(id, 0, 0), &leaf_0b(0)].concat());
        assert_eq!((place.source, place.kind), (TopologySource::Cpuid80000026, CoreKind::Alike));
        assert_eq!(numbers(place), [Some(0b11), Some(0b1100), Some(0b1100_0011), Some(1)]);
        // The leaf is AMD's alone, and one without CPUs in its first level is none.
        let intels = cpu(&[&leaf_8000_0026(id, 0, 0)[..], &leaf_0b(13)].concat());
        assert_eq!(intels.source, TopologySource::Cpuid0b);
        let empty = cpu(&[&[AMD, (AMD_LEVELS, 0, [1, 0, 0x100, id])][..], &leaf_0b(13)].concat());
        assert_eq!(empty.source, TopologySource::Cpuid0b);
    }

    #[test]
    fn names_the_kind_of_core_on_amds_mixed_processors_only() {
        const MIXED: u32 = 1 << 30;
        let kind =
            |features, core: u32| cpu(&[&[AMD][..], &leaf_8000_0026(0, features, core << 28)].concat()).kind;
        assert_eq!(
            [0, 1, 2].map(|core| kind(MIXED, core)),
            [CoreKind::Performance, CoreKind::Efficient, CoreKind::Other]
        );
        assert_eq!(kind(0, 1), CoreKind::Alike);
    }

    #[test]
    fn reads_amds_leaf_if_there_is_no_other() {
        let place = cpu(&[
            AMD,
            (0x8000_0001, 0, [0, 0, 1 << 22, 0]),
            (0x8000_0008, 0, [0, 0, 4 << 12 | 15, 0]),
            (0x8000_001e, 0, [0x15, 1 << 8, 0, 0]),
        ]);
        assert_eq!(place.source, TopologySource::CpuidAmd);
        assert_eq!(numbers(place), [Some(1), None, Some(10), Some(1)]);
    }

    #[test]
    fn reads_leaves_1_and_4() {
        // Ids for four CPUs and two cores in a package; this is the last CPU of the second package.
        let place = cpu(&[(1, 0, [0, 7 << 24 | 4 << 16, 0, 1 << 28]), (4, 0, [1 << 26 | 1, 0, 0, 0])]);
        assert_eq!(place.source, TopologySource::CpuidLegacy);
        assert_eq!(numbers(place), [Some(1), None, Some(3), Some(1)]);
        // An AMD of the time before threads.
        let place = cpu(&[AMD, (1, 0, [0, 3 << 24 | 4 << 16, 0, 1 << 28]), (0x8000_0001, 0, [0, 0, 2, 0])]);
        assert_eq!(numbers(place), [Some(0), None, Some(3), Some(0)]);
    }

    #[test]
    fn assumes_nothing_if_nothing_is_reported() {
        let place = cpu(&[(1, 0, [0, 5 << 24 | 1 << 16, 0, 0])]);
        assert_eq!((place.source, numbers(place)), (TopologySource::None, [None; 4]));
        // More bits for threads than for the package: no machine is like that.
        let place = cpu(&[(0xb, 0, [4, 2, 0x100, 9]), (0xb, 1, [1, 8, 0x201, 9])]);
        assert_eq!(place.source, TopologySource::None);
    }

    #[test]
    fn names_the_kind_of_core_on_hybrid_processors_only() {
        let hybrid = |kind: u32| cpu(&[(7, 0, [0, 0, 0, 1 << 15]), (0x1a, 0, [kind << 24, 0, 0, 0])]).kind;
        assert_eq!(
            [0x20, 0x40, 0x10].map(hybrid),
            [CoreKind::Efficient, CoreKind::Performance, CoreKind::Other]
        );
        assert_eq!(cpu(&[(0x1a, 0, [0x40 << 24, 0, 0, 0])]).kind, CoreKind::Alike);
    }

    #[test]
    fn accepts_any_answer() {
        let all = |value| read(&move |_, _| CpuidResult { eax: value, ebx: value, ecx: value, edx: value });
        for value in [u32::MAX, 0x1f, 0x1ff, 0x5ff, 1 << 28, 0x8000_0000] {
            let place = all(value);
            assert_eq!(place.core.is_some(), place.source != TopologySource::None);
        }
    }
}
