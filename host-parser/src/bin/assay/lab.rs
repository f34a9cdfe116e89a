//! All that a guest is made of: QEMU, firmware, kernel, worker, image tool. Found once, before the first run.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use abi::Digest;
use abi::wire::Hex64;
use anyhow::{Context, anyhow};
use host_parser::manifest::{Boot, Manifest};
use host_parser::plan::{PlanBytes, PlanOptions, WorkerBlob, ramdisk};
use host_parser::results::{
    Accelerator as AcceleratorReport, Artifact, Environment, Program, write_atomically,
};
use object::Object;
use qemu::{
    Accelerator, AcceleratorChoice, BootMedium, CancelToken, Firmware, Machine, Qemu, UefiFirmware, Vga,
};

use crate::cli::{Accel, GuestArgs};
use crate::exit::{Coded, Exit, OrExit};
use crate::host;
use crate::pinning::HostCpus;
use crate::tool::{self, Ended};

/// ENOSPC in the words of Rust's standard library, which the image tool uses; the number is in no language.
const DISK_FULL: &str = "(os error 28)";

/// What guests are made of.
pub struct Lab {
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
    boot: Boot,
    firmware: Firmware,
    kernel: Artifact,
    kernel_path: PathBuf,
    image_tool: PathBuf,
}

/// What a guest boots for one plan: a ramdisk, and with firmware a disk image around it and the kernel.
pub struct Image {
    /// The plan in it.
    pub plan: PlanBytes,
    content: Vec<u8>,
    ramdisk: PathBuf,
    /// None where QEMU takes kernel and ramdisk as they are.
    disk: Option<PathBuf>,
}

impl Image {
    /// The disk image, where one is needed and not there yet.
    pub fn missing_disk(&self) -> Option<&Path> {
        self.disk.as_deref().filter(|disk| !disk.exists())
    }
}

impl Lab {
    /// Finds everything for the experiment of `manifest`.
    ///
    /// # Errors
    /// Whatever is missing or broken, by its name, with what to do.
    pub fn find(args: &GuestArgs, manifest: &Manifest) -> Result<Self, Coded> {
        let host_cpus = HostCpus::choose(args.cpus.as_deref()).or_exit(Exit::Usage)?;
        let qemu = Qemu::find(args.qemu.as_deref()).or_exit(Exit::Environment)?;
        let accelerator = match args.accel {
            None => AcceleratorChoice::detect(),
            Some(Accel::Kvm) => AcceleratorChoice::forced(Accelerator::Kvm, "--accel kvm"),
            Some(Accel::Tcg) => AcceleratorChoice::forced(Accelerator::Tcg, "--accel tcg"),
        };
        let boot = manifest.machine().boot;
        let firmware = match boot {
            Boot::Direct | Boot::Bios => Firmware::Bios,
            Boot::Uefi => Firmware::Uefi(UefiFirmware::find(None).or_exit(Exit::Environment)?),
        };
        let kernel_bytes = fs::read(&args.kernel)
            .with_context(|| format!("kernel {}: not there; `make build` builds it", args.kernel.display()))
            .or_exit(Exit::Environment)?;
        let build = build_id(&kernel_bytes)
            .with_context(|| format!("kernel {}", args.kernel.display()))
            .or_exit(Exit::Environment)?;
        let blob = WorkerBlob::load(&args.workers, manifest.program()).or_exit(Exit::Environment)?;
        let kernel = artifact("kernel", &kernel_bytes);
        let (kernel_path, image_tool) = (args.kernel.clone(), args.image_tool.clone());
        Ok(Self {
            qemu,
            accelerator,
            host_cpus,
            blob,
            build,
            boot,
            firmware,
            kernel,
            kernel_path,
            image_tool,
        })
    }

    /// The machine for a case.
    pub fn machine(&self, manifest: &Manifest, vcpus: u16) -> Machine {
        let profile = manifest.machine();
        let mut machine = Machine::q35(u32::from(vcpus), profile.memory_mib);
        machine.firmware = self.firmware.clone();
        if self.boot == Boot::Direct {
            machine.vga = Vga::None;
        }
        machine
    }

