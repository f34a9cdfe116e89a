//! `assay dev bench`: what this project promises of itself, as figures that can be driven down.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, anyhow};
use clap::Args;
use host::CancelToken;
use host_parser::gate::{ExpectedCase, Gate, HostEvidence, Measurement, RunExpectation, Verdict};
use host_parser::manifest::Manifest;
use host_parser::results::Conclusion;
use host_parser::transcript::Transcript;
use lab::guest::{self, Booted};
use lab::{Coded, Exit, GuestEnv, OrExit, console, image_tool};
use qemu::{Accelerator, AcceleratorChoice, GuestRun};

use crate::options::GuestArgs;

/// What the stripped kernel may have.
const KERNEL_LIMIT_BYTES: u64 = 300 * 1024;
/// What the ISO may have.
const ISO_LIMIT_BYTES: u64 = 8 << 20;
/// Machines on which the start of all CPUs is timed: whether each further one costs as much as the one before.
const MANY_CPUS: [u16; 3] = [16, 64, 255];
/// What all CPUs of the largest may take, by the guest's clock.
const MANY_CPUS_LIMIT_MS: u64 = 2000;
/// How often a guest is booted that the host disturbed.
const ATTEMPTS: u32 = 3;
/// What the four-CPU run is given.
const SMALL_MEMORY_MIB: u32 = 64;

/// `assay dev bench`.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Manifest of the experiment whose boot is measured
    #[arg(default_value = "manifests/smp-process-scale.toml")]
    pub manifest: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
}

/// Measures and prints.
///
/// # Errors
/// A guest that cannot be run, or whose run does not pass.
pub fn run(args: &BenchArgs) -> Result<Exit, Coded> {
    let manifest = Manifest::load(&args.manifest).or_exit(Exit::BadInput)?;
    let lab = args.guest.env(&manifest)?;
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    let bench = Bench { manifest, lab, cancel };
    let mut promises = bench.size(args)?;
    bench.instructions()?;
    bench.phases()?;
    bench.small_memory()?;
    promises.extend(bench.many_cpus()?);
    let broken: Vec<String> = promises.iter().filter_map(Promise::broken).collect();
    if broken.is_empty() {
        return Ok(Exit::Holds);
    }
    console::answer(&format!("\nnot as promised: {}\n", broken.join("; ")))?;
    Ok(Exit::DoesNotHold)
}

/// A figure with the most that it may be.
struct Promise {
    of: String,
    found: u64,
    at_most: u64,
    unit: &'static str,
}

impl Promise {
    /// What is wrong, where it is more.
    fn broken(&self) -> Option<String> {
        let Self { of, found, at_most, unit } = self;
        (found > at_most).then(|| format!("{of} {found} {unit}, {} more than {at_most}", found - at_most))
    }
}

struct Bench {
    manifest: Manifest,
    lab: GuestEnv,
    cancel: CancelToken,
}

impl Bench {
    fn size(&self, args: &BenchArgs) -> Result<Vec<Promise>, Coded> {
        let bytes = std::fs::metadata(&args.guest.built.kernel)
            .with_context(|| args.guest.built.kernel.display().to_string())
            .or_exit(Exit::Environment)?
            .len();
        console::answer(&format!(
            "kernel, stripped: {bytes} bytes (at most {KERNEL_LIMIT_BYTES})\nworker {}: {} bytes\n",
            self.manifest.program(),
            self.lab.blob.bytes().len(),
        ))?;
        let size = |of: &str, found, at_most| Promise { of: of.to_owned(), found, at_most, unit: "bytes" };
        let mut promises = vec![size("kernel", bytes, KERNEL_LIMIT_BYTES)];
        if args.guest.built.image_tool.is_file() {
            let iso_bytes = self.iso_bytes(args)?;
            console::answer(&format!("ISO: {iso_bytes} bytes (at most {ISO_LIMIT_BYTES})\n\n"))?;
            promises.push(size("ISO", iso_bytes, ISO_LIMIT_BYTES));
        } else {
            console::answer(&format!(
                "ISO: not measured without the image tool; {}\n\n",
                image_tool::HOW_TO_BUILD
            ))?;
        }
        Ok(promises)
    }

