//! All that a guest is made of: QEMU, firmware, kernel, worker, image tool. Found once, before the first run.

use std::fs;
use std::path::{Path, PathBuf};

use abi::Digest;
use abi::control::STRIKES_IN;
use abi::wire::Hex64;
use anyhow::Context;
use experiment::manifest::{Boot, Manifest};
use experiment::plan::{PlanBytes, PlanOptions, WorkerBlob, ramdisk};
use host::{HostCpus, HostIdentity, HostTopology, Root};
use object::Object;
use qemu::{Accelerator, AcceleratorChoice, BootMedium, Firmware, MachineSpec, Qemu, UefiFirmware, Vga};
use results::{Accelerator as AcceleratorReport, Artifact, Environment, Host, Pinning, Program};

use crate::boot_image::{self, Archive, BootImage, Disk};
use crate::exit::{Coded, Exit, OrExit};

/// What `make build` builds, and guests and images are made of.
#[derive(Clone, Debug)]
pub struct Built {
    /// The kernel, stripped, as it goes into the image.
    pub kernel: PathBuf,
    /// The folder with the workers.
    pub workers: PathBuf,
    /// The image tool.
    pub image_tool: PathBuf,
}

impl Built {
    /// The kernel's bytes.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn read_kernel(&self) -> Result<Vec<u8>, Coded> {
        let kernel = self.kernel.display();
        fs::read(&self.kernel)
            .with_context(|| format!("kernel {kernel}: not there; `make build` builds it"))
            .or_exit(Exit::Environment)
    }
}

/// Where guests get what they are made of.
#[derive(Clone, Debug)]
pub struct GuestSources {
    /// QEMU; by default the one in PATH.
    pub qemu: Option<PathBuf>,
    /// What executes their instructions.
    pub accelerator: AcceleratorChoice,
    /// What was built.
    pub built: Built,
}

/// What guests are made of.
#[derive(Clone)]
pub struct GuestEnv {
    /// QEMU.
    pub qemu: Qemu,
    /// What executes their instructions.
    pub accelerator: AcceleratorChoice,
    /// Where they run.
    pub host_cpus: HostCpus,
    /// The worker.
    pub blob: WorkerBlob,
    /// The first 8 bytes of the kernel's build ID.
    pub build: u64,
    /// The kernel.
    pub kernel: Artifact,
    boot: Boot,
    firmware: Firmware,
    kernel_path: PathBuf,
    image_tool: PathBuf,
    sweep: Option<Sweep>,
}

/// How a sweep is run here.
#[derive(Clone, Copy)]
struct Sweep {
    /// CPUs of the one machine.
    vcpus: u16,
    /// How often it runs every case.
    iterations: u16,
}

impl GuestEnv {
    /// Finds everything for the experiment of `manifest`, whose guests run on `host_cpus`.
    ///
    /// # Errors
    /// Whatever is missing or broken, by its name, with what to do.
    pub fn find(sources: &GuestSources, host_cpus: HostCpus, manifest: &Manifest) -> Result<Self, Coded> {
        let GuestSources { qemu, accelerator, built } = sources;
        let qemu = Qemu::find(qemu.as_deref()).or_exit(Exit::Environment)?;
        let boot = manifest.machine().boot;
        let firmware = match boot {
            Boot::Direct | Boot::Bios => Firmware::Bios,
            Boot::Uefi => Firmware::Uefi(UefiFirmware::find(None).or_exit(Exit::Environment)?),
        };
        let kernel_bytes = built.read_kernel()?;
        let build = build_id(&kernel_bytes)
            .with_context(|| format!("kernel {}", built.kernel.display()))
            .or_exit(Exit::Environment)?;
        let blob = WorkerBlob::load(&built.workers, manifest.program()).or_exit(Exit::Environment)?;
        let kernel = artifact("kernel", &kernel_bytes);
        let (kernel_path, image_tool) = (built.kernel.clone(), built.image_tool.clone());
        let sweep = manifest.sweep().map(|_| Sweep {
            vcpus: HostTopology::here()
                .core_count(&host_cpus.available)
                .clamp(1, manifest.machine().machine_type.max_cpus()),
            iterations: manifest.rounds(),
        });
        Ok(Self {
            qemu,
            accelerator: accelerator.clone(),
            host_cpus,
            blob,
            build,
            kernel,
            boot,
            firmware,
            kernel_path,
            image_tool,
            sweep,
        })
    }

    /// The same with our kernel behind the BIOS and the loader.
    pub fn by_bios(&self) -> Self {
        Self { boot: Boot::Bios, firmware: Firmware::Bios, ..self.clone() }
    }

    /// The same with other terms for a sweep.
    pub fn with_sweep(mut self, vcpus: Option<u16>, iterations: Option<u16>) -> Self {
        if let Some(sweep) = &mut self.sweep {
            sweep.vcpus = vcpus.unwrap_or(sweep.vcpus);
            sweep.iterations = iterations.unwrap_or(sweep.iterations);
        }
        self
    }

    /// How many CPUs guests have, one case after the other: the manifest's own, or the one machine of a sweep.
    pub fn cases(&self, manifest: &Manifest) -> Vec<u16> {
        self.sweep.map_or_else(|| manifest.cases().to_vec(), |sweep| vec![sweep.vcpus])
    }

