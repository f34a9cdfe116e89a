//! A CPU's place, from CPUID. The input lists leaf, sub-leaf and four registers; every other leaf is zero.

use std::arch::x86_64::CpuidResult;
use std::collections::BTreeMap;

use abi::wire::record::TopologySource;
use harness::x86::topology::{Place, read};

use crate::input::Input;

/// The leaves that the kernel reads, and one that it does not.
const LEAVES: [u32; 11] = [0, 1, 4, 7, 0xb, 0x1a, 0x1f, 0x8000_0001, 0x8000_0008, 0x8000_001e, 0x4000_0000];

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let mut answers = BTreeMap::new();
    while !input.is_empty() {
        let which = input.byte();
        let leaf = LEAVES[usize::from(which & 0xf) % LEAVES.len()];
        let register = |input: &mut Input<'_>| u32::from(input.word()) | u32::from(input.word()) << 16;
        answers.insert((leaf, u32::from(which >> 4)), [(); 4].map(|()| register(&mut input)));
    }
    let ask = |leaf, sub_leaf| {
        let [eax, ebx, ecx, edx] = answers.get(&(leaf, sub_leaf)).copied().unwrap_or_default();
        CpuidResult { eax, ebx, ecx, edx }
    };
    let place = read(&ask);
    let id = match place.source {
        TopologySource::Cpuid1f => ask(0x1f, 0).edx,
        TopologySource::Cpuid80000026 => ask(0x8000_0026, 0).edx,
        TopologySource::Cpuid0b => ask(0xb, 0).edx,
        TopologySource::CpuidAmd => ask(0x8000_001e, 0).eax,
        TopologySource::CpuidLegacy => ask(1, 0).ebx >> 24,
        TopologySource::None => {
            let Place { package, die, core, thread, .. } = place;
            return assert_eq!([package, die, core, thread], [None; 4], "nothing is made up");
        }
    };
    // The id in two pieces: the core's number contains the package's.
    let (core, thread) = (place.core.expect("it was reported"), place.thread.expect("it was reported"));
    let package = place.package.expect("it was reported");
    let is_cut = |bits: u32| core == id >> bits && u64::from(thread) == u64::from(id) & ((1 << bits) - 1);
    let bits = (0..32).find(|&bits| is_cut(bits)).expect("an id without some of its low bits");
    assert!((bits..32).any(|bits| package == id >> bits), "no package is smaller than its cores");
    for leaf in [0x1f, 0xb] {
        let is_reported = ask(leaf, 0).ebx & 0xffff != 0;
        let is_it =
            matches!((leaf, place.source), (0x1f, TopologySource::Cpuid1f) | (0xb, TopologySource::Cpuid0b));
        if is_it {
            assert!(is_reported, "a leaf that is there");
            let levels = (0..8).map(|level| ask(leaf, level)).take_while(|it| it.ecx >> 8 & 0xff != 0);
            let levels: Vec<_> = levels.map(|it| (it.ecx >> 8 & 0xff, it.eax & 31)).collect();
            let of_core = levels.iter().rfind(|(kind, _)| *kind == 1).map_or(0, |level| level.1);
            let of_package = levels.last().map_or(0, |level| level.1);
            assert_eq!((core, package), (id >> of_core, id >> of_package));
            return;
        }
    }
}
