//! The options of `assay compare`.

use std::path::PathBuf;

use clap::Args;

use crate::pipeline::PipelineArgs;

/// `assay compare`.
#[derive(Args, Debug)]
pub struct CompareArgs {
    /// Session A, the reference: a session folder of `assay run`
    pub session_a: PathBuf,
    /// Session B, which is compared with A
    pub session_b: PathBuf,
    /// Allow different worker programs: two builds of one worker
    #[arg(long)]
    pub across_blobs: bool,
    /// Compare round with round; refused unless the rounds ran side by side
    #[arg(long)]
    pub paired: bool,
    /// Compare only these cases, as a list: 1,2; by default both must have the same
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub cases: Vec<u16>,
    /// For pipelines.
    #[command(flatten)]
    pub pipeline: PipelineArgs,
}
