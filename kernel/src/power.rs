//! Ends the machine: power-off by QEMU's debug exit or ACPI's S5, or reset by every means in turn. A machine that cannot
//! be powered off reports that and halts: a reset instead would run it again and again.
#![expect(unsafe_code, reason = "writes to the ports that end the machine")]

use abi::exit::{DEBUG_EXIT_PORT, GuestExit};
use spin::Once;
use x86_64::structures::DescriptorTablePointer;
use x86_64::{PhysAddr, VirtAddr};

use crate::console;
use crate::cpu::idle;
use crate::firmware::acpi::fadt::{PowerManagement, Register};
use crate::mem::phys;
use crate::x86::port;

/// The keyboard controller's command and status port (IBM, "PC AT Technical Reference", keyboard controller).
const KEYBOARD: u16 = 0x64;
/// Status: the last command has not been taken yet.
const KEYBOARD_BUSY: u8 = 1 << 1;
/// Command: pulse the line that resets the CPU.
const KEYBOARD_RESET: u8 = 0xfe;
/// The reset control port of Intel's chipsets and of compatible ones.
const RESET_CONTROL: u16 = 0xcf9;
const RESET_COLD: u8 = 0x0e;
/// PM1 control: enter the sleep type in bits 10 to 12 (ACPI 6.5, section 4.8.3.2.1).
const SLP_EN: u16 = 1 << 13;
/// The sleep control register of hardware-reduced ACPI: likewise, with the type in bits 2 to 4 (section 4.8.3.7).
const REDUCED_SLP_EN: u8 = 1 << 5;
/// How long each means may take, in reads of an unused port: half a microsecond each at least.
const PATIENCE: u32 = 200_000;

/// The means that firmware's tables name.
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

/// Powers the machine off, with `exit` for QEMU.
pub fn off(exit: GuestExit) -> ! {
    console::drain();
    // SAFETY: the port is the debug exit's, or no device's.
    unsafe { port::write_u8(DEBUG_EXIT_PORT, exit.value()) };
    wait();
    let entered = FIRMWARE.get().is_some_and(enter_s5);
    wait();
    let why = if entered { "ACPI's S5 has no effect" } else { "its tables name no way into ACPI's S5" };
    console::text(format_args!("  this machine cannot be switched off ({why}): halted\n"));
    console::drain();
    idle::park()
}

/// Resets the machine: by the FADT's register, the keyboard controller, the chipset's port; by a triple fault if none of
/// these has an effect.
pub fn reset() -> ! {
    console::drain();
    if let Some((register, value)) = FIRMWARE.get().and_then(|firmware| firmware.registers.reset) {
        write(register, value);
        wait();
    }
    // Without a controller the status reads as all ones, and so as busy.
    // SAFETY: the keyboard controller's status; nothing in this kernel uses a keyboard.
    if (0..PATIENCE).any(|_| unsafe { port::read_u8(KEYBOARD) } & KEYBOARD_BUSY == 0) {
        // SAFETY: a reset is intended.
        unsafe { port::write_u8(KEYBOARD, KEYBOARD_RESET) };
        wait();
    }
    // SAFETY: as above.
    unsafe { port::write_u8(RESET_CONTROL, RESET_COLD) };
    wait();
    triple_fault()
}

/// Writes to every register that enters S5. Returns whether there is one.
fn enter_s5(firmware: &Firmware) -> bool {
    let Some((a, b)) = firmware.s5 else { return false };
    let PowerManagement { pm1a_control, pm1b_control, sleep_control, .. } = firmware.registers;
    if let Some(register) = sleep_control {
        write(register, a << 2 | REDUCED_SLP_EN);
    }
    if let Some(port) = pm1a_control {
        // SAFETY: the port is PM1a control by the FADT, and powering off is intended.
        unsafe { port::write_u16(port, pm1_sleep(a)) };
    }
    if let Some(port) = pm1b_control {
        // SAFETY: as above, PM1b.
        unsafe { port::write_u16(port, pm1_sleep(b)) };
    }
    sleep_control.is_some() || pm1a_control.is_some()
}

/// The value of PM1 control that enters a sleep type.
fn pm1_sleep(sleep_type: u8) -> u16 {
    u16::from(sleep_type) << 10 | SLP_EN
}

/// Writes to a register that the FADT names to end the machine.
fn write(register: Register, value: u8) {
    match register {
        // SAFETY: the FADT's reset or sleep control register; the end of the machine is intended.
        Register::Port(port) => unsafe { port::write_u8(port, value) },
        Register::Memory(at) => {
            // Past the window it is out of reach; the next means is tried.
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

/// Ends the machine by an exception that cannot be handled.
pub fn triple_fault() -> ! {
    let empty = DescriptorTablePointer { limit: 0, base: VirtAddr::zero() };
    // SAFETY: no interrupt can be handled after this, which is the purpose.
    unsafe { x86_64::instructions::tables::lidt(&empty) };
    x86_64::instructions::interrupts::int3();
    idle::park()
}