    /// What a guest boots to run `cases`, with its files in `folder`, each named by its content; [`Lab::build`] makes
    /// them.
    ///
    /// # Errors
    /// A plan that cannot be written.
    pub fn image(&self, manifest: &Manifest, cases: &[u16], folder: &Path) -> Result<Image, Coded> {
        let plan =
            PlanBytes::new(manifest, &self.blob, cases, PlanOptions::default()).or_exit(Exit::BadInput)?;
        let content = ramdisk(&plan, &[&self.blob]);
        let digest = Digest::of(&content);
        let with_kernel = Digest::of(format!("{} {digest}", self.kernel.sha256).as_bytes());
        let named = |digest: Digest, end: &str| folder.join(format!("{}{end}", &digest.to_string()[..16]));
        let disk =
            (self.boot != Boot::Direct).then(|| named(with_kernel, &format!("-{}.img", self.boot_word())));
        Ok(Image { plan, ramdisk: named(digest, ".tar"), disk, content })
    }

    /// Makes the files of an image that are not there yet.
    ///
    /// # Errors
    /// A file that cannot be written, the image tool's own words, or that it was cancelled.
    pub fn build(&self, image: &Image, cancel: &CancelToken) -> Result<(), Coded> {
        if !image.ramdisk.exists() {
            let folder = image.ramdisk.parent().unwrap_or(Path::new("."));
            fs::create_dir_all(folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
            write_atomically(&image.ramdisk, |out| out.write_all(&image.content)).or_exit(Exit::Output)?;
        }
        match &image.disk {
            Some(disk) if !disk.exists() => self.run_image_tool(disk, &image.ramdisk, cancel),
            _ => Ok(()),
        }
    }

    fn run_image_tool(&self, disk: &Path, ramdisk: &Path, cancel: &CancelToken) -> Result<(), Coded> {
        let program = &self.image_tool;
        let mut command = Command::new(program);
        command.arg("--kernel").arg(&self.kernel_path).arg("--ramdisk").arg(ramdisk);
        command.arg(format!("--{}", self.boot_word())).arg(disk);
        let ended = tool::run(&mut command, cancel)
            .with_context(|| {
                format!("image tool {}: cannot be run; `make build` builds it", program.display())
            })
            .or_exit(Exit::Environment)?;
        match ended {
            Ended::Itself(status, _) if status.success() => {}
            Ended::Itself(status, said) => {
                let exit = if said.contains(DISK_FULL) { Exit::Output } else { Exit::Environment };
                return Err(anyhow!("image tool: {status}: {}", said.trim())).or_exit(exit);
            }
            Ended::Cancelled => {
                return Err(anyhow!("interrupted while the image was built")).or_exit(Exit::Interrupted);
            }
            Ended::Hung => return Err(anyhow!("image tool: does not end")).or_exit(Exit::Environment),
        }
        if !disk.exists() {
            let path = disk.display();
            return Err(anyhow!("image tool: {path} was not written")).or_exit(Exit::Environment);
        }
        Ok(())
    }

    /// What QEMU is given of an image.
    pub fn medium(&self, image: &Image) -> BootMedium {
        match &image.disk {
            Some(path) => BootMedium::Disk { path: path.clone() },
            None => BootMedium::Kernel {
                kernel: self.kernel_path.clone(),
                initrd: Some(image.ramdisk.clone()),
                append: String::new(),
            },
        }
    }

    fn boot_word(&self) -> &'static str {
        match self.boot {
            Boot::Direct => "direct",
            Boot::Bios => "bios",
            Boot::Uefi => "uefi",
        }
    }

    /// How many cores of the host a guest can have.
    pub fn host_cores(&self) -> u16 {
        host::cores(&self.host_cpus.available)
    }

    /// For the results.
    pub fn environment(&self, manifest: &Manifest) -> Environment {
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
            host: Some(host::describe()),
            pinning: self.host_cpus.describe(),
            artifacts: vec![self.kernel.clone(), artifact(manifest.program(), self.blob.bytes())],
        }
    }
}

fn artifact(name: &str, bytes: &[u8]) -> Artifact {
    Artifact { name: name.to_owned(), sha256: Digest::of(bytes).to_string(), bytes: bytes.len() as u64 }
}

/// The first 8 bytes of an ELF's build ID, as the kernel prints it.
fn build_id(elf: &[u8]) -> anyhow::Result<u64> {
    let file = object::File::parse(elf).context("not an ELF file")?;
    let id = file.build_id()?.and_then(|id| id.first_chunk()).context("has no build ID")?;
    Ok(Hex64(u64::from_be_bytes(*id)).0)
}
