// The boot code of a medium's first sector (MBR): it stands in front of the loader, in place of the loader's first stage,
// and stays between the loader and the BIOS.
//
// Why: the loader's contract with the BIOS is stricter than BIOSes are. Its first stage assumes CS = 0; some BIOSes enter
// at 07c0:0000. Its second stage writes above 1 MiB through segments of 4 GiB ("unreal mode"), and keeps values in whole
// 32-bit registers, across calls of the BIOS; a BIOS, or what emulates a disk for one (iPXE, memdisk), may return with
// segments of 64 KiB, with another GDT, or with the upper halves of registers lost.
//
// Entry:   real mode, CS:IP at linear 7c00, DL = the drive, this sector at 0x7c00. Nothing else is assumed.
// Exit:    0000:7e00, the loader's second stage, loaded there from partition 1; on the stack, as 32-bit values, no return
//          address, DL, and the address of the partition table; segments and upper halves zero. Interrupts 10h, 13h and
//          15h are hooked. Or a line on the screen, and halt.
// Memory:  a copy of this sector and 16 bytes, from 0x1000 on, for as long as the BIOS is in use: below the loader's stack,
//          which starts at 0x7c00 and is not near as deep. The places where others expect to be are left to them: 0x600,
//          to which boot managers move, and the end of conventional memory, which PXE and emulated disks take.
// Hook:    after a call of the BIOS
//          - DS, ES, FS, GS, ESI, EDI, EBP and the GDTR are as they were before;
//          - EAX, EBX, ECX and EDX are what the BIOS returned for 15h, which returns 32-bit values; for 10h and 13h they
//            have the BIOS's lower halves and the upper halves from before; a disk read (13h, AH = 42h) returns AX alone;
//          - DS, ES, FS and GS have a limit of 4 GiB;
//          - the flags of the caller are the BIOS's, but for IF, DF and those above bit 7.
// Reference: Enhanced Disk Drive (EDD) Specification 3.0 for INT 13h; Intel SDM vol. 3A, "Mode Switching".

.set MBR_LOADED,      0x7c00
.set MBR_AT,          0x1000
.set MBR_BYTES,       512
.set MBR_CODE_BYTES,  440            // a disk signature and the partition table follow
.set MBR_TABLE,       MBR_AT + 446
.set MBR_FIRST_LBA,   MBR_TABLE + 8  // of partition 1
.set MBR_SECTORS,     MBR_TABLE + 12
// Variables after the code, in the copy alone: this sector is not written to.
.set MBR_OLD,         MBR_AT + MBR_BYTES  // the BIOS's handlers, in the order of MBR_VECTORS
.set MBR_OLD_DISK,    MBR_OLD + 4
.set MBR_OLD_SYSTEM,  MBR_OLD + 8
.set MBR_DRIVE,       MBR_OLD + 12
.set MBR_HOOK_BYTES,  5              // of the entry of each hook; a test checks it
.set STAGE_2_AT,      0x7e00
.set READ_SECTORS,    32             // in one read: a BIOS may allow no more than 127, or a segment's 64 KiB

.set IVT_VIDEO,       0x10 * 4
.set IVT_DISK,        0x13 * 4
.set IVT_SYSTEM,      0x15 * 4
.set A20_ON,          0x2401         // INT 15h
.set A20_PORT,        0x92
.set EDD_KEY,         0x55aa

// The frame of a hook, by BP. Below it what the BIOS returned, above it what the caller had.
.set RESULT_EBX,      16
.set RESULT_FLAGS,    32
.set RESULT_BYTES,    34
.set CALLER_GDTR,     0
.set CALLER_EBP,      22
.set CALLER_EBX,      30
.set CALLER_EAX,      42
.set CALLER_SLOT,     46
.set CALLER_FLAGS,    52

.pushsection .rodata.assay_mbr, "a"
.global assay_mbr
assay_mbr:
.code16
    cli
    cld
    xor ax, ax
    mov ss, ax
    mov esp, MBR_LOADED                 // all of it: the loader addresses its stack by ESP
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov si, MBR_LOADED
    mov di, MBR_AT
    mov cx, MBR_BYTES / 2
    rep movsw
    .byte 0xea                          // ljmp 0:MBR_RESIDENT; Intel syntax would mis-assemble it
    .word MBR_RESIDENT, 0

.set MBR_RESIDENT, . - assay_mbr + MBR_AT
    mov [MBR_DRIVE], dl
    mov si, offset MBR_VECTORS
    mov di, MBR_OLD
    mov dx, offset MBR_HOOKS
    mov cl, 3                           // CX is zero
1:  lodsb
    cbw
    xchg bx, ax
    mov eax, [bx]
    stosd
    mov [bx], dx
    mov [bx + 2], ss                    // segment 0
    add dx, MBR_HOOK_BYTES
    loop 1b
    sti

    mov ax, A20_ON
    int 0x15
    in al, A20_PORT
    test al, 2
    jnz 1f
    or al, 2
    and al, 0xfe                        // bit 0 resets the machine
    out A20_PORT, al

