//! The command line of `assay image`.

use std::path::PathBuf;

use clap::Args;

use super::form::Form;

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
    /// Kernel, stripped, as it goes into the image
    #[arg(long, value_name = "ELF", default_value = "target/kernel/assay-kernel")]
    pub kernel: PathBuf,
    /// Folder with the built workers
    #[arg(long, value_name = "DIR", default_value = "target/release")]
    pub workers: PathBuf,
    /// Image tool
    #[arg(long, value_name = "PROGRAM", default_value = "target/release/assay-image")]
    pub image_tool: PathBuf,
}
