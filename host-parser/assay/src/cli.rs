//! The command line.

use clap::{Parser, Subcommand};
use lab::Exit;

use crate::ab::AbArgs;
use crate::compare::CompareArgs;
use crate::configure::ConfigureArgs;
use crate::dev::DevCommand;
use crate::doctor::DoctorArgs;
use crate::image_command::ImageArgs;
use crate::parse::ParseArgs;
use crate::run::RunArgs;

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
What the words in the results mean: docs/GLOSSARY.md. Every reason why a run is refused: docs/GATE.md",
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
    /// Say whether this host is fit for a measurement, and what would make it so; change nothing.
    ///
    /// Ends with 0 where a measurement is possible, warnings or not; with 6 where this host cannot give one; with 8
    /// where something is missing or broken; with 9 where results cannot be written.
    Doctor(DoctorArgs),
    /// Write an experiment as images that boot anywhere: ISO, disks, and what clouds and hypervisors take.
    Image(ImageArgs),
    /// Show or change the boot configuration in an image or on a stick: serial port, what follows the run, screen.
    Configure(ConfigureArgs),
    /// Test the tool itself: controls that must be refused, its own limits, the quality of its verdict.
    #[command(subcommand)]
    Dev(DevCommand),
}
