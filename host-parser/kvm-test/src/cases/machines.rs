//! Machines that only KVM has.

use abi::wire::record::{ApicMode, TscSource};
use anyhow::{Result, ensure};
use qemu::CpuShape;

use super::Done;
use super::boots::SPREAD_PPM;
use super::clocks::describe;
use crate::guest::{Start, boot};

/// A profile for Windows, as libvirt and Proxmox make it: KVM's own leaves are behind Hyper-V's.
pub fn hyper_v() -> Result<Done> {
    let model =
        "host,migratable=off,hv-relaxed,hv-vapic,hv-spinlocks=0x1fff,hv-time,hv-vpindex,hv-frequencies";
    let boot = boot(Start::Direct, 2, |machine| machine.cpu_model = Some(model.to_owned()))?;
    let (hypervisor, tsc) = (boot.machine()?.hypervisor.to_string(), boot.tsc()?);
    ensure!(boot.khz_by(TscSource::Kvmclock).is_some(), "no kvmclock\n{}", boot.text());
    ensure!(tsc.spread_ppm < SPREAD_PPM, "spread {} ppm\n{}", tsc.spread_ppm, boot.text());
    boot.steal_ns()?;
    Ok(Done::Passed(format!("hypervisor {hypervisor:?}; {}", describe(tsc))))
}

/// The longest time for the clock's phase on a machine with no PIT, PIC or RTC. A wait that is bounded by a number of
/// reads took 65 s there in L1, where each read is an exit to QEMU.
const CLOCK_SECONDS: f64 = 1.0;

/// A machine without PIT, PIC, RTC, HPET and PM timer: kvmclock is the only clock, and is found soon.
pub fn microvm_without_timers() -> Result<Done> {
    let boot = boot(Start::Direct, 2, |machine| {
        machine.machine_type = "microvm,x-option-roms=off,pit=off,pic=off,rtc=off".to_owned();
    })?;
    let seconds = boot.phase_seconds("clock")?;
    ensure!(seconds < CLOCK_SECONDS, "the clock's phase took {seconds:.1} s\n{}", boot.text());
    Ok(Done::Passed(format!("clock phase {seconds:.2} s; {}", describe(boot.tsc()?))))
}

/// The APIC id of the second CPU: more than 8 bits.
const FAR: u32 = 270;

/// A CPU whose APIC id needs x2APIC mode, which KVM emulates whether its host's CPUs have it or not.
pub fn x2apic() -> Result<Done> {
    let boot = boot(Start::Direct, 2, |machine| {
        machine.vcpus = 1;
        machine.shape = Some(CpuShape { sockets: FAR + 1, cores: 1, threads: 1 });
        let far = format!("host-x86_64-cpu,socket-id={FAR},core-id=0,thread-id=0");
        machine.extra_args.extend(["-device".to_owned(), far]);
    })?;
    ensure!(boot.features()?.apic == ApicMode::X2apic, "no x2APIC mode\n{}", boot.text());
    let online = format!(" apic={FAR} state=online ");
    ensure!(boot.text().contains(&online), "no{online}\n{}", boot.text());
    Ok(Done::Passed(format!("APIC id {FAR} online in x2APIC mode")))
}

/// The I/O APIC in QEMU, the local ones in KVM.
pub fn split_irqchip() -> Result<Done> {
    let boot =
        boot(Start::Direct, 2, |machine| machine.machine_type = "q35,kernel-irqchip=split".to_owned())?;
    Ok(Done::Passed(describe(boot.tsc()?)))
}

/// A model by its name instead of the host's own CPU.
pub fn named_model() -> Result<Done> {
    let boot = boot(Start::Direct, 2, |machine| machine.cpu_model = Some("qemu64".to_owned()))?;
    let features = boot.features()?;
    ensure!(!features.smep && !features.umip, "features that qemu64 does not have\n{}", boot.text());
    Ok(Done::Passed(describe(boot.tsc()?)))
}
