//! The data of each CPU, found through GS base while the kernel runs.
#![expect(unsafe_code, reason = "sets and follows GS base")]

use core::cell::{Cell, UnsafeCell};
use core::mem::offset_of;
use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, Ordering};

use abi::grant::FeatureSet;
use abi::{ApicId, CpuId};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use spin::{Mutex, Once};
use x86_64::VirtAddr;
use x86_64::registers::model_specific::KernelGsBase;
use x86_64::structures::paging::PhysFrame;

use super::{Signal, Strays, ThreadFrame, WorkerState, steal};
use crate::mem::stacks::CpuStacks;
use crate::x86::gdt::{Descriptors, TrapStacks};
use crate::x86::msr;

/// Work for a CPU, called with the CPU's number. Shared, so that a CPU that never comes back keeps what it uses alive.
pub type Job = Arc<dyn Fn(CpuId) + Send + Sync>;

/// Whether a CPU takes part. It is decided once, by whichever comes first: the CPU's check-in or the end of the wait for it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Fate {
    /// Neither has happened.
    Awaited = 0,
    /// The CPU has checked in and serves its mailbox.
    Online = 1,
    /// It did not check in in time. If it comes later, it parks: it was already reported as missing.
    Missing = 2,
}

/// One CPU's data. Assembly reads the first fields by `offset_of!`.
#[repr(C)]
pub struct PerCpu {
    /// The address of this data, once it is current; null before that. At GS base, there is always such a word.
    this: AtomicPtr<PerCpu>,
    /// The stack for frames of traps from ring 3: the same as TSS.RSP0.
    pub trap_stack: VirtAddr,
    /// SYSCALL's stub keeps ring 3's RSP here until the call returns, or until it is in a thread's frame.
    pub(crate) user_rsp: Cell<u64>,
    /// The dense number.
    pub id: CpuId,
    /// The hardware's number.
    pub apic_id: ApicId,
    /// The stack that the CPU runs on once it is up; unused on the BSP, which keeps the loader's.
    pub main_stack: VirtAddr,
    /// The worker that runs here, if one does. Only this CPU uses it.
    pub worker: WorkerState,
    /// The next job of this CPU.
    pub mailbox: Mutex<Option<Job>>,
    /// A [`Fate`].
    fate: AtomicU8,
    /// The CPU has a job that it has not finished.
    pub busy: AtomicBool,
    /// Interrupts that nothing asked for.
    pub strays: Strays,
    /// The interrupt that measurements are made of.
    pub signal: Signal,
    /// The features of [`FeatureSet::bits`], once the CPU has settled its registers.
    features: AtomicU32,
    /// The CPU stopped for a panic of another.
    pub stopped: AtomicBool,
    /// The page in which the hypervisor accounts for the time that it takes; `None` if it does not.
    steal: Option<PhysFrame>,
    descriptors: UnsafeCell<Descriptors>,
}

// SAFETY: `user_rsp`, `worker` (but for one atomic) and `descriptors` are used only by the CPU they belong to, which reaches them by GS base.
// The rest is atomic, locked or never written.
unsafe impl Sync for PerCpu {}

/// What GS base points to on a CPU without data: `this` of none.
static NONE: AtomicPtr<PerCpu> = AtomicPtr::new(core::ptr::null_mut());
const _: () = assert!(offset_of!(PerCpu, this) == 0);

