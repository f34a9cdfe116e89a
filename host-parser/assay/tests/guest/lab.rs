//! Boots guests with any ramdisk on any machine, without the `assay` command.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use abi::exit::GuestExit;
use abi::wire::{Record, decode};
use evidence::gate::{Ended, ExpectedCase, Gate, HostEvidence, Measurement, RunExpectation, Verdict};
use evidence::transcript::Transcript;
use experiment::manifest::Manifest;
use experiment::plan::{PlanBytes, PlanOptions, WorkerBlob, ramdisk};
use host::CancelToken;
use qemu::{
    Accelerator, AcceleratorChoice, BootMedium, Deletion, Firmware, GuestEvent, GuestRun, GuestSpec,
    MachineSpec, Outcome, Qemu, UefiFirmware, Vga,
};
use tempfile::TempDir;

use crate::assay::workspace;

/// A guest that has not ended by then hangs. The slowest needs a tenth of this.
const DEADLINE: Duration = Duration::from_secs(60);

/// Attempts at a guest that the host disturbs, before its test fails.
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

/// A guest that has ended.
pub struct Over {
    pub run: GuestRun,
    pub log: Vec<u8>,
}

/// The shipped experiment.
pub fn experiment() -> Manifest {
    Manifest::load(&workspace().join("manifests/smp-process-scale.toml")).unwrap()
}

/// The built worker with this name.
pub fn worker(name: &str) -> WorkerBlob {
    WorkerBlob::load(&workspace().join("target/release"), name).expect("`make build` has been run")
}

/// The shipped experiment's plan for one boot of these cases.
pub fn plan(cases: &[u16]) -> PlanBytes {
    PlanBytes::new(&experiment(), &worker("primes"), cases, PlanOptions::default()).unwrap()
}

/// A ramdisk with that plan and its worker.
pub fn good_ramdisk(cases: &[u16]) -> Vec<u8> {
    ramdisk(&plan(cases), &[&worker("primes")])
}

/// Boots `ramdisk` on a machine with `vcpus` CPUs, after `change` has changed the machine, and waits for its end. In
/// direct boot, an empty ramdisk means no ramdisk.
pub fn boot(start: Start, ramdisk: &[u8], vcpus: u32, change: impl FnOnce(&mut MachineSpec)) -> Over {
    boot_by(AcceleratorChoice::detect(), start, ramdisk, vcpus, change, None, &mut |_| {})
}

/// As [`boot`], by QEMU's translator whatever this host has: its machine has the clocks and the CPU features that QEMU
/// says, while KVM adds clocks of its own and takes features from the host's CPU.
pub fn boot_translated(ramdisk: &[u8], vcpus: u32, change: impl FnOnce(&mut MachineSpec)) -> Over {
    boot_translated_watched(ramdisk, vcpus, change, &mut |_| {})
}

