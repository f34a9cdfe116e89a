//! `assay dev bench`: measures size, memory and boot time of the instrument, and checks the figures that have a limit.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, anyhow};
use clap::Args;
use evidence::gate::{ExpectedCase, Gate, HostEvidence, Measurement, RunExpectation, Verdict};
use evidence::transcript::Transcript;
use experiment::manifest::Manifest;
use host::CancelToken;
use lab::guest::{self, Booted};
use lab::{Coded, Exit, GuestEnv, OrExit, Places, console, image_tool};
use qemu::{Accelerator, AcceleratorChoice, GuestRun};
use results::Conclusion;

use crate::options::GuestArgs;

/// Largest size of the stripped kernel: what it may have when everything planned is in it.
const KERNEL_LIMIT_BYTES: u64 = 420 * 1024;
/// Largest size of the ISO.
const ISO_LIMIT_BYTES: u64 = 8 << 20;
/// Sizes of the machines on which the start of all CPUs is timed, to see whether it grows in proportion.
const MANY_CPUS: [u16; 3] = [16, 64, 255];
/// Longest time to start all CPUs of one of these machines, by the guest's clock.
const MANY_CPUS_LIMIT_MS: u64 = 2000;
/// Attempts to boot a guest that the host disturbs.
const ATTEMPTS: u32 = 3;
/// Memory of the four-CPU run.
const SMALL_MEMORY_MIB: u32 = 64;

/// `assay dev bench`.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Manifest of the experiment whose boot is measured
    #[arg(default_value_os_t = Places::here().in_manifests("smp-process-scale.toml"))]
    pub manifest: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
}

/// Makes all measurements and prints the figures.
///
/// # Errors
/// A guest cannot be run, or its run does not pass.
pub fn run(args: &BenchArgs) -> Result<Exit, Coded> {
    let manifest = Manifest::load(&Places::here().manifest(&args.manifest)).or_exit(Exit::BadInput)?;
    let env = args.guest.env(&manifest)?;
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    let bench = Bench { manifest, env, cancel };
    let mut figures = bench.size(args)?;
    bench.instructions()?;
    bench.phases()?;
    bench.small_memory()?;
    figures.extend(bench.many_cpus()?);
    let excesses: Vec<String> = figures.iter().filter_map(Figure::excess).collect();
    if excesses.is_empty() {
        return Ok(Exit::Holds);
    }
    console::answer(&format!("\nabove the limit: {}\n", excesses.join("; ")))?;
    Ok(Exit::DoesNotHold)
}

/// A measured figure with its limit.
struct Figure {
    name: String,
    value: u64,
    limit: u64,
    unit: &'static str,
}

impl Figure {
    /// By how much the figure is above its limit, as text.
    fn excess(&self) -> Option<String> {
        let Self { name, value, limit, unit } = self;
        (value > limit).then(|| format!("{name} {value} {unit}, {} more than {limit}", value - limit))
    }

    fn of_size(name: &str, value: u64, limit: u64) -> Self {
        Self { name: name.to_owned(), value, limit, unit: "bytes" }
    }
}

struct Bench {
    manifest: Manifest,
    env: GuestEnv,
    cancel: CancelToken,
}

impl Bench {
    fn size(&self, args: &BenchArgs) -> Result<Vec<Figure>, Coded> {
        let bytes = std::fs::metadata(&args.guest.built.kernel)
            .with_context(|| args.guest.built.kernel.display().to_string())
            .or_exit(Exit::Environment)?
            .len();
        console::answer(&format!(
            "kernel, stripped: {bytes} bytes (at most {KERNEL_LIMIT_BYTES})\nworker {}: {} bytes\n",
            self.manifest.program(),
            self.env.blob.bytes().len(),
        ))?;
        let mut figures = vec![Figure::of_size("kernel", bytes, KERNEL_LIMIT_BYTES)];
        if args.guest.built.image_tool.is_file() {
            let iso_bytes = self.iso_bytes(args)?;
            console::answer(&format!("ISO: {iso_bytes} bytes (at most {ISO_LIMIT_BYTES})\n\n"))?;
            figures.push(Figure::of_size("ISO", iso_bytes, ISO_LIMIT_BYTES));
        } else {
            console::answer(&format!(
                "ISO: not measured without the image tool; {}\n\n",
                image_tool::HOW_TO_BUILD
            ))?;
        }
        Ok(figures)
    }

