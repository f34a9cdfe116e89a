//! The page on which an application processor starts: from real mode to the kernel's long mode in one page.
//!
//! Contract:
//! - SIPI starts a CPU at CS = page >> 4, IP = 0, in real mode, with every other register as INIT left it. All APs
//!   run this at once, so it only reads: no lock, no stack, until each has found its own.
//! - A CPU finds its number by its APIC id (CPUID leaf 0BH if it has that leaf, else leaf 1), in the table of ids in
//!   `CpuId` order; a CPU that is not in the table halts.
//! - The code is position-independent within its page and is kept as read-only data: it is a template, copied to
//!   a free page of low memory, with [`Parameters`] at the page's end. The rest of the page is INT3, so that a
//!   stray CPU faults (and, having no IDT, shuts down) rather than run stale bytes.
//! - Reference: Intel SDM vol. 3A, "Switching to Protected Mode", "Initializing IA-32e Mode"; entering IA-32e mode
//!   with paging straight from real mode is allowed (AMD64 APM vol. 2, "Enabling and Activating Long Mode").
#![expect(unsafe_code, reason = "the start-up code")]

use core::arch::global_asm;
use core::mem::offset_of;

/// The size of the page.
pub const PAGE_BYTES: usize = 4096;

/// The trampoline's parameters. Assembly reads them at the end of its page.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Parameters {
    /// Physical address of the page tables: below 4 GiB, for CR3 is loaded from real mode.
    cr3: u32,
    /// 1 if EFER.NXE is to be set: without it a no-execute page faults as a reserved bit.
    nxe: u32,
    /// Operand of LGDT: limit, then base.
    gdt_limit: u16,
    gdt_base_low: u16,
    gdt_base_high: u16,
    /// Operand of the far jump into 64-bit code: offset, then selector.
    long_mode_offset_low: u16,
    long_mode_offset_high: u16,
    long_mode_selector: u16,
    reserved: u32,
    /// Virtual address of the table of APIC ids, 32 bits each.
    apic_ids: u64,
    /// Virtual address of the table of stack tops, 64 bits each.
    stacks: u64,
    /// Length of both.
    count: u64,
    /// Virtual address of an `extern "C" fn(index: u64) -> !`.
    entry: u64,
    /// Null, 64-bit code, data.
    gdt: [u64; 3],
}

const PARAMETERS_AT: usize = PAGE_BYTES - size_of::<Parameters>();
const _: () = assert!(size_of::<Parameters>() == 80 && PARAMETERS_AT.is_multiple_of(16));

/// The inputs of [`page`].
pub struct Setup<'a> {
    /// Physical address of the page it will be copied to: page-aligned, below 1 MiB.
    pub at: u32,
    /// See [`Parameters`].
    pub cr3: u32,
    /// See [`Parameters`].
    pub nxe: bool,
    /// APIC ids in `CpuId` order.
    pub apic_ids: &'a [u32],
    /// Stack tops in `CpuId` order, each aligned to 16.
    pub stacks: &'a [u64],
    /// The function that a CPU calls with its `CpuId`, once it has its stack.
    pub entry: extern "C" fn(u64) -> !,
}

unsafe extern "C" {
    static trampoline_start: u8;
    static trampoline_long_mode: u8;
    static trampoline_end: u8;
}

/// The page, ready to be copied to low memory. `apic_ids` and `stacks` must not move for as long as a CPU may start.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "halves of a 32-bit address")]
pub fn page(setup: &Setup<'_>) -> [u8; PAGE_BYTES] {
    const INT3: u8 = 0xcc;
    let start = &raw const trampoline_start as usize;
    let length = &raw const trampoline_end as usize - start;
    let long_mode = setup.at + (&raw const trampoline_long_mode as usize - start) as u32;
    let gdt = setup.at + (PARAMETERS_AT + offset_of!(Parameters, gdt)) as u32;
    let parameters = Parameters {
        cr3: setup.cr3,
        nxe: u32::from(setup.nxe),
        gdt_limit: 3 * 8 - 1,
        gdt_base_low: gdt as u16,
        gdt_base_high: (gdt >> 16) as u16,
        long_mode_offset_low: long_mode as u16,
        long_mode_offset_high: (long_mode >> 16) as u16,
        long_mode_selector: 0x08,
        reserved: 0,
        apic_ids: setup.apic_ids.as_ptr() as u64,
        stacks: setup.stacks.as_ptr() as u64,
        count: setup.apic_ids.len().min(setup.stacks.len()) as u64,
        entry: setup.entry as usize as u64,
        gdt: [0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff],
    };
    let mut page = [INT3; PAGE_BYTES];
    // SAFETY: the symbols delimit read-only data of this image.
    let code = unsafe { core::slice::from_raw_parts(&raw const trampoline_start, length) };
    page[..length].copy_from_slice(code);
    // SAFETY: `Parameters` is plain integers without padding (its size is asserted).
    let bytes: [u8; size_of::<Parameters>()] = unsafe { core::mem::transmute(parameters) };
    page[PARAMETERS_AT..].copy_from_slice(&bytes);
    page
}

