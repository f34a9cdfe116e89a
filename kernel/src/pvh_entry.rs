//! The entry from a VMM: from 32-bit protected mode to Rust, in the kernel's own page tables.
//!
//! Contract (Xen, "x86/HVM direct boot ABI", docs/misc/pvh.pandoc):
//! - The ELF note below names the entry by its physical address, and every segment is at its physical address.
//! - On entry: protected mode, flat 32-bit segments, no paging, CR4 zero, interrupts off, EBX the physical address of
//!   the start info. Everything else is undefined; stack and descriptor tables are not usable. A20 is open.
//! - One CPU runs this, once. The others wait for their start-up IPI.
//! - On exit: long mode, and the mappings that `boot::direct` relies on: the first 4 GiB of physical memory at
//!   `WINDOW_OFFSET`, writable; the image at `kernel_offset`, each segment with its own rights; nothing else. NX is on
//!   if the CPU has it. The rest of CR0 and CR4 is set with the other features, as after the loader.
//! - A CPU without long mode prints `boot::too_old` on COM1, at the port's current speed, and ends the machine by
//!   QEMU's debug exit, or halts.
//! - Reference: Intel SDM vol. 3A, "Initializing IA-32e Mode" and "4-Level Paging and 5-Level Paging".
#![expect(unsafe_code, reason = "the entry code, and symbols of the linker script")]

use core::arch::global_asm;

use abi::exit::{DEBUG_EXIT_PORT, GuestExit};
use kernel::boot::direct::{EARLY_WINDOW_END, WINDOW_OFFSET};
use kernel::boot::too_old;
use kernel::mem::memory_map::Region;
use kernel::x86::gdt::{KERNEL_CODE, KERNEL_DATA};

/// The image's physical address, by `kernel.ld`: above everything that firmware and VMMs reserve, and at the beginning of
/// a page table's range.
const PHYSICAL: u64 = 2 << 20;
/// Its virtual address less the physical one: the code model has the kernel in the last 2 GiB.
const OFFSET: u64 = 0xffff_ffff_8000_0000;
/// The size of the loader's stack.
const STACK_BYTES: usize = 80 << 10;
/// The number of page tables of 2 MiB pages for the window.
const WINDOW_TABLES: u64 = EARLY_WINDOW_END >> 30;

/// The first serial port. Bit 5 of its line status, at offset 5, is that it takes a byte.
const COM1: u16 = 0x3f8;

/// How long the port may take for a byte, in TSC cycles: half a second at 2 GHz. A CPU too old for this kernel has a TSC.
const UART_PATIENCE: u32 = 1_000_000_000;

/// `XEN_ELFNOTE_PHYS32_ENTRY` (Xen, xen/include/public/elfnote.h).
const PHYS32_ENTRY: u32 = 18;

const PRESENT: u32 = 1 << 0;
const WRITABLE: u32 = 1 << 1;
const HUGE: u32 = 1 << 7;
/// Bit 63, in an entry's upper half.
const NO_EXECUTE_HIGH: u32 = 1 << 31;

/// The offset of an address's entry in a table of this level.
const fn entry_at(level: u32, address: u64) -> u64 {
    (address >> (3 + 9 * level) & 511) * 8
}

/// The image in physical memory, with its page tables and stack, if a VMM loaded it.
pub fn image() -> Region {
    unsafe extern "C" {
        static kernel_image_start: u8;
        static kernel_image_end: u8;
    }
    let (start, end) = (&raw const kernel_image_start as u64, &raw const kernel_image_end as u64);
    Region { start: start - OFFSET, end: end - OFFSET }
}

