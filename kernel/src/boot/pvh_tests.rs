//! Start infos made by hand, each wrong in one way; the first is QEMU's for a q35 machine of 64 MiB.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

const INFO_AT: u64 = 0x21e0;
const MODULES_AT: u64 = 0x3000;
const MAP_AT: u64 = 0x4000;
const IMAGE: Region = Region { start: 0x20_0000, end: 0x25_3000 };
const MODULE: (u64, u64) = (0x3fd_5000, 0x2800);
const Q35: &[(u64, u64, u32)] = &[
    (0, 0x9_fc00, TYPE_RAM),
    (0x9_fc00, 0x400, 2),
    (0xf_0000, 0x1_0000, 2),
    (0x10_0000, 0x3ee_0000, TYPE_RAM),
    (0x3fe_0000, 0x2_0000, 2),
    (0xfd_0000_0000, 0x3_0000_0000, 2),
    (0, 0, 0),
];

/// Memory from address 0 on.
struct Low(Vec<u8>);

impl Memory for Low {
    fn bytes(&self, at: u64, len: usize) -> Option<&[u8]> {
        let at = usize::try_from(at).ok()?;
        self.0.get(at..at.checked_add(len)?)
    }
}

impl Low {
    fn with(map: &[(u64, u64, u32)], modules: &[(u64, u64)]) -> Self {
        let mut this = Self(vec![0; 0x1_0000]);
        this.put(0, &MAGIC.to_le_bytes());
        this.put(4, &1_u32.to_le_bytes());
        this.put(12, &u32::try_from(modules.len()).unwrap().to_le_bytes());
        this.put(16, &MODULES_AT.to_le_bytes());
        this.put(32, &0xf_59e0_u64.to_le_bytes());
        this.put(40, &MAP_AT.to_le_bytes());
        this.put(48, &u32::try_from(map.len()).unwrap().to_le_bytes());
        for (i, (at, bytes)) in (0..).zip(modules) {
            this.put(MODULES_AT - INFO_AT + 32 * i, &at.to_le_bytes());
            this.put(MODULES_AT - INFO_AT + 32 * i + 8, &bytes.to_le_bytes());
        }
        for (i, (at, bytes, kind)) in (0..).zip(map) {
            this.put(MAP_AT - INFO_AT + 24 * i, &at.to_le_bytes());
            this.put(MAP_AT - INFO_AT + 24 * i + 8, &bytes.to_le_bytes());
            this.put(MAP_AT - INFO_AT + 24 * i + 16, &kind.to_le_bytes());
        }
        this
    }

