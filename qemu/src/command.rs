//! The exact command line. The same specification always gives the same arguments.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::ser::SerializeStruct;

use crate::exact::{EXACT_SERIAL, ExactMode};
use crate::{Accelerator, BootMedium, CpuShape, DiskBus, Firmware, MachineSpec, QemuError, Vga, machine};

/// QMP on standard input, which is a socket, and the guest stopped before its first instruction.
const CONTROL: [&str; 5] = ["-S", "-chardev", "socket,id=qmp,fd=0", "-mon", "chardev=qmp,mode=control"];

/// The port is where kernels expect it; four bytes, so that any width of write reaches it.
const FIXED: [&str; 7] = [
    "-nodefaults",
    "-no-user-config",
    "-no-reboot",
    "-display",
    "none",
    "-device",
    "isa-debug-exit,iobase=0xf4,iosize=0x04",
];

/// Not `stdio`, which would read standard input: that is the control channel.
const SERIAL: [&str; 4] = ["-chardev", "file,id=serial0,path=/dev/stdout", "-serial", "chardev:serial0"];

/// Standard output is a socket then, which carries both ways, as standard input is for the control channel.
const SERIAL_BOTH_WAYS: [&str; 4] = ["-chardev", "socket,id=serial0,fd=1", "-serial", "chardev:serial0"];
/// The same port on a terminal.
const SERIAL_BY_HAND: &str = "stdio,id=serial0,signal=off";

/// A command line. Prints as one that can be pasted into a shell; serialised as `program` and `arguments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    program: PathBuf,
    arguments: Vec<OsString>,
    /// How many of the arguments, from the first, set up the control channel.
    control: usize,
    /// Whether standard output must be a socket, on which the serial port takes input too.
    pub(crate) serial_input: bool,
    /// A file that it names, which is written before the program starts.
    pub(crate) given: Option<Given>,
}

/// A file that a VMM is given on its command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Where it is.
    pub path: PathBuf,
    /// What it holds.
    pub content: String,
}

