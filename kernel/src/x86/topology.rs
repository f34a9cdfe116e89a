//! Where a CPU is in the machine, by its own word: package, die, core, thread, and the kind of its core.
//!
//! Asked in this order, the first that answers counts: CPUID leaf 1FH, leaf 0BH, AMD's leaf 8000_001EH, leaves 1 and 4
//! (Intel SDM vol. 3A, "Identifying Topological Relationships in a MP System"; AMD64 APM vol. 3, "CPUID Fn8000_001E").
//! All of them tell how many low bits of an APIC id count the threads of a core, and how many the CPUs of a package.
//! A hypervisor may hide all of it; then nothing is known, and nothing is made up.

use core::arch::x86_64::CpuidResult;

use abi::wire::record::{CoreKind, TopologySource};

use super::cpuid::{self, bit};

/// How to ask CPUID: leaf and sub-leaf.
pub type Ask<'a> = &'a dyn Fn(u32, u32) -> CpuidResult;

/// A way to learn how an APIC id is cut; `None` where this CPU does not go it.
type Way = fn(Ask<'_>) -> Option<Cut>;

/// Where a CPU is. Each number is that of the whole machine, an APIC id without the bits of what is below: two CPUs are
/// in one core where `core` is the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    /// What told.
    pub source: TopologySource,
    /// Its package.
    pub package: Option<u32>,
    /// Its die, where dies are told apart.
    pub die: Option<u32>,
    /// Its core.
    pub core: Option<u32>,
    /// Which thread of its core it is.
    pub thread: Option<u32>,
    /// The kind of its core.
    pub kind: CoreKind,
}

/// Where the CPU is that this runs on.
#[must_use]
pub fn here() -> Place {
    read(&cpuid::leaf)
}

/// How an APIC id is cut.
#[derive(Clone, Copy)]
struct Cut {
    apic_id: u32,
    /// Bits that count the threads of a core.
    thread_bits: u32,
    /// Bits that count the CPUs of a die, where there are dies.
    die_bits: Option<u32>,
    /// Bits that count the CPUs of a package.
    package_bits: u32,
}

/// Where the CPU is that answers so.
#[must_use]
pub fn read(ask: Ask<'_>) -> Place {
    let ways: [(TopologySource, Way); 4] = [
        (TopologySource::Cpuid1f, |ask| by_levels(ask, 0x1f)),
        (TopologySource::Cpuid0b, |ask| by_levels(ask, 0xb)),
        (TopologySource::CpuidAmd, by_amd),
        (TopologySource::CpuidLegacy, by_legacy),
    ];
    let kind = kind(ask);
    let found = ways.into_iter().find_map(|(source, way)| Some((source, way(ask)?)));
    let Some((source, cut)) = found else {
        let source = TopologySource::None;
        return Place { source, package: None, die: None, core: None, thread: None, kind };
    };
    // A field of 5 bits can say 31 at most, which is within the id's 32.
    let above = |bits: u32| cut.apic_id.checked_shr(bits).unwrap_or(0);
    let core = above(cut.thread_bits);
    Place {
        source,
        package: Some(above(cut.package_bits)),
        die: cut.die_bits.map(above),
        core: Some(core),
        thread: Some(cut.apic_id - core.checked_shl(cut.thread_bits).unwrap_or(0)),
        kind,
    }
}

/// Level types of leaves 0BH and 1FH.
const LEVEL_NONE: u32 = 0;
const LEVEL_THREAD: u32 = 1;
const LEVEL_DIE: u32 = 5;
/// More levels than there are types.
const MAX_LEVELS: u32 = 8;