    /// How our kernel is booted.
    pub const fn boot(&self) -> Boot {
        self.boot
    }

    /// The machine for a case.
    pub fn machine(&self, manifest: &Manifest, vcpus: u16) -> MachineSpec {
        let profile = manifest.machine();
        let mut machine = MachineSpec::q35(u32::from(vcpus), profile.memory_mib);
        machine.firmware = self.firmware.clone();
        if self.boot == Boot::Direct {
            machine.vga = Vga::None;
        }
        machine
    }

    /// What a guest boots to run `cases`, with its files in `folder`; [`BootImage::build`] makes them.
    ///
    /// # Errors
    /// A plan that cannot be written.
    pub fn image(&self, manifest: &Manifest, cases: &[u16], folder: &Path) -> Result<BootImage, Coded> {
        let plan = self.plan(manifest, cases)?;
        let archive = Archive::new(self.ramdisk(&plan), folder, ".tar");
        let disk = (self.boot != Boot::Direct).then(|| self.disk(&archive, folder));
        let medium = match &disk {
            Some(disk) => BootMedium::Disk { path: disk.path.clone() },
            None => BootMedium::Kernel {
                kernel: self.kernel_path.clone(),
                initrd: Some(archive.path.clone()),
                append: String::new(),
            },
        };
        Ok(BootImage { plan, build: Some(self.build), medium, archive, disk })
    }

    /// The plan for one boot that runs `cases`, as often as the manifest has it, or where the kernel is to do wrong, until
    /// after the iteration in which it does; for a sweep, whatever the machine has CPUs for.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn plan(&self, manifest: &Manifest, cases: &[u16]) -> Result<PlanBytes, Coded> {
        let Some(Sweep { iterations, .. }) = self.sweep else {
            let iterations = if manifest.kernel_errs() { STRIKES_IN + 1 } else { manifest.iterations() };
            return self.listed_plan(manifest, cases, iterations);
        };
        let options = PlanOptions { iterations, ..PlanOptions::default() };
        PlanBytes::new(manifest, &self.blob, &[], options).or_exit(Exit::BadInput)
    }

    /// The plan for `cases` and no others, whatever the manifest has, each so often.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn listed_plan(
        &self,
        manifest: &Manifest,
        cases: &[u16],
        iterations: u16,
    ) -> Result<PlanBytes, Coded> {
        let options = PlanOptions { iterations, ..PlanOptions::default() };
        PlanBytes::new(manifest, &self.blob, cases, options).or_exit(Exit::BadInput)
    }

    /// The ramdisk that carries a plan and the worker to any system.
    pub fn ramdisk(&self, plan: &PlanBytes) -> Vec<u8> {
        ramdisk(plan, &[&self.blob])
    }

    /// The worker, for the results.
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

    /// The manifest's word for how our kernel is booted.
    pub fn boot_word(&self) -> &'static str {
        match self.boot {
            Boot::Direct => "direct",
            Boot::Bios => "bios",
            Boot::Uefi => "uefi",
        }
    }

    /// How many cores of the host a guest can have.
    pub fn host_cores(&self) -> u16 {
        HostTopology::here().core_count(&self.host_cpus.available)
    }

    /// For the results; `artifacts` are what the runs are made of.
    pub fn environment(&self, manifest: &Manifest, artifacts: Vec<Artifact>) -> Environment {
        let emulated = self.accelerator.accelerator == Accelerator::Tcg;
        let cpu_model = qemu::default_cpu_model(self.accelerator.accelerator);
        Environment {
            accelerator: Some(AcceleratorReport {
                name: self.accelerator.accelerator.to_string(),
                emulated,
                why: self.accelerator.reason.clone(),
            }),
            qemu: Some(Program {
                path: self.qemu.path.display().to_string(),
                version: self.qemu.banner.clone(),
            }),
            machine: Some(manifest.machine().machine_type.name().to_owned()),
            cpu_model: Some(cpu_model.to_owned()),
            firmware: Some(self.boot_word().to_owned()),
            memory_mib: Some(u64::from(manifest.machine().memory_mib)),
            host: Some(host_report()),
            pinning: pinning(&self.host_cpus),
            artifacts,
        }
    }
}

/// This host, for the results.
pub fn host_report() -> Host {
    let HostIdentity { system, cpu, cpus_online, load } = HostIdentity::read(&Root::here());
    Host { system, cpu, cpus_online, load }
}

/// Where guests are held, for the results.
fn pinning(cpus: &HostCpus) -> Option<Pinning> {
    let set = cpus.set.as_ref()?;
    let (host_cpus, asked_by) = (set.to_string(), cpus.asked_by().to_owned());
    Some(Pinning { host_cpus, asked_by, cores: cpus.cores() })
}

/// A file for the results.
pub fn artifact(name: &str, bytes: &[u8]) -> Artifact {
    Artifact { name: name.to_owned(), sha256: Digest::of(bytes).to_string(), bytes: bytes.len() as u64 }
}

/// The first 8 bytes of an ELF's build ID, as the kernel prints it.
fn build_id(elf: &[u8]) -> anyhow::Result<u64> {
    let file = object::File::parse(elf).context("not an ELF file")?;
    let id = file.build_id()?.and_then(|id| id.first_chunk()).context("has no build ID")?;
    Ok(Hex64(u64::from_be_bytes(*id)).0)
}
