//! Segments and the task state, one set for each CPU.
#![expect(unsafe_code, reason = "loads segment registers and the task register")]

use x86_64::VirtAddr;
use x86_64::instructions::segmentation::{CS, DS, ES, FS, GS, SS, Segment};
use x86_64::instructions::tables::load_tss;
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable, SegmentSelector};
use x86_64::structures::tss::TaskStateSegment;

/// The kernel's code segment.
pub const KERNEL_CODE: u16 = 0x08;
/// The kernel's data segment.
pub const KERNEL_DATA: u16 = 0x10;
/// Ring 3's data segment. SYSRET wants it before the code segment (AMD64 APM vol. 2, "SYSCALL and SYSRET").
pub const USER_DATA: u16 = 0x18 | 3;
/// Ring 3's code segment.
pub const USER_CODE: u16 = 0x20 | 3;

/// Stacks of the interrupt stack table, for exceptions that can come at any instruction, even while RSP is not valid. The
/// slots count from 0.
#[derive(Clone, Copy, Debug)]
#[repr(u16)]
pub enum Ist {
    /// Non-maskable interrupt.
    Nmi = 0,
    /// Double fault.
    DoubleFault = 1,
    /// Machine check.
    MachineCheck = 2,
}

impl Ist {
    /// Its number in a gate, which counts from 1.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }
}

/// The segments before a CPU has descriptors of its own: null, code, data.
static EARLY: GlobalDescriptorTable<3> =
    GlobalDescriptorTable::from_raw_entries(&[0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff]);

/// Loads the kernel's segments on this CPU, without a task state. GS base is not defined then.
pub fn load_early() {
    EARLY.load();
    load_segments(SegmentSelector(KERNEL_CODE), SegmentSelector(KERNEL_DATA));
    // SAFETY: a null selector may be loaded. It clears GS base on some CPUs, which nothing uses yet.
    unsafe { GS::set_reg(SegmentSelector::NULL) };
}

/// Loads the segment registers from the table in force, in which `code` and `data` are ring 0's. GS stays null, as
/// [`load_early`] or the trampoline left it: a load may clear its base.
fn load_segments(code: SegmentSelector, data: SegmentSelector) {
    // SAFETY: a 64-bit code segment of ring 0.
    unsafe { CS::set_reg(code) };
    // SAFETY: a data segment of ring 0.
    unsafe { SS::set_reg(data) };
    // In 64-bit mode the others only carry FS and GS bases. Ring 3 gets null selectors, too.
    // SAFETY: null selectors may be loaded into all of them.
    unsafe { DS::set_reg(SegmentSelector::NULL) };
    // SAFETY: as above.
    unsafe { ES::set_reg(SegmentSelector::NULL) };
    // SAFETY: as above.
    unsafe { FS::set_reg(SegmentSelector::NULL) };
}

/// One CPU's descriptor table and task state. It must not move once loaded.
pub struct Descriptors {
    gdt: GlobalDescriptorTable,
    tss: TaskStateSegment,
}

/// The stacks in the task state. Each is the address past the stack's end.
#[derive(Clone, Copy, Debug)]
pub struct TrapStacks {
    /// For traps and syscalls from ring 3.
    pub ring0: VirtAddr,
    /// By [`Ist`].
    pub ist: [VirtAddr; 3],
}

impl Descriptors {
    /// Descriptors with these stacks, not loaded yet.
    #[must_use]
    pub fn new(stacks: &TrapStacks) -> Self {
        let mut tss = TaskStateSegment::new();
        tss.privilege_stack_table[0] = stacks.ring0;
        let mut ist = tss.interrupt_stack_table;
        ist[..3].copy_from_slice(&stacks.ist);
        tss.interrupt_stack_table = ist;
        Self { gdt: GlobalDescriptorTable::new(), tss }
    }

    /// Loads them on this CPU.
    pub fn load(&'static mut self) {
        let selectors = [
            self.gdt.append(Descriptor::kernel_code_segment()),
            self.gdt.append(Descriptor::kernel_data_segment()),
            self.gdt.append(Descriptor::user_data_segment()),
            self.gdt.append(Descriptor::user_code_segment()),
        ];
        let task = self.gdt.append(Descriptor::tss_segment(&self.tss));
        assert!(
            selectors.map(|s| s.0) == [KERNEL_CODE, KERNEL_DATA, USER_DATA, USER_CODE],
            "the GDT's order and the selectors that assembly uses differ"
        );
        self.gdt.load();
        load_segments(selectors[0], selectors[1]);
        // SAFETY: an available 64-bit TSS, which lives as long as the table (`'static`).
        unsafe { load_tss(task) };
    }
}