global_asm!(
    "
    .pushsection .rodata.trampoline, \"a\"
    .balign 16
    .global trampoline_start
    .code16
trampoline_start:
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl {parameters} + {gdt_limit}
    # What INIT left in CR0 has the caches off (CD, NW) on real CPUs; both go with the write of CR0 below.
    movl $({pae}), %eax
    movl %eax, %cr4
    movl {parameters} + {cr3}, %eax
    movl %eax, %cr3
    movl $({ia32_efer}), %ecx
    rdmsr
    orl $({efer_lme}), %eax
    cmpl $0, {parameters} + {nxe}
    je trampoline_efer
    orl $({efer_nxe}), %eax
trampoline_efer:
    wrmsr
    movl $({cr0}), %eax
    movl %eax, %cr0
    # Through memory: the operand holds a linear address, which only the copier knows.
    ljmpl *({parameters} + {long_mode_offset})

    .code64
    .global trampoline_long_mode
trampoline_long_mode:
    movw $0x10, %ax
    movw %ax, %ss
    xorl %eax, %eax
    movw %ax, %ds
    movw %ax, %es
    movw %ax, %fs
    movw %ax, %gs
    # RIP-relative from here on.
    leaq trampoline_start + {parameters}(%rip), %rbp

    xorl %eax, %eax
    cpuid
    cmpl $0x0b, %eax
    jb trampoline_leaf_1
    movl $0x0b, %eax
    xorl %ecx, %ecx
    cpuid
    testl %ebx, %ebx            # 0: the leaf is there but empty
    jz trampoline_leaf_1
    movl %edx, %eax
    jmp trampoline_search
trampoline_leaf_1:
    movl $1, %eax
    cpuid
    movl %ebx, %eax
    shrl $24, %eax

trampoline_search:
    movq {apic_ids}(%rbp), %rsi
    xorl %edi, %edi
trampoline_next:
    cmpq {count}(%rbp), %rdi
    jae trampoline_unknown
    cmpl %eax, (%rsi, %rdi, 4)
    je trampoline_found
    incq %rdi
    jmp trampoline_next
trampoline_found:
    movq {stacks}(%rbp), %rsi
    movq (%rsi, %rdi, 8), %rsp
    movq {entry}(%rbp), %rax
    xorl %ebp, %ebp
    pushq $0                    # no return address: the entry does not return
    jmpq *%rax
trampoline_unknown:
    cli
    hlt
    jmp trampoline_unknown
    .global trampoline_end
trampoline_end:
    .popsection
    ",
    parameters = const PARAMETERS_AT,
    gdt_limit = const offset_of!(Parameters, gdt_limit),
    cr3 = const offset_of!(Parameters, cr3),
    nxe = const offset_of!(Parameters, nxe),
    long_mode_offset = const offset_of!(Parameters, long_mode_offset_low),
    apic_ids = const offset_of!(Parameters, apic_ids),
    stacks = const offset_of!(Parameters, stacks),
    count = const offset_of!(Parameters, count),
    entry = const offset_of!(Parameters, entry),
    pae = const 1 << 5,
    ia32_efer = const 0xc000_0080_u32,
    efer_lme = const 1 << 8,
    efer_nxe = const 1 << 11,
    cr0 = const 0x8001_0011_u32, // PG, WP, ET, PE
    options(att_syntax)
);

#[cfg(test)]
mod tests {
    use super::*;

    extern "C" fn never(_: u64) -> ! {
        unreachable!()
    }

    #[test]
    fn page_is_code_then_int3_then_parameters() {
        let ids = [0, 2];
        let stacks = [0x1000, 0x2000];
        let setup =
            Setup { at: 0x9_d000, cr3: 0x12_3000, nxe: true, apic_ids: &ids, stacks: &stacks, entry: never };
        let page = page(&setup);
        assert_eq!(page[..2], [0xfa, 0xfc], "cli; cld");
        let length = &raw const trampoline_end as usize - &raw const trampoline_start as usize;
        assert!(length < 256, "{length}");
        assert!(page[length..PARAMETERS_AT].iter().all(|&byte| byte == 0xcc));
        assert_eq!(page[PARAMETERS_AT..PARAMETERS_AT + 4], 0x12_3000_u32.to_le_bytes());
        let gdt_base = PARAMETERS_AT + offset_of!(Parameters, gdt_base_low);
        let gdt = 0x9_d000 + u32::try_from(PARAMETERS_AT + offset_of!(Parameters, gdt)).unwrap();
        assert_eq!(page[gdt_base..gdt_base + 4], gdt.to_le_bytes());
    }

    #[test]
    fn lgdt_and_far_jump_address_the_parameters_by_16_bits() {
        // 66 0f 01 16 disp16: lgdtl disp16; 66 ff 2e disp16: ljmpl *disp16. A 32-bit form would be wrong in real mode.
        let setup = Setup { at: 0x1000, cr3: 0, nxe: false, apic_ids: &[], stacks: &[], entry: never };
        let page = page(&setup);
        let operand = |field: usize| u16::try_from(PARAMETERS_AT + field).unwrap().to_le_bytes();
        let lgdt = [&[0x66, 0x0f, 0x01, 0x16][..], &operand(offset_of!(Parameters, gdt_limit))].concat();
        let ljmp = [&[0x66, 0xff, 0x2e][..], &operand(offset_of!(Parameters, long_mode_offset_low))].concat();
        assert!(page.windows(lgdt.len()).any(|w| w == lgdt), "{:02x?}", &page[..64]);
        assert!(page.windows(ljmp.len()).any(|w| w == ljmp), "{:02x?}", &page[..64]);
    }
}
