// El Torito boot program without emulation: one 2048-byte CD sector.
//
// Why: the loader reads its disk in sectors of 512 bytes through INT 13h functions 41h and 42h. A BIOS answers those
// for the CD it booted from, but in sectors of 2048 bytes. This program hooks INT 13h, so that the CD drive looks like a
// disk with 512-byte sectors, and then starts the MBR of the same medium. The boot continues as from a disk.
//
// Entry:   real mode, CS:IP = 0000:7c00 or 07c0:0000, DL = the CD drive, this sector (and no more) at 0x7c00.
// Exit:    0000:7c00 with the medium's first 512 bytes loaded there, DL = the same drive, INT 13h hooked.
//          Or a line on the screen, and halt.
// Memory:  everything this uses lies in CDBOOT_SEGMENT:0000-9000, linear 0x90000-0x99000: above the loader's second
//          stage (0x7e00-0x80000) and below the EBDA. Nothing else may use it while the BIOS is in use.
// Hook:    41h and 42h for DL = the CD drive are answered here, everything else goes to the BIOS. 42h reads the
//          low 32 bits of the LBA (2 TiB), and writes to segment:offset without normalising, so that
//          offset + 512 * count must stay within 64 KiB: the loader passes offset < 16 and count <= 32.
// Reference: El Torito Bootable CD-ROM Format 1.0; Enhanced Disk Drive (EDD) Specification 3.0 for INT 13h.

.set CDBOOT_LOADED,   0x7c00         // where the BIOS puts this sector, and where an MBR expects to be
.set CDBOOT_BYTES,    2048
.set CDBOOT_SEGMENT,  0x9000         // where it moves to
.set CDBOOT_RESIDENT, 0x40           // offset of the code that runs after the move
.set CDBOOT_HOOK,     0x100          // offset of the INT 13h handler
.set CDBOOT_DATA,     0x700          // offset of the variables

// Read-ahead: the cost of a CD drive is per command, not per byte.
.set WINDOW_AT,       0x1000         // offset of the buffer, which ends with the memory named above
.set WINDOW_SECTORS,  16             // of 2048 bytes

.set IVT_INT13,       0x13 * 4       // real-mode interrupt vector 13h: offset, then segment
.set EDD_CHECK,       0x41
.set EDD_READ,        0x42
.set EDD_MAGIC,       0xaa55
.set EDD_VERSION_3,   0x30
.set EDD_PACKET_API,  1              // CX bit 0: functions 42h to 44h, 47h, 48h
.set EDD_BAD_COMMAND, 1              // status in AH
.set FLAGS_CARRY,     1
.set VIDEO_TELETYPE,  0x0e

// A disk address packet: size, 0, count (word), offset (word), segment (word), LBA (quadword).
.set DAP_COUNT,       2
.set DAP_OFFSET,      4
.set DAP_SEGMENT,     6
.set DAP_LBA,         8

// Variables, addressed by CDBOOT_SEGMENT.
.set MBR_PACKET,      CDBOOT_DATA           // the hand-over: one sector of 512 bytes
.set CD_PACKET,       CDBOOT_DATA + 0x10    // the hook's own reads from the CD
.set BIOS_INT13,      CDBOOT_DATA + 0x20    // far pointer to the BIOS's handler
.set WINDOW_FIRST,    CDBOOT_DATA + 0x24    // dword: the CD sector at the start of the window
.set WINDOW_VALID,    CDBOOT_DATA + 0x28    // dword: number of CD sectors in the window
.set DRIVE,           CDBOOT_DATA + 0x2c    // byte
.set TRANSFER,        CDBOOT_DATA + 0x2e    // word: CD sectors asked for; the BIOS overwrites CD_PACKET's count

.pushsection .rodata.assay_cdboot, "a"
.global assay_cdboot
assay_cdboot:
.code16
    cli
    cld
    xor ax, ax
    mov ss, ax
    mov sp, CDBOOT_LOADED
    mov ds, ax
    mov si, CDBOOT_LOADED
    mov ax, CDBOOT_SEGMENT
    mov es, ax
    xor di, di
    mov cx, CDBOOT_BYTES / 2
    rep movsw
    .byte 0xea                          // ljmp CDBOOT_SEGMENT:CDBOOT_RESIDENT; Intel syntax would mis-assemble it
    .word CDBOOT_RESIDENT, CDBOOT_SEGMENT

