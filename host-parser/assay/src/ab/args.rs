//! The options of `assay ab`.

use std::path::PathBuf;

use clap::Args;

use crate::options::{GuestArgs, ProbeArgs};

/// `assay ab`.
#[derive(Args, Debug)]
pub struct AbArgs {
    /// The experiment: a TOML file, such as manifests/verdict.toml, which is made for this
    pub manifest: PathBuf,
    /// Guests of A, and of B but for what is told of it.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// B's kernel, stripped
    #[arg(long, value_name = "ELF", help_heading = "What B has instead")]
    pub b_kernel: Option<PathBuf>,
    /// Folder with B's workers: another build of the same worker
    #[arg(long, value_name = "DIR", help_heading = "What B has instead")]
    pub b_workers: Option<PathBuf>,
    /// B's QEMU
    #[arg(long, value_name = "PROGRAM", help_heading = "What B has instead")]
    pub b_qemu: Option<PathBuf>,
    /// The host's own CPUs.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// Run these cases only, as a list: 1,2. The more cases, the surer each must be
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub cases: Vec<u16>,
    /// Rounds that are to count. There is no verdict with fewer than 9; with fewer than 10 on two cases, 11 on three or four
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub rounds: u16,
    /// Seed of the order in which sides and cases of a round are run; by default taken from the clock, and recorded
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Name of the folder for both sessions, which must not be there yet; by default the time (UTC)
    #[arg(long)]
    pub label: Option<String>,
    /// Where results go: DIR/ab/LABEL
    #[arg(long, value_name = "DIR", default_value = "target")]
    pub out: PathBuf,
    /// Print the comparison as data
    #[arg(long)]
    pub json: bool,
}

impl AbArgs {
    /// How B's guests are run.
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
