//! Boots a guest of the kernel under KVM on any machine, and reads its records.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use abi::exit::GuestExit;
use abi::wire::Record;
use abi::wire::record::{Features, Gap, Machine, Phase, Tsc, TscReading, TscSource};
use anyhow::{Context, Result, bail, ensure};
use evidence::gate::{Ended, ExpectedCase, Gate, HostEvidence, ReasonCode, RunExpectation};
use evidence::transcript::Transcript;
use experiment::manifest::Manifest;
use experiment::plan::{PlanBytes, PlanOptions, WorkerBlob, ramdisk};
use host::CancelToken;
use qemu::{
    Accelerator, AcceleratorChoice, BootMedium, Firmware, GuestEvent, GuestSpec, MachineSpec, Outcome, Qemu,
    UefiFirmware, Vga,
};
use tempfile::TempDir;

/// A guest in L1 takes 2 s, and ten beside other work.
const DEADLINE: Duration = Duration::from_secs(60);
/// Attempts at a guest that the host disturbs.
const TRIES: usize = 10;

/// How a guest's kernel is started.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// By QEMU itself.
    Direct,
    /// From a disk, by QEMU's BIOS.
    Bios,
    /// From a disk, by OVMF.
    Uefi,
}

/// A guest that ran its plan and whose log the gate has passed.
pub struct Boot {
    records: Vec<Record>,
    text: String,
}

/// The experiment of the boots: the shipped one with a tenth of its work, so that a boot takes a second or two.
const SMALL: &str = "host-parser/tests/manifests/small.toml";

/// Boots the small experiment with a worker on each of `cpus` CPUs, after `change` has changed the machine, until the
/// host does not disturb it.
///
/// # Errors
/// The guest did not run its plan to its end, or the gate refuses its log for a reason that is not a disturbance.
pub fn boot(start: Start, cpus: u16, change: impl Fn(&mut MachineSpec)) -> Result<Boot> {
    let mut disturbed = String::new();
    for _ in 0..TRIES {
        match attempt(start, cpus, &change)? {
            Ok(boot) => return Ok(boot),
            Err(why) => disturbed = why,
        }
    }
    bail!("the host disturbed each of {TRIES} tries; the last: {disturbed}")
}

/// One boot; the inner error is a disturbance by the host.
fn attempt(start: Start, cpus: u16, change: &impl Fn(&mut MachineSpec)) -> Result<Result<Boot, String>> {
    let manifest = Manifest::load(Path::new(SMALL))?;
    let ran = run(&manifest, start, cpus, change, &mut |_| {})?;
    let expectation = RunExpectation {
        plan: Some(ran.plan.digest()),
        challenge: Some(0),
        cases: Some(vec![ExpectedCase { case: cpus, iterations: 1 }]),
        cpus: Some(cpus),
        blob: Some(ran.worker.sha256()),
        ..RunExpectation::default()
    };
    // One host CPU makes the run functional-only: whether the CPUs ran at the same time does not matter here.
    let evidence = HostEvidence {
        ended: Ended::DebugExit { value: GuestExit::Success.value() },
        vcpus: Some(cpus),
        host_cpus: Some(1),
        ..HostEvidence::default()
    };
    let (transcript, text) = (Transcript::read(&ran.log), ran.text());
    let verdict = Gate::default().judge(&transcript, &expectation, &evidence);
    if let Some((reason, detail)) = verdict.outcome.refusal() {
        // Nothing in L1 sees what happens to L1's own CPUs: there a stop of the whole guest has no witness.
        let is_disturbance = reason.is_a_disturbance() || reason == ReasonCode::TimeMissing;
        ensure!(is_disturbance, "{}: {detail}\n{text}", reason.code());
        return Ok(Err(format!("{}: {detail}", reason.code())));
    }
    let [boot] = transcript.boots.as_slice() else { bail!("not one boot\n{text}") };
    let records = boot.records.iter().map(|located| located.envelope.record).collect();
    Ok(Ok(Boot { records, text }))
}

/// A guest that ran to its end, whatever the gate says of its log.
pub struct Ran {
    /// The plan.
    pub plan: PlanBytes,
    /// The worker.
    pub worker: WorkerBlob,
    /// All that it printed.
    pub log: Vec<u8>,
}

impl Ran {
    /// The log, with `%20` as spaces.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.log).replace("%20", " ")
    }
}

