//! The options of `assay dev bench-verdict`.

use std::path::PathBuf;

use clap::Args;
use lab::Places;

use crate::options::{GuestArgs, ProbeArgs};

/// `assay dev bench-verdict`.
#[derive(Args, Debug)]
pub struct BenchVerdictArgs {
    /// Manifest of the experiment; its workload must have slowed builds
    #[arg(default_value_os_t = Places::here().in_manifests("verdict.toml"))]
    pub manifest: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// The host's own CPUs.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// Case to run
    #[arg(long, value_name = "WORKERS", default_value_t = 1)]
    pub case: u16,
    /// Slowed builds to run beside the two identical rows, by percentage: 2,5; by default all
    ///
    /// With fewer rows, a shared host disturbs fewer rounds. The goals are reported only if 5 is in the list.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub percent: Vec<u16>,
    /// Undisturbed rounds to run, with every row once a round
    ///
    /// With fewer than 45 rounds the goals are not decided.
    #[arg(long, value_name = "N", default_value_t = 45, value_parser = clap::value_parser!(u16).range(5..=1000))]
    pub rounds: u16,
    /// Draws of rounds for each line of the table
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub trials: u32,
    /// Comparisons for each figure of the simulated hosts; 0 leaves them out
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub simulated: u32,
    /// Record and judge nothing; print the simulated hosts only
    #[arg(long, conflicts_with_all = ["from", "label", "out", "rounds"])]
    pub only_simulated: bool,
    /// Seed of the order of the runs and of the draws
    ///
    /// By default from the clock, and recorded; with --from, the seed of the recording.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Name of the new folder for these sessions; by default the time (UTC)
    #[arg(long)]
    pub label: Option<String>,
    /// Folder for results, which go to DIR/bench-verdict/LABEL
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().sessions())]
    pub out: PathBuf,
    /// Run nothing; judge the rows recorded in this folder again, complete or not
    ///
    /// With several folders, each is judged, and their experiments are counted together.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["label", "out", "rounds"])]
    pub from: Vec<PathBuf>,
}
