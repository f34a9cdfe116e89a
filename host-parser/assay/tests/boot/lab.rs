//! What all rows share: QEMU, kernel, worker, plans and images. Each boot is one call.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use abi::wire::is_tagged;
use experiment::manifest::Manifest;
use experiment::plan::{PlanBytes, PlanOptions, WorkerBlob, ramdisk};
use host::CancelToken;
use object::read::elf::{FileHeader, ProgramHeader};
use qemu::{
    AcceleratorChoice, BootMedium, CpuShape, DiskBus, Firmware, GuestEvent, GuestRun, GuestSpec, MachineSpec,
    Qemu, UefiFirmware, Version, Vga,
};
use tempfile::TempDir;

use crate::assay::{manifest, workspace};
use crate::case::{Case, Medium, Needs, Part, Start};
use crate::debugger::{Debugger, Register};
use crate::firmware_tables::{self, Tables};

/// The first QEMU whose translator has x2APIC.
const X2APIC_SINCE: Version = Version { major: 9, minor: 0, micro: 0 };

/// The first QEMU that was seen to load a ramdisk over the tables that its microvm's firmware keeps at the end of
/// memory, for some sizes of the ramdisk. The kernel refuses that (`boot-info`).
const MICROVM_UNTIL: Version = Version { major: 10, minor: 0, micro: 0 };

/// Name and type of the ELF note with the entry point for a VMM (Xen, xen/include/public/elfnote.h).
const PVH_NOTE: (&[u8], u32) = (b"Xen", 18);

/// Everything that the guests are made of.
pub struct Lab {
    qemu: Qemu,
    accelerator: AcceleratorChoice,
    uefi: Option<UefiFirmware>,
    experiment: Manifest,
    worker: WorkerBlob,
    kernel: PathBuf,
    entry: u64,
    folder: TempDir,
    images: RefCell<HashMap<(&'static str, u16), PathBuf>>,
}

/// A guest that has ended.
pub struct Over {
    /// How it ended, by its emulator.
    pub ended: Ended,
    /// The log of its serial port.
    pub log: Vec<u8>,
    /// Time from the emulator's start to the first record.
    pub first_record: Option<Duration>,
}

/// How a guest ended, by its emulator.
pub enum Ended {
    /// QEMU's report.
    Qemu(Box<GuestRun>),
    /// Another emulator reports nothing: only the log counts.
    Unknown,
    /// The guest could not be run, or the debugger failed.
    Broken(String),
}

impl Lab {
    /// Finds everything. Panics if something is missing, because then no row can run.
    pub fn new() -> Self {
        let given = std::env::var_os("ASSAY_QEMU").map(PathBuf::from);
        let kernel = workspace().join("target/kernel/assay-kernel");
        let elf = fs::read(&kernel).expect("`make build` has been run");
        let lab = Self {
            qemu: Qemu::find(given.as_deref()).unwrap(),
            accelerator: AcceleratorChoice::detect(),
            uefi: UefiFirmware::find(None).ok(),
            experiment: Manifest::load(&manifest("small.toml")).unwrap(),
            worker: WorkerBlob::load(&workspace().join("target/release"), "primes").unwrap(),
            entry: pvh_entry(&elf).expect("the kernel has a PVH note"),
            kernel,
            folder: tempfile::tempdir().unwrap(),
            images: RefCell::default(),
        };
        fs::write(lab.junk(), [0xa5; 300]).unwrap();
        lab
    }

    /// The QEMU in use.
    pub fn qemu(&self) -> &Qemu {
        &self.qemu
    }

    /// The worker's program.
    pub fn worker(&self) -> &WorkerBlob {
        &self.worker
    }

    /// What this host lacks for a row, or `None` if the row can run.
    pub fn lacks(&self, case: &Case) -> Option<String> {
        if case.needs == Needs::X2apic && self.qemu.version < X2APIC_SINCE {
            return Some(format!("QEMU {} has no x2APIC under TCG, {X2APIC_SINCE} has", self.qemu.version));
        }
        if case.machine.starts_with("microvm") && self.qemu.version >= MICROVM_UNTIL {
            return Some(format!(
                "QEMU {}'s microvm loads a ramdisk over its firmware's tables",
                self.qemu.version
            ));
        }
        let uefi = matches!(case.start, Start::Uefi(_));
        (uefi && self.uefi.is_none()).then(|| "no OVMF found".to_owned())
    }

