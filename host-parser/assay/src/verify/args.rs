//! The options of `assay verify`.

use std::path::PathBuf;

use clap::Args;

/// `assay verify`.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// Sessions: folders of `assay run` or `assay ab`, or archives of `assay archive`
    #[arg(required = true, value_name = "SESSION")]
    pub sessions: Vec<PathBuf>,
    /// Demand a signature by this key: a public key file of `ssh-keygen -t ed25519`
    #[arg(long, value_name = "PUBKEY")]
    pub signed_by: Option<PathBuf>,
    /// Print the results that follow from the sealed logs, and write results.json, samples.csv and summary.md into this
    /// folder
    ///
    /// Also of a session that was killed: then they are of the runs that it had made.
    #[arg(long, value_name = "DIR")]
    pub rebuild: Option<PathBuf>,
}
