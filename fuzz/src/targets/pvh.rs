//! PVH start info. The input is memory from address 0 on, with the start info at its beginning.

use kernel::boot::pvh::{MAX_MEMORY_END, StartInfo};
use kernel::firmware::Memory;
use kernel::mem::memory_map::{MemoryMap, Region};

const IMAGE: Region = Region { start: 0x20_0000, end: 0x25_3000 };
const MAGIC: [u8; 4] = [0x78, 0xc5, 0x6e, 0x33];

pub(crate) fn check(data: &[u8]) {
    let memory = Low(data);
    let Ok(info) = StartInfo::read(&memory, 0, IMAGE) else { return };
    assert!(data.starts_with(&MAGIC));
    let entries = entries(data);
    let taken = taken(data);
    let usable: Vec<_> = info.usable().collect();
    for region in &usable {
        assert!(region.start < region.end && !overlap(region, &IMAGE), "in the kernel");
        assert!(taken.iter().all(|module| !overlap(region, module)), "in a module");
        let ram = entries.iter().filter(|(kind, _)| *kind == 1);
        assert!(ram.clone().any(|(_, ram)| ram.start <= region.start && region.end <= ram.end), "in no RAM");
        let other = entries.iter().filter(|(kind, _)| *kind != 1);
        assert!(other.clone().all(|(_, other)| !overlap(region, other)), "in something else");
        assert!(region.end <= info.memory_end() && info.memory_end() <= MAX_MEMORY_END);
    }
    assert!(
        (1..usable.len()).all(|at| usable[..at].iter().all(|other| !overlap(other, &usable[at]))),
        "twice"
    );
    nothing_is_lost(&info, &entries, &taken);
    assert!(!overlap(&info.ramdisk, &IMAGE));
    assert_eq!(info.rsdp, Some(long(data, 32)).filter(|&rsdp| rsdp != 0));
    let _ = MemoryMap::new(info.usable());
}

/// RAM is either usable or taken.
fn nothing_is_lost(info: &StartInfo<'_>, entries: &[(u64, Region)], taken: &[Region]) {
    let bytes = |region: &Region| u128::from(region.end - region.start);
    let within = |a: &Region, b: &Region| u128::from(a.end.min(b.end).saturating_sub(a.start.max(b.start)));
    let ram: Vec<_> = entries.iter().filter(|(kind, _)| *kind == 1).map(|(_, region)| region).collect();
    let total: u128 = ram.iter().map(|region| bytes(region)).sum();
    let used: u128 =
        taken.iter().chain([&IMAGE]).flat_map(|it| ram.iter().map(move |ram| within(it, ram))).sum();
    assert_eq!(info.usable().map(|region| bytes(&region)).sum::<u128>(), total - used);
}

struct Low<'a>(&'a [u8]);

impl Memory for Low<'_> {
    fn bytes(&self, at: u64, len: usize) -> Option<&[u8]> {
        let at = usize::try_from(at).ok()?;
        self.0.get(at..at.checked_add(len)?)
    }
}

/// The entries of the memory map: type and region.
fn entries(data: &[u8]) -> Vec<(u64, Region)> {
    let table = structures(data, long(data, 40), long(data, 48), 24);
    table.iter().map(|entry| (long(entry, 16) & 0xffff_ffff, region(entry))).collect()
}

/// The modules that are not empty.
fn taken(data: &[u8]) -> Vec<Region> {
    let modules = structures(data, long(data, 16), long(data, 8) >> 32, 32);
    modules.iter().map(|module| region(module)).filter(|region| region.start < region.end).collect()
}

fn structures(data: &[u8], at: u64, count: u64, bytes: usize) -> Vec<&[u8]> {
    let count = usize::try_from(count & 0xffff_ffff).expect("32 bits");
    let at = usize::try_from(at).expect("64 bits");
    if count == 0 { Vec::new() } else { data[at..at + count * bytes].chunks_exact(bytes).collect() }
}

fn region(structure: &[u8]) -> Region {
    let start = long(structure, 0);
    Region { start, end: start.checked_add(long(structure, 8)).expect("no accepted region wraps") }
}

/// The 64-bit number at `at`.
fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(*bytes[at..].first_chunk().expect("inside the accepted input"))
}

fn overlap(a: &Region, b: &Region) -> bool {
    a.start.max(b.start) < a.end.min(b.end)
}
