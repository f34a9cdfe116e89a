//! Shared by the tests: specifications of small guests, and guests of one boot sector.
#![allow(dead_code, reason = "each test program uses a part")]
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use host::CancelToken;
use qemu::{
    Accelerator, AcceleratorChoice, BootMedium, GuestEvent, GuestRun, GuestSpec, MachineSpec, Qemu, QemuError,
};

/// Far more than any of these runs needs, so that a busy host fails no test.
pub const AMPLE: Duration = Duration::from_secs(60);

/// `mov al, 0x10; out 0xf4, al; hlt`
pub const DEBUG_EXIT: &[u8] = &[0xb0, 0x10, 0xe6, 0xf4, 0xf4];

/// `cli; hang: hlt; jmp hang`
pub const HANG: &[u8] = &[0xfa, 0xf4, 0xeb, 0xfd];

/// `xor ax, ax; mov ds, ax; lidt [0x7c20]; int3` with an IDT of length zero: #BP, #DF, and no more.
pub const TRIPLE_FAULT: &[u8] = &[0x31, 0xc0, 0x8e, 0xd8, 0x0f, 0x01, 0x1e, 0x20, 0x7c, 0xcc];

/// Sends back what comes to its serial port, if `dx` is 0x3f8 as after [`print_then`].
/// `look: mov dl, 0xfd; in al, dx; test al, 1; jz look; mov dl, 0xf8; in al, dx; out dx, al; jmp look`
pub const ECHO: &[u8] = &[0xb2, 0xfd, 0xec, 0xa8, 0x01, 0x74, 0xf9, 0xb2, 0xf8, 0xec, 0xee, 0xeb, 0xf3];

/// `ud2`, whose handler in the BIOS returns to it: #UD for ever.
pub const FAULT_FOR_EVER: &[u8] = &[0x0f, 0x0b];

/// `mov dx, 0xcf9; mov al, 6; out dx, al; hlt`: the chipset's reset control register.
pub const RESET: &[u8] = &[0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, 0xf4];

/// `mov dx, 0x604; mov ax, 0x2000; out dx, ax; hlt`: ACPI S5 by PM1a_CNT, where SeaBIOS puts it on q35.
pub const POWER_OFF: &[u8] = &[0xba, 0x04, 0x06, 0xb8, 0x00, 0x20, 0xef, 0xf4];

/// `mov dx, 0x505; mov al, 1; out dx, al; hlt`: pvpanic's "the guest has panicked".
pub const PANIC: &[u8] = &[0xba, 0x05, 0x05, 0xb0, 0x01, 0xee, 0xf4];

/// `xor ax, ax; mov dx, 0x3f8; next: out dx, al; inc al; jmp next`: 0, 1, ... 255, 0, ... for ever.
pub const FLOOD: &[u8] = &[0x31, 0xc0, 0xba, 0xf8, 0x03, 0xee, 0xfe, 0xc0, 0xeb, 0xfb];

/// Prints the text at 0x7c20 up to its NUL, then goes on at the next instruction.
/// `xor ax, ax; mov ds, ax; cld; mov si, 0x7c20; mov dx, 0x3f8; next: lodsb; test al, al; jz end; out dx, al; jmp next`
const PRINT: &[u8] = &[
    0x31, 0xc0, 0x8e, 0xd8, 0xfc, 0xbe, 0x20, 0x7c, 0xba, 0xf8, 0x03, 0xac, 0x84, 0xc0, 0x74, 0x03, 0xee,
    0xeb, 0xf8,
];

/// A guest that prints `text` and then does `after`.
pub fn print_then(text: &[u8], after: &[u8]) -> Vec<u8> {
    let mut code = [PRINT, after].concat();
    assert!(code.len() <= 0x20, "the text begins at 0x20");
    code.resize(0x20, 0);
    [&code, text, &[0]].concat()
}

/// A directory with a boot disk whose name has characters that need quoting.
pub struct Guest {
    pub directory: tempfile::TempDir,
    pub spec: GuestSpec,
}

impl Guest {
    /// A machine of one CPU that boots a sector with this code.
    pub fn of_sector(code: &[u8]) -> Self {
        let qemu = Qemu::find(None).expect("QEMU is installed by `make setup`");
        let directory = tempfile::tempdir().unwrap();
        let mut sector = code.to_vec();
        sector.resize(510, 0);
        sector.extend([0x55, 0xaa]);
        // SeaBIOS boots no disk of less than one cylinder, which is half of this.
        sector.resize(1 << 20, 0);
        let image = directory.path().join("boot sector, 'one'.img");
        fs::write(&image, sector).unwrap();
        Self::new(qemu, directory, image)
    }

    /// A program that stands in for QEMU: a shell script with its control socket as standard input.
    pub fn of_script(body: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = script(directory.path(), body);
        let version = qemu::MINIMUM_VERSION;
        let image = directory.path().join("boot.img");
        fs::write(&image, b"").unwrap();
        Self::new(Qemu { path, version, banner: String::new() }, directory, image)
    }

    fn new(qemu: Qemu, directory: tempfile::TempDir, image: PathBuf) -> Self {
        let spec = GuestSpec {
            vmm: qemu.into(),
            accelerator: AcceleratorChoice::forced(Accelerator::Tcg, "the tests"),
            machine: MachineSpec::q35(1, 32),
            boot: BootMedium::Disk { path: image },
            host_cpus: None,
            deadline: AMPLE,
            first_record: None,
            serial_log: directory.path().join("serial.log"),
            delete_after: None,
            serial_limit_bytes: GuestSpec::SERIAL_LIMIT_BYTES,
        };
        Self { directory, spec }
    }

    pub fn run(&self) -> Result<GuestRun, QemuError> {
        self.run_with(&CancelToken::new().unwrap(), &mut |_| {})
    }

    pub fn run_with(
        &self,
        cancel: &CancelToken,
        progress: &mut dyn FnMut(GuestEvent<'_>),
    ) -> Result<GuestRun, QemuError> {
        qemu::run(&self.spec, cancel, progress)
    }

    pub fn serial(&self) -> Vec<u8> {
        fs::read(&self.spec.serial_log).unwrap()
    }
}

/// Writes an executable shell script, by another program. If this process had the file open, a child that another test
/// forks at that moment would inherit it, and starting the script would fail with "text file busy".
pub fn script(directory: &Path, body: &str) -> PathBuf {
    let path = directory.join("qemu");
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod +x "$0""#;
    let status = Command::new("sh").args(["-c", write]).arg(&path).arg(body).status().unwrap();
    assert!(status.success());
    path
}

/// Whether a process has ended or is a zombie.
pub fn has_ended(pid: u32) -> bool {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        // The state follows the name, which is in parentheses and may hold any character.
        Ok(stat) => stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X'])),
        Err(_) => true,
    }
}
