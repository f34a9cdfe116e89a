//! Ends the machine: power-off by QEMU's debug exit or ACPI's S5, or reset by every means in turn. A machine that cannot
//! be powered off reports that and halts: a reset instead would run it again and again.
#![expect(unsafe_code, reason = "writes to the ports that end the machine")]

use abi::exit::{DEBUG_EXIT_PORT, GuestExit};
use spin::Once;
use x86_64::structures::DescriptorTablePointer;
use x86_64::{PhysAddr, VirtAddr};

use crate::cpu::idle;
use crate::firmware::acpi::fadt::{Enable, Pm1, PowerManagement, Register};
use crate::mem::{devices, phys};
use crate::x86::port;
use crate::{clock, console};

/// The keyboard controller's command and status port (IBM, "PC AT Technical Reference", keyboard controller).
const KEYBOARD: u16 = 0x64;
/// Status: the last command has not been taken yet.
const KEYBOARD_BUSY: u8 = 1 << 1;
/// Status, read if no device answers.
const NOTHING: u8 = 0xff;
/// Command: pulse the line that resets the CPU.
const KEYBOARD_RESET: u8 = 0xfe;
/// The reset control port of Intel's chipsets and of compatible ones.
const RESET_CONTROL: u16 = 0xcf9;
const RESET_COLD: u8 = 0x0e;
/// PM1 control: the machine is in ACPI mode (ACPI 6.5, section 4.8.3.2.1).
const SCI_EN: u16 = 1 << 0;
/// PM1 control: the sleep type, and the bit that enters it.
const SLP_TYP: u16 = 0b111 << 10;
const SLP_EN: u16 = 1 << 13;
/// PM1 status: the machine has woken up. Set, it can end a sleep at once; writing it clears it (section 4.8.3.1.1).
const WAK_STS: u16 = 1 << 15;
/// The sleep control register of hardware-reduced ACPI: likewise, with the type in bits 2 to 4 (section 4.8.3.7).
const REDUCED_SLP_EN: u8 = 1 << 5;

/// How long each means of ending the machine may take, in microseconds.
const PATIENCE_US: u64 = 100_000;
/// How long firmware may take to enter ACPI mode, in microseconds. Linux allows it 3 s.
const ENABLE_US: u64 = 3_000_000;

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
        write_u8(register, value);
        wait();
    }
    if keyboard_takes_commands() {
        // SAFETY: a reset is intended.
        unsafe { port::write_u8(KEYBOARD, KEYBOARD_RESET) };
        wait();
    }
    // SAFETY: as above.
    unsafe { port::write_u8(RESET_CONTROL, RESET_COLD) };
    wait();
    triple_fault()
}

/// Waits, with a bound, until the keyboard controller takes a command; `false` at once if there is none.
fn keyboard_takes_commands() -> bool {
    // SAFETY: the keyboard controller's status; nothing in this kernel uses a keyboard.
    let status = || unsafe { port::read_u8(KEYBOARD) };
    status() != NOTHING && clock::for_waits().spin_until(PATIENCE_US, || status() & KEYBOARD_BUSY == 0)
}

/// Enters S5 by every register that takes its sleep type, and waits for the effect. Returns whether there is one.
fn enter_s5(firmware: &Firmware) -> bool {
    let Some((a, b)) = firmware.s5 else { return false };
    let PowerManagement { pm1, sleep_control, enable, .. } = firmware.registers;
    if let Some(register) = sleep_control {
        write_u8(register, a << 2 | REDUCED_SLP_EN);
        wait();
    }
    let Some(control) = pm1[0].control else { return sleep_control.is_some() };
    if let Some(enable) = enable {
        enter_acpi_mode(control, enable);
    }
    for Pm1 { status, .. } in pm1 {
        if let Some(status) = status {
            write_u16(status, WAK_STS);
        }
    }
    // First the type, then the bit that enters it, in both blocks: a machine may look at one of them alone.
    for enter in [0, SLP_EN] {
        for (Pm1 { control, .. }, sleep_type) in pm1.into_iter().zip([a, b]) {
            if let Some(control) = control {
                write_u16(control, pm1_sleep(read_u16(control), sleep_type) | enter);
            }
        }
    }
    wait();
    true
}

