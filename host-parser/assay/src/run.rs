//! `assay run`: an experiment from its manifest to its results.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use host::HostCpus;
use host_parser::manifest::Manifest;
use host_parser::results::System;
use lab::experiment::{RunSpec, Session};
use lab::{Coded, Exit, GuestEnv, OrExit, SystemsSpec};

use crate::options::{GuestArgs, ProbeArgs, SymbolsArgs};

/// `assay run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// The experiment: a TOML file, such as manifests/smp-process-scale.toml
    pub manifest: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// What runs the workers, as a list: assay, assay-bios, linux, linux-mitigations-off, native. All of them in one
    /// session, shuffled together, so that they can be compared
    ///
    /// The Linux kernel is the one that the environment variable LINUX_SMP_SCALE_KERNEL names, else the distribution's,
    /// which is fetched into target/linux. All systems get the same host CPUs; for linux alone the variable
    /// LINUX_SMP_SCALE_QEMU_TASKSET_CPUS counts before those of --cpus.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = system, default_value = "assay")]
    pub systems: Vec<System>,
    /// Run so many rounds, instead of the manifest's; below 5 no claim is made
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub rounds: Option<u16>,
    /// Name of the folder for these results, which must not be there yet; by default the time (UTC)
    #[arg(long)]
    pub label: Option<String>,
    /// Where results go: DIR/EXPERIMENT/LABEL
    #[arg(long, value_name = "DIR", default_value = "target")]
    pub out: PathBuf,
    /// CPUs of the guest, for a manifest with a sweep; by default as many as there are cores on the host for it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=255))]
    pub vcpus: Option<u16>,
    /// Seed of the order in which the cases of a round are run; by default taken from the clock, and recorded
    ///
    /// The order within a sweep is in its plan.
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// The host's own CPUs.
    #[command(flatten)]
    pub probe: ProbeArgs,
    /// Print the order of the runs and every QEMU command; build, run and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not run a guest that died once more under TCG, traced, to say why
    #[arg(long)]
    pub no_diagnosis: bool,
    /// Names for the kernel's addresses.
    #[command(flatten)]
    pub symbols: SymbolsArgs,
}

/// Runs the experiment, prints its results and says how it ended.
///
/// # Errors
/// What kept it from having results at all.
pub fn run(args: &RunArgs) -> Result<Exit, Coded> {
    let session = Session::prepare(spec(args)?)?;
    if args.dry_run {
        return session.tell().map(|()| Exit::Holds);
    }
    session.run(&host::cancel_on_signals().or_exit(Exit::Environment)?)
}

fn spec(args: &RunArgs) -> Result<RunSpec, Coded> {
    let manifest = Manifest::load(&args.manifest).or_exit(Exit::BadInput)?;
    let names: Vec<_> = args.systems.iter().map(|system| system.name()).collect();
    let host_cpus = HostCpus::choose_for(args.guest.cpus.as_deref(), &names).or_exit(Exit::Usage)?;
    if args.vcpus.is_some() && manifest.sweep().is_none() {
        let path = manifest.path().display();
        return Err(anyhow!("--vcpus: {path} has cases of its own, and no sweep")).or_exit(Exit::Usage);
    }
    let env = GuestEnv::find(&args.guest.sources(), host_cpus, &manifest)?;
    let (systems, twin) = (args.systems.clone(), args.probe.twin.clone());
    Ok(RunSpec {
        env: env.with_sweep(args.vcpus, args.rounds),
        manifest,
        systems: SystemsSpec { systems, twin, fetch: !args.dry_run },
        probe: args.probe.spec(),
        rounds: args.rounds,
        label: args.label.clone(),
        out: args.out.clone(),
        seed: args.seed,
        symbols: (!args.no_diagnosis).then(|| args.symbols.symbols.clone()),
    })
}

/// A system by its word.
fn system(word: &str) -> Result<System, String> {
    let words = System::ALL.map(System::word).join(", ");
    System::of_word(word).ok_or_else(|| format!("expected one of {words}"))
}