    /// Writes into the start info, or relative to it.
    fn put(&mut self, at: u64, bytes: &[u8]) {
        let at = usize::try_from(INFO_AT + at).unwrap();
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn error(&self) -> Option<BootError> {
        StartInfo::read(self, INFO_AT, IMAGE).err()
    }
}

fn modules_error(modules: &[(u64, u64)]) -> Option<BootError> {
    Low::with(Q35, modules).error()
}

#[test]
fn takes_image_and_ramdisk_out_of_memory() {
    let memory = Low::with(Q35, &[MODULE]);
    let info = StartInfo::read(&memory, INFO_AT, IMAGE).unwrap();
    let usable: Vec<_> = info.usable().map(|region| (region.start, region.end)).collect();
    let expected = [(0, 0x9_fc00), (0x10_0000, 0x20_0000), (0x25_3000, 0x3fd_5000), (0x3fd_7800, 0x3fe_0000)];
    assert_eq!(usable, expected);
    assert_eq!(info.ramdisk, Region { start: 0x3fd_5000, end: 0x3fd_7800 });
    assert_eq!((info.rsdp, info.memory_end()), (Some(0xf_59e0), 0x3fe_0000));
}

#[test]
fn does_without_modules_and_rsdp() {
    let mut memory = Low::with(Q35, &[]);
    memory.put(32, &[0; 8]);
    let info = StartInfo::read(&memory, INFO_AT, IMAGE).unwrap();
    assert_eq!((info.ramdisk, info.rsdp), (Region::default(), None));
}

#[test]
fn reads_the_command_line_at_any_address() {
    let mut memory = Low::with(Q35, &[MODULE]);
    let line = |memory: &Low| StartInfo::read(memory, INFO_AT, IMAGE).unwrap().command_line;
    assert_eq!(line(&memory).bytes(), b"");
    memory.put(24, &(INFO_AT + 0x800).to_le_bytes());
    memory.put(0x800, b"after=reboot serial=com2\0");
    assert_eq!(line(&memory).bytes(), b"after=reboot serial=com2");
    memory.put(24, &u64::MAX.to_le_bytes());
    assert_eq!(line(&memory).bytes(), b"");
    let end = memory.0.len() as u64;
    memory.put(24, &(end - 20).to_le_bytes());
    memory.0.truncate(usize::try_from(end).unwrap());
    memory.put(end - 20 - INFO_AT, b"display=off\0");
    assert_eq!(line(&memory).bytes(), b"display=off");
}

#[test]
fn refuses_a_start_info_without_magic_or_version() {
    let changed = |at, bytes: &[u8]| {
        let mut memory = Low::with(Q35, &[MODULE]);
        memory.put(at, bytes);
        memory.error()
    };
    assert_eq!(changed(0, &[0x79]), Some(BootError::StartInfo));
    assert_eq!(changed(4, &[0]), Some(BootError::StartInfo));
    assert_eq!(changed(4, &[2]), None, "a later version only adds fields");
    let memory = Low::with(Q35, &[]);
    assert_eq!(StartInfo::read(&memory, 0x1_0000 - 55, IMAGE).err(), Some(BootError::StartInfo));
    assert_eq!(StartInfo::read(&memory, u64::MAX, IMAGE).err(), Some(BootError::StartInfo));
}

#[test]
fn refuses_a_map_that_is_empty_or_out_of_memory_or_too_long() {
    let changed = |at, bytes: &[u8]| {
        let mut memory = Low::with(Q35, &[MODULE]);
        memory.put(at, bytes);
        memory.error()
    };
    assert_eq!(changed(48, &[0; 4]), Some(BootError::MemoryMap));
    assert_eq!(changed(48, &[0xff; 4]), Some(BootError::MemoryMap));
    assert_eq!(changed(48, &1025_u32.to_le_bytes()), Some(BootError::MemoryMap));
    assert_eq!(changed(40, &[0xff; 8]), Some(BootError::MemoryMap));
}

#[test]
fn refuses_entries_that_wrap_or_overlap_memory() {
    let with = |entry: (u64, u64, u32)| Low::with(&[Q35, &[entry]].concat(), &[MODULE]).error();
    assert_eq!(with((u64::MAX, 2, 2)), Some(BootError::MemoryMap));
    assert_eq!(with((0x30_0000, 1, TYPE_RAM)), Some(BootError::MemoryMap));
    assert_eq!(with((0x3fd_f000, 0x2000, 2)), Some(BootError::MemoryMap));
    assert_eq!(with((0x3ff_0000, 0x1_0000, 2)), None, "what is not memory may be listed twice");
    assert_eq!(with((0x400_0000, 0x1000, TYPE_RAM)), None);
}

#[test]
fn refuses_memory_beyond_the_mappable_end() {
    let with = |entry: (u64, u64, u32)| Low::with(&[Q35, &[entry]].concat(), &[MODULE]).error();
    assert_eq!(with((MAX_MEMORY_END - 0x1000, 0x1000, TYPE_RAM)), None);
    assert_eq!(with((MAX_MEMORY_END, 1, TYPE_RAM)), Some(BootError::MemoryMap));
    // Rounded up to the window's pages, its end would be 0.
    assert_eq!(with((u64::MAX - 0x1000, 0x1000, TYPE_ACPI)), Some(BootError::MemoryMap));
    assert_eq!(with((u64::MAX - 0x1000, 0x1000, 2)), None, "what is not memory is not mapped");
}

#[test]
fn refuses_modules_out_of_memory_or_in_use() {
    assert_eq!(modules_error(&[(0x3fd_f000, 0x1001)]), Some(BootError::Modules), "past the end of memory");
    assert_eq!(modules_error(&[(0xa_0000, 1)]), Some(BootError::Modules), "in no memory");
    assert_eq!(modules_error(&[(0x100, u64::MAX)]), Some(BootError::Modules), "past the address space");
    assert_eq!(modules_error(&[(0x25_2fff, 1)]), Some(BootError::Modules), "in the kernel");
    assert_eq!(modules_error(&[MODULE, (MODULE.0 + 1, 1)]), Some(BootError::Modules), "in another");
    assert_eq!(modules_error(&[MODULE; 9]), Some(BootError::Modules), "too many");
    assert_eq!(modules_error(&[(0, 0), MODULE, (0x25_3000, 1)]), None);
}

#[test]
fn a_module_may_lie_across_entries_that_follow_each_other() {
    let map = [(0x10_0000, 0x20_0000, TYPE_RAM), (0x30_0000, 0x10_0000, TYPE_RAM)];
    assert_eq!(Low::with(&map, &[(0x2f_f000, 0x2000)]).error(), None);
    assert_eq!(Low::with(&map, &[(0x3f_f000, 0x2000)]).error(), Some(BootError::Modules));
}

proptest! {
    #[test]
    fn usable_memory_is_ram_and_not_in_use(
        map in proptest::collection::vec((0_u64..64, 1_u64..32, 1_u32..3), 1..8),
        modules in proptest::collection::vec((0_u64..64, 1_u64..4), 0..4),
    ) {
        let pages = |n: u64| n * 0x1_0000;
        let map: Vec<_> = map.iter().map(|&(at, len, kind)| (pages(at), pages(len), kind)).collect();
        let modules: Vec<_> = modules.iter().map(|&(at, len)| (pages(at), pages(len))).collect();
        let memory = Low::with(&map, &modules);
        if let Ok(info) = StartInfo::read(&memory, INFO_AT, IMAGE) {
            let within = |at: u64, start: u64, len: u64| start <= at && at < start + len;
            for at in info.usable().flat_map(|region| (region.start..region.end).step_by(0x1000)) {
                let kinds: Vec<_> = map.iter().filter(|e| within(at, e.0, e.1)).map(|e| e.2).collect();
                prop_assert_eq!(kinds, [TYPE_RAM]);
                prop_assert!(!modules.iter().any(|m| within(at, m.0, m.1)));
                prop_assert!(!(IMAGE.start..IMAGE.end).contains(&at));
            }
        }
    }

    #[test]
    fn survives_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 64..512)) {
        let mut memory = Low(bytes);
        memory.0[..8].copy_from_slice(&[0x78, 0xc5, 0x6e, 0x33, 1, 0, 0, 0]);
        let _ = StartInfo::read(&memory, 0, IMAGE).map(|info| info.usable().count());
    }
}