/// Asks firmware to enter ACPI mode, and waits until it has, with a bound. In legacy mode the chipset may ignore PM1, or
/// report the sleep to firmware's SMI handler (ACPI 6.5, section 4.3.2).
fn enter_acpi_mode(control: Register, Enable { port, command }: Enable) {
    let is_on = || read_u16(control) & SCI_EN != 0;
    if is_on() {
        return;
    }
    // SAFETY: the port takes commands for firmware by the FADT, and this command enters ACPI mode.
    unsafe { port::write_u8(port, command) };
    clock::for_waits().spin_until(ENABLE_US, is_on);
}

/// The value of PM1 control that names a sleep type: the other bits keep what they are, and the machine stays awake.
fn pm1_sleep(control: u16, sleep_type: u8) -> u16 {
    control & !(SLP_TYP | SLP_EN) | u16::from(sleep_type) << 10 & SLP_TYP
}

/// The pointer to a register in memory. `None` if no registers can be there, or past the window, which is out of reach: the
/// next means is tried.
fn in_memory<T>(at: u64) -> Option<*mut T> {
    PhysAddr::try_new(at)
        .ok()
        .filter(|_| devices::can_be_at(at))
        .and_then(phys::in_window)
        .map(VirtAddr::as_mut_ptr)
}

/// Writes to a register that the FADT names to end the machine.
fn write_u8(register: Register, value: u8) {
    match register {
        // SAFETY: the FADT's reset or sleep control register; the end of the machine is intended.
        Register::Port(port) => unsafe { port::write_u8(port, value) },
        Register::Memory(at) => {
            if let Some(register) = in_memory::<u8>(at) {
                // SAFETY: as above.
                unsafe { register.write_volatile(value) };
            }
        }
    }
}

/// Writes to a register of PM1.
fn write_u16(register: Register, value: u16) {
    match register {
        // SAFETY: a register of PM1 by the FADT; powering off is intended.
        Register::Port(port) => unsafe { port::write_u16(port, value) },
        Register::Memory(at) => {
            if let Some(register) = in_memory::<u16>(at).filter(|register| register.is_aligned()) {
                // SAFETY: as above.
                unsafe { register.write_volatile(value) };
            }
        }
    }
}

/// Reads a register of PM1; 0 if it is out of reach.
fn read_u16(register: Register) -> u16 {
    match register {
        // SAFETY: a register of PM1 by the FADT; reading it has no effect.
        Register::Port(port) => unsafe { port::read_u16(port) },
        Register::Memory(at) => {
            let register = in_memory::<u16>(at).filter(|register| register.is_aligned());
            // SAFETY: as above.
            register.map_or(0, |register| unsafe { register.read_volatile() })
        }
    }
}

/// Waits for the effect of the last write. No port is touched: a VMM may log each access to one that no device answers.
fn wait() {
    clock::for_waits().spin_us(PATIENCE_US);
}

/// Ends the machine by an exception that cannot be handled.
pub fn triple_fault() -> ! {
    let empty = DescriptorTablePointer { limit: 0, base: VirtAddr::zero() };
    // SAFETY: no interrupt can be handled after this, which is the purpose.
    unsafe { x86_64::instructions::tables::lidt(&empty) };
    x86_64::instructions::interrupts::int3();
    idle::park()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleep_type_replaces_the_one_before_and_nothing_else() {
        // BM_RLD and SCI_EN stay; SLP_EN and the old type go.
        assert_eq!(pm1_sleep(0x0003, 5), 0x1403);
        assert_eq!(pm1_sleep(0x3c03, 0), 0x0003);
        assert_eq!(pm1_sleep(0x0001, 7), 0x1c01);
        assert_eq!(pm1_sleep(0x0001, 5) | SLP_EN, 0x3401);
    }
}
