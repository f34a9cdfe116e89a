//! The options of `assay dev bench-verdict`.

use std::path::PathBuf;

use clap::Args;

use crate::options::{GuestArgs, ProbeArgs};

/// `assay dev bench-verdict`.
#[derive(Args, Debug)]
pub struct BenchVerdictArgs {
    /// Manifest of the experiment that is compared with itself; its workload must have slowed builds
    #[arg(default_value = "manifests/verdict.toml")]
    pub manifest: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// The host's own CPUs.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// The case that is run
    #[arg(long, value_name = "WORKERS", default_value_t = 1)]
    pub case: u16,
    /// Slowed builds that take part beside the two that are alike, by their percentages; by default all that the workload
    /// has. With fewer sides a shared host disturbs fewer rounds; the goals are reported if 5 is in the list
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub percent: Vec<u16>,
    /// Rounds that are to count: in each of them every side is run once. With fewer than 45 the goals are not told
    #[arg(long, value_name = "N", default_value_t = 45, value_parser = clap::value_parser!(u16).range(5..=1000))]
    pub rounds: u16,
    /// How often rounds are drawn for each line of the table
    #[arg(long, value_name = "N", default_value_t = 4000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub trials: u32,
    /// Seed of the order of the runs and of the draws; by default taken from the clock, and recorded. With --from that of
    /// the recording
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Name of the folder for these sessions, which must not be there yet; by default the time (UTC)
    #[arg(long)]
    pub label: Option<String>,
    /// Where results go: DIR/bench-verdict/LABEL
    #[arg(long, value_name = "DIR", default_value = "target")]
    pub out: PathBuf,
    /// Run nothing: judge the sides recorded in this folder once more, as far as they go. May be given several times: each
    /// is judged, and the experiments of all are counted together
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["label", "out", "rounds"])]
    pub from: Vec<PathBuf>,
}
