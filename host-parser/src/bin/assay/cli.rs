//! The command line.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand, ValueEnum};
use host_parser::results::System;
use qemu::{Accelerator, AcceleratorChoice};

use crate::ab::AbArgs;
use crate::bench_verdict::BenchVerdictArgs;
use crate::compare::CompareArgs;
use crate::exit::{Coded, Exit, OrExit};
use crate::images::ImageArgs;

/// Measures how much more gets done with more CPUs, and shows no number whose evidence does not hold.
#[derive(Debug, Parser)]
#[command(name = "assay", version, max_term_width = 100, after_help = after_help())]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// A way in for people, and what scripts need.
fn after_help() -> String {
    format!(
        "\
Examples:
  assay run manifests/smp-process-scale.toml              seven rounds on 1, 2 and 4 CPUs
  assay run manifests/smp-process-scale.toml --dry-run    what that would do
  assay parse serial.log                                  what a log from elsewhere shows
  assay ab manifests/verdict.toml --b-kernel NEW          is the new kernel slower than the one that is built?
  assay compare target/smp-process-scale/{{old,new}}        is the new session slower than the old one?

Exit codes:
{}
What the words in the results mean, and every reason for which a run is refused: docs/MEASUREMENT.md",
        Exit::TABLE
    )
}

/// What `assay` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run an experiment under QEMU, judge every run, and write the results.
    Run(RunArgs),
    /// Judge a serial log from anywhere: a cloud VM's console, a terminal program's capture.
    Parse(ParseArgs),
    /// Run two kernels, builds of a worker, or QEMUs in the same rounds, and say whether B is slower than A.
    ///
    /// Ends as `compare` does. Where one side is another host, or was measured before, use that instead.
    Ab(AbArgs),
    /// Say whether one session is slower than another: two kernels, two hosts, two builds of a worker.
    ///
    /// Every log is judged again. Ends with 0 where no case is slower, with 1 where one is, with 3 where the rounds do not
    /// tell, with 5 where the sessions are not to be compared, with 6 where no case shows speed on these hosts, with 7
    /// where a folder is no session; where a session has no result of its own, with what its `run` would have ended.
    Compare(CompareArgs),
    /// Provoke everything that can go wrong, and check that the gate says so
    Controls(ControlsArgs),
    /// Print what this project promises of itself: size, memory, instructions to the first worker.
    ///
    /// Ends with 1 where a figure is above its limit.
    Bench(BenchArgs),
    /// Measure how good the verdict of `compare` is: how often it cries regression where there is none, how often it finds
    /// one of 2, 5 and 10 percent.
    ///
    /// Ends with 1 where a goal is missed, with 3 where there are too few rounds to tell.
    BenchVerdict(BenchVerdictArgs),
    /// Say whether this host is fit for a measurement, and what would make it so; change nothing.
    ///
    /// Ends with 0 where a measurement is possible, warnings or not; with 6 where this host cannot give one; with 8
    /// where something is missing or broken; with 9 where results cannot be written.
    Doctor(DoctorArgs),
    /// Write an experiment as images that boot anywhere: ISO, disks, and what clouds and hypervisors take.
    Image(ImageArgs),
    /// Show or change the boot configuration in an image or on a stick: serial port, what follows the run, screen.
    Configure(ConfigureArgs),
}

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
    /// The kernel's bytes.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_kernel(&self) -> Result<Vec<u8>, Coded> {
        let kernel = self.kernel.display();
        fs::read(&self.kernel)
            .with_context(|| format!("kernel {kernel}: not there; `make build` builds it"))
            .or_exit(Exit::Environment)
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

