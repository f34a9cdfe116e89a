//! What each CPU has of its own, found through GS base while the kernel runs.
#![expect(unsafe_code, reason = "sets and follows GS base")]

use core::cell::{Cell, UnsafeCell};
use core::sync::atomic::{AtomicBool, Ordering};

use abi::{ApicId, CpuId};
use alloc::boxed::Box;
use spin::{Mutex, Once};
use x86_64::VirtAddr;
use x86_64::registers::model_specific::{KernelGsBase, LStar, SFMask, Star};
use x86_64::registers::rflags::RFlags;
use x86_64::structures::gdt::SegmentSelector;
use x86_64::structures::paging::PhysFrame;

use super::{Job, steal};
use crate::mem::stacks::CpuStacks;
use crate::user::UserState;
use crate::x86::gdt::{Descriptors, KERNEL_CODE, KERNEL_DATA, TrapStacks, USER_CODE, USER_DATA};
use crate::x86::{features::Features, idt, msr, trap};

/// One CPU's data. Assembly reads the first fields by `offset_of!`.
#[repr(C)]
pub struct PerCpu {
    /// Where traps from ring 3 put their frame: the same as TSS.RSP0.
    pub trap_stack: VirtAddr,
    /// Where SYSCALL's stub keeps the worker's RSP for two instructions.
    pub user_rsp: Cell<u64>,
    /// The dense number.
    pub id: CpuId,
    /// The hardware's number.
    pub apic_id: ApicId,
    /// The stack that the CPU runs on once it is up; `None` for the BSP, which keeps the loader's.
    pub main_stack: VirtAddr,
    /// The worker that runs here, if one does. Only this CPU looks at it.
    pub user: UserState,
    /// Work that waits for this CPU.
    pub mailbox: Mutex<Option<Job>>,
    /// The CPU has checked in and serves its mailbox.
    pub online: AtomicBool,
    /// The CPU has a job that it has not finished.
    pub busy: AtomicBool,
    /// Where the hypervisor keeps account of the time it takes; `None` where it does not.
    steal: Option<PhysFrame>,
    descriptors: UnsafeCell<Descriptors>,
}

// SAFETY: `user_rsp`, `user` and `descriptors` are used by the CPU they belong to alone (it reaches them by GS base);
// the rest is atomic, locked or never written.
unsafe impl Sync for PerCpu {}

/// Every CPU's data, by `CpuId`.
static ALL: Once<Box<[&'static PerCpu]>> = Once::new();

impl PerCpu {
    /// Data for a CPU, not in force yet.
    #[must_use]
    pub fn new(id: CpuId, apic_id: ApicId, stacks: &CpuStacks, steal: Option<PhysFrame>) -> Self {
        let traps = TrapStacks { ring0: stacks.trap, ist: stacks.ist };
        Self {
            trap_stack: stacks.trap,
            user_rsp: Cell::new(0),
            id,
            apic_id,
            main_stack: stacks.main,
            user: UserState::default(),
            mailbox: Mutex::new(None),
            online: AtomicBool::new(false),
            busy: AtomicBool::new(false),
            steal,
            descriptors: UnsafeCell::new(Descriptors::new(&traps)),
        }
    }

    /// Makes all CPUs known. Once, before any of them is loaded.
    pub fn publish(all: Box<[&'static Self]>) {
        ALL.call_once(|| all);
    }

    /// Every CPU, by number; empty before [`PerCpu::publish`].
    #[must_use]
    pub fn all() -> &'static [&'static Self] {
        ALL.get().map_or(&[], |all| all)
    }

    /// The CPUs that are up, by number.
    pub fn online() -> impl Iterator<Item = &'static Self> {
        Self::all().iter().copied().filter(|cpu| cpu.online.load(Ordering::Acquire))
    }

    /// The CPU that this code runs on; `None` before its data is in force.
    #[must_use]
    pub fn current() -> Option<&'static Self> {
        // Read as an MSR, so that it can be asked before GS base is set, and in an NMI that came just before SWAPGS.
        // SAFETY: every x86_64 CPU has IA32_GS_BASE.
        let base = unsafe { msr::read(msr::IA32_GS_BASE) };
        Self::all().iter().copied().find(|&cpu| core::ptr::from_ref(cpu) as u64 == base)
    }

    /// The time that the hypervisor has taken from this CPU so far, in ns; `None` where it does not say.
    #[must_use]
    pub fn steal_ns(&self) -> Option<u64> {
        self.steal.map(steal::read)
    }

    /// Puts the data in force on the CPU that runs this, with all that a CPU needs to take traps and run ring 3.
    pub fn load(&'static self, features: Features) {
        // SAFETY: called once for each CPU, by that CPU; nothing else reaches the descriptors.
        let descriptors = unsafe { &mut *self.descriptors.get() };
        descriptors.load();
        idt::load();
        features.enable();
        // SAFETY: this is the CPU's data, which lives for ever, and is where the trap stubs look for it.
        unsafe { msr::write(msr::IA32_GS_BASE, core::ptr::from_ref(self) as u64) };
        // Ring 3's GS base, which SWAPGS brings in: a worker has none.
        KernelGsBase::write(VirtAddr::zero());
        let selector = SegmentSelector;
        Star::write(selector(USER_CODE), selector(USER_DATA), selector(KERNEL_CODE), selector(KERNEL_DATA))
            .expect("the GDT has the order that SYSCALL wants");
        LStar::write(trap::syscall_entry());
        SFMask::write(
            RFlags::INTERRUPT_FLAG
                | RFlags::DIRECTION_FLAG
                | RFlags::TRAP_FLAG
                | RFlags::ALIGNMENT_CHECK
                | RFlags::NESTED_TASK,
        );
        if let Some(page) = self.steal {
            steal::enable(page);
        }
        self.online.store(true, Ordering::Release);
    }
}
