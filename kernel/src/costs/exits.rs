//! Operations at which a hypervisor takes over, or may.
#![expect(unsafe_code, reason = "RDMSR, WRMSR and IN of what the manuals define")]

use abi::CpuId;
use abi::series::{SeriesRow, Unavailable};
use core::arch::asm;
use harness::platform::single::{batch, same};
use harness::sampler::{Book, Place, Sampler, Tally};
use harness::x86::cpuid;

use super::Floor;
use crate::cpu::probe;
use crate::x86::{apic, hypercall, msr, port};

/// Edge and level control of interrupts: the first of two ports (Intel 82371SB, "ELCR1").
const ELCR: u16 = 0x4d0;

pub fn rows(
    here: CpuId,
    pm_timer: Option<u16>,
    sampler: &mut Sampler<'_>,
    book: &mut Book,
    floor: &mut Floor<'_>,
) {
    tsc_adjust(here, sampler, book, floor);
    let mut last = 0;
    batch(SeriesRow::MsrWriteControl, here, sampler, book, floor, &mut |n| gs_base(n, &mut last));
    // SAFETY: the kernel has it at 0 whenever it runs, for the next worker.
    unsafe { msr::write(msr::IA32_KERNEL_GS_BASE, 0) };

    let first = elcr();
    batch(SeriesRow::ExitPortHost, here, sampler, book, floor, &mut |n| same(n, first, elcr));
    match pm_timer {
        Some(port) => {
            batch(SeriesRow::ExitPortVmm, here, sampler, book, floor, &mut |n| pm_timer_reads(n, port));
        }
        None => book.none(floor, Place::of(SeriesRow::ExitPortVmm, here), Unavailable::NotOffered),
    }
    let first = apic::version();
    batch(SeriesRow::ExitLapic, here, sampler, book, floor, &mut |n| same(n, first, apic::version));
    if cpuid::kvm_features().is_some() {
        let amd = cpuid::vendor().as_str() == "AuthenticAMD";
        batch(SeriesRow::ExitVmcall, here, sampler, book, floor, &mut |n| {
            same(n, hypercall::UNKNOWN, || hypercall::unknown_call(amd))
        });
    } else {
        book.none(floor, Place::of(SeriesRow::ExitVmcall, here), Unavailable::NotOffered);
    }
}

/// The rows of IA32_TSC_ADJUST, which is written with the value that it has: the clock must not change.
fn tsc_adjust(here: CpuId, sampler: &mut Sampler<'_>, book: &mut Book, floor: &mut Floor<'_>) {
    let rows = [SeriesRow::ExitMsrRead, SeriesRow::ExitMsrWrite];
    // CPUID.7:EBX[1] reports it (Intel SDM vol. 2A, "CPUID").
    let reported = cpuid::bit(cpuid::leaf(7, 0).ebx, 1);
    let value = if reported { probe::read_msr(msr::IA32_TSC_ADJUST) } else { None };
    // SAFETY: the value is the register's own.
    let value = value.filter(|&value| unsafe { probe::write_msr(msr::IA32_TSC_ADJUST, value) });
    let Some(value) = value else {
        let reason = Unavailable::NotOffered;
        return harness::platform::unavailable(&rows, here, reason, book, floor);
    };
    batch(rows[0], here, sampler, book, floor, &mut |n| same(n, value, read_tsc_adjust));
    batch(rows[1], here, sampler, book, floor, &mut |n| {
        for _ in 0..n {
            // SAFETY: as above.
            unsafe { msr::write(msr::IA32_TSC_ADJUST, value) };
        }
        let kept = read_tsc_adjust() == value;
        Tally { done: if kept { n } else { 0 }, wrong: u64::from(!kept) }
    });
}

fn read_tsc_adjust() -> u64 {
    // SAFETY: the row runs only if the register was read before.
    unsafe { msr::read(msr::IA32_TSC_ADJUST) }
}

/// Writes the next `n` values. What was done is how far the register has come.
fn gs_base(n: u64, last: &mut u64) -> Tally {
    let from = *last;
    for value in from + 1..=from + n {
        // SAFETY: it is swapped in on the way to ring 3 alone, which no CPU goes while rows run.
        unsafe { msr::write(msr::IA32_KERNEL_GS_BASE, value) };
    }
    // SAFETY: every x86_64 CPU has it.
    let found = unsafe { msr::read(msr::IA32_KERNEL_GS_BASE) };
    *last = from + n;
    Tally { done: found.wrapping_sub(from), wrong: u64::from(found != from + n) }
}

fn elcr() -> u8 {
    // SAFETY: reading it has no effect; without the device the read gives ones.
    unsafe { port::read_u8(ELCR) }
}

/// Reads the timer `n` times. It must have advanced, if that took long enough to show.
fn pm_timer_reads(n: u64, port: u16) -> Tally {
    /// So many readings take longer than the timer's tick of 280 ns, on any machine.
    const ENOUGH: u64 = 64;
    let (mut done, mut first, mut now) = (0_u64, None, 0_u32);
    for _ in 0..n {
        // SAFETY: firmware's tables name the port as the timer's, which a read does not change.
        unsafe {
            asm!("in eax, dx", in("dx") port, out("eax") now, options(nomem, nostack, preserves_flags))
        };
        first.get_or_insert(now);
        done += 1;
    }
    let stands = n >= ENOUGH && first == Some(now);
    Tally { done, wrong: u64::from(stands) }
}