/// Leaf 0BH or 1FH: a sub-leaf for each level from the thread on, which says how far to shift an id to get that of the
/// next level.
fn by_levels(ask: Ask<'_>, leaf: u32) -> Option<Cut> {
    // The leaf exists where its first level has any CPUs.
    if ask(leaf, 0).ebx & 0xffff == 0 {
        return None;
    }
    let apic_id = ask(leaf, 0).edx;
    let mut cut = Cut { apic_id, thread_bits: 0, die_bits: None, package_bits: 0 };
    for level in 0..MAX_LEVELS {
        let CpuidResult { eax, ecx, .. } = ask(leaf, level);
        match ecx >> 8 & 0xff {
            LEVEL_NONE => break,
            LEVEL_THREAD => cut.thread_bits = eax & 0x1f,
            LEVEL_DIE => cut.die_bits = Some(cut.package_bits),
            _ => {}
        }
        cut.package_bits = eax & 0x1f;
    }
    // Fewer bits for a package than for its cores would tear cores apart.
    (cut.thread_bits <= cut.package_bits).then_some(cut)
}

/// AMD's own, for those that have no leaf 0BH.
fn by_amd(ask: Ask<'_>) -> Option<Cut> {
    if !is_amd(ask) || !bit(ask(0x8000_0001, 0).ecx, 22) {
        return None;
    }
    let CpuidResult { eax: apic_id, ebx, .. } = ask(0x8000_001e, 0);
    let sizes = ask(0x8000_0008, 0).ecx;
    // The second is the older form of the first.
    let package_bits = match sizes >> 12 & 0xf {
        0 => bits_for((sizes & 0xff) + 1),
        bits => bits,
    };
    let thread_bits = bits_for((ebx >> 8 & 0xff) + 1);
    (thread_bits <= package_bits).then_some(Cut { apic_id, thread_bits, die_bits: None, package_bits })
}

/// Leaves 1 and 4: ids for so many CPUs and so many cores are set aside in a package.
fn by_legacy(ask: Ask<'_>) -> Option<Cut> {
    let CpuidResult { ebx, edx, .. } = ask(1, 0);
    // Without this flag (HTT) the count is not valid: the package has one CPU, or somebody hides that it has more.
    if !bit(edx, 28) {
        return None;
    }
    let cpus = (ebx >> 16 & 0xff).max(1);
    let cores = match ask(4, 0).eax {
        // AMD: leaf 4 is Intel's, and CPUs of one package are cores (CmpLegacy) or there is one core.
        0 if is_amd(ask) && bit(ask(0x8000_0001, 0).ecx, 1) => cpus,
        0 => 1,
        eax => (eax >> 26) + 1,
    };
    let (package_bits, core_bits) = (bits_for(cpus), bits_for(cores));
    let thread_bits = package_bits.checked_sub(core_bits)?;
    Some(Cut { apic_id: ebx >> 24, thread_bits, die_bits: None, package_bits })
}

fn is_amd(ask: Ask<'_>) -> bool {
    let CpuidResult { ebx, ecx, edx, .. } = ask(0, 0);
    let vendor = [ebx, edx, ecx].map(u32::to_le_bytes);
    [b"AuthenticAMD", b"HygonGenuine"].iter().any(|known| vendor.as_flattened() == *known)
}

/// How many bits it takes to count `count` things, 1 or more.
const fn bits_for(count: u32) -> u32 {
    count.next_power_of_two().trailing_zeros()
}

/// The kind of core, on a processor that has several (CPUID.7:EDX[15], leaf 1AH).
fn kind(ask: Ask<'_>) -> CoreKind {
    if !bit(ask(7, 0).edx, 15) {
        return CoreKind::Alike;
    }
    match ask(0x1a, 0).eax >> 24 {
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
    fn cuts_ids_by_the_levels_of_leaf_0b() {
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

    #[test]
    fn reads_amds_leaf_where_there_is_no_other() {
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
    fn makes_nothing_up_where_nothing_is_told() {
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
    fn takes_any_answer() {
        let all = |value| read(&move |_, _| CpuidResult { eax: value, ebx: value, ecx: value, edx: value });
        for value in [u32::MAX, 0x1f, 0x1ff, 0x5ff, 1 << 28, 0x8000_0000] {
            let place = all(value);
            assert_eq!(place.core.is_some(), place.source != TopologySource::None);
        }
    }
}