    fn iso_bytes(&self, args: &BenchArgs) -> Result<u64, Coded> {
        let folder = tempfile::tempdir().context("a folder for the ISO").or_exit(Exit::Output)?;
        let image = self.env.image(&self.manifest, &[1], folder.path())?;
        image.archive.build()?;
        let iso = folder.path().join("assay.iso");
        let mut tool = Command::new(&args.guest.built.image_tool);
        tool.arg("--kernel").arg(&args.guest.built.kernel).arg("--ramdisk").arg(&image.archive.path);
        image_tool::run(tool.arg("--iso").arg(&iso), &[&iso], &self.cancel)?;
        Ok(std::fs::metadata(&iso).or_exit(Exit::Environment)?.len())
    }

    /// Counts instructions, which are the same on every host: under -icount shift=0 the TSC counts one for each.
    fn instructions(&self) -> Result<(), Coded> {
        let (measured, _) = self.boot(1, 1, None, Some(0))?;
        let steps = phases(&measured, |cycles| format!("{cycles:>14}"));
        let what = "1 CPU under -icount shift=0, instructions from the kernel's first to the worker's first";
        console::answer(&format!("{what}:\n{steps}\n"))
    }

    fn phases(&self) -> Result<(), Coded> {
        let (measured, run) = self.boot(1, 1, None, None)?;
        let khz = measured.clock().tsc.as_ref().map_or(1, |tsc| tsc.khz);
        let steps =
            phases(&measured, |cycles| format!("{:>10}.{:03}", cycles / khz, cycles % khz * 1000 / khz));
        let accelerator = self.env.accelerator.accelerator;
        let mut text = format!("1 CPU under {accelerator}, milliseconds by TSC, the same steps:\n{steps}\n");
        if let Some(us) = run.timeline.first_serial_us {
            text += &format!("QEMU's start to the first byte on the serial port: {} ms\n", us / 1000);
        }
        text += &format!("QEMU's start to its end: {} ms\n\n", run.timeline.exit_us / 1000);
        console::answer(&text)
    }

    fn small_memory(&self) -> Result<(), Coded> {
        let (measured, _) = self.boot(4, 4, Some(SMALL_MEMORY_MIB), None)?;
        let usable = measured.machine().usable_bytes >> 10;
        console::answer(&format!(
            "4 CPUs in {SMALL_MEMORY_MIB} MiB: passed, {usable} KiB usable by the kernel\n"
        ))
    }

    /// Times the start of all CPUs, from the first INIT on. That includes the delays that the manuals require, which do
    /// not depend on the number of CPUs.
    fn many_cpus(&self) -> Result<Vec<Figure>, Coded> {
        let mut figures = Vec::new();
        for vcpus in MANY_CPUS {
            let (measured, _) = self.boot(1, vcpus, None, None)?;
            let khz = measured.clock().tsc.as_ref().map_or(1, |tsc| tsc.khz);
            let aps = measured.phases().iter().find(|phase| phase.name.as_str() == "aps");
            let cycles = aps.context("no phase `aps` in the log").or_exit(Exit::Failed)?.cycles;
            let (ms, us_each) = (cycles / khz, cycles * 1000 / khz / u64::from(vcpus - 1));
            console::answer(&format!(
                "{vcpus} CPUs: all online in {ms} ms (at most {MANY_CPUS_LIMIT_MS}), {us_each} us each\n"
            ))?;
            let name = format!("{vcpus} CPUs online");
            figures.push(Figure { name, value: ms, limit: MANY_CPUS_LIMIT_MS, unit: "ms" });
        }
        Ok(figures)
    }