global_asm!(
    "
    .global pvh_offset, pvh_physical
    .set pvh_offset, {offset}
    .set pvh_physical, {physical}

    .pushsection .note.xen, \"a\", @note
    .balign 4
    .long 4, 8, {phys32_entry}
    .asciz \"Xen\"
    .quad pvh_start - {offset}          # QEMU reads 8 bytes, whatever the length above says
    .popsection

    .pushsection .rodata.pvh, \"a\", @progbits
    .balign 8
pvh_gdt:
    .quad 0
    .quad 0x00af9b000000ffff            # 64-bit code
    .quad 0x00cf93000000ffff            # data
pvh_gdt_end:
pvh_gdt_pointer:                        # physical, for 32-bit mode
    .word pvh_gdt_end - pvh_gdt - 1
    .long pvh_gdt - {offset}
pvh_gdt_pointer_upper:
    .word pvh_gdt_end - pvh_gdt - 1
    .quad pvh_gdt
    .popsection

    .pushsection .bss.pvh, \"aw\", @nobits
    .balign 4096
pvh_l4:
    .skip 4096
pvh_l3_window:
    .skip 4096
pvh_l2_window:
    .skip {window_tables} * 4096
pvh_l3_image:
    .skip 4096
pvh_l2_image:
    .skip 4096
pvh_l1_image:
    .skip 4096
pvh_guard:                              # unmapped: a stack overflow faults
    .skip 4096
    .skip {stack_bytes}
pvh_stack_end:
    .popsection

    .pushsection .text.pvh, \"ax\", @progbits
    .code32
pvh_start:
    cld
    # The ABI does not say whether the VMM clears the memory that the file does not fill.
    xorl %eax, %eax
    movl $kernel_bss_start - {offset}, %edi
    movl $kernel_image_end - {offset}, %ecx
    subl %edi, %ecx
    shrl $2, %ecx
    rep stosl
    movl $pvh_stack_end - {offset}, %esp

    # ESI: upper half of an entry that is not to be executed.
    movl %ebx, %ebp                     # CPUID takes EBX
    xorl %esi, %esi
    movl ${cpuid_extended}, %eax
    cpuid
    cmpl ${cpuid_extended} + 1, %eax
    jb pvh_too_old
    movl ${cpuid_extended} + 1, %eax
    cpuid
    testl ${cpuid_lm}, %edx
    jz pvh_too_old
    testl ${cpuid_nx}, %edx
    jz pvh_image
    movl ${no_execute_high}, %esi

pvh_image:
    movl $kernel_image_start - {offset} + {read_only}, %eax
    movl %esi, %edx
    movl $kernel_text_start - {offset}, %ecx
    call pvh_map
    xorl %edx, %edx
    movl $kernel_data_start - {offset}, %ecx
    call pvh_map
    orl ${writable}, %eax
    movl %esi, %edx
    movl $kernel_image_end - {offset}, %ecx
    call pvh_map
    movl $pvh_guard - {offset}, %edi
    shrl $12, %edi
    andl $511, %edi
    movl $0, pvh_l1_image - {offset}(, %edi, 8)

    # The same tables show the image at its physical address, where this code still runs.
    movl $pvh_l1_image - {offset} + {table}, pvh_l2_image - {offset} + {l2_image}
    movl $pvh_l2_image - {offset} + {table}, pvh_l3_image - {offset} + {l3_image}
    movl $pvh_l2_image - {offset} + {table}, pvh_l3_image - {offset}
    movl $pvh_l3_image - {offset} + {table}, pvh_l4 - {offset} + {l4_image}
    movl $pvh_l3_image - {offset} + {table}, pvh_l4 - {offset}

    movl $pvh_l3_window - {offset} + {table}, pvh_l4 - {offset} + {l4_window}
    xorl %edi, %edi
    movl $pvh_l2_window - {offset} + {table}, %eax
pvh_window_tables:
    movl %eax, pvh_l3_window - {offset}(, %edi, 8)
    addl $4096, %eax
    incl %edi
    cmpl ${window_tables}, %edi
    jb pvh_window_tables
    xorl %edi, %edi
    movl ${huge}, %eax
pvh_window_pages:
    movl %eax, pvh_l2_window - {offset}(, %edi, 8)
    movl %esi, pvh_l2_window - {offset} + 4(, %edi, 8)
    addl $0x200000, %eax
    incl %edi
    cmpl $512 * {window_tables}, %edi
    jb pvh_window_pages

    movl ${pae}, %eax
    movl %eax, %cr4
    movl $pvh_l4 - {offset}, %eax
    movl %eax, %cr3
    movl ${ia32_efer}, %ecx
    rdmsr
    orl ${efer_lme}, %eax
    testl %esi, %esi
    jz pvh_efer
    orl ${efer_nxe}, %eax
pvh_efer:
    wrmsr
    movl ${cr0}, %eax
    movl %eax, %cr0
    lgdtl pvh_gdt_pointer - {offset}
    ljmpl ${code}, $pvh_long_mode - {offset}

pvh_too_old:
    movl ${records} - {offset}, %esi
    movl ${records_bytes}, %ebp
pvh_print:
    rdtsc
    movl %eax, %ecx
pvh_print_wait:
    movw ${uart_status}, %dx
    inb %dx, %al                        # a port that is not there reads as ready
    testb ${uart_ready}, %al
    jnz pvh_print_byte
    rdtsc
    subl %ecx, %eax
    cmpl ${uart_patience}, %eax
    jb pvh_print_wait
    jmp pvh_too_old_end                 # it is stuck
pvh_print_byte:
    movw ${uart_data}, %dx
    lodsb
    outb %al, %dx
    decl %ebp
    jnz pvh_print
pvh_too_old_end:
    movw ${debug_exit}, %dx
    movb ${refused}, %al
    outb %al, %dx
pvh_too_old_halt:
    cli
    hlt
    jmp pvh_too_old_halt

    # Maps physical pages as of EAX, with its low bits as flags and EDX as the entries' upper half, up to ECX.
pvh_map:
    movl %eax, %edi
    shrl $12, %edi
    andl $511, %edi
    movl %eax, pvh_l1_image - {offset}(, %edi, 8)
    movl %edx, pvh_l1_image - {offset} + 4(, %edi, 8)
    addl $4096, %eax
    cmpl %ecx, %eax
    jb pvh_map
    ret

    .code64
pvh_long_mode:
    movq $pvh_upper_half, %rax
    jmpq *%rax
pvh_upper_half:
    lgdtq pvh_gdt_pointer_upper(%rip)
    movw ${data}, %ax
    movw %ax, %ss
    xorl %eax, %eax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    leaq pvh_stack_end(%rip), %rsp
    # The mapping at the image's physical address is removed. Its TLB entries go with the next load of CR3.
    movq $0, pvh_l4(%rip)
    movq $0, pvh_l3_image(%rip)
    movl %ebp, %edi
    xorl %ebp, %ebp
    pushq $0                            # no return address: the entry does not return
    jmp {from_vmm}
    .popsection
    ",
    offset = const OFFSET as i64,
    physical = const PHYSICAL,
    phys32_entry = const PHYS32_ENTRY,
    stack_bytes = const STACK_BYTES,
    window_tables = const WINDOW_TABLES,
    l4_window = const entry_at(4, WINDOW_OFFSET),
    l4_image = const entry_at(4, OFFSET),
    l3_image = const entry_at(3, OFFSET),
    l2_image = const entry_at(2, PHYSICAL),
    table = const PRESENT | WRITABLE,
    read_only = const PRESENT,
    writable = const WRITABLE,
    huge = const PRESENT | WRITABLE | HUGE,
    no_execute_high = const NO_EXECUTE_HIGH,
    cpuid_extended = const 0x8000_0000_u32,
    cpuid_nx = const 1 << 20,
    cpuid_lm = const 1 << 29,
    records = sym too_old::RECORDS,
    records_bytes = const too_old::RECORDS.len(),
    uart_patience = const UART_PATIENCE,
    uart_status = const COM1 + 5,
    uart_ready = const 1 << 5,
    uart_data = const COM1,
    debug_exit = const DEBUG_EXIT_PORT,
    refused = const GuestExit::Refused.value(),
    pae = const 1 << 5,
    ia32_efer = const 0xc000_0080_u32,
    efer_lme = const 1 << 8,
    efer_nxe = const 1 << 11,
    cr0 = const 0x8001_0011_u32, // PG, WP, ET, PE
    code = const KERNEL_CODE,
    data = const KERNEL_DATA,
    from_vmm = sym crate::from_vmm,
    options(att_syntax)
);
