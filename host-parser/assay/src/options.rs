//! Options that several commands share.

use std::path::PathBuf;
use std::sync::Once;
use std::time::Duration;

use anyhow::anyhow;
use clap::builder::{NonEmptyStringValueParser, OsStringValueParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use experiment::manifest::Manifest;
use host::HostCpus;
use lab::{Built, Coded, Exit, GuestEnv, GuestSources, OrExit, Places, ProbeSpec, console};
use qemu::{Accelerator, AcceleratorChoice, VmmKind};

/// The products of `make build` that guests and images are made of.
#[derive(Args, Clone, Debug)]
pub struct BuiltArgs {
    /// Stripped kernel, as it goes into the image
    #[arg(help_heading = "Guests", long, value_name = "ELF", default_value_os_t = Places::here().kernel())]
    pub kernel: PathBuf,
    /// Folder with the built workers
    #[arg(help_heading = "Guests", long, value_name = "DIR", default_value_os_t = Places::here().workers())]
    pub workers: PathBuf,
    /// Image tool
    #[arg(help_heading = "Guests", long, value_name = "PROGRAM", default_value_os_t = Places::here().image_tool())]
    pub image_tool: PathBuf,
}

impl BuiltArgs {
    /// The paths of these files.
    pub fn paths(&self) -> Built {
        let Self { kernel, workers, image_tool } = self.clone();
        Built { kernel, workers, image_tool }
    }
}

/// How guests are run. Every command that runs guests has these options.
#[derive(Args, Clone, Debug)]
pub struct GuestArgs {
    /// Host CPUs to pin the guest to, as a list: 0,1 or 0-3
    ///
    /// If there are enough, each vCPU gets a host CPU to itself, one of each core before any sibling. The default is
    /// the environment variable ASSAY_QEMU_CPUS, then CAPOS_SMP_SCALE_QEMU_TASKSET_CPUS. Without any of them the guest
    /// is not pinned.
    #[arg(help_heading = "Guests", long, value_name = "LIST")]
    pub cpus: Option<String>,
    /// VMM that runs the guests: qemu, firecracker or cloud-hypervisor
    ///
    /// The last two run guests by KVM only, and boot a kernel directly. Their programs are the ones that the environment
    /// variables ASSAY_FIRECRACKER and ASSAY_CLOUD_HYPERVISOR name, else firecracker and cloud-hypervisor in PATH.
    #[arg(help_heading = "Guests", long, value_name = "VMM", value_parser = vmm, default_value = "qemu")]
    pub vmm: VmmKind,
    /// Accelerator: a KVM that works, else TCG; or one of them
    ///
    /// KVM works if /dev/kvm opens, the CPU has vmx or svm, and a virtual CPU of the guests' model, started for this,
    /// runs. If it does not work, `auto` prints why and uses TCG, and `kvm` ends with the reason.
    #[arg(help_heading = "Guests", long, value_enum, default_value_t = Accel::Auto)]
    pub accel: Accel,
    /// QEMU's model of the guests' CPU; by default the host's own CPU under KVM, and `max` under TCG
    #[arg(help_heading = "Guests", long, value_name = "MODEL", value_parser = NonEmptyStringValueParser::new())]
    pub cpu_model: Option<String>,
    /// Another argument for QEMU, for every guest; repeat it for each word
    ///
    /// `--qemu-arg=-device --qemu-arg=virtio-rng-pci`. The words are recorded with the results, and sessions are
    /// compared only if theirs are the same.
    #[arg(help_heading = "Guests", long = "qemu-arg", value_name = "ARG", allow_hyphen_values = true)]
    pub qemu_args: Vec<String>,
    /// QEMU; by default qemu-system-x86_64 in PATH
    #[arg(help_heading = "Guests", long, value_name = "PROGRAM", env = "ASSAY_QEMU", value_parser = OsStringValueParser::new().map(PathBuf::from))]
    pub qemu: Option<PathBuf>,
    /// What guests are made of.
    #[command(flatten)]
    pub built: BuiltArgs,
}

impl GuestArgs {
    /// The host CPUs that the options or the environment name.
    ///
    /// # Errors
    /// The list is malformed, or a CPU in it is not available.
    pub fn host_cpus(&self) -> Result<HostCpus, Coded> {
        HostCpus::choose(self.cpus.as_deref()).or_exit(Exit::Usage)
    }

    /// Where to find the files that guests are made of.
    ///
    /// # Errors
    /// KVM was asked for and does not work.
    pub fn sources(&self) -> Result<GuestSources, Coded> {
        let (vmm, program) = (self.vmm, self.program(self.vmm));
        let (accelerator, built) = (self.accelerator()?, self.built.paths());
        let (cpu_model, qemu_args) = (self.cpu_model.clone(), self.qemu_args.clone());
        Ok(GuestSources { vmm, program, accelerator, built, cpu_model, qemu_args })
    }

    /// The program that the options or the environment name for a VMM. An empty variable is one that is not set.
    pub fn program(&self, vmm: VmmKind) -> Option<PathBuf> {
        let named = match vmm {
            VmmKind::Qemu => self.qemu.clone(),
            other => std::env::var_os(other.variable()).map(PathBuf::from),
        };
        named.filter(|path| !path.as_os_str().is_empty())
    }

    /// Finds all files that an experiment's guests are made of.
    ///
    /// # Errors
    /// A file is missing or broken, or KVM was asked for and does not work. The message names it and says what to do.
    pub fn env(&self, manifest: &Manifest) -> Result<GuestEnv, Coded> {
        GuestEnv::find(&self.sources()?, self.host_cpus()?, manifest)
    }

    /// The accelerator, and why it was chosen. Prints a line, once, if TCG replaces a KVM that this host could have.
    fn accelerator(&self) -> Result<AcceleratorChoice, Coded> {
        // However many experiments this process runs.
        static SAID: Once = Once::new();
        let choice = self.find_accelerator().or_exit(Exit::Environment)?;
        let problem = choice.problem.as_ref().filter(|problem| problem.is_unexpected());
        if let Some(problem) = problem
            && choice.accelerator == Accelerator::Tcg
        {
            SAID.call_once(|| console::note(&format!("using TCG, not KVM: {}", problem.with_remedy())));
        }
        Ok(choice)
    }

    /// The accelerator, and why it was chosen.
    ///
    /// # Errors
    /// KVM was asked for and does not work: why, and what to do.
    pub fn find_accelerator(&self) -> anyhow::Result<AcceleratorChoice> {
        let (qemu, model) = (self.qemu.as_deref(), self.cpu_model.as_deref());
        match self.accel {
            Accel::Auto if self.vmm.needs_kvm() => Ok(AcceleratorChoice::only(self.vmm)),
            // The VMM says itself what it misses.
            Accel::Kvm if self.vmm.needs_kvm() => {
                Ok(AcceleratorChoice::forced(Accelerator::Kvm, "--accel kvm"))
            }
            Accel::Auto => Ok(AcceleratorChoice::for_cpus(qemu, model)),
            Accel::Kvm => AcceleratorChoice::kvm("--accel kvm", qemu, model)
                .map_err(|problem| anyhow!("--accel kvm: {}", problem.with_remedy())),
            Accel::Tcg => Ok(AcceleratorChoice::forced(Accelerator::Tcg, "--accel tcg")),
        }
    }
}

/// The longest patience.
const MOST_PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// A time that a session may take.
///
/// # Errors
/// It is none, or none of one second to a day.
pub fn patience(word: &str) -> Result<Duration, String> {
    let time =
        humantime::parse_duration(word).map_err(|error| format!("{error}; expected a time, such as 20m"))?;
    let fits = (Duration::from_secs(1)..=MOST_PATIENCE).contains(&time);
    if fits { Ok(time) } else { Err("expected a time of 1s to 24h".to_owned()) }
}

/// A VMM by its word.
fn vmm(word: &str) -> Result<VmmKind, String> {
    let words = VmmKind::ALL.map(VmmKind::word);
    let found = VmmKind::ALL.into_iter().find(|vmm| vmm.word() == word);
    found.ok_or_else(|| format!("expected one of {}", words.join(", ")))
}

/// How the host is probed between rounds. Every command that runs rounds has these options.
#[derive(Args, Clone, Debug)]
pub struct ProbeArgs {
    /// Static Linux twin: runs the workers natively, and is the init of the Linux guest
    #[arg(help_heading = "The host", long, value_name = "PROGRAM", default_value_os_t = Places::here().twin())]
    pub twin: PathBuf,
    /// Do not probe the host before the first round and after each round
    ///
    /// For a probe, the twin runs the worker natively, on one and on all of the guests' CPUs. A round next to a probe
    /// that is slower than the session's baseline is excluded. Without probes, no run waits for the host's CPUs to
    /// reach their baseline pace either.
    #[arg(help_heading = "The host", long)]
    pub no_probe: bool,
}

impl ProbeArgs {
    /// How the host is probed.
    pub fn spec(&self) -> ProbeSpec {
        if self.no_probe { ProbeSpec::Off("--no-probe") } else { ProbeSpec::Twin(self.twin.clone()) }
    }
}

/// Symbols for the kernel's addresses.
#[derive(Args, Clone, Debug)]
pub struct SymbolsArgs {
    /// Unstripped kernel, to name the function in which a guest died
    #[arg(help_heading = "Guests", long, value_name = "ELF", default_value_os_t = Places::here().symbols())]
    pub symbols: PathBuf,
}

/// An accelerator.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Accel {
    /// KVM if it works, else TCG.
    Auto,
    /// Linux's KVM.
    Kvm,
    /// QEMU's translator, one thread for each vCPU.
    Tcg,
}
