//! The environment of guests: VMM, firmware, kernel, worker, image tool. It is found once, before the first run.

mod report;

use std::fs;
use std::path::{Path, PathBuf};

use abi::Digest;
use abi::control::STRIKES_IN;
use anyhow::{Context, anyhow};
use experiment::boot_config::BootConfig;
use experiment::manifest::{Boot, Manifest};
use experiment::plan::{PlanBytes, PlanOptions, WorkerBlob, ramdisk_with};
use host::{HostCpus, HostTopology};
use qemu::{
    Accelerator, AcceleratorChoice, BootMedium, Firmware, MachineSpec, UefiFirmware, Vga, Vmm, VmmKind,
};
use results::Artifact;

use crate::boot_image::{self, Archive, BootImage, Disk};
use crate::exit::{Coded, Exit, OrExit};
use crate::kernel_file::kernel_build;

pub use report::artifact;

/// How long a guest that stays does so, in seconds, if what was to delete it has died.
const LINGER_S: u32 = 600;

/// The paths of the files that `make build` and `make image-tool` build.
#[derive(Clone, Debug)]
pub struct Built {
    /// The stripped kernel, as it goes into a boot image.
    pub kernel: PathBuf,
    /// The folder with the workers' programs.
    pub workers: PathBuf,
    /// The image tool.
    pub image_tool: PathBuf,
}

impl Built {
    /// Reads the kernel.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read_kernel(&self) -> Result<Vec<u8>, Coded> {
        let kernel = self.kernel.display();
        fs::read(&self.kernel)
            .with_context(|| format!("kernel {kernel}: cannot be read; `make build` builds it"))
            .or_exit(Exit::Environment)
    }
}

/// The inputs to [`GuestEnv::find`].
#[derive(Clone, Debug)]
pub struct GuestSources {
    /// What runs the guests.
    pub vmm: VmmKind,
    /// The path of its program; `None` for the one in `PATH`.
    pub program: Option<PathBuf>,
    /// The accelerator: KVM or TCG, and why.
    pub accelerator: AcceleratorChoice,
    /// The files that the build made.
    pub built: Built,
    /// QEMU's model of the guests' CPU; `None` for the accelerator's default.
    pub cpu_model: Option<String>,
    /// Further arguments for QEMU.
    pub qemu_args: Vec<String>,
}

/// What guests run with: VMM, accelerator, firmware, kernel, worker, image tool and host CPUs.
#[derive(Clone)]
pub struct GuestEnv {
    /// The VMM that runs the guests.
    pub vmm: Vmm,
    /// The accelerator: KVM or TCG, and why.
    pub accelerator: AcceleratorChoice,
    /// The host CPUs that guests run on.
    pub host_cpus: HostCpus,
    /// The worker's blob.
    pub blob: WorkerBlob,
    /// The first 8 bytes of the kernel's build ID.
    pub build: u64,
    /// Our kernel, for the results.
    pub kernel: Artifact,
    boot: Boot,
    firmware: Firmware,
    kernel_path: PathBuf,
    image_tool: PathBuf,
    cpu_model: Option<String>,
    qemu_args: Vec<String>,
    /// The number of CPUs of the guest of a sweep.
    sweep: Option<u16>,
    /// Whether guests stay after their last record, until they are deleted.
    stays: bool,
}

