//! A kernel that QEMU loads itself, with its command line and its ramdisk.

mod common;

use std::fs;

use common::Guest;
use qemu::{BootMedium, Outcome, Vga};

const LOAD_ADDRESS: u32 = 0x10_0000;

/// Prints the command line and the first module, each up to its NUL, as PVH's start info (in EBX) names them.
const PRINT_START_INFO: &[u8] = &[
    0xbc, 0x00, 0x00, 0x11, 0x00, // mov esp, 0x110000
    0x8b, 0x73, 0x18, //             mov esi, [ebx + 24]: cmdline_paddr
    0xe8, 0x0f, 0x00, 0x00, 0x00, // call print
    0x8b, 0x73, 0x10, //             mov esi, [ebx + 16]: modlist_paddr
    0x8b, 0x36, //                   mov esi, [esi]: paddr of the first
    0xe8, 0x05, 0x00, 0x00, 0x00, // call print
    0xb0, 0x10, //                   mov al, 0x10
    0xe6, 0xf4, //                   out 0xf4, al
    0xf4, //                         hlt
    0x66, 0xba, 0xf8, 0x03, // print: mov dx, 0x3f8
    0xac, //                   next:  lodsb
    0x84, 0xc0, //                    test al, al
    0x74, 0x03, //                    jz end
    0xee, //                          out dx, al
    0xeb, 0xf8, //                    jmp next
    0xc3, //                   end:   ret
];

/// An ELF64 of one segment, with the note that names its 32-bit entry point (XEN_ELFNOTE_PHYS32_ENTRY).
fn pvh_kernel(code: &[u8]) -> Vec<u8> {
    const HEADERS_BYTES: u64 = 64 + 2 * 56;
    let address = u64::from(LOAD_ADDRESS);
    let note = [4u32, 4, 18, u32::from_le_bytes(*b"Xen\0"), LOAD_ADDRESS].map(u32::to_le_bytes).concat();
    let note_bytes = note.len() as u64;
    let segment = |kind: u32, flags: u32, offset: u64, file_bytes: u64, memory_bytes: u64| {
        let words = [offset, address, address, file_bytes, memory_bytes, 4].map(u64::to_le_bytes).concat();
        [kind.to_le_bytes().to_vec(), flags.to_le_bytes().to_vec(), words].concat()
    };
    let ident = [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let kind = [2u16, 62].map(u16::to_le_bytes).concat();
    let entry = [address, 64, 0].map(u64::to_le_bytes).concat();
    let sizes = [64u16, 56, 2, 0, 0, 0].map(u16::to_le_bytes).concat();
    [
        ident.to_vec(),
        kind,
        1u32.to_le_bytes().to_vec(),
        entry,
        0u32.to_le_bytes().to_vec(),
        sizes,
        segment(1, 7, HEADERS_BYTES + note_bytes, code.len() as u64, 0x1_0000),
        segment(4, 4, HEADERS_BYTES, note_bytes, note_bytes),
        note,
        code.to_vec(),
    ]
    .concat()
}

#[test]
fn hands_over_the_command_line_and_the_ramdisk() {
    let mut guest = Guest::of_sector(common::HANG);
    let kernel = guest.directory.path().join("kernel");
    let initrd = guest.directory.path().join("ram disk, one");
    fs::write(&kernel, pvh_kernel(PRINT_START_INFO)).unwrap();
    fs::write(&initrd, b"the ramdisk\0").unwrap();
    guest.spec.boot =
        BootMedium::Kernel { kernel, initrd: Some(initrd), append: "one=1, two 'words'\n".to_owned() };
    guest.spec.machine.vga = Vga::None;
    let run = guest.run().unwrap();
    let printed = String::from_utf8_lossy(&guest.serial()).into_owned();
    assert_eq!(run.outcome, Outcome::DebugExit { value: 0x10 }, "{printed} {}", run.stderr);
    assert!(printed.contains("one=1, two 'words'\n"), "{printed}");
    assert!(printed.ends_with("the ramdisk"), "{printed}");
}