/// Every CPU's data, by `CpuId`.
static ALL: Once<Box<[&'static PerCpu]>> = Once::new();

impl PerCpu {
    /// Data for a CPU, not current yet.
    #[must_use]
    pub fn new(id: CpuId, apic_id: ApicId, stacks: &CpuStacks, steal: Option<PhysFrame>) -> Self {
        let traps = TrapStacks { ring0: stacks.trap, ist: stacks.ist };
        Self {
            this: AtomicPtr::new(core::ptr::null_mut()),
            trap_stack: stacks.trap,
            user_rsp: Cell::new(0),
            id,
            apic_id,
            main_stack: stacks.main,
            worker: WorkerState::default(),
            mailbox: Mutex::new(None),
            fate: AtomicU8::new(Fate::Awaited as u8),
            busy: AtomicBool::new(false),
            strays: Strays::none(),
            signal: Signal::none(),
            features: AtomicU32::new(0),
            stopped: AtomicBool::new(false),
            steal,
            descriptors: UnsafeCell::new(Descriptors::new(&traps)),
        }
    }

    /// Makes all CPUs known. Called once, before any of them is current.
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
        Self::all().iter().copied().filter(|cpu| cpu.is_online())
    }

    /// The CPUs that are online and have no unfinished job, this one first, then by number.
    #[must_use]
    pub fn free() -> Vec<&'static Self> {
        let here = Self::current().map(|cpu| cpu.id);
        let free = Self::online().filter(|cpu| !cpu.is_busy());
        let (first, others): (Vec<_>, Vec<_>) = free.partition(|cpu| here == Some(cpu.id));
        first.into_iter().chain(others).collect()
    }

    /// Whether the CPU is up.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.fate.load(Ordering::Acquire) == Fate::Online as u8
    }

    /// Whether the CPU has a job that it has not finished.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire)
    }

    /// The features that ring 3 can use on it; none before [`PerCpu::set_features`].
    #[must_use]
    pub fn features(&self) -> FeatureSet {
        FeatureSet::from_bits(self.features.load(Ordering::Acquire))
    }

    /// Keeps the features that the CPU has found on itself.
    pub fn set_features(&self, features: FeatureSet) {
        self.features.store(features.bits(), Ordering::Release);
    }

    /// Decides the CPU's fate, unless it is decided. Returns whether this call did.
    pub fn decide(&self, fate: Fate) -> bool {
        let (from, to) = (Fate::Awaited as u8, fate as u8);
        self.fate.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// The CPU that this code runs on; `None` before [`PerCpu::make_current`].
    #[must_use]
    #[inline(always)]
    pub fn current() -> Option<&'static Self> {
        let this: *const Self;
        // SAFETY: whenever the kernel runs, GS base is the address of `NONE` or of a `PerCpu`, and a pointer is there: set by
        // `make_none_current` before the kernel's IDT is in force, then by `make_current`. The stubs of traps see to it before
        // they call the handler, and those of an NMI, a double fault and a machine check do not trust the saved CS.
        unsafe {
            core::arch::asm!(
                "mov {this}, gs:[{at}]",
                this = out(reg) this,
                at = const offset_of!(Self, this),
                options(nostack, pure, readonly, preserves_flags)
            );
        }
        // SAFETY: null, or data that is never freed.
        unsafe { this.as_ref() }
    }

    /// The frame of this CPU's thread, read through GS: no register is kept for it.
    ///
    /// # Safety
    /// This CPU's data is current ([`PerCpu::make_current`]).
    #[must_use]
    #[inline(always)]
    pub unsafe fn thread_here() -> *mut ThreadFrame {
        let thread;
        // SAFETY: the caller promises that GS base is the address of a `PerCpu`.
        unsafe {
            core::arch::asm!(
                "mov {thread}, gs:[{at}]",
                thread = out(reg) thread,
                at = const offset_of!(Self, worker.thread),
                options(nostack, readonly, preserves_flags)
            );
        }
        thread
    }

    /// The island of this CPU's threads, as [`PerCpu::thread_here`].
    ///
    /// # Safety
    /// As of that.
    #[must_use]
    #[inline(always)]
    pub unsafe fn island_here() -> *const () {
        let island;
        // SAFETY: the caller promises that GS base is the address of a `PerCpu`.
        unsafe {
            core::arch::asm!(
                "mov {island}, gs:[{at}]",
                island = out(reg) island,
                at = const offset_of!(Self, worker.island),
                options(nostack, readonly, preserves_flags)
            );
        }
        island
    }

    /// Makes GS base point to no CPU's data. The BSP's first step, before its IDT is in force: [`PerCpu::current`] works from
    /// here on.
    pub fn make_none_current() {
        // SAFETY: a word as the trap stubs and `current` expect it, in the upper half.
        unsafe { msr::write(msr::IA32_GS_BASE, (&raw const NONE) as u64) };
    }

    /// The time that the hypervisor has taken from this CPU so far, in ns; `None` if it does not account for it.
    #[must_use]
    pub fn steal_ns(&self) -> Option<u64> {
        self.steal.map(steal::read)
    }

    /// Loads the CPU's descriptor table and task state. Called once, by this CPU, before anything that needs a trap
    /// stack.
    pub fn load_descriptors(&'static self) {
        // SAFETY: called once for each CPU, by that CPU; nothing else reaches the descriptors.
        let descriptors = unsafe { &mut *self.descriptors.get() };
        descriptors.load();
    }

    /// Makes GS base point to this data. Called by this CPU.
    pub fn make_current(&'static self) {
        self.this.store(core::ptr::from_ref(self).cast_mut(), Ordering::Relaxed);
        // SAFETY: this is the CPU's data, which is never freed, and the trap stubs expect its address in GS base.
        unsafe { msr::write(msr::IA32_GS_BASE, core::ptr::from_ref(self) as u64) };
        // Ring 3's GS base, which SWAPGS brings in: a worker has none.
        KernelGsBase::write(VirtAddr::zero());
    }

    /// Starts the hypervisor's steal account, if there is one, and marks the CPU as online. Called by this CPU. Returns
    /// whether it is: `false` if the BSP has stopped waiting for it.
    pub fn go_online(&self) -> bool {
        if let Some(page) = self.steal {
            steal::enable(page);
        }
        self.decide(Fate::Online)
    }
}