impl CommandLine {
    /// One without arguments.
    pub(crate) fn of(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            arguments: Vec::new(),
            control: 0,
            serial_input: false,
            given: None,
        }
    }

    /// Builds QEMU's command line of a guest.
    ///
    /// # Errors
    /// [`QemuError::Option`] if the machine cannot be built so.
    pub fn new(
        qemu: &Path,
        accelerator: Accelerator,
        machine: &MachineSpec,
        boot: &BootMedium,
    ) -> Result<Self, QemuError> {
        machine.check(accelerator)?;
        let mut line = Self::of(qemu);
        if machine.exact.is_none() {
            line.control(&CONTROL);
        }
        line.words(&FIXED);
        match machine.exact {
            Some(_) => line.words(&EXACT_SERIAL),
            None if machine.serial_input => {
                line.words(&SERIAL_BOTH_WAYS);
                line.serial_input = true;
            }
            None if machine.serial => line.words(&SERIAL),
            None => {}
        }
        let hpet = if machine.hpet { "" } else { ",hpet=off" };
        line.words(&["-machine", &format!("{}{hpet}", machine.machine_type)]);
        line.processors(accelerator, machine);
        line.words(&["-m", &format!("{}M", machine.memory_mib)]);
        line.nodes(machine);
        line.words(&["-vga", if machine.vga == Vga::Std { "std" } else { "none" }]);
        line.firmware(&machine.firmware);
        line.boot(boot, machine.disk_bus);
        if let Some(socket) = &machine.debugger {
            line.option("-chardev", "socket,id=debugger,server=on,wait=off,path=", socket);
            line.words(&["-gdb", "chardev:debugger"]);
        }
        if let Some(log) = &machine.trace_log {
            line.words(&["-d", "int,cpu_reset,guest_errors", "-D"]);
            line.word(absolute(log));
        }
        if machine.hold_at_end {
            line.word("-no-shutdown");
        }
        if let Some(load) = &machine.load {
            line.word("-incoming");
            line.word(exec_uri("cat ", &load.from));
        }
        machine.extra_args.iter().for_each(|argument| line.word(argument));
        Ok(line)
    }

    /// The same guest to run by hand: without the control channel, not stopped at the start, and with the serial port on
    /// the terminal.
    #[must_use]
    pub fn by_hand(&self) -> Self {
        let (program, given) = (self.program.clone(), self.given.clone());
        let own = self.arguments[self.control..].iter();
        let arguments = own.map(|word| {
            let is_socket = self.serial_input && word == SERIAL_BOTH_WAYS[1];
            if is_socket { SERIAL_BY_HAND.into() } else { word.clone() }
        });
        Self { program, arguments: arguments.collect(), control: 0, serial_input: false, given }
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Its arguments.
    #[must_use]
    pub fn arguments(&self) -> &[OsString] {
        &self.arguments
    }

    /// The file that the program is given, if it is given one.
    #[must_use]
    pub fn given(&self) -> Option<&Given> {
        self.given.as_ref()
    }

    /// Begins with the arguments that set up the control channel.
    pub(crate) fn control(&mut self, words: &[&str]) {
        self.words(words);
        self.control = self.arguments.len();
    }

    fn processors(&mut self, accelerator: Accelerator, machine: &MachineSpec) {
        let model = machine.cpu_model.as_deref().unwrap_or(machine::default_cpu_model(accelerator));
        let model = machine.exact.as_ref().map_or_else(|| model.to_owned(), |_| ExactMode::model(model));
        let counts = machine.icount_shift.is_some() || machine.exact.is_some();
        let engine = match accelerator {
            Accelerator::Kvm => "kvm",
            Accelerator::Tcg if !counts => "tcg,thread=multi",
            // One clock for all CPUs means one thread for all CPUs; QEMU refuses anything else.
            Accelerator::Tcg => "tcg,thread=single",
        };
        let vcpus = machine.vcpus;
        let flat = CpuShape { sockets: 1, cores: vcpus, threads: 1 };
        let shape @ CpuShape { sockets, cores, threads } = machine.shape.unwrap_or(flat);
        // Not needed if it equals the number of CPUs, QEMU's default.
        let empty = if shape.places() > u64::from(vcpus) {
            format!(",maxcpus={}", shape.places())
        } else {
            String::new()
        };
        self.words(&["-accel", engine, "-cpu", &model]);
        self.words(&["-smp", &format!("{vcpus}{empty},sockets={sockets},cores={cores},threads={threads}")]);
        if let Some(exact) = &machine.exact {
            exact.arguments(self);
        } else if let Some(shift) = machine.icount_shift {
            self.words(&["-icount", &format!("shift={shift}")]);
        }
    }

    /// The nodes, each with its part of memory and CPUs; the last one also gets the remainder.
    fn nodes(&mut self, machine: &MachineSpec) {
        let (nodes, vcpus, mib) = (machine.numa_nodes, machine.vcpus, machine.memory_mib);
        let first = |node: u32, all: u32| node * (all / nodes);
        let end = |node: u32, all: u32| if node + 1 == nodes { all } else { first(node + 1, all) };
        for node in 0..nodes {
            let size = end(node, mib) - first(node, mib);
            let (from, to) = (first(node, vcpus), end(node, vcpus) - 1);
            self.words(&["-object", &format!("memory-backend-ram,id=node{node},size={size}M")]);
            self.words(&["-numa", &format!("node,nodeid={node},memdev=node{node},cpus={from}-{to}")]);
        }
    }

    fn firmware(&mut self, firmware: &Firmware) {
        let Firmware::Uefi(uefi) = firmware else { return };
        let Some(vars) = &uefi.vars else {
            self.word("-bios");
            return self.word(absolute(&uefi.code));
        };
        self.option("-drive", "if=pflash,unit=0,format=raw,readonly=on,file=", &uefi.code);
        // The firmware wants to write its variables; the template stays as it is.
        self.option("-drive", "if=pflash,unit=1,format=raw,snapshot=on,file=", vars);
    }

    fn boot(&mut self, boot: &BootMedium, bus: DiskBus) {
        match boot {
            BootMedium::Nothing => {}
            BootMedium::Disk { path } => {
                self.option("-drive", "if=none,id=boot,format=raw,snapshot=on,file=", path);
                let device = match bus {
                    DiskBus::Ata => "ide-hd,drive=boot,bootindex=0",
                    DiskBus::Ahci => "ide-hd,bus=ahci.0,drive=boot,bootindex=0",
                    // NVMe wants a serial number.
                    DiskBus::Nvme => "nvme,serial=boot,drive=boot,bootindex=0",
                    DiskBus::VirtioBlk => "virtio-blk-pci,drive=boot,bootindex=0",
                };
                if bus == DiskBus::Ahci {
                    self.words(&["-device", "ich9-ahci,id=ahci"]);
                }
                self.words(&["-device", device]);
            }
            BootMedium::Cdrom { path } => {
                self.option("-drive", "if=none,id=boot,media=cdrom,format=raw,readonly=on,file=", path);
                self.words(&["-device", "ide-cd,drive=boot,bootindex=0"]);
            }
            BootMedium::UsbStick { path } => {
                self.option("-drive", "if=none,id=boot,format=raw,snapshot=on,file=", path);
                self.words(&["-device", "qemu-xhci", "-device", "usb-storage,drive=boot,bootindex=0"]);
            }
            BootMedium::Kernel { kernel, initrd, append } => {
                self.word("-kernel");
                self.word(absolute(kernel));
                if let Some(initrd) = initrd {
                    // Not an option list: for PVH and bzImage a comma stands for itself.
                    self.word("-initrd");
                    self.word(absolute(initrd));
                }
                if !append.is_empty() {
                    self.words(&["-append", append]);
                }
            }
        }
    }

    pub(crate) fn word(&mut self, word: impl AsRef<OsStr>) {
        self.arguments.push(word.as_ref().to_owned());
    }

    pub(crate) fn words(&mut self, words: &[&str]) {
        words.iter().for_each(|word| self.word(word));
    }

    /// An option whose last value is a path. A comma in a value is written twice: QEMU's manual, "Character device
    /// options" and others.
    pub(crate) fn option(&mut self, name: &str, values: &str, path: &Path) {
        self.word(name);
        let mut option = values.as_bytes().to_vec();
        for byte in absolute(path).as_os_str().as_bytes() {
            option.extend(std::iter::repeat_n(*byte, if *byte == b',' { 2 } else { 1 }));
        }
        self.arguments.push(OsString::from_vec(option));
    }
}

/// The address of a stream that a shell command reads or writes (QEMU's manual, "-incoming exec:").
pub(crate) fn exec_uri(command: &str, file: &Path) -> String {
    format!("exec:{command}{}", quoted(absolute(file).as_os_str()))
}

/// A relative name with a colon would be read as a protocol, and one beginning with a dash as an option.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&quoted(self.program.as_os_str()))?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", quoted(argument)))
    }
}

/// Quotes a word for a POSIX shell: unchanged if it has no special character, else in single quotes.
fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.into_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

impl Serialize for CommandLine {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let arguments: Vec<_> = self.arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        let mut line = serializer.serialize_struct("CommandLine", 2)?;
        line.serialize_field("program", &self.program.to_string_lossy())?;
        line.serialize_field("arguments", &arguments)?;
        line.end()
    }
}

#[cfg(test)]
mod tests;
