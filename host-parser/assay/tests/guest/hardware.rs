//! Machines that differ in their consoles, their clocks and the way they end.

use std::io::Write;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use abi::exit::GuestExit;
use evidence::transcript::Transcript;
use experiment::boot_config::BootConfig;
use experiment::plan::ramdisk_with;
use qemu::{MachineSpec, Outcome};

use crate::lab::{Over, Start, boot, boot_translated, good_ramdisk, plan, worker};
use crate::screen;

/// A ramdisk whose boot configuration has these words.
fn configured(words: &[&str]) -> Vec<u8> {
    let mut config = BootConfig::default();
    words.iter().for_each(|word| config.set(word).unwrap());
    ramdisk_with(&config, &plan(&[1]), &[&worker("primes")])
}

/// Adds this kernel command line, which QEMU's direct boot passes on.
fn append(machine: &mut MachineSpec, words: &str) {
    machine.extra_args.extend(["-append".to_owned(), words.to_owned()]);
}

/// Adds COM2, with its output in a file.
fn add_com2(machine: &mut MachineSpec, log: &Path) {
    let file = format!("file,id=com2,path={}", log.display());
    machine.extra_args.extend(["-chardev", &file, "-serial", "chardev:com2"].map(str::to_owned));
}

/// Adds an SPCR table: firmware's console is a UART at this port, at 115,200 baud.
fn add_spcr(machine: &mut MachineSpec, folder: &Path, port: u16) {
    // The fields after the header (Microsoft, "Serial Port Console Redirection Table"): type, address, and baud rate.
    let mut body = [0; 44];
    body[4..8].copy_from_slice(&[1, 8, 0, 1]);
    body[8..10].copy_from_slice(&port.to_le_bytes());
    body[22] = 7;
    let file = folder.join("spcr");
    std::fs::write(&file, body).unwrap();
    let table = format!("sig=SPCR,rev=2,data={}", file.display());
    machine.extra_args.extend(["-acpitable".to_owned(), table]);
}

impl Over {
    /// The only record of this kind.
    #[track_caller]
    fn record(&self, kind: &str) -> String {
        let text = self.text();
        let mut lines = text.lines().filter(|line| line.contains(&format!(" ev={kind} ")));
        let line = lines.next().unwrap_or_else(|| panic!("no {kind}:\n{text}"));
        assert_eq!(lines.next(), None, "{kind}");
        line.to_owned()
    }

    /// Fails if the guest did not run the plan, or its log is incomplete. Disturbances by the host do not matter.
    #[track_caller]
    fn expect_whole(&self) {
        self.expect_exit(GuestExit::Success);
        let transcript = Transcript::read(&self.log);
        let [boot] = &transcript.boots[..] else { panic!("{}", self.text()) };
        assert!(boot.defects.is_empty() && boot.end().is_some(), "{:?}\n{}", boot.defects, self.text());
    }