    fn iso_bytes(&self, args: &BenchArgs) -> Result<u64, Coded> {
        let folder = tempfile::tempdir().context("a folder for the ISO").or_exit(Exit::Output)?;
        let image = self.lab.image(&self.manifest, &[1], folder.path())?;
        image.archive.build()?;
        let iso = folder.path().join("assay.iso");
        let mut tool = Command::new(&args.guest.built.image_tool);
        tool.arg("--kernel").arg(&args.guest.built.kernel).arg("--ramdisk").arg(&image.archive.path);
        image_tool::run(tool.arg("--iso").arg(&iso), &[&iso], &self.cancel)?;
        Ok(std::fs::metadata(&iso).or_exit(Exit::Environment)?.len())
    }

    /// Instructions are the same on every machine: under -icount shift=0 the TSC counts one for each.
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
        let accelerator = self.lab.accelerator.accelerator;
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

    /// From the first INIT on: the delays that the manuals ask for are in it, and are the same for any number.
    fn many_cpus(&self) -> Result<Vec<Promise>, Coded> {
        let mut promises = Vec::new();
        for vcpus in MANY_CPUS {
            let (measured, _) = self.boot(1, vcpus, None, None)?;
            let khz = measured.clock().tsc.as_ref().map_or(1, |tsc| tsc.khz);
            let aps = measured.phases().iter().find(|phase| phase.name.as_str() == "aps");
            let cycles = aps.context("no phase `aps` in the log").or_exit(Exit::Failed)?.cycles;
            let (ms, us_each) = (cycles / khz, cycles * 1000 / khz / u64::from(vcpus - 1));
            console::answer(&format!(
                "{vcpus} CPUs: all online in {ms} ms (at most {MANY_CPUS_LIMIT_MS}), {us_each} us each\n"
            ))?;
            let of = format!("{vcpus} CPUs online");
            promises.push(Promise { of, found: ms, at_most: MANY_CPUS_LIMIT_MS, unit: "ms" });
        }
        Ok(promises)
    }

    /// Boots one case on a machine of so many CPUs and has it judged; again where the host disturbed it.
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
                    console::note(&format!("assay: {vcpus} CPUs: {reason}; once more"));
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
        let image = self.lab.image(&self.manifest, &[case], folder.path())?;
        image.build(&self.cancel)?;
        let mut machine = self.lab.machine(&self.manifest, vcpus);
        machine.memory_mib = memory_mib.unwrap_or(machine.memory_mib);
        machine.icount_shift = icount;
        let log = folder.path().join("serial.log");
        let forced = AcceleratorChoice::forced(Accelerator::Tcg, "-icount");
        let accelerator = icount.map(|_| forced);
        let Booted { run, .. } = guest::boot(
            &self.lab,
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
        // So that more vCPUs than cores are known to be that: somebody waits by nature then.
        let (vcpus, host_cpus) = (Some(vcpus), Some(self.lab.host_cores()));
        let evidence = HostEvidence { vcpus, host_cpus, ..HostEvidence::default() };
        let verdict = Gate::default().judge(&Transcript::read(&bytes), &expectation, &evidence);
        Ok((verdict, run))
    }
}

/// The steps of a boot, a line each, and their sum.
fn phases(measured: &Measurement, format: impl Fn(u64) -> String) -> String {
    let line = |name: &str, cycles: u64| format!("  {name:<14}{}\n", format(cycles));
    let lines = measured.phases().iter().map(|phase| line(phase.name.as_str(), phase.cycles));
    let total = measured.phases().iter().map(|phase| phase.cycles).sum();
    lines.collect::<String>() + &line("in all", total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_broken_past_its_limit_and_not_at_it() {
        let told = |found| Promise { of: "kernel".to_owned(), found, at_most: 300, unit: "bytes" }.broken();
        assert_eq!((told(299), told(300)), (None, None));
        assert_eq!(told(304).as_deref(), Some("kernel 304 bytes, 4 more than 300"));
    }
}
