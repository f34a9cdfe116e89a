//! The options of `assay compare`.

use std::path::PathBuf;

use clap::Args;

use super::ThresholdArgs;
use crate::baseline::DirArgs;
use crate::pipeline::PipelineArgs;

/// `assay compare`.
#[derive(Args, Debug)]
pub struct CompareArgs {
    /// Session A, the reference, and session B, which is compared with it: folders or archives of `assay run`
    ///
    /// With --baseline, B alone.
    #[arg(required = true, value_name = "SESSION", num_args = 1..=2)]
    pub sessions: Vec<PathBuf>,
    /// Compare with the baseline of this name that B's machine has
    ///
    /// It is refused if no machine with B's hardware, hypervisor and shape has saved one. What may change on one machine
    /// (its epoch: kernel, microcode, version of the VMM) is named, and the comparison goes on.
    #[arg(long, value_name = "NAME", value_parser = crate::baseline::name)]
    pub baseline: Option<String>,
    /// Where baselines are.
    #[command(flatten)]
    pub baselines: DirArgs,
    /// Allow different worker programs: two builds of one worker
    #[arg(long)]
    pub across_blobs: bool,
    /// Compare round with round; refused unless the rounds ran side by side
    #[arg(long)]
    pub paired: bool,
    /// Compare only these cases, as a list: 1,2; by default both must have the same
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub cases: Vec<u16>,
    /// What it is held to; by default as the baseline was saved.
    #[command(flatten)]
    pub thresholds: ThresholdArgs,
    /// For pipelines.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
}