/// Boots an experiment once, with a worker on each of `cpus` CPUs, after `change` has changed the machine.
///
/// # Errors
/// The guest did not run its plan to its end.
pub fn run(
    manifest: &Manifest,
    start: Start,
    cpus: u16,
    change: &impl Fn(&mut MachineSpec),
    progress: &mut dyn FnMut(GuestEvent<'_>),
) -> Result<Ran> {
    let folder = tempfile::tempdir()?;
    let mut machine = MachineSpec::q35(u32::from(cpus), 128);
    match start {
        Start::Direct => machine.vga = Vga::None,
        Start::Bios => {}
        Start::Uefi => machine.firmware = Firmware::Uefi(UefiFirmware::find(None)?),
    }
    change(&mut machine);
    let worker = WorkerBlob::of_manifest(Path::new("target/release"), manifest)?;
    let plan = PlanBytes::new(manifest, &worker, &[cpus], PlanOptions::default())?;
    let spec = GuestSpec {
        vmm: Qemu::find(None)?.into(),
        accelerator: AcceleratorChoice::forced(Accelerator::Kvm, "this test"),
        machine,
        boot: medium(start, &ramdisk(&plan, &[&worker]), &folder)?,
        host_cpus: None,
        deadline: DEADLINE,
        serial_log: folder.path().join("serial.log"),
        first_record: None,
        delete_after: None,
        serial_limit_bytes: GuestSpec::SERIAL_LIMIT_BYTES,
    };
    let run = qemu::run(&spec, &CancelToken::new()?, progress)?;
    let ran = Ran { plan, worker, log: fs::read(&spec.serial_log)? };
    let success = Outcome::DebugExit { value: GuestExit::Success.value() };
    ensure!(run.outcome == success, "{:?}, {}\n{}", run.outcome, run.command, ran.text());
    Ok(ran)
}

fn medium(start: Start, ramdisk: &[u8], folder: &TempDir) -> Result<BootMedium> {
    let (initrd, path) = (folder.path().join("ramdisk.tar"), folder.path().join("disk.img"));
    fs::write(&initrd, ramdisk)?;
    let kernel = PathBuf::from("target/kernel/assay-kernel");
    let option = match start {
        Start::Direct => {
            return Ok(BootMedium::Kernel { kernel, initrd: Some(initrd), append: String::new() });
        }
        Start::Bios => "--bios",
        Start::Uefi => "--uefi",
    };
    let mut tool = Command::new("target/release/assay-image");
    tool.arg("--kernel").arg(kernel).arg("--ramdisk").arg(initrd).arg(option).arg(&path);
    let output = tool.output().context("target/release/assay-image, which `make image-tool` builds")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(BootMedium::Disk { path })
}

/// The first record of a kind, by its variant.
macro_rules! first {
    ($boot:expr, $kind:ident) => {
        $boot
            .records
            .iter()
            .find_map(|record| match record {
                Record::$kind(record) => Some(record),
                _ => None,
            })
            .with_context(|| format!("no {} record\n{}", stringify!($kind), $boot.text))
    };
}

impl Boot {
    /// The machine.
    pub fn machine(&self) -> Result<&Machine> {
        first!(self, Machine)
    }

    /// The features.
    pub fn features(&self) -> Result<&Features> {
        first!(self, Features)
    }

    /// The TSC in use.
    pub fn tsc(&self) -> Result<&Tsc> {
        first!(self, Tsc)
    }

    /// The frequency by this source; `None` without a reading of it.
    pub fn khz_by(&self, source: TscSource) -> Option<u64> {
        self.records.iter().find_map(|record| match record {
            Record::TscReading(TscReading { source: of, khz }) if *of == source => Some(*khz),
            _ => None,
        })
    }

    /// The length of a phase of the boot, in seconds.
    pub fn phase_seconds(&self, name: &str) -> Result<f64> {
        let cycles = self.records.iter().find_map(|record| match record {
            Record::Phase(Phase { name: of, cycles }) if of.as_str() == name => Some(*cycles),
            _ => None,
        });
        let cycles = cycles.with_context(|| format!("no phase {name}\n{}", self.text))?;
        #[expect(clippy::cast_precision_loss, reason = "for a message and a limit of a second")]
        Ok(cycles as f64 / (self.tsc()?.khz as f64 * 1e3))
    }

    /// The steal time of each worker's CPU, in ns; an error if one is not reported.
    pub fn steal_ns(&self) -> Result<Vec<u64>> {
        let gaps = self.records.iter().filter_map(|record| match record {
            Record::Gap(Gap { cpu, steal_ns, .. }) => Some((cpu, steal_ns)),
            _ => None,
        });
        let steal =
            gaps.map(|(cpu, ns)| ns.with_context(|| format!("no steal time of CPU {cpu}\n{}", self.text)));
        let steal = steal.collect::<Result<Vec<u64>>>()?;
        ensure!(!steal.is_empty(), "no gap record\n{}", self.text);
        Ok(steal)
    }

    /// The whole log, with `%20` as spaces.
    pub fn text(&self) -> &str {
        &self.text
    }
}
