//! The sources of the TSC's frequency. Each is read only if the machine reports it.
#![expect(unsafe_code, reason = "reads timer devices by port and MMIO")]

use abi::wire::record::TscSource;
use alloc::vec::Vec;
use harness::clock::{Reading, is_plausible, stated};
use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;

use super::reference::{Counter, measure};
use super::second::SecondClock;
use super::{hyper_v, kvmclock, rtc};
use crate::x86::port;

/// Timers that firmware's tables name.
pub struct Devices {
    /// The HPET's registers, mapped.
    pub hpet: Option<VirtAddr>,
    /// The ACPI power-management timer.
    pub pm_timer: Option<PmTimer>,
    /// A frame for KVM's clock to write to.
    pub scratch: Option<PhysFrame>,
}

/// Every source's reading, and the counter to be read beside the TSC from then on: the HPET, else the PM timer, if it
/// counts. The real-time clock, which takes seconds, is read only if there is no other source.
#[must_use]
pub fn readings(devices: &Devices) -> (Vec<Reading>, SecondClock) {
    let mut readings = stated();
    readings.extend(hyper_v::khz().map(|khz| Reading { source: TscSource::HyperV, khz }));
    let kvmclock = devices.scratch.and_then(kvmclock::khz);
    readings.extend(kvmclock.map(|khz| Reading { source: TscSource::Kvmclock, khz }));
    let hpet = devices.hpet.and_then(Hpet::start);
    let pm_timer = devices.pm_timer;
    let pit = Pit::start();
    let counters = [
        hpet.as_ref().map(|hpet| hpet as &dyn Counter),
        pm_timer.as_ref().map(|pm_timer| pm_timer as &dyn Counter),
        pit.as_ref().map(|pit| pit as &dyn Counter),
    ];
    let counters: Vec<_> = counters.into_iter().flatten().collect();
    let is_stated = readings.iter().any(is_plausible);
    readings.extend(measure(&counters, is_stated));
    if !readings.iter().any(is_plausible) {
        readings.extend(rtc::khz().map(|khz| Reading { source: TscSource::Rtc, khz }));
    }
    let counts = |source| readings.iter().any(|reading: &Reading| reading.source == source);
    let hpet = hpet.filter(|_| counts(TscSource::Hpet)).map(SecondClock::Hpet);
    let pm_timer = pm_timer.filter(|_| counts(TscSource::PmTimer)).map(SecondClock::PmTimer);
    let second = hpet.or(pm_timer).unwrap_or(SecondClock::None);
    (readings, second)
}

/// IA-PC HPET Specification 1.0a, section 2.3.
#[derive(Clone, Copy, Debug)]
pub struct Hpet {
    base: VirtAddr,
    hz: u64,
    mask: u64,
}

impl Hpet {
    const CAPABILITIES: u64 = 0x00;
    const CONFIGURATION: u64 = 0x10;
    const MAIN_COUNTER: u64 = 0xf0;
    /// Capabilities: the counter has 64 bits.
    const COUNT_SIZE_CAP: u64 = 1 << 13;
    /// Configuration: the counter runs.
    const ENABLE_CNF: u64 = 1;
    /// The longest period that the specification allows, in femtoseconds.
    const MAX_PERIOD_FS: u64 = 100_000_000;

    /// Starts the counter; `None` if no HPET answers.
    fn start(base: VirtAddr) -> Option<Self> {
        let mut this = Self { base, hz: 0, mask: u64::from(u32::MAX) };
        let capabilities = this.read(Self::CAPABILITIES);
        let period_fs = capabilities >> 32;
        if period_fs == 0 || period_fs > Self::MAX_PERIOD_FS {
            return None;
        }
        this.hz = 1_000_000_000_000_000 / period_fs;
        if capabilities & Self::COUNT_SIZE_CAP != 0 {
            this.mask = u64::MAX;
        }
        let configuration = this.read(Self::CONFIGURATION) | Self::ENABLE_CNF;
        let register = (base + Self::CONFIGURATION).as_mut_ptr::<u64>();
        // SAFETY: the HPET's registers, mapped uncached; nothing else in this kernel uses the device.
        unsafe { register.write_volatile(configuration) };
        Some(this)
    }

    fn read(&self, register: u64) -> u64 {
        // SAFETY: as in `start`; every register is 64 bits wide.
        unsafe { (self.base + register).as_ptr::<u64>().read_volatile() }
    }
}

impl Counter for Hpet {
    fn source(&self) -> TscSource {
        TscSource::Hpet
    }

    fn hz(&self) -> u64 {
        self.hz
    }

    fn now(&self) -> u64 {
        self.read(Self::MAIN_COUNTER)
    }

    fn mask(&self) -> u64 {
        self.mask
    }
}

/// Where a register is, as the kernel reaches it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// An I/O port.
    Port(u16),
    /// Memory, mapped uncached.
    Memory(VirtAddr),
}

