//! The options of `assay exact`.

use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueHint};
use exact::Span;
use lab::Places;

use crate::pipeline::PipelineArgs;

/// `assay exact`.
#[derive(Debug, Subcommand)]
pub enum ExactCommand {
    /// Count, and write the counts into the lock file.
    Record(ExactArgs),
    /// Count, and compare with the lock file.
    ///
    /// Exit codes: 0 if every row is as locked; 1 if a row is not, with both counts and the line that updates the lock; 5 if
    /// two boots of the kernel differ; 6 if the lock is for another QEMU or machine.
    Check(ExactArgs),
    /// Count the workers of all workloads on our kernel and under Linux, and print one table.
    ///
    /// One boot of each, with one worker and the work of the manifest. Exit codes: 0 if every worker has the same instructions
    /// on both, up to the interrupts of Linux; 1 if one has not.
    Workloads(ExactWorkloadsArgs),
    /// Count what each check of the kernel costs: kernels that lack one, beside the kernel. `make run-profiles` builds them.
    Profiles(ExactProfilesArgs),
}

/// Which kernels are counted, and how.
#[derive(Args, Clone, Debug)]
pub struct ExactProfilesArgs {
    /// Folder of the kernels: CHECK/assay-kernel for each check, and all/assay-kernel
    #[arg(default_value_os_t = Places::here().profiles())]
    pub folder: PathBuf,
    /// The longest time for one boot, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = DEADLINE_SECONDS, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub deadline: u64,
    /// QEMU; by default qemu-system-x86_64 in PATH
    #[arg(long, value_name = "PROGRAM", env = "ASSAY_QEMU")]
    pub qemu: Option<PathBuf>,
    /// Manifest of the mechanisms
    #[arg(long, value_name = "MANIFEST", default_value_os_t = Places::here().in_manifests("exact-mechanisms.toml"))]
    pub manifest: PathBuf,
    /// Assay's own kernel, with all checks
    #[arg(long, value_name = "ELF", default_value_os_t = Places::here().kernel())]
    pub own_kernel: PathBuf,
    /// Folder with the built workers
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().workers())]
    pub workers: PathBuf,
}

impl ExactProfilesArgs {
    /// How a kernel is run: this one, or the one with all checks.
    pub fn run(&self, kernel: Option<&Path>) -> ExactRunArgs {
        ExactRunArgs {
            deadline: self.deadline,
            qemu: self.qemu.clone(),
            manifest: self.manifest.clone(),
            own_kernel: kernel.unwrap_or(&self.own_kernel).to_owned(),
            workers: self.workers.clone(),
            ..ExactRunArgs::default()
        }
    }
}

/// Which workloads are counted, and how.
#[derive(Args, Clone, Debug)]
pub struct ExactWorkloadsArgs {
    /// Folder of the workloads' manifests
    #[arg(default_value_os_t = Places::here().in_manifests("workloads"))]
    pub folder: PathBuf,
    /// Only workloads with this word in their names
    #[arg(long, value_name = "WORD")]
    pub only: Option<String>,
    /// The longest time for one boot, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = DEADLINE_SECONDS, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub deadline: u64,
    /// QEMU; by default qemu-system-x86_64 in PATH
    #[arg(long, value_name = "PROGRAM", env = "ASSAY_QEMU")]
    pub qemu: Option<PathBuf>,
    /// Assay's own kernel
    #[arg(long, value_name = "ELF", default_value_os_t = Places::here().kernel())]
    pub own_kernel: PathBuf,
    /// Folder with the built workers
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().workers())]
    pub workers: PathBuf,
    /// Static Linux twin
    #[arg(long, value_name = "PROGRAM", default_value_os_t = Places::here().twin())]
    pub twin: PathBuf,
}

impl ExactWorkloadsArgs {
    /// How each is run.
    pub fn run(&self) -> ExactRunArgs {
        ExactRunArgs {
            boots: 1,
            deadline: self.deadline,
            qemu: self.qemu.clone(),
            own_kernel: self.own_kernel.clone(),
            workers: self.workers.clone(),
            twin: self.twin.clone(),
            ..ExactRunArgs::default()
        }
    }
}

