//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Measures how independent ring-3 work scales over CPUs, and refuses a number whose evidence does not hold.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, after_help = "Exit codes and reason codes: docs/MEASUREMENT.md")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `assay` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run an experiment under QEMU: every case in every round, gated, with results.
    Run(RunArgs),
    /// Gate a serial log from anywhere: a cloud VM's console, a terminal program's capture.
    Parse(ParseArgs),
    /// Print what this project promises of itself: size, memory, instructions to the first worker.
    Bench(BenchArgs),
}

/// How guests are run; the same for every command that runs any.
#[derive(Args, Clone, Debug)]
pub struct GuestArgs {
    /// Host CPUs to pin the guest to, as a list (0,1 or 0-3): one vCPU each where they suffice
    ///
    /// Without it ASSAY_QEMU_CPUS counts, then CAPOS_SMP_SCALE_QEMU_TASKSET_CPUS.
    #[arg(long, value_name = "LIST")]
    pub cpus: Option<String>,
    /// What executes the guest's instructions; by default KVM where the CPU has vmx or svm, else TCG
    #[arg(long, value_enum)]
    pub accel: Option<Accel>,
    /// QEMU program
    #[arg(long, value_name = "PROGRAM", env = "ASSAY_QEMU")]
    pub qemu: Option<PathBuf>,
    /// Kernel, stripped, as it goes into the image
    #[arg(long, value_name = "ELF", default_value = "target/kernel/assay-kernel")]
    pub kernel: PathBuf,
    /// Folder of the built workers
    #[arg(long, value_name = "DIR", default_value = "target/release")]
    pub workers: PathBuf,
    /// Image tool
    #[arg(long, value_name = "PROGRAM", default_value = "target/release/assay-image")]
    pub image_tool: PathBuf,
}

/// `assay run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Manifest of the experiment
    pub manifest: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// Rounds, instead of the manifest's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub rounds: Option<u16>,
    /// Name of this session's folder; by default the time it began
    #[arg(long)]
    pub label: Option<String>,
    /// Where sessions are kept, in a folder of the experiment's name
    #[arg(long, value_name = "DIR", default_value = "target")]
    pub out: PathBuf,
    /// Seed of the order in which the cases of a round are run; by default taken from the clock, and recorded
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Print the order of the runs and every QEMU command, and run nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// `assay parse`.
#[derive(Args, Debug)]
pub struct ParseArgs {
    /// Serial log; - for standard input
    pub log: PathBuf,
    /// Manifest that the log's experiment was made from: its cases and its claim are then checked too
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Write results.json, samples.csv and summary.md into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print results.json instead of the table
    #[arg(long)]
    pub json: bool,
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

/// An accelerator by name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Accel {
    /// Linux's KVM.
    Kvm,
    /// QEMU's translator, one thread for each vCPU.
    Tcg,
}