/// As [`boot_translated`], with a handler for what happens.
pub fn boot_translated_watched(
    ramdisk: &[u8],
    vcpus: u32,
    change: impl FnOnce(&mut MachineSpec),
    progress: &mut dyn FnMut(GuestEvent<'_>),
) -> Over {
    let tcg = AcceleratorChoice::forced(Accelerator::Tcg, "the test");
    boot_by(tcg, Start::Direct, ramdisk, vcpus, change, None, progress)
}

/// Boots a machine, which the handler may send something, and deletes it after this many `end` records.
pub fn boot_until(ramdisk: &[u8], vcpus: u32, ends: u32, progress: &mut dyn FnMut(GuestEvent<'_>)) -> Over {
    let is_last = |line: &[u8]| decode(line).is_ok_and(|envelope| matches!(envelope.record, Record::End(_)));
    let deletion = Deletion { is_last, lines: ends, patience: DEADLINE };
    let tcg = AcceleratorChoice::forced(Accelerator::Tcg, "the test");
    let takes_input = |machine: &mut MachineSpec| machine.serial_input = true;
    boot_by(tcg, Start::Direct, ramdisk, vcpus, takes_input, Some(deletion), progress)
}

fn boot_by(
    accelerator: AcceleratorChoice,
    start: Start,
    ramdisk: &[u8],
    vcpus: u32,
    change: impl FnOnce(&mut MachineSpec),
    delete_after: Option<Deletion>,
    progress: &mut dyn FnMut(GuestEvent<'_>),
) -> Over {
    let folder = tempfile::tempdir().unwrap();
    let mut machine = MachineSpec::q35(vcpus, 128);
    match start {
        Start::Direct => machine.vga = Vga::None,
        Start::Bios => {}
        Start::Uefi => machine.firmware = Firmware::Uefi(UefiFirmware::find(None).unwrap()),
    }
    change(&mut machine);
    let accelerator = match machine.icount_shift {
        Some(_) => AcceleratorChoice::forced(Accelerator::Tcg, "-icount"),
        None => accelerator,
    };
    let spec = GuestSpec {
        vmm: Qemu::find(None).unwrap().into(),
        accelerator,
        machine,
        boot: medium(start, ramdisk, &folder),
        host_cpus: None,
        deadline: DEADLINE,
        serial_log: folder.path().join("serial.log"),
        first_record: None,
        delete_after,
        serial_limit_bytes: GuestSpec::SERIAL_LIMIT_BYTES,
    };
    let run = qemu::run(&spec, &CancelToken::new().unwrap(), progress).unwrap();
    let log = std::fs::read(&spec.serial_log).unwrap();
    Over { run, log }
}

fn medium(start: Start, ramdisk: &[u8], folder: &TempDir) -> BootMedium {
    let file = |name: &str| folder.path().join(name);
    let (initrd, path, kernel) = (file("ramdisk.tar"), file("disk.img"), kernel());
    std::fs::write(&initrd, ramdisk).unwrap();
    let option = match start {
        Start::Direct => {
            let initrd = Some(initrd).filter(|_| !ramdisk.is_empty());
            return BootMedium::Kernel { kernel, initrd, append: String::new() };
        }
        Start::Bios => "--bios",
        Start::Uefi => "--uefi",
    };
    let mut tool = Command::new(workspace().join("target/release/assay-image"));
    tool.arg("--kernel").arg(kernel).arg("--ramdisk").arg(initrd).arg(option).arg(&path);
    let output = tool.output().expect("`make build` has been run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    BootMedium::Disk { path }
}

/// Tries several times, and returns the result of the first try that the host did not disturb. `None` is a disturbed
/// try.
#[track_caller]
pub fn undisturbed<T>(try_it: impl FnMut(usize) -> Option<T>) -> T {
    (0..TRIES).find_map(try_it).unwrap_or_else(|| panic!("the host disturbed each of {TRIES} tries"))
}

/// The kernel that `make build` built, or the one that `ASSAY_TEST_KERNEL` names.
fn kernel() -> PathBuf {
    let named = std::env::var_os("ASSAY_TEST_KERNEL").map(PathBuf::from);
    named.unwrap_or_else(|| workspace().join("target/kernel/assay-kernel"))
}

impl Over {
    /// Fails, and shows the log, if the guest ended with another exit value.
    #[track_caller]
    pub fn expect_exit(&self, exit: GuestExit) -> &Self {
        let wanted = Outcome::DebugExit { value: exit.value() };
        assert_eq!(self.run.outcome, wanted, "{}", self.text());
        self
    }

    /// The verdict of the gate on this log as a run of `cases` on a machine with `cpus` CPUs.
    pub fn judge(&self, cases: &[u16], cpus: u16) -> Verdict<Measurement> {
        let expectation = RunExpectation {
            plan: Some(plan(cases).digest()),
            challenge: Some(0),
            work: Some(plan(cases).work_digest()),
            cases: Some(cases.iter().map(|&case| ExpectedCase { case, iterations: 1 }).collect()),
            cpus: Some(cpus),
            blob: Some(worker("primes").sha256()),
            ..RunExpectation::default()
        };
        let Outcome::DebugExit { value } = self.run.outcome else { panic!("{:?}", self.run.outcome) };
        let evidence = HostEvidence {
            ended: Ended::DebugExit { value },
            vcpus: Some(cpus),
            host_cpus: Some(1),
            ..HostEvidence::default()
        };
        Gate::default().judge(&Transcript::read(&self.log), &expectation, &evidence)
    }

    /// The measurement, or `None` if the host disturbed the run. Fails, and shows the log, if the run was refused for
    /// another reason.
    #[track_caller]
    pub fn measured(&self, verdict: &Verdict<Measurement>) -> Option<Measurement> {
        let disturbed = verdict.outcome.refusal().is_some_and(|(reason, _)| reason.is_the_hosts());
        let measured = verdict.outcome.measurement().cloned();
        assert!(measured.is_some() || disturbed, "{:?}\n{}", verdict.findings, self.text());
        measured
    }

    /// The log as text, with `%20` decoded to spaces.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.log).replace("%20", " ")
    }
}