/// What is counted, and the lock file.
#[derive(Args, Clone, Debug)]
pub struct ExactArgs {
    /// Lock file
    #[arg(long, value_name = "FILE", default_value_os_t = lock())]
    pub lock: PathBuf,
    /// A kernel of yours: an ELF with a PVH note, or a Linux bzImage. Without this: Assay's own kernel
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub kernel: Option<PathBuf>,
    /// Its initial ramdisk
    #[arg(long, value_name = "FILE", requires = "kernel")]
    pub initrd: Option<PathBuf>,
    /// Its command line; for Linux, `nokaslr` is needed
    #[arg(long, value_name = "TEXT", requires = "kernel", allow_hyphen_values = true, default_value = "")]
    pub append: String,
    /// Its name in the lock file; by default the name of its file
    #[arg(long, value_name = "NAME", requires = "kernel", value_parser = NonEmptyStringValueParser::new())]
    pub name: Option<String>,
    /// What to count: NAME=FROM..TO, from the end of a line with the text FROM to the beginning of one with TO
    ///
    /// Without FROM: from the machine's reset on, firmware included. Without TO: to the end of the run. A row whose lines
    /// come several times has as many samples. `check` takes the rows from the lock file. By default one row, `run=..`.
    #[arg(long = "row", value_name = "NAME=FROM..TO", requires = "kernel", value_parser = Span::named, allow_hyphen_values = true)]
    pub rows: Vec<(String, Span)>,
    /// Tolerance of rows whose samples are not all alike, per million
    #[arg(long, value_name = "PPM", default_value_t = 1_000)]
    pub tolerance_ppm: u64,
    /// How the kernel is run.
    #[command(flatten)]
    pub run: ExactRunArgs,
    /// For pipelines.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
}

/// How a kernel is run in the exact mode.
#[derive(Args, Clone, Debug)]
pub struct ExactRunArgs {
    /// The kernel is booted as often, and all boots must be the same, byte by byte and count by count
    #[arg(long, value_name = "N", default_value_t = BOOTS, value_parser = clap::value_parser!(u16).range(2..=20))]
    pub boots: u16,
    /// The machine's memory, in MiB
    #[arg(long, value_name = "MIB", default_value_t = MEMORY_MIB)]
    pub memory_mib: u32,
    /// QEMU's model of the CPU: one with a name, not `max` or `host`; its ERMS is switched off
    #[arg(long, value_name = "MODEL", default_value = qemu::exact::EXACT_CPU_MODEL, value_parser = NonEmptyStringValueParser::new())]
    pub cpu_model: String,
    /// The longest time for one boot, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = DEADLINE_SECONDS, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub deadline: u64,
    /// QEMU; by default qemu-system-x86_64 in PATH
    #[arg(long, value_name = "PROGRAM", env = "ASSAY_QEMU")]
    pub qemu: Option<PathBuf>,
    /// Manifest of the workload that Assay's own kernel runs
    #[arg(long, value_name = "MANIFEST", default_value_os_t = manifest())]
    pub manifest: PathBuf,
    /// Assay's own kernel
    #[arg(long, value_name = "ELF", default_value_os_t = Places::here().kernel())]
    pub own_kernel: PathBuf,
    /// Folder with the built workers
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().workers())]
    pub workers: PathBuf,
    /// Static Linux twin, for the same worker under Linux
    #[arg(long, value_name = "PROGRAM", default_value_os_t = Places::here().twin())]
    pub twin: PathBuf,
}

impl Default for ExactRunArgs {
    /// As without any option.
    fn default() -> Self {
        Self {
            boots: BOOTS,
            memory_mib: MEMORY_MIB,
            cpu_model: qemu::exact::EXACT_CPU_MODEL.to_owned(),
            deadline: DEADLINE_SECONDS,
            qemu: None,
            manifest: manifest(),
            own_kernel: Places::here().kernel(),
            workers: Places::here().workers(),
            twin: Places::here().twin(),
        }
    }
}

const BOOTS: u16 = 2;
const MEMORY_MIB: u32 = 128;
const DEADLINE_SECONDS: u64 = 300;

fn manifest() -> PathBuf {
    Places::here().in_manifests("exact.toml")
}

/// The lock file of this project.
fn lock() -> PathBuf {
    Places::here().in_manifests("exact.lock.toml")
}
