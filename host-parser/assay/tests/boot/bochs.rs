//! Rows that Bochs boots, if it is installed: a second emulator, which shares no code with QEMU. Its UART keeps to the
//! baud rate, its ATAPI drive to the manual, and it executes one instruction at a time.
//!
//! The kernel powers off by ACPI, which Bochs reports as a panic. Its exit code therefore means nothing: only the log
//! counts.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use evidence::gate::{self, ReasonCode};

use crate::judge;
use crate::lab::{Ended, Lab, Over};
use crate::report::Row;

/// A row of the matrix.
pub struct BochsMachine {
    /// A unique name.
    pub name: &'static str,
    /// Bochs' CPU model.
    cpu: &'static str,
    /// Number of CPUs.
    cpus: u16,
    /// The reason for which the gate must refuse the run, or `None` if the run must pass.
    reason: Option<ReasonCode>,
}

/// All rows. The newest model in Debian's build is Tiger Lake. Its CPUID leaf 15H states the real CPU's TSC frequency,
/// which Bochs does not keep: the gate must notice that.
pub const MACHINES: &[BochsMachine] = &[
    BochsMachine { name: "Bochs: Haswell, CD", cpu: "corei7_haswell_4770", cpus: 1, reason: None },
    BochsMachine { name: "Bochs: Ryzen, 4 CPUs, CD", cpu: "ryzen", cpus: 4, reason: None },
    BochsMachine {
        name: "Bochs: Tiger Lake, CD",
        cpu: "tigerlake",
        cpus: 1,
        reason: Some(ReasonCode::TscDisagree),
    },
];

/// Bochs interprets: one CPU takes up to a minute, and each further one adds to that.
const DEADLINE: Duration = Duration::from_secs(400);

/// Boots one machine from the ISO, if Bochs is installed.
pub fn row(lab: &Lab, machine: &BochsMachine) -> Row {
    let program = std::env::var("ASSAY_BOCHS").unwrap_or_else(|_| "bochs".to_owned());
    if Command::new(&program).arg("--help").stdin(Stdio::null()).output().is_err() {
        return Row::skipped(
            machine.name,
            format!("no {program} (Debian: bochs bochs-term bochsbios vgabios)"),
        );
    }
    let begin = Instant::now();
    let over = boot(lab, machine, &program);
    let mut judged = judge::read_log(&over);
    match &over.ended {
        Ended::Broken(why) => judged.wrong.push(why.clone()),
        _ => judged.gate(
            lab,
            machine.cpus.min(2),
            machine.cpus,
            gate::Ended::Unknown,
            &over.log,
            machine.reason,
        ),
    }
    // This is in the last line of the table, so the port has sent all of it.
    judged.says(&over.text(), &["  ok\r\n"]);
    Row::tried(machine.name, begin.elapsed(), 1, &over, judged)
}

fn boot(lab: &Lab, machine: &BochsMachine, program: &str) -> Over {
    let folder = lab.folder();
    let (rc, go) = (folder.path().join("bochsrc"), folder.path().join("go"));
    let log = folder.path().join("serial.log");
    fs::write(&rc, settings(machine, &lab.iso(machine.cpus.min(2)), folder.path())).unwrap();
    // Debian's Bochs is a debugger, which waits for a command.
    fs::write(&go, "c\n").unwrap();
    let bochs = format!("{program} -q -f {} -rc {}", rc.display(), go.display());
    // Its text display needs a terminal.
    let mut command = Command::new("script");
    command.args(["-qfec", &bochs, "/dev/null"]).env("TERM", "xterm");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let begin = Instant::now();
    let mut child = command.spawn().expect("script is part of util-linux");
    let mut first_record = None;
    let ended = loop {
        if first_record.is_none() && fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            first_record = Some(begin.elapsed());
        }
        if child.try_wait().unwrap().is_some() {
            break Ended::Unknown;
        }
        if begin.elapsed() > DEADLINE {
            end(&mut child);
            break Ended::Broken(format!("still running after {DEADLINE:?}"));
        }
        thread::sleep(Duration::from_millis(100));
    };
    Over { ended, log: fs::read(&log).unwrap_or_default(), first_record }
}

/// Ends `script`; Bochs ends with its terminal.
fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Instructions in a second of guest time. The TSC counts them, so the host's speed does not matter.
const IPS: u32 = 200_000_000;

fn settings(machine: &BochsMachine, iso: &Path, folder: &Path) -> String {
    let BochsMachine { cpu, cpus, .. } = machine;
    let (iso, folder) = (iso.display(), folder.display());
    format!(
        "config_interface: textconfig\n\
         display_library: term\n\
         cpu: model={cpu}, count=1:{cpus}:1, ips={IPS}, reset_on_triple_fault=0\n\
         memory: guest=128, host=128\n\
         romimage: file=$BXSHARE/BIOS-bochs-latest\n\
         vgaromimage: file={}\n\
         ata0-master: type=cdrom, path={iso}, status=inserted\n\
         boot: cdrom\n\
         com1: enabled=1, mode=file, dev={folder}/serial.log\n\
         clock: sync=none\n\
         log: {folder}/bochs.log\n\
         # The loader sets a graphics mode, which a terminal cannot show.\n\
         panic: action=fatal, term=report\n",
        vga_bios()
    )
}

/// Path of the VGA BIOS, which Debian installs separately.
fn vga_bios() -> String {
    let folder = std::env::var("VGABIOS").unwrap_or_else(|_| "/usr/share/vgabios".to_owned());
    format!("{folder}/vgabios.bin")
}
