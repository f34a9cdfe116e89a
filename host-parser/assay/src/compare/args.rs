//! The options of `assay compare`.

use std::path::PathBuf;

use clap::Args;

/// `assay compare`.
#[derive(Args, Debug)]
pub struct CompareArgs {
    /// What B is held against: the folder of a session of `assay run`, such as target/smp-process-scale/LABEL
    pub session_a: PathBuf,
    /// The session that is judged
    pub session_b: PathBuf,
    /// Let the workers' programs differ: two builds of one worker
    #[arg(long)]
    pub across_blobs: bool,
    /// Compare round with round; refused where the rounds of the sessions did not run side by side
    #[arg(long)]
    pub paired: bool,
    /// Look at these cases only, as a list: 1,2. Without it both sessions must have the same cases
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub cases: Vec<u16>,
    /// Print the comparison as data
    #[arg(long)]
    pub json: bool,
}
