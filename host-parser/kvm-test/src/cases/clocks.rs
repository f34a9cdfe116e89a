//! The sources of the TSC's frequency under KVM.

use abi::wire::record::{Tsc, TscSource};
use anyhow::{Context, Result, ensure};

use super::Done;
use super::boots::SPREAD_PPM;
use crate::guest::{Boot, Start, boot};

/// The sources that count by an oscillator: they need no word of the hypervisor's.
const MEASURED: [TscSource; 3] = [TscSource::Hpet, TscSource::PmTimer, TscSource::Pit];

/// The TSC in use, in words.
pub fn describe(tsc: &Tsc) -> String {
    let Tsc { source, khz, sources, spread_ppm } = tsc;
    format!("{khz} kHz by {}, {sources} sources, spread {spread_ppm} ppm", source.word())
}

/// kvmclock's frequency against those that were measured.
pub fn kvmclock() -> Result<Done> {
    let boot = boot(Start::Direct, 1, |_| {})?;
    agrees(&boot, TscSource::Kvmclock)
}

/// Leaf 4000_0010H, which a guest has if it is given a frequency. It is given the host's own.
pub fn frequency_leaf() -> Result<Done> {
    let khz = boot(Start::Direct, 1, |_| {})?.khz_by(TscSource::Kvmclock).context("no kvmclock")?;
    let model = format!("host,migratable=off,tsc-frequency={}", khz * 1_000);
    let boot = boot(Start::Direct, 1, move |machine| machine.cpu_model = Some(model.clone()))?;
    agrees(&boot, TscSource::Hypervisor)
}

fn agrees(boot: &Boot, source: TscSource) -> Result<Done> {
    let name = source.word();
    let said = boot.khz_by(source).with_context(|| format!("no reading of {name}\n{}", boot.text()))?;
    let mut seen = format!("{name} {said} kHz");
    let mut compared = 0;
    for other in MEASURED {
        let Some(measured) = boot.khz_by(other) else { continue };
        let ppm = said.abs_diff(measured) * 1_000_000 / said;
        ensure!(ppm < u64::from(SPREAD_PPM), "{name} {said} kHz, {} {measured}: {ppm} ppm", other.word());
        seen += &format!(", {} {ppm} ppm", other.word());
        compared += 1;
    }
    ensure!(compared > 0, "nothing to compare {name} with\n{}", boot.text());
    Ok(Done::Passed(seen))
}

/// Without kvmclock, the kernel measures by a clock of the machine.
pub fn no_kvmclock() -> Result<Done> {
    let model = "host,kvmclock=off,kvm-steal-time=off";
    let boot = boot(Start::Direct, 1, |machine| machine.cpu_model = Some(model.to_owned()))?;
    ensure!(boot.khz_by(TscSource::Kvmclock).is_none(), "kvmclock is still there\n{}", boot.text());
    ensure!(boot.steal_ns().is_err(), "steal is reported without an MSR for it\n{}", boot.text());
    Ok(Done::Passed(describe(boot.tsc()?)))
}
