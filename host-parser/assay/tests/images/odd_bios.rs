//! Boots through a BIOS as some are: a floppy's boot sector stands between QEMU's BIOS and the medium, and does to it what
//! they do. Each sector moves itself to 0x600, as a boot manager does, and starts the first disk.

use crate::guest::boot;
use crate::made::images;

/// The beginning of each: moves the sector to 0x600 and goes on there.
#[rustfmt::skip]
const MOVE: &[u8] = &[
    0x31, 0xc0,                                            // xor ax,ax
    0x8e, 0xd8,                                            // mov ds,ax
    0x8e, 0xc0,                                            // mov es,ax
    0x8e, 0xd0,                                            // mov ss,ax
    0xbc, 0x00, 0x7c,                                      // mov sp,0x7c00
    0xfc,                                                  // cld
    0xbe, 0x00, 0x7c,                                      // mov si,0x7c00
    0xbf, 0x00, 0x06,                                      // mov di,0x600
    0xb9, 0x00, 0x01,                                      // mov cx,256
    0xf3, 0xa5,                                            // rep movsw
    0xea, 0x1c, 0x06, 0x00, 0x00,                          // jmp 0:go
];

/// Enters the disk's boot sector at 07C0:0000 instead of 0000:7C00, with odd segments, flags, and upper and lower halves of
/// all registers but DL.
#[rustfmt::skip]
const ODD_ENTRY: &[u8] = &[
    0xb8, 0x01, 0x02,                                      // go: mov ax,0x0201
    0xbb, 0x00, 0x7c,                                      // mov bx,0x7c00
    0xb9, 0x01, 0x00,                                      // mov cx,1
    0xba, 0x80, 0x00,                                      // mov dx,0x80
    0xcd, 0x13,                                            // int 0x13
    0xb8, 0x34, 0x12,                                      // mov ax,0x1234
    0x8e, 0xd8,                                            // mov ds,ax
    0x8e, 0xc0,                                            // mov es,ax
    0x8e, 0xe0,                                            // mov fs,ax
    0x8e, 0xe8,                                            // mov gs,ax
    0x66, 0xb8, 0xef, 0xbe, 0xad, 0xde,                    // mov eax,0xdeadbeef
    0x66, 0x89, 0xc3,                                      // mov ebx,eax
    0x66, 0x89, 0xc1,                                      // mov ecx,eax
    0x66, 0x89, 0xc6,                                      // mov esi,eax
    0x66, 0x89, 0xc7,                                      // mov edi,eax
    0x66, 0x89, 0xc5,                                      // mov ebp,eax
    0x66, 0xba, 0x80, 0xff, 0xad, 0xde,                    // mov edx,0xdeadff80
    0x66, 0x81, 0xe4, 0xff, 0xff, 0x00, 0x00,              // and esp,0xffff
    0x66, 0x81, 0xcc, 0x00, 0x00, 0xad, 0xde,              // or esp,0xdead0000
    0xfd,                                                  // std
    0xfa,                                                  // cli
    0xea, 0x00, 0x00, 0xc0, 0x07,                          // jmp 0x7c0:0
];