    /// Boots one case on a machine of `vcpus` CPUs and judges the run. If the host disturbed it, tries again.
    fn boot(
        &self,
        case: u16,
        vcpus: u16,
        memory_mib: Option<u32>,
        icount: Option<u8>,
    ) -> Result<(Measurement, GuestRun), Coded> {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let (verdict, run) = self.attempt(case, vcpus, memory_mib, icount)?;
            match (verdict.outcome.measurement(), verdict.outcome.refusal()) {
                (Some(measured), _) => return Ok((measured.clone(), run)),
                (None, Some((reason, _))) if reason.is_the_hosts() && left > 0 => {
                    console::note(&format!("assay: {vcpus} CPUs: {reason}; trying again"));
                }
                (None, Some((reason, detail))) => {
                    return Err(anyhow!("{vcpus} CPUs: {reason}: {detail}"))
                        .or_exit(Exit::of(Conclusion::Refused(reason)));
                }
                (None, None) => return Err(anyhow!("{vcpus} CPUs: no measurement")).or_exit(Exit::Failed),
            }
        }
    }

    fn attempt(
        &self,
        case: u16,
        vcpus: u16,
        memory_mib: Option<u32>,
        icount: Option<u8>,
    ) -> Result<(Verdict<Measurement>, GuestRun), Coded> {
        let folder = tempfile::tempdir().context("a folder for images and logs").or_exit(Exit::Output)?;
        let image = self.env.image(&self.manifest, &[case], folder.path())?;
        image.build(&self.cancel)?;
        let mut machine = self.env.machine(&self.manifest, vcpus);
        machine.memory_mib = memory_mib.unwrap_or(machine.memory_mib);
        machine.icount_shift = icount;
        if icount.is_some() && self.env.accelerator.accelerator == Accelerator::Kvm {
            // KVM's models need not exist under TCG, which counts instructions.
            machine.cpu_model = None;
        }
        let log = folder.path().join("serial.log");
        let forced = AcceleratorChoice::forced(Accelerator::Tcg, "-icount");
        let accelerator = icount.map(|_| forced);
        let Booted { run, .. } = guest::boot(
            &self.env,
            &self.manifest,
            machine,
            accelerator,
            &image,
            &log,
            &self.cancel,
            &mut || (),
        )?;
        let bytes = std::fs::read(&log).or_exit(Exit::Output)?;
        let expectation = RunExpectation {
            plan: Some(image.plan.digest()),
            cases: Some(vec![ExpectedCase { case, iterations: self.manifest.iterations() }]),
            ..RunExpectation::default()
        };
        // With more vCPUs than cores, some vCPU always waits: the gate must know both numbers.
        let (vcpus, host_cpus) = (Some(vcpus), Some(self.env.host_cores()));
        let evidence = HostEvidence { vcpus, host_cpus, ..HostEvidence::default() };
        let verdict = Gate::default().judge(&Transcript::read(&bytes), &expectation, &evidence);
        Ok((verdict, run))
    }
}

/// The steps of a boot, one a line, and their sum.
fn phases(measured: &Measurement, format: impl Fn(u64) -> String) -> String {
    let total = measured.phases().iter().map(|phase| phase.cycles).sum();
    let steps = measured.phases().iter().map(|phase| (phase.name.as_str(), phase.cycles));
    let lines = steps.chain([("in all", total)]);
    lines.map(|(name, cycles)| format!("  {name:<14}{}\n", format(cycles))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_may_reach_its_limit_but_not_exceed_it() {
        let excess = |value| Figure::of_size("kernel", value, 300).excess();
        assert_eq!((excess(299), excess(300)), (None, None));
        assert_eq!(excess(304).as_deref(), Some("kernel 304 bytes, 4 more than 300"));
    }
}
