//! Options that several commands have.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use host::HostCpus;
use host_parser::manifest::Manifest;
use lab::{Built, Coded, Exit, GuestEnv, GuestSources, OrExit, ProbeSpec};
use qemu::{Accelerator, AcceleratorChoice};

/// What `make build` builds, and guests and images are made of.
#[derive(Args, Clone, Debug)]
pub struct BuiltArgs {
    /// Kernel, stripped, as it goes into the image
    #[arg(long, value_name = "ELF", default_value = "target/kernel/assay-kernel")]
    pub kernel: PathBuf,
    /// Folder with the built workers
    #[arg(long, value_name = "DIR", default_value = "target/release")]
    pub workers: PathBuf,
    /// Image tool
    #[arg(long, value_name = "PROGRAM", default_value = "target/release/assay-image")]
    pub image_tool: PathBuf,
}

impl BuiltArgs {
    /// Where it is.
    pub fn paths(&self) -> Built {
        let Self { kernel, workers, image_tool } = self.clone();
        Built { kernel, workers, image_tool }
    }
}

/// How guests are run; the same for every command that runs any.
#[derive(Args, Clone, Debug)]
pub struct GuestArgs {
    /// Host CPUs to pin the guest to, as a list: 0,1 or 0-3. Each vCPU gets its own where they suffice, of each
    /// core one before its siblings
    ///
    /// Without it the environment variable ASSAY_QEMU_CPUS counts, then CAPOS_SMP_SCALE_QEMU_TASKSET_CPUS; without
    /// these the guest is not pinned.
    #[arg(long, value_name = "LIST")]
    pub cpus: Option<String>,
    /// What executes the guest's instructions; by default KVM where the CPU has vmx or svm, else TCG
    #[arg(long, value_enum)]
    pub accel: Option<Accel>,
    /// QEMU; by default qemu-system-x86_64 in PATH
    #[arg(long, value_name = "PROGRAM", env = "ASSAY_QEMU")]
    pub qemu: Option<PathBuf>,
    /// What they are made of.
    #[command(flatten)]
    pub built: BuiltArgs,
}

impl GuestArgs {
    /// The host CPUs that are asked for.
    ///
    /// # Errors
    /// No list of them, or CPUs that cannot be had.
    pub fn host_cpus(&self) -> Result<HostCpus, Coded> {
        HostCpus::choose(self.cpus.as_deref()).or_exit(Exit::Usage)
    }

    /// Where guests get what they are made of.
    pub fn sources(&self) -> GuestSources {
        let (qemu, accelerator, built) = (self.qemu.clone(), self.accelerator(), self.built.paths());
        GuestSources { qemu, accelerator, built }
    }

    /// Finds all that guests of an experiment are made of.
    ///
    /// # Errors
    /// Whatever is missing or broken, by its name, with what to do.
    pub fn env(&self, manifest: &Manifest) -> Result<GuestEnv, Coded> {
        GuestEnv::find(&self.sources(), self.host_cpus()?, manifest)
    }

    /// What is to execute the guest's instructions, and why.
    pub fn accelerator(&self) -> AcceleratorChoice {
        match self.accel {
            None => AcceleratorChoice::detect(),
            Some(Accel::Kvm) => AcceleratorChoice::forced(Accelerator::Kvm, "--accel kvm"),
            Some(Accel::Tcg) => AcceleratorChoice::forced(Accelerator::Tcg, "--accel tcg"),
        }
    }
}

/// Where the Linux twin is built.
pub const TWIN: &str = "target/x86_64-unknown-linux-gnu/release/assay-twin";

/// How the host is probed between rounds; the same for every command that has any.
#[derive(Args, Clone, Debug)]
pub struct ProbeArgs {
    /// Linux twin, static: runs the workers as processes of the host, and is the first process of the Linux guest
    #[arg(long, value_name = "PROGRAM", default_value = TWIN)]
    pub twin: PathBuf,
    /// Make no native probe of the host before the first round and after each
    ///
    /// The probe is the worker as processes of the host, by the twin: on one and on all of the guests' CPUs. A round
    /// beside one that shows less than the session's quick ones is set aside. Without it no run waits for the host's CPUs
    /// to be quick either.
    #[arg(long)]
    pub no_probe: bool,
}

impl ProbeArgs {
    /// How the host is probed.
    pub fn spec(&self) -> ProbeSpec {
        if self.no_probe { ProbeSpec::Off("--no-probe") } else { ProbeSpec::Twin(self.twin.clone()) }
    }
}

/// Where the kernel's addresses get their names.
#[derive(Args, Clone, Debug)]
pub struct SymbolsArgs {
    /// The kernel before it was stripped: it names the places where a guest died
    #[arg(long, value_name = "ELF", default_value = "target/x86_64-unknown-none/release/assay-kernel")]
    pub symbols: PathBuf,
}

/// An accelerator by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Accel {
    /// Linux's KVM.
    Kvm,
    /// QEMU's translator, one thread for each vCPU.
    Tcg,
}