/// Stays behind interrupts 10h, 13h and 15h. After each it leaves segments of 64 KiB and a GDT of its own, clears the upper
/// halves of ESI, EDI and EBP, and after 10h and 13h also those of EAX, EBX, ECX and EDX.
#[rustfmt::skip]
const ODD_CALLS: &[u8] = &[
    0xfa,                                                  // go: cli
    0x66, 0xa1, 0x40, 0x00,                                // mov eax,[0x10*4]
    0x66, 0xa3, 0xd6, 0x06,                                // mov [old10],eax
    0x66, 0xc7, 0x06, 0x40, 0x00, 0x66, 0x06, 0x00, 0x00,  // mov dword [0x10*4],hook10
    0x66, 0xa1, 0x4c, 0x00,                                // mov eax,[0x13*4]
    0x66, 0xa3, 0xda, 0x06,                                // mov [old13],eax
    0x66, 0xc7, 0x06, 0x4c, 0x00, 0x71, 0x06, 0x00, 0x00,  // mov dword [0x13*4],hook13
    0x66, 0xa1, 0x54, 0x00,                                // mov eax,[0x15*4]
    0x66, 0xa3, 0xde, 0x06,                                // mov [old15],eax
    0x66, 0xc7, 0x06, 0x54, 0x00, 0x7c, 0x06, 0x00, 0x00,  // mov dword [0x15*4],hook15
    0xfb,                                                  // sti
    0xb8, 0x01, 0x02,                                      // mov ax,0x0201
    0xbb, 0x00, 0x7c,                                      // mov bx,0x7c00
    0xb9, 0x01, 0x00,                                      // mov cx,1
    0xba, 0x80, 0x00,                                      // mov dx,0x80
    0xcd, 0x13,                                            // int 0x13
    0xb2, 0x80,                                            // mov dl,0x80
    0xea, 0x00, 0x7c, 0x00, 0x00,                          // jmp 0:0x7c00
    0x9c,                                                  // hook10: pushf
    0x2e, 0xff, 0x1e, 0xd6, 0x06,                          // call far [cs:old10]
    0xe8, 0x56, 0x00,                                      // call halves
    0xeb, 0x11,                                            // jmp spoil
    0x9c,                                                  // hook13: pushf
    0x2e, 0xff, 0x1e, 0xda, 0x06,                          // call far [cs:old13]
    0xe8, 0x4b, 0x00,                                      // call halves
    0xeb, 0x06,                                            // jmp spoil
    0x9c,                                                  // hook15: pushf
    0x2e, 0xff, 0x1e, 0xde, 0x06,                          // call far [cs:old15]
    0x9c,                                                  // spoil: pushf
    0x66, 0x50,                                            // push eax
    0x1e,                                                  // push ds
    0x06,                                                  // push es
    0x0f, 0xa0,                                            // push fs
    0x0f, 0xa8,                                            // push gs
    0xfa,                                                  // cli
    0x2e, 0x0f, 0x01, 0x16, 0xe2, 0x06,                    // lgdt [cs:gdtr]
    0x0f, 0x20, 0xc0,                                      // mov eax,cr0
    0x0c, 0x01,                                            // or al,1
    0x0f, 0x22, 0xc0,                                      // mov cr0,eax
    0xb8, 0x08, 0x00,                                      // mov ax,8
    0x8e, 0xd8,                                            // mov ds,ax
    0x8e, 0xc0,                                            // mov es,ax
    0x8e, 0xe0,                                            // mov fs,ax
    0x8e, 0xe8,                                            // mov gs,ax
    0x0f, 0x20, 0xc0,                                      // mov eax,cr0
    0x24, 0xfe,                                            // and al,0xfe
    0x0f, 0x22, 0xc0,                                      // mov cr0,eax
    0x0f, 0xa9,                                            // pop gs
    0x0f, 0xa1,                                            // pop fs
    0x07,                                                  // pop es
    0x1f,                                                  // pop ds
    0x66, 0x58,                                            // pop eax
    0x9d,                                                  // popf
    0x66, 0x0f, 0xb7, 0xf6,                                // movzx esi,si
    0x66, 0x0f, 0xb7, 0xff,                                // movzx edi,di
    0x66, 0x0f, 0xb7, 0xed,                                // movzx ebp,bp
    0xca, 0x02, 0x00,                                      // retf 2
    0x66, 0x0f, 0xb7, 0xc0,                                // halves: movzx eax,ax
    0x66, 0x0f, 0xb7, 0xdb,                                // movzx ebx,bx
    0x66, 0x0f, 0xb7, 0xc9,                                // movzx ecx,cx
    0x66, 0x0f, 0xb7, 0xd2,                                // movzx edx,dx
    0xc3,                                                  // ret
    0x00, 0x00, 0x00, 0x00,                                // old10: dd 0
    0x00, 0x00, 0x00, 0x00,                                // old13: dd 0
    0x00, 0x00, 0x00, 0x00,                                // old15: dd 0
    0x0f, 0x00,                                            // gdtr: dw 15
    0xe8, 0x06, 0x00, 0x00,                                // dd gdt
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,        // gdt: dq 0
    0xff, 0xff, 0x00, 0x00, 0x00, 0x93, 0x00, 0x00,        // dq 0x000093000000ffff
];

const FLOPPY_BYTES: usize = 1_474_560;

/// Boots the image with this end of its name behind a sector that does `code`.
#[track_caller]
fn boots_behind(code: &[u8], image: &str) {
    let mut floppy = [MOVE, code].concat();
    floppy.resize(510, 0);
    floppy.extend([0x55, 0xaa]);
    floppy.resize(FLOPPY_BYTES, 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("floppy");
    std::fs::write(&path, floppy).unwrap();
    let floppy = format!("if=none,id=floppy,format=raw,read-only=on,file={}", path.display());
    let disk = format!("if=none,id=disk,snapshot=on,format=raw,file={}", images().path(image).display());
    boot(
        "bios",
        &[
            "-drive",
            &floppy,
            "-device",
            "isa-fdc,id=fdc",
            "-device",
            "floppy,bus=fdc.0,drive=floppy,bootindex=0",
            "-drive",
            &disk,
            "-device",
            "ide-hd,drive=disk",
        ],
    );
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn a_disk_boots_from_a_bios_that_enters_it_oddly() {
    for image in [".raw", "-bios.img", ".iso"] {
        boots_behind(ODD_ENTRY, image);
    }
}

#[test]
#[ignore = "needs QEMU, a built kernel and qemu-img: make test-images"]
fn a_disk_boots_from_a_bios_that_keeps_neither_registers_nor_segment_limits() {
    for image in [".raw", "-bios.img", ".iso"] {
        boots_behind(ODD_CALLS, image);
    }
}