impl GuestEnv {
    /// Finds everything for the experiment of `manifest`, whose guests run on `host_cpus`.
    ///
    /// # Errors
    /// A file is missing or broken. The message names it and what to do.
    pub fn find(sources: &GuestSources, host_cpus: HostCpus, manifest: &Manifest) -> Result<Self, Coded> {
        let GuestSources { vmm, program, accelerator, built, cpu_model, qemu_args } = sources;
        if *vmm != VmmKind::Qemu && (cpu_model.is_some() || !qemu_args.is_empty()) {
            let error = anyhow!("--cpu-model and --qemu-arg are QEMU's; {} has neither", vmm.title());
            return Err(error).or_exit(Exit::Usage);
        }
        let boot = manifest.machine().boot;
        if *vmm != VmmKind::Qemu && boot != Boot::Direct {
            let (path, title) = (manifest.path().display(), vmm.title());
            let error = anyhow!(
                "{path}: {title} boots a kernel directly, and has no BIOS or UEFI of its own; use a manifest with \
                 `boot = \"direct\"`, or `--vmm qemu`"
            );
            return Err(error).or_exit(Exit::Unsupported);
        }
        if vmm.needs_kvm() && accelerator.accelerator != Accelerator::Kvm {
            let title = vmm.title();
            let error = anyhow!("--accel {}: {title} runs guests by KVM only", accelerator.accelerator);
            return Err(error).or_exit(Exit::Usage);
        }
        let vmm = Vmm::find(*vmm, program.as_deref()).or_exit(Exit::Environment)?;
        let firmware = match boot {
            Boot::Direct | Boot::Bios => Firmware::Bios,
            Boot::Uefi => Firmware::Uefi(UefiFirmware::find(None).or_exit(Exit::Environment)?),
        };
        let kernel_bytes = built.read_kernel()?;
        let build = kernel_build(&kernel_bytes)
            .with_context(|| format!("kernel {}", built.kernel.display()))
            .or_exit(Exit::Environment)?;
        let blob = WorkerBlob::of_manifest(&built.workers, manifest).or_exit(Exit::Environment)?;
        let kernel = artifact("kernel", &kernel_bytes);
        let (kernel_path, image_tool) = (built.kernel.clone(), built.image_tool.clone());
        let sweep = manifest.sweep().map(|_| {
            let cores = HostTopology::here().core_count(&host_cpus.available);
            let most = u16::try_from(vmm.kind.max_vcpus()).unwrap_or(u16::MAX);
            cores.clamp(1, manifest.machine().machine_type.max_cpus().min(most))
        });
        Ok(Self {
            vmm,
            accelerator: accelerator.clone(),
            host_cpus,
            blob,
            build,
            kernel,
            boot,
            firmware,
            kernel_path,
            image_tool,
            cpu_model: cpu_model.clone(),
            qemu_args: qemu_args.clone(),
            sweep,
            stays: false,
        })
    }

    /// This environment, but with the BIOS and a boot loader starting our kernel.
    pub fn by_bios(&self) -> Self {
        Self { boot: Boot::Bios, firmware: Firmware::Bios, ..self.clone() }
    }

    /// This environment, but with guests that stay after their last record, for at most [`LINGER_S`] seconds, and under QEMU
    /// take commands. What deletes them is [`qemu::GuestSpec::delete_after`].
    #[must_use]
    pub fn staying(&self) -> Self {
        Self { stays: true, ..self.clone() }
    }

    /// What the guests' command line ends with, so that they stay: of our kernel, and of the Linux twin.
    pub(crate) fn stay_words(&self) -> Option<[String; 2]> {
        let word = if self.takes_commands() { "stay" } else { "linger" };
        self.stays.then(|| [format!("after={word}:{LINGER_S}"), format!(" assay_after={word}:{LINGER_S}")])
    }

    /// Whether guests that stay can be sent commands: the others' VMMs have a control channel where QEMU has none.
    pub fn takes_commands(&self) -> bool {
        self.stays && self.vmm.kind == VmmKind::Qemu
    }

    /// This environment with as many CPUs for the guest of a sweep; `None` keeps the number. No effect without a sweep.
    pub fn with_sweep(mut self, vcpus: Option<u16>) -> Self {
        self.sweep = self.sweep.map(|cores| vcpus.unwrap_or(cores));
        self
    }

    /// The number of CPUs of each guest: one for each case of the manifest, or the only one of a sweep.
    pub fn cases(&self, manifest: &Manifest) -> Vec<u16> {
        self.sweep.map_or_else(|| manifest.cases().to_vec(), |vcpus| vec![vcpus])
    }

    /// Checks that KVM can be used, if the VMM has nothing else. Called before anything is built or started.
    ///
    /// # Errors
    /// The message says what is wrong with KVM here.
    pub fn check_accelerator(&self) -> Result<(), Coded> {
        AcceleratorChoice::check_kvm(self.vmm.kind).or_exit(Exit::Environment)
    }

    /// How our kernel boots.
    pub const fn boot(&self) -> Boot {
        self.boot
    }

    /// The machine with `vcpus` CPUs.
    pub fn machine(&self, manifest: &Manifest, vcpus: u16) -> MachineSpec {
        let profile = manifest.machine();
        let mut machine = MachineSpec::q35(u32::from(vcpus), profile.memory_mib);
        profile.machine_type.name().clone_into(&mut machine.machine_type);
        machine.firmware = self.firmware.clone();
        machine.cpu_model.clone_from(&self.cpu_model);
        machine.extra_args.clone_from(&self.qemu_args);
        if self.boot == Boot::Direct {
            machine.vga = Vga::None;
        }
        machine
    }