    /// The plan of a boot with one case of `workers`.
    pub fn plan(&self, workers: u16) -> PlanBytes {
        // With a screen alone, the machine would stay on for a person to read it.
        let options = PlanOptions { linger_ms: 1, ..PlanOptions::default() };
        PlanBytes::new(&self.experiment, &self.worker, &[workers], options).unwrap()
    }

    /// Boots a row's machine and waits for its end.
    pub fn boot(&self, case: &Case, deadline: Duration) -> Over {
        let folder = TempDir::new_in(self.folder.path()).unwrap();
        let mut machine = self.machine(case);
        machine.debugger = case.tables.map(|_| folder.path().join("debugger"));
        let spec = GuestSpec {
            vmm: self.qemu.clone().into(),
            accelerator: self.accelerator.clone(),
            machine,
            boot: self.medium(case),
            host_cpus: None,
            deadline,
            serial_log: folder.path().join("serial.log"),
            first_record: None,
            delete_after: None,
            serial_limit_bytes: GuestSpec::SERIAL_LIMIT_BYTES,
        };
        let begin = std::time::Instant::now();
        let (mut first_record, mut debugger, mut surgery) = (None, None, None);
        let run = qemu::run(&spec, &CancelToken::new().unwrap(), &mut |progress| match progress {
            GuestEvent::Started { .. } => {
                debugger = spec.machine.debugger.as_deref().map(|socket| self.debugger(socket));
            }
            GuestEvent::Running { .. } => {
                let to_do = debugger.take().zip(case.tables);
                surgery = to_do.map(|(debugger, change)| self.operate(debugger, case.cpus, change));
            }
            GuestEvent::SerialLine { line, .. } if first_record.is_none() && is_tagged(line) => {
                first_record = Some(begin.elapsed());
            }
            _ => {}
        });
        let operated = surgery.map_or(Ok(()), |thread| thread.join().unwrap());
        let ended = match (run, operated) {
            (Err(error), _) => Ended::Broken(error.to_string()),
            (Ok(run), Err(error)) => {
                Ended::Broken(format!("tables not replaced: {error}; {:?}", run.outcome))
            }
            (Ok(run), Ok(())) => Ended::Qemu(Box::new(run)),
        };
        Over { ended, log: fs::read(&spec.serial_log).unwrap_or_default(), first_record }
    }

    fn machine(&self, case: &Case) -> MachineSpec {
        let mut machine = MachineSpec::q35(u32::from(case.cpus), case.mib);
        let without = |part| case.without.contains(&part);
        let [sockets, cores, threads] = case.shape;
        machine.machine_type = case.machine.to_owned();
        machine.cpu_model = Some(case.cpu.to_owned());
        machine.shape = (sockets > 0).then_some(CpuShape { sockets, cores, threads });
        machine.numa_nodes = case.nodes;
        machine.serial = !without(Part::Serial);
        machine.hpet = !without(Part::Hpet);
        if without(Part::Vga) {
            machine.vga = Vga::None;
        }
        if let Start::Bios(medium) | Start::Uefi(medium) = case.start {
            machine.disk_bus = match medium {
                Medium::Disk(bus) | Medium::IsoDisk(bus) => bus,
                Medium::Stick | Medium::IsoCd | Medium::IsoStick => DiskBus::Ata,
            };
        }
        if let (Start::Uefi(_), Some(uefi)) = (case.start, &self.uefi) {
            machine.firmware = Firmware::Uefi(uefi.clone());
        }
        let junk = format!("data={}", self.junk().display());
        machine.extra_args = case.extra.iter().map(|arg| arg.replace("data=JUNK", &junk)).collect();
        machine
    }

