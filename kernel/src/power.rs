//! Switching the machine off, by every means in turn: QEMU's debug exit, ACPI's S5, the FADT's reset register, the
//! chipset's reset port, a triple fault. A machine that survives them all halts.
#![expect(unsafe_code, reason = "writes to the ports that end the machine")]

use abi::exit::GuestExit;
use spin::Once;
use x86_64::structures::DescriptorTablePointer;
use x86_64::{PhysAddr, VirtAddr};

use crate::acpi::fadt::{PowerManagement, Register};
use crate::console;
use crate::mem::phys;
use crate::smp::idle;
use crate::x86::port;

/// QEMU's isa-debug-exit, as our command lines place it. On other machines nothing is there.
pub const DEBUG_EXIT: u16 = 0xf4;
/// Reset control of Intel's chipsets and of all that imitate them.
const RESET_CONTROL: u16 = 0xcf9;
const RESET_COLD: u8 = 0x0e;
/// PM1 control: enter the sleep type in bits 10 to 12 (ACPI 6.5, section 4.8.3.2.1).
const SLP_EN: u16 = 1 << 13;
/// How long each means is given, in reads of an unused port: half a microsecond each at least.
const PATIENCE: u32 = 200_000;

/// What firmware's tables say of switching off.
#[derive(Clone, Copy, Debug)]
pub struct Firmware {
    /// The FADT's registers.
    pub registers: PowerManagement,
    /// The sleep types of S5.
    pub s5: Option<(u8, u8)>,
}

static FIRMWARE: Once<Firmware> = Once::new();

/// Makes firmware's means known.
pub fn init(firmware: Firmware) {
    FIRMWARE.call_once(|| firmware);
}

/// Ends the machine. `exit` is what QEMU's caller learns.
pub fn off(exit: GuestExit) -> ! {
    console::drain();
    // SAFETY: the port is the debug exit's, or nobody's.
    unsafe { port::write_u8(DEBUG_EXIT, exit.value()) };
    wait();
    if let Some(firmware) = FIRMWARE.get() {
        enter_s5(firmware);
        wait();
        if let Some((register, value)) = firmware.registers.reset {
            write_reset(register, value);
            wait();
        }
    }
    reset()
}

/// Resets the machine by the chipset's port; by a triple fault where that does nothing.
pub fn reset() -> ! {
    // SAFETY: a reset is what is wanted.
    unsafe { port::write_u8(RESET_CONTROL, RESET_COLD) };
    wait();
    triple_fault()
}

fn enter_s5(firmware: &Firmware) {
    let Some((a, b)) = firmware.s5 else { return };
    let value = |sleep_type: u8| u16::from(sleep_type) << 10 | SLP_EN;
    if let Some(port) = firmware.registers.pm1a_control {
        // SAFETY: the port is PM1a control by the FADT, and powering off is what is wanted.
        unsafe { port::write_u16(port, value(a)) };
    }
    if let Some(port) = firmware.registers.pm1b_control {
        // SAFETY: as above, PM1b.
        unsafe { port::write_u16(port, value(b)) };
    }
}

fn write_reset(register: Register, value: u8) {
    match register {
        // SAFETY: the FADT's reset register; a reset is what is wanted.
        Register::Port(port) => unsafe { port::write_u8(port, value) },
        Register::Memory(at) => {
            let register = phys::virt(PhysAddr::new_truncate(at)).as_mut_ptr::<u8>();
            // SAFETY: as above, in the window on physical memory.
            unsafe { register.write_volatile(value) };
        }
    }
}

fn wait() {
    const UNUSED: u16 = 0x80;
    for _ in 0..PATIENCE {
        // SAFETY: the POST port; a read has no effect.
        unsafe { port::read_u8(UNUSED) };
    }
}

/// Ends the machine, or what runs on it, by an exception that cannot be handled.
pub fn triple_fault() -> ! {
    let empty = DescriptorTablePointer { limit: 0, base: VirtAddr::zero() };
    // SAFETY: no interrupt can be handled after this, which is the purpose.
    unsafe { x86_64::instructions::tables::lidt(&empty) };
    x86_64::instructions::interrupts::int3();
    idle::park()
}