    /// How many times the table was printed.
    fn tables(&self) -> usize {
        self.text().matches("  case  iter  workers").count()
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn uses_only_the_port_that_the_ramdisk_names() {
    for start in [Start::Direct, Start::Bios, Start::Uefi] {
        let folder = tempfile::tempdir().unwrap();
        let com2 = folder.path().join("com2.log");
        let over = boot(start, &configured(&["serial=com2"]), 1, |machine| add_com2(machine, &com2));
        assert!(!over.text().contains("ASSAY1"), "{}", over.text());
        let over = Over { log: std::fs::read(&com2).unwrap(), ..over };
        over.expect_whole();
        assert!(over.record("config").contains(" serial=com2 "), "{}", over.record("config"));
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn uses_com1_and_the_port_that_firmware_names() {
    let folder = tempfile::tempdir().unwrap();
    let com2 = folder.path().join("com2.log");
    let over = boot(Start::Direct, &good_ramdisk(&[1]), 1, |machine| {
        add_com2(machine, &com2);
        add_spcr(machine, folder.path(), 0x2f8);
    });
    over.expect_whole();
    assert!(over.record("config").contains(" serial=com1+com2 "), "{}", over.record("config"));
    assert_eq!(String::from_utf8_lossy(&std::fs::read(&com2).unwrap()), String::from_utf8_lossy(&over.log));
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn the_command_line_overrides_the_file_and_its_wrong_words_are_named() {
    let ramdisk = configured(&["serial=none", "after=reboot"]);
    let words = "serial=com1 after=poweroff quiet display=maybe";
    let over = boot(Start::Direct, &ramdisk, 1, |machine| append(machine, words));
    over.expect_whole();
    let config = over.record("config");
    assert!(config.contains(" serial=com1 after=poweroff display=0 ignored=2 "), "{config}");
    let text = over.text();
    for word in ["from=command-line line=1 word=quiet ", "from=command-line line=1 word=display%3Dmaybe "] {
        assert!(text.contains(word), "{text}");
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn names_a_port_that_is_missing_and_falls_back_to_com1() {
    // A port without a device, an address without a device, free memory, and a UART that only firmware's table has.
    for (word, spcr) in
        [("port:0x1234", None), ("mmio:0xfe032000", None), ("mmio:0x2000000", None), ("com3", Some(0x2e8))]
    {
        let folder = tempfile::tempdir().unwrap();
        let ramdisk = configured(&[&format!("serial={word}")]);
        let over = boot(Start::Direct, &ramdisk, 1, |machine| {
            if let Some(port) = spcr {
                add_spcr(machine, folder.path(), port);
            }
        });
        over.expect_whole();
        let ignored = over.record("config-ignored");
        assert!(ignored.contains(&format!(" from=file line=0 word=serial%3D{word}")), "{ignored}");
        assert!(over.record("config").contains(" serial=com1 "), "{}", over.record("config"));
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn reboots_on_request() {
    let over = boot(Start::Direct, &configured(&["after=reboot"]), 1, |_| {});
    assert_eq!(over.run.outcome, Outcome::GuestReset, "{}", over.text());
    assert_eq!(over.tables(), 1);
    // The same on a machine without a keyboard controller and without the chipset's reset port.
    let over = boot(Start::Direct, &configured(&["after=reboot"]), 1, |machine| {
        machine.machine_type = "microvm".to_owned();
    });
    assert_eq!(over.run.outcome, Outcome::GuestReset, "{}", over.text());
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn lingers_and_repeats_its_result() {
    let begun = Instant::now();
    let over = boot(Start::Direct, &configured(&["after=linger:12"]), 1, |_| {});
    over.expect_whole();
    assert!(begun.elapsed() >= Duration::from_secs(12));
    assert_eq!(over.tables(), 3, "{}", over.text());
    // The same on a machine without a plan.
    let over = boot(Start::Direct, &[], 1, |machine| append(machine, "after=linger:1"));
    over.expect_exit(GuestExit::Refused);
    assert_eq!(over.text().matches("  cannot run: plan line 1").count(), 2, "{}", over.text());
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn shows_the_table_on_the_screen_without_a_serial_port() {
    for start in [Start::Bios, Start::Uefi] {
        let folder = tempfile::tempdir().unwrap();
        let (monitor, dump) = (folder.path().join("monitor"), folder.path().join("screen.ppm"));
        let ramdisk = configured(&["serial=none", "after=linger:25"]);
        let watcher = {
            let (monitor, dump) = (monitor.clone(), dump.clone());
            thread::spawn(move || seen_on_screen(&monitor, &dump, "216816"))
        };
        let over = boot(start, &ramdisk, 1, |machine| {
            let socket = format!("unix:{},server=on,wait=off", monitor.display());
            machine.extra_args.extend(["-monitor".to_owned(), socket]);
        });
        over.expect_exit(GuestExit::Success);
        assert!(!over.text().contains("ASSAY1"), "{}", over.text());
        let seen = watcher.join().unwrap();
        let row = seen.lines().find(|line| line.contains("216816")).unwrap_or_else(|| panic!("{seen}"));
        assert!(row.trim_end().ends_with("1.00x  ok"), "{seen}");
        assert!(seen.contains("  1 of 1 CPUs up: running"), "{seen}");
    }
}

/// The text on the screen, once it contains `wanted` or the time for that is over.
fn seen_on_screen(monitor: &Path, dump: &Path, wanted: &str) -> String {
    let deadline = Instant::now() + Duration::from_secs(50);
    let mut seen = String::new();
    while Instant::now() < deadline && !seen.contains(wanted) {
        thread::sleep(Duration::from_secs(1));
        let Ok(mut stream) = UnixStream::connect(monitor) else { continue };
        let _ = writeln!(stream, "screendump {}", dump.display());
        // QEMU writes the file meanwhile. An incomplete file yields no text.
        thread::sleep(Duration::from_millis(500));
        seen = std::fs::read(dump).ok().and_then(|ppm| screen::text(&ppm)).unwrap_or_default();
    }
    seen
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn runs_without_a_serial_port_or_a_screen() {
    for start in [Start::Direct, Start::Uefi] {
        let over = boot(start, &configured(&["serial=none"]), 1, |machine| machine.vga = qemu::Vga::None);
        over.expect_exit(GuestExit::Success);
        assert!(!over.text().contains("ASSAY1"), "{}", over.text());
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn uses_the_reference_clock_that_the_machine_has() {
    for (machine_type, source, second) in [
        ("q35", "hpet", "hpet"),
        ("q35,hpet=off", "pm-timer", "pm-timer"),
        ("microvm", "pit", "rtc"),
        ("microvm,pit=off", "rtc", "rtc"),
    ] {
        let over = boot_translated(&good_ramdisk(&[1]), 1, |machine| {
            machine.machine_type = machine_type.to_owned();
        });
        over.expect_whole();
        let tsc = over.record("tsc");
        assert!(tsc.contains(&format!(" source={source} ")), "{machine_type}: {tsc}");
        let beside = over.record("second-clock");
        assert!(beside.contains(&format!(" source={second} ")), "{machine_type}: {beside}");
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn refuses_to_run_without_a_reference_clock() {
    let over = boot_translated(&good_ramdisk(&[1]), 1, |machine| {
        machine.machine_type = "microvm,pit=off,pic=off,rtc=off".to_owned();
    });
    over.expect_exit(GuestExit::Refused);
    assert!(over.record("error").contains(" code=no-clock "), "{}", over.text());
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn runs_with_900_gib_of_memory() {
    for start in [Start::Direct, Start::Bios, Start::Uefi] {
        let over = boot(start, &good_ramdisk(&[1]), 1, |machine| {
            machine.memory_mib = 900 << 10;
            machine.machine_type = "q35,memory-backend=ram".to_owned();
            let backend = "memory-backend-ram,id=ram,size=900G,reserve=off";
            machine.extra_args.extend(["-object", backend].map(str::to_owned));
        });
        over.expect_whole();
        let memory = over.record("memory");
        let bytes = memory.split_once("usable_bytes=").and_then(|(_, rest)| rest.split_once(' ')).unwrap().0;
        assert!(bytes.parse::<u64>().unwrap() > 890 << 30, "{memory}");
    }
}
