//! The options of `assay ab`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use lab::Places;

use crate::compare::ThresholdArgs;
use crate::options::{GuestArgs, ProbeArgs};
use crate::pipeline::PipelineArgs;

/// `assay ab`.
#[derive(Args, Debug)]
pub struct AbArgs {
    /// Manifest of the experiment, such as manifests/verdict.toml
    pub manifest: PathBuf,
    /// The guests of A, and of B except for B's own options.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// B's stripped kernel
    #[arg(long, value_name = "ELF", help_heading = "What B has instead")]
    pub b_kernel: Option<PathBuf>,
    /// Folder with B's workers
    #[arg(long, value_name = "DIR", help_heading = "What B has instead")]
    pub b_workers: Option<PathBuf>,
    /// B's QEMU
    #[arg(long, value_name = "PROGRAM", help_heading = "What B has instead")]
    pub b_qemu: Option<PathBuf>,
    /// The host's own CPUs.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// Run only these cases, as a list: 1,2
    ///
    /// The more cases are compared, the stronger the evidence for each must be.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub cases: Vec<u16>,
    /// Undisturbed rounds to run
    ///
    /// A verdict needs at least 9 rounds; 10 for two cases, 11 for three or four. If boots have several iterations, as
    /// many as for twice the cases.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub rounds: u16,
    /// Time for the session, in place of a limit of disturbed runs: 20m, or 1h30m
    ///
    /// It goes on until all rounds count, however many runs the host disturbs, and begins no further round when the time is
    /// over. What it would take at the noise so far is shown meanwhile. If too few rounds count by then, the exit code is 75
    /// (busy). Enough of what was made must count all the same: one run for four that are lost.
    #[arg(long, value_name = "TIME", value_parser = crate::options::patience)]
    pub patience: Option<Duration>,
    /// Seed of the order of the runs in a round; by default from the clock, and recorded
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Name of the new folder for both sessions; by default the time (UTC)
    #[arg(long)]
    pub label: Option<String>,
    /// Folder for results, which go to DIR/ab/LABEL
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().sessions())]
    pub out: PathBuf,
    /// What the comparison is held to.
    #[command(flatten)]
    pub thresholds: ThresholdArgs,
    /// For pipelines.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
}

impl AbArgs {
    /// The options of B's guests.
    pub fn guest_of_b(&self) -> GuestArgs {
        let mut guest = self.guest.clone();
        let Self { b_kernel, b_workers, b_qemu, .. } = self;
        if let Some(kernel) = b_kernel {
            guest.built.kernel.clone_from(kernel);
        }
        if let Some(workers) = b_workers {
            guest.built.workers.clone_from(workers);
        }
        if b_qemu.is_some() {
            guest.qemu.clone_from(b_qemu);
        }
        guest
    }
}