    /// The boot image for `cases`, with its files in `folder`. [`BootImage::build`] writes them.
    ///
    /// # Errors
    /// The plan cannot be written.
    pub fn image(&self, manifest: &Manifest, cases: &[u16], folder: &Path) -> Result<BootImage, Coded> {
        let plan = self.plan(manifest, cases)?;
        let archive = Archive::new(self.ramdisk(&plan), folder, ".tar");
        let disk = (self.boot != Boot::Direct).then(|| self.disk(&archive, folder));
        let medium = match &disk {
            Some(disk) => BootMedium::Disk { path: disk.path.clone() },
            None => BootMedium::Kernel {
                kernel: self.kernel_path.clone(),
                initrd: Some(archive.path.clone()),
                append: self.boot_configuration(),
            },
        };
        Ok(BootImage { plan, build: Some(self.build), medium, archive, disk })
    }

    /// The command line of our kernel.
    fn boot_configuration(&self) -> String {
        let of_vmm = self.vmm.kind.boot_configuration().to_owned();
        self.stay_words().map_or(of_vmm, |[ours, _]| ours)
    }

    /// The plan for one boot. It runs `cases` with the manifest's number of iterations. In a control in which the
    /// kernel errs, the iteration with the error is the last. A sweep ignores `cases`, which the kernel derives from the
    /// machine, and runs each once: its rounds are boots.
    ///
    /// # Errors
    /// The plan cannot be written.
    pub fn plan(&self, manifest: &Manifest, cases: &[u16]) -> Result<PlanBytes, Coded> {
        if self.sweep.is_some() {
            return self.listed_plan(manifest, &[], 1);
        }
        let iterations = if manifest.kernel_errs() { STRIKES_IN + 1 } else { manifest.iterations() };
        self.listed_plan(manifest, cases, iterations)
    }

    /// The plan for exactly `cases`, each with `iterations` iterations, if the manifest states others too.
    ///
    /// # Errors
    /// The plan cannot be written.
    fn listed_plan(&self, manifest: &Manifest, cases: &[u16], iterations: u16) -> Result<PlanBytes, Coded> {
        let options = PlanOptions { iterations, ..PlanOptions::default() };
        PlanBytes::new(manifest, &self.blob, cases, options).or_exit(Exit::BadInput)
    }

    /// The plan of a probe: the case with `workers` workers once, and no rows of the platform or of mechanisms.
    ///
    /// # Errors
    /// The plan cannot be written.
    pub fn probe_plan(&self, manifest: &Manifest, workers: u16) -> Result<PlanBytes, Coded> {
        let options = PlanOptions { cases_only: true, ..PlanOptions::default() };
        PlanBytes::new(manifest, &self.blob, &[workers], options).or_exit(Exit::BadInput)
    }

    /// The ramdisk with a plan and the worker's blob; every system reads the same one.
    pub fn ramdisk(&self, plan: &PlanBytes) -> Vec<u8> {
        let mut config = BootConfig::default();
        if let Some([ours, _]) = self.stay_words() {
            config.set(&ours).expect("the kernel knows the word, and an empty configuration has room");
        }
        ramdisk_with(&config, plan, &[&self.blob])
    }

    /// The worker's name, digest and size, for the results.
    pub fn worker(&self) -> Artifact {
        artifact(self.blob.name().as_str(), self.blob.bytes())
    }

    fn disk(&self, ramdisk: &Archive, folder: &Path) -> Disk {
        let digest =
            Digest::of(format!("{} {}", self.kernel.sha256, Digest::of(ramdisk.content())).as_bytes());
        let firmware = self.boot_word();
        let path = folder.join(boot_image::file_name(digest, &format!("-{firmware}.img")));
        Disk { path, tool: self.image_tool.clone(), kernel: self.kernel_path.clone(), firmware }
    }

    /// The manifest's value of `boot` for how our kernel boots.
    pub fn boot_word(&self) -> &'static str {
        self.boot.word()
    }

    /// The number of host cores that a guest can use.
    pub fn host_cores(&self) -> u16 {
        HostTopology::here().core_count(&self.host_cpus.available)
    }
}