1:  mov ah, 0x41
    mov bx, EDD_KEY
    mov dl, [MBR_DRIVE]
    int 0x13
    jc mbr_fail
    mov eax, [MBR_FIRST_LBA]
    mov [MBR_PACKET_LBA], eax
    mov ebx, [MBR_SECTORS]
mbr_read:
    .byte 0x66, 0x6a, READ_SECTORS      // push the 32-bit value
    pop ecx
    cmp ebx, ecx
    jae 1f
    mov ecx, ebx
1:  mov [MBR_PACKET_COUNT], cx
    mov ah, 0x42
    mov dl, [MBR_DRIVE]
    mov si, offset MBR_PACKET
    int 0x13
    jc mbr_fail
    add [MBR_PACKET_LBA], ecx
    mov ax, cx
    shl ax, 5                           // 512 bytes are 32 paragraphs
    add [MBR_PACKET_SEGMENT], ax
    sub ebx, ecx
    jnz mbr_read

    xor eax, eax
    mov al, [MBR_DRIVE]
    xor ebx, ebx
    mov bx, MBR_TABLE
    push ebx
    push eax
    xor eax, eax
    push eax                            // no return address: the second stage does not return
    .byte 0xea                          // ljmp 0:STAGE_2_AT
    .word STAGE_2_AT, 0

mbr_fail:
    mov si, offset MBR_MESSAGE
    mov ah, 0x0e
    xor bx, bx
1:  lodsb
    test al, al
    jz 2f
    int 0x10
    jmp 1b
2:  hlt
    jmp 2b

.set MBR_HOOKS, . - assay_mbr + MBR_AT
    push MBR_OLD                        // 10h
    jmp mbr_hook
    push MBR_OLD_DISK
    jmp mbr_hook
    push MBR_OLD_SYSTEM                 // 15h
mbr_hook:
    pushad
    push ds
    push es
    push fs
    push gs
    sub sp, 6
    mov bp, sp
    .byte 0x66                          // sgdt and lgdt with all 32 bits of the base
    sgdt [bp + CALLER_GDTR]
    // The BIOS's handler is entered by a far return, with no register changed, and returns to the frame below.
    mov bx, [bp + CALLER_SLOT]
    pushf
    push cs
    push offset MBR_RETURNED
    push dword ptr cs:[bx]
    mov ebx, [bp + CALLER_EBX]
    mov ebp, [bp + CALLER_EBP]
    .byte 0xcb                          // retf with 16-bit values

.set MBR_RETURNED, . - assay_mbr + MBR_AT
    movzx esp, sp
    pushf
    cli
    cld
    pushad
    mov bp, sp
    mov al, [bp + RESULT_FLAGS]
    mov [bp + RESULT_BYTES + CALLER_FLAGS], al

    // EBX, EDX, ECX and EAX, of which one, the lower halves of all, or all of all are the BIOS's.
    push ss
    pop ds
    push ss
    pop es
    lea si, [bp + RESULT_EBX]
    lea di, [bp + RESULT_BYTES + CALLER_EBX]
    mov bx, [bp + RESULT_BYTES + CALLER_SLOT]
    mov cx, 4
    cmp bl, MBR_OLD_DISK & 0xff
    jne 1f
    cmp byte ptr [bp + RESULT_BYTES + CALLER_EAX + 1], 0x42
    jne 1f
    mov cl, 1
    add si, 12
    add di, 12
1:  movsw
    cmp bl, MBR_OLD_SYSTEM & 0xff
    je 2f
    lodsw                               // skips the upper half
    inc di
    inc di
    jmp 3f
2:  movsw
3:  loop 1b

    .byte 0x2e, 0x66, 0x0f, 0x01, 0x16  // lgdt cs:[MBR_GDT_POINTER], 32 bits of base
    .word MBR_GDT_POINTER
    mov eax, cr0
    or al, 1
    mov cr0, eax
    mov bx, 8
    mov ds, bx
    mov es, bx
    mov fs, bx
    mov gs, bx
    and al, 0xfe
    mov cr0, eax
    .byte 0x66
    lgdt [bp + RESULT_BYTES + CALLER_GDTR]

    add sp, RESULT_BYTES + 6
    pop gs
    pop fs
    pop es
    pop ds
    popad
    add sp, 2                           // the slot
    iret

.set MBR_MESSAGE, . - assay_mbr + MBR_AT
    .asciz "assay: disk error"
.set MBR_VECTORS, . - assay_mbr + MBR_AT
    .byte IVT_VIDEO, IVT_DISK, IVT_SYSTEM
.set MBR_GDT, . - assay_mbr + MBR_AT - 8
    .quad 0x00cf93000000ffff            // selector 8: data, 4 GiB
.set MBR_GDT_POINTER, . - assay_mbr + MBR_AT
    .word 15
    .long MBR_GDT
.set MBR_PACKET, . - assay_mbr + MBR_AT
    .byte 16, 0
.set MBR_PACKET_COUNT, . - assay_mbr + MBR_AT
    .word 0, 0
.set MBR_PACKET_SEGMENT, . - assay_mbr + MBR_AT
    .word STAGE_2_AT / 16
.set MBR_PACKET_LBA, . - assay_mbr + MBR_AT
    .long 0, 0

.org MBR_CODE_BYTES
.code64
.popsection
