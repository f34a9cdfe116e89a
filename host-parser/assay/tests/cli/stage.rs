//! A stage: a folder with stand-ins for everything that `assay run` needs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::assay::{self, Said, assay, workspace};

/// Much longer than any of these commands takes.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A QEMU that fails before it answers.
pub const DIES: &str = "echo 'cannot set up guest memory' >&2; exit 1";

/// A folder with the stand-ins, removed when dropped.
pub struct Stage {
    folder: TempDir,
}

impl Stage {
    /// A stage whose QEMU is the shell script `qemu`. The stage itself answers `--version`.
    pub fn with_qemu(qemu: &str) -> Self {
        let stage = Self { folder: tempfile::tempdir().unwrap() };
        let version = r#"case "$1" in --version) echo 'QEMU emulator version 9.8.7'; exit;; esac"#;
        stage.script("qemu", &format!("{version}\n{qemu}"));
        fs::write(stage.path("kernel"), elf_with_build_id()).unwrap();
        fs::create_dir(stage.path("workers")).unwrap();
        fs::write(stage.path("workers/primes"), b"\x7fELF: only these four bytes are checked").unwrap();
        stage.manifest("", "");
        stage
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes an executable script, by another program. If this process had the file open for writing, a child that
    /// another test starts at that moment would inherit it, and running the script would fail with "text file busy".
    pub fn script(&self, name: &str, body: &str) {
        let write = r#"printf '#!/bin/sh\n%s\n' "$1" > "$0" && chmod +x "$0""#;
        let status = Command::new("sh").args(["-c", write]).arg(self.path(name)).arg(body).status().unwrap();
        assert!(status.success());
    }

    /// Writes an ELF file without an interpreter. It is never run.
    pub fn static_program(&self, name: &str) {
        fs::write(self.path(name), elf_with_build_id()).unwrap();
    }

    /// Writes the manifest: the shipped one, with `from` replaced.
    pub fn manifest(&self, from: &str, to: &str) {
        fs::write(self.path("x.toml"), shipped(from, to)).unwrap();
    }

    /// `assay run` of the manifest with these stand-ins, in a session named `t`, unless `options` override them.
    pub fn command(&self, options: &[&str]) -> Command {
        self.command_of("run", options)
    }

    /// The same for another command that runs guests.
    pub fn command_of(&self, name: &str, options: &[&str]) -> Command {
        let mut command = assay([name]);
        if !options.contains(&"--label") {
            command.args(["--label", "t"]);
        }
        // Where the host has a KVM, the choice of one would start the stand-in for a virtual CPU.
        if !options.contains(&"--accel") && !options.contains(&"--vmm") {
            command.args(["--accel", "tcg"]);
        }
        let stand_ins =
            ["qemu", "kernel", "workers", "out"].map(|name| (format!("--{name}"), self.path(name)));
        for (option, path) in stand_ins.iter().filter(|(option, _)| !options.contains(&option.as_str())) {
            command.arg(option).arg(path);
        }
        command.args(options).arg(self.path("x.toml"));
        command
    }

    /// Runs that command to its end.
    #[track_caller]
    pub fn run(&self, options: &[&str]) -> Said {
        assay::run(&mut self.command(options), DEADLINE)
    }

    /// The folder of that session.
    pub fn session(&self) -> PathBuf {
        self.path("out/smp-process-scale/t")
    }
}

/// The shipped manifest with `from` replaced, or unchanged if `from` is empty.
pub fn shipped(from: &str, to: &str) -> String {
    let text = fs::read_to_string(workspace().join("manifests/smp-process-scale.toml")).unwrap();
    assert!(text.contains(from), "the manifest has no {from}");
    if from.is_empty() { text } else { text.replacen(from, to, 1) }
}

/// The shipped manifest with the guest's whole and cases.
pub fn of_the_guest() -> String {
    let smaller = [
        ("3_000_000", "300_000"),
        ("216_816", "25_997"),
        ("161_131_521", "6_509_943"),
        ("[1, 2, 4]", "[1, 2]"),
    ];
    smaller.iter().fold(shipped("", ""), |text, (from, to)| text.replacen(from, to, 1))
}

/// A log that passes the gate.
pub fn good_log() -> PathBuf {
    test_support::golden::transcript("good-1.log")
}

/// The smallest ELF that has a build ID and a PVH entry: a header, a program header, two notes (System V ABI, "ELF
/// Header", "Program Header", "Note Section").
fn elf_with_build_id() -> Vec<u8> {
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(16, 0);
    let short = |value: u16| value.to_le_bytes();
    let word = |value: u32| value.to_le_bytes();
    let long = |value: u64| value.to_le_bytes();
    // ET_EXEC, EM_X86_64, version, entry, program headers at 64, no section headers, flags.
    elf.extend([short(2), short(62)].concat());
    elf.extend([&word(1)[..], &long(0), &long(64), &long(0), &word(0)].concat());
    // Sizes and counts: header, one program header, no section header.
    elf.extend([64, 56, 1, 64, 0, 0].map(short).concat());
    let build_id = [&word(4)[..], &word(8), &word(3), b"GNU\0", b"\x01\x02\x03\x04\x05\x06\x07\x08"].concat();
    let pvh_entry = [&word(4)[..], &word(4), &word(18), b"Xen\0", &word(0x0010_0000)].concat();
    let note = [pvh_entry, build_id].concat();
    // PT_NOTE, readable; the note follows immediately.
    elf.extend([word(4), word(4)].concat());
    let bytes = note.len() as u64;
    elf.extend([120, 0, 0, bytes, bytes, 4].map(long).concat());
    elf.extend(note);
    elf
}