/// ACPI 6.5, section 4.8.2.1.
#[derive(Clone, Copy, Debug)]
pub struct PmTimer {
    /// Its place, by the FADT.
    pub place: Place,
    /// Whether it has 32 bits, not 24.
    pub wide: bool,
}

impl Counter for PmTimer {
    fn source(&self) -> TscSource {
        TscSource::PmTimer
    }

    fn hz(&self) -> u64 {
        3_579_545
    }

    fn now(&self) -> u64 {
        let count = match self.place {
            // SAFETY: the port that the FADT names; reading the timer has no effect.
            Place::Port(port) => unsafe { port::read_u32(port) },
            // SAFETY: the register that the FADT names, mapped; as above.
            Place::Memory(at) => unsafe { at.as_ptr::<u32>().read_volatile() },
        };
        u64::from(count) & self.mask()
    }

    fn mask(&self) -> u64 {
        if self.wide { u64::from(u32::MAX) } else { 0xff_ffff }
    }
}

/// Channel 2 of the 8254, whose gate is in port 61H. It counts down once from its highest count, 55 ms.
struct Pit;

impl Pit {
    const CHANNEL_2: u16 = 0x42;
    const COMMAND: u16 = 0x43;
    const SYSTEM_CONTROL: u16 = 0x61;
    /// Gate on, speaker off: the two bits of port 61H that can be written, and their value.
    const GATE: u8 = 0b01;
    const GATE_MASK: u8 = 0b11;
    /// Channel 2, low byte then high, mode 0, binary.
    const MODE: u8 = 0b1011_0000;
    /// Channel 2: latch the count.
    const LATCH: u8 = 0b1000_0000;
    /// Read back the status of channel 2 (Intel, "8254 Programmable Interval Timer", section "Read-Back Command"): the low
    /// six bits are those of its mode.
    const READ_BACK: u8 = 0b1110_1000;
    const MODE_MASK: u8 = 0b0011_1111;

    /// Starts the count; `None` if there is no PIT. Then nothing is read there again: a VMM may take long for each port
    /// that no device answers, or log it.
    fn start() -> Option<Self> {
        // SAFETY: port 61H and the PIT's are the PC's own; nothing else in this kernel uses them.
        let control = unsafe { port::read_u8(Self::SYSTEM_CONTROL) } & !Self::GATE_MASK | Self::GATE;
        // SAFETY: as above.
        unsafe { port::write_u8(Self::SYSTEM_CONTROL, control) };
        // SAFETY: as above.
        unsafe { port::write_u8(Self::COMMAND, Self::MODE) };
        // SAFETY: as above.
        unsafe { port::write_u8(Self::CHANNEL_2, 0xff) };
        // SAFETY: as above.
        unsafe { port::write_u8(Self::CHANNEL_2, 0xff) };
        // SAFETY: as above.
        unsafe { port::write_u8(Self::COMMAND, Self::READ_BACK) };
        // SAFETY: as above.
        let status = unsafe { port::read_u8(Self::CHANNEL_2) };
        // Some emulations of a PIT do not read back, and some machines have no port 61H.
        // SAFETY: as above.
        let gate = unsafe { port::read_u8(Self::SYSTEM_CONTROL) };
        Self::answers(status, gate).then_some(Self)
    }

    /// Whether there is a PIT, by its status, and by what port 61H reads after its gate was opened. Without a device, all
    /// ones are read; or, in a VMM that leaves the answer as it is, the byte that was written last.
    const fn answers(status: u8, control: u8) -> bool {
        status & Self::MODE_MASK == Self::MODE & Self::MODE_MASK || control & Self::GATE_MASK == Self::GATE
    }
}

impl Counter for Pit {
    fn source(&self) -> TscSource {
        TscSource::Pit
    }

    fn hz(&self) -> u64 {
        1_193_182
    }

    fn now(&self) -> u64 {
        // SAFETY: as in `start`.
        unsafe { port::write_u8(Self::COMMAND, Self::LATCH) };
        // SAFETY: as in `start`.
        let low = unsafe { port::read_u8(Self::CHANNEL_2) };
        // SAFETY: as in `start`.
        let high = unsafe { port::read_u8(Self::CHANNEL_2) };
        u64::from(!u16::from_le_bytes([low, high]))
    }

    fn mask(&self) -> u64 {
        0xffff
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pit_is_what_keeps_its_mode_or_its_gate() {
        // Null count or not, output high or not; port 61H with its read-only bits.
        assert!(Pit::answers(0x70, 0x21) && Pit::answers(0xb0, 0xff));
        assert!(Pit::answers(0xff, 0x31) && Pit::answers(0x12, 0xf1));
        // No device: all ones, all zeros, the last byte written.
        assert!(!Pit::answers(0xff, 0xff) && !Pit::answers(0x00, 0x00));
        assert!(!Pit::answers(Pit::READ_BACK, Pit::READ_BACK));
    }
}
