//! How the machine ends: off, by QEMU's debug exit or ACPI's S5; or reset, by every means in turn. A machine that cannot
//! be switched off halts, and says so: a reset instead would run it again and again.
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
/// The keyboard controller's command and status port (IBM, "PC AT Technical Reference", keyboard controller).
const KEYBOARD: u16 = 0x64;
/// Status: the last command was not taken yet.
const KEYBOARD_BUSY: u8 = 1 << 1;
/// Command: pulse the line that resets the CPU.
const KEYBOARD_RESET: u8 = 0xfe;
/// Reset control of Intel's chipsets and of all that imitate them.
const RESET_CONTROL: u16 = 0xcf9;
const RESET_COLD: u8 = 0x0e;
/// PM1 control: enter the sleep type in bits 10 to 12 (ACPI 6.5, section 4.8.3.2.1).
const SLP_EN: u16 = 1 << 13;
/// The sleep control register of hardware-reduced ACPI: likewise, with the type in bits 2 to 4 (section 4.8.3.7).
const REDUCED_SLP_EN: u8 = 1 << 5;
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

/// Switches the machine off. `exit` is what QEMU's caller learns.
pub fn off(exit: GuestExit) -> ! {
    console::drain();
    // SAFETY: the port is the debug exit's, or nobody's.
    unsafe { port::write_u8(DEBUG_EXIT, exit.value()) };
    wait();
    let entered = FIRMWARE.get().is_some_and(enter_s5);
    wait();
    let why = if entered { "ACPI's S5 has no effect" } else { "its tables tell no way into ACPI's S5" };
    console::text(format_args!("  this machine cannot be switched off ({why}): halted\n"));
    console::drain();
    idle::park()
}

/// Resets the machine: by the FADT's register, the keyboard controller, the chipset's port; by a triple fault where none
/// of these does anything.
pub fn reset() -> ! {
    console::drain();
    if let Some((register, value)) = FIRMWARE.get().and_then(|firmware| firmware.registers.reset) {
        write(register, value);
        wait();
    }
    // Where there is none its status reads as all ones, and so as busy.
    // SAFETY: the keyboard controller's status; nothing in this kernel uses a keyboard.
    if (0..PATIENCE).any(|_| unsafe { port::read_u8(KEYBOARD) } & KEYBOARD_BUSY == 0) {
        // SAFETY: a reset is what is wanted.
        unsafe { port::write_u8(KEYBOARD, KEYBOARD_RESET) };
        wait();
    }
    // SAFETY: as above.
    unsafe { port::write_u8(RESET_CONTROL, RESET_COLD) };
    wait();
    triple_fault()
}

/// Says whether there was anything to write to.
fn enter_s5(firmware: &Firmware) -> bool {
    let Some((a, b)) = firmware.s5 else { return false };
    let PowerManagement { pm1a_control, pm1b_control, sleep_control, .. } = firmware.registers;
    if let Some(register) = sleep_control {
        write(register, a << 2 | REDUCED_SLP_EN);
    }
    let value = |sleep_type: u8| u16::from(sleep_type) << 10 | SLP_EN;
    if let Some(port) = pm1a_control {
        // SAFETY: the port is PM1a control by the FADT, and powering off is what is wanted.
        unsafe { port::write_u16(port, value(a)) };
    }
    if let Some(port) = pm1b_control {
        // SAFETY: as above, PM1b.
        unsafe { port::write_u16(port, value(b)) };
    }
    sleep_control.is_some() || pm1a_control.is_some()
}

/// Writes to a register that the FADT names to end the machine.
fn write(register: Register, value: u8) {
    match register {
        // SAFETY: the FADT's reset or sleep control register; the end of the machine is what is wanted.
        Register::Port(port) => unsafe { port::write_u8(port, value) },
        Register::Memory(at) => {
            // Past the window it is out of reach, and the next means has its turn.
            if let Some(register) = phys::in_window(PhysAddr::new_truncate(at)) {
                // SAFETY: as above.
                unsafe { register.as_mut_ptr::<u8>().write_volatile(value) };
            }
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
