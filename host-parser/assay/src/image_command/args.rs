//! The command line of `assay image`.

use std::path::PathBuf;

use clap::Args;
use lab::Places;

use super::form::Form;
use crate::options::BuiltArgs;

/// `assay image`.
#[derive(Args, Debug)]
pub struct ImageArgs {
    /// Manifest of the experiment
    #[arg(default_value_os_t = Places::here().in_manifests("smp-process-sweep.toml"))]
    pub manifest: PathBuf,
    /// Folder for the images; those of the same experiment are replaced
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().images())]
    pub out: PathBuf,
    /// Formats to make, as a list: iso,gce; by default all
    #[arg(long, value_enum, value_name = "LIST", value_delimiter = ',')]
    pub format: Vec<Form>,
    /// Setting of the boot configuration, such as serial=com2; the default is after=linger:600
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Challenge of the plan, in hexadecimal: every worker folds it into its digest. A log of these images shows it, so a
    /// number of your own proves that the log was made after you chose it
    #[arg(long, value_name = "HEX", value_parser = challenge, default_value = "0")]
    pub challenge: u64,
    /// What the images are made of.
    #[command(flatten)]
    pub built: BuiltArgs,
}

/// Reads a challenge: at most 16 hexadecimal digits.
fn challenge(text: &str) -> Result<u64, String> {
    u64::from_str_radix(text, 16).map_err(|_| "expected at most 16 hexadecimal digits".to_owned())
}