.org CDBOOT_RESIDENT
    mov ds, ax
    xor bx, bx
    mov es, bx
    mov [DRIVE], dl
    mov eax, es:[IVT_INT13]
    mov [BIOS_INT13], eax
    mov word ptr es:[IVT_INT13], CDBOOT_HOOK
    mov word ptr es:[IVT_INT13 + 2], CDBOOT_SEGMENT
    sti
    mov si, MBR_PACKET
    mov ah, EDD_READ
    int 0x13
    jc 2f
    mov dl, [DRIVE]
    xor ax, ax
    mov ds, ax
    .byte 0xea                          // ljmp 0:CDBOOT_LOADED
    .word CDBOOT_LOADED, 0

2:  mov si, offset CDBOOT_MESSAGE
    mov ah, VIDEO_TELETYPE
    xor bx, bx
3:  lodsb
    test al, al
    jz 4f
    int 0x10
    jmp 3b
4:  hlt
    jmp 4b

.set CDBOOT_MESSAGE, . - assay_cdboot
    .asciz "assay: cannot read the CD\r\n"

.org CDBOOT_HOOK                        // INT 13h: DL = drive, AH = function
    cmp dl, cs:[DRIVE]
    jne 2f
    cmp ah, EDD_READ
    je cdboot_hook_read
    cmp ah, EDD_CHECK
    je 3f
2:  .byte 0x2e, 0xff, 0x2e              // jmp far cs:[BIOS_INT13]
    .word BIOS_INT13
3:  mov bx, EDD_MAGIC
    mov cx, EDD_PACKET_API
    mov ah, EDD_VERSION_3
    jmp cdboot_hook_succeed

// 42h: DS:SI -> the caller's packet. EBX = next 512-byte sector, BP = sectors left, ES:DI = where it goes.
cdboot_hook_read:
    pushad
    push ds
    push es
    mov ebx, [si + DAP_LBA]
    mov bp, [si + DAP_COUNT]
    mov di, [si + DAP_OFFSET]
    mov es, [si + DAP_SEGMENT]
    mov ax, cs
    mov ds, ax
    cld
cdboot_read_sector:
    test bp, bp
    jz cdboot_read_done
    mov eax, ebx
    shr eax, 2                          // four sectors of 512 bytes to a CD sector
    mov ecx, eax
    sub ecx, [WINDOW_FIRST]
    cmp ecx, [WINDOW_VALID]             // unsigned: a sector before the window misses too
    jb cdboot_copy_sector

    // Fill the window from CD sector EAX on. A BIOS fails the whole read at the end of the medium: then read one sector.
    push bp
    push di
    push ebx
    push es
    mov word ptr [TRANSFER], WINDOW_SECTORS
cdboot_fill_window:
    mov [WINDOW_FIRST], eax
    mov [CD_PACKET + DAP_LBA], eax
    mov cx, [TRANSFER]
    mov [CD_PACKET + DAP_COUNT], cx
    push eax
    mov dl, [DRIVE]
    mov si, CD_PACKET
    mov ah, EDD_READ
    pushf
    .byte 0x2e, 0xff, 0x1e              // call far cs:[BIOS_INT13]
    .word BIOS_INT13
    pop eax
    mov cx, [TRANSFER]                  // mov and pop keep the carry
    jnc 2f
    cmp cx, 1
    mov word ptr [TRANSFER], 1
    jne cdboot_fill_window
    stc
2:  pop es
    pop ebx
    pop di
    pop bp
    jc cdboot_read_failed
    mov [WINDOW_VALID], cx
    xor cx, cx                          // the wanted sector is now the first one

cdboot_copy_sector:                            // CX = CD sectors from the start of the window
    mov si, cx
    shl si, 11
    mov ax, bx
    and ax, 3
    shl ax, 9
    add si, ax
    add si, WINDOW_AT
    mov cx, 512 / 2
    rep movsw
    inc ebx
    dec bp
    jmp cdboot_read_sector

cdboot_read_done:
    pop es
    pop ds
    popad
    mov ah, 0
cdboot_hook_succeed:                           // the caller's flags lie above its IP and CS
    push bp
    mov bp, sp
    and byte ptr [bp + 6], ~FLAGS_CARRY & 0xff
    pop bp
    iret

cdboot_read_failed:
    mov word ptr [WINDOW_VALID], 0      // the buffer's content is undefined now
    pop es
    pop ds
    popad
    mov ah, EDD_BAD_COMMAND
    push bp
    mov bp, sp
    or byte ptr [bp + 6], FLAGS_CARRY
    pop bp
    iret

.org MBR_PACKET
    .byte 16, 0
    .word 1, CDBOOT_LOADED, 0
    .long 0, 0
.org CD_PACKET
    .byte 16, 0
    .word 0, WINDOW_AT, CDBOOT_SEGMENT
    .long 0, 0
.org BIOS_INT13
    .long 0, 0, 0, 0
.org CDBOOT_BYTES
.code64
.popsection
