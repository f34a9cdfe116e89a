//! The command line of `assay image`.

use std::path::PathBuf;

use clap::Args;

use super::form::Form;
use crate::options::BuiltArgs;

/// `assay image`.
#[derive(Args, Debug)]
pub struct ImageArgs {
    /// The experiment
    #[arg(default_value = "manifests/smp-process-sweep.toml")]
    pub manifest: PathBuf,
    /// Where the images go; those of the same experiment are replaced
    #[arg(long, value_name = "DIR", default_value = "target/images")]
    pub out: PathBuf,
    /// What to make, as a list: iso,gce; by default everything
    #[arg(long, value_enum, value_name = "LIST", value_delimiter = ',')]
    pub format: Vec<Form>,
    /// A setting of the boot configuration, such as serial=com2 or after=poweroff; by default after=linger:600
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// What they are made of.
    #[command(flatten)]
    pub built: BuiltArgs,
}