    /// Connects a debugger, with a breakpoint on the kernel's first instruction.
    fn debugger(&self, socket: &Path) -> io::Result<Debugger> {
        let mut debugger = Debugger::connect(socket)?;
        debugger.stop_at(self.entry)?;
        Ok(debugger)
    }

    /// Lets the guest run to the breakpoint, and changes its tables there, in a thread.
    fn operate(
        &self,
        debugger: io::Result<Debugger>,
        cpus: u16,
        change: fn(&mut Tables),
    ) -> JoinHandle<io::Result<()>> {
        let entry = self.entry;
        let going = debugger.and_then(|mut debugger| debugger.go().map(|()| debugger));
        thread::spawn(move || {
            let mut debugger = going?;
            debugger.wait_for_stop()?;
            firmware_tables::replace(&mut debugger, cpus, change)?;
            // If QEMU took the two orders to start late, the guest would have run past the breakpoint.
            match debugger.register(Register::Rip)? {
                at if at == entry => debugger.leave(),
                at => Err(io::Error::other(format!("the guest stopped at {at:#x}, expected {entry:#x}"))),
            }
        })
    }

    fn medium(&self, case: &Case) -> BootMedium {
        let workers = case.workers();
        let (option, medium) = match case.start {
            Start::Direct => {
                let initrd = Some(self.ramdisk(workers));
                return BootMedium::Kernel { kernel: self.kernel.clone(), initrd, append: String::new() };
            }
            Start::Bios(medium) => ("--bios", medium),
            Start::Uefi(medium) => ("--uefi", medium),
        };
        match medium {
            Medium::Disk(_) => BootMedium::Disk { path: self.image(option, workers) },
            Medium::Stick => BootMedium::UsbStick { path: self.image(option, workers) },
            Medium::IsoCd => BootMedium::Cdrom { path: self.iso(workers) },
            Medium::IsoDisk(_) => BootMedium::Disk { path: self.iso(workers) },
            Medium::IsoStick => BootMedium::UsbStick { path: self.iso(workers) },
        }
    }

    /// The ISO.
    pub fn iso(&self, workers: u16) -> PathBuf {
        self.image("--iso", workers)
    }

    /// The image that the image tool makes with this option. It is made on the first call.
    fn image(&self, option: &'static str, workers: u16) -> PathBuf {
        let mut images = self.images.borrow_mut();
        images.entry((option, workers)).or_insert_with(|| self.make_image(option, workers)).clone()
    }

    fn make_image(&self, option: &str, workers: u16) -> PathBuf {
        let path = self.folder.path().join(format!("{}-{workers}.img", &option[2..]));
        let mut tool = Command::new(workspace().join("target/release/assay-image"));
        tool.arg("--kernel").arg(&self.kernel).arg("--ramdisk").arg(self.ramdisk(workers));
        let output = tool.arg(option).arg(&path).output().expect("`make build` has been run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        path
    }

    fn ramdisk(&self, workers: u16) -> PathBuf {
        let path = self.folder.path().join(format!("ramdisk-{workers}.tar"));
        fs::write(&path, ramdisk(&self.plan(workers), &[&self.worker])).unwrap();
        path
    }

    fn junk(&self) -> PathBuf {
        self.folder.path().join("junk")
    }

    /// A new folder, removed at the latest with the lab.
    pub fn folder(&self) -> TempDir {
        TempDir::new_in(self.folder.path()).unwrap()
    }
}

/// The address at which a VMM enters the kernel.
fn pvh_entry(elf: &[u8]) -> Option<u64> {
    let header = object::elf::FileHeader64::<object::Endianness>::parse(elf).ok()?;
    let endian = header.endian().ok()?;
    for segment in header.program_headers(endian, elf).ok()? {
        let Ok(Some(mut notes)) = segment.notes(endian, elf) else { continue };
        while let Ok(Some(note)) = notes.next() {
            if (note.name(), note.n_type(endian)) == PVH_NOTE {
                return Some(u64::from_le_bytes(*note.desc().first_chunk()?));
            }
        }
    }
    None
}