/// `assay run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The experiment: a TOML file, such as manifests/smp-process-scale.toml
    pub manifest: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// What runs the workers, as a list: assay, assay-bios, linux, linux-mitigations-off, native. All of them in one
    /// session, shuffled together, so that they can be compared
    ///
    /// The Linux kernel is the one that the environment variable LINUX_SMP_SCALE_KERNEL names, else the distribution's,
    /// which is fetched into target/linux. All systems get the same host CPUs; for linux alone the variable
    /// LINUX_SMP_SCALE_QEMU_TASKSET_CPUS counts before those of --cpus.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = system, default_value = "assay")]
    pub systems: Vec<System>,
    /// Run so many rounds, instead of the manifest's; below 5 no claim is made
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub rounds: Option<u16>,
    /// Name of the folder for these results, which must not be there yet; by default the time (UTC)
    #[arg(long)]
    pub label: Option<String>,
    /// Where results go: DIR/EXPERIMENT/LABEL
    #[arg(long, value_name = "DIR", default_value = "target")]
    pub out: PathBuf,
    /// CPUs of the guest, for a manifest with a sweep; by default as many as there are cores on the host for it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=255))]
    pub vcpus: Option<u16>,
    /// Seed of the order in which the cases of a round are run; by default taken from the clock, and recorded
    ///
    /// The order within a sweep is in its plan.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// The host's own CPUs.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// Print the order of the runs and every QEMU command; build, run and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not run a guest that died once more under TCG, traced, to say why
    #[arg(long)]
    pub no_diagnosis: bool,
    /// Names for the kernel's addresses.
    #[command(flatten)]
    pub symbols: SymbolsArgs,
}

/// Where the kernel's addresses get their names.
#[derive(Args, Clone, Debug)]
pub struct SymbolsArgs {
    /// The kernel before it was stripped: it names the places where a guest died
    #[arg(long, value_name = "ELF", default_value = "target/x86_64-unknown-none/release/assay-kernel")]
    pub symbols: PathBuf,
}

/// `assay parse`.
#[derive(Args, Debug)]
pub struct ParseArgs {
    /// Serial log; - for standard input
    pub log: PathBuf,
    /// The experiment that the log is of: its claim is then judged too
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Write results.json, samples.csv and summary.md into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print results.json instead of the table
    #[arg(long)]
    pub json: bool,
    /// What the guest cannot see of where it ran: provider, region, instance type ... (TOML)
    ///
    /// A missing field makes the results `disclosure-missing`: good, and not to be published.
    #[arg(long, value_name = "FILE")]
    pub disclose: Option<PathBuf>,
    /// Print a disclosure file to be filled in, with what the log tells already, and nothing else
    #[arg(long, conflicts_with_all = ["disclose", "out", "json", "publish"])]
    pub disclose_template: bool,
    /// End with 5 where the results cannot be published
    #[arg(long)]
    pub publish: bool,
}

/// `assay controls`.
#[derive(Args, Debug)]
pub struct ControlsArgs {
    /// Folder of the controls' manifests
    #[arg(default_value = "manifests/controls")]
    pub folder: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// Where logs go: DIR/controls/TIME
    #[arg(long, value_name = "DIR", default_value = "target")]
    pub out: PathBuf,
    /// Run each guest that died once more under TCG, traced, and show what killed it
    #[arg(long)]
    pub diagnose: bool,
    /// Names for the kernel's addresses.
    #[command(flatten)]
    pub symbols: SymbolsArgs,
}

/// `assay bench`.
#[derive(Args, Debug)]
pub struct BenchArgs {
    /// Manifest of the experiment whose boot is measured
    #[arg(default_value = "manifests/smp-process-scale.toml")]
    pub manifest: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
}

/// `assay doctor`.
#[derive(Args, Debug)]
pub struct DoctorArgs {
    /// Guests: the host is looked at as they would use it.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// Where results are to go
    #[arg(long, value_name = "DIR", default_value = "target")]
    pub out: PathBuf,
    /// Print the findings as data
    #[arg(long)]
    pub json: bool,
}

/// `assay configure`.
#[derive(Args, Debug)]
pub struct ConfigureArgs {
    /// Disk image, ISO or block device; it is changed in place
    pub image: PathBuf,
    /// What to set, such as serial=com2 or after=linger:600; `KEY=` takes a setting away; without any, nothing changes
    #[arg(value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

/// An accelerator by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Accel {
    /// Linux's KVM.
    Kvm,
    /// QEMU's translator, one thread for each vCPU.
    Tcg,
}

/// A system by its word.
fn system(word: &str) -> Result<System, String> {
    let words = System::ALL.map(System::word).join(", ");
    System::of_word(word).ok_or_else(|| format!("expected one of {words}"))
}
