//! Runs under Firecracker and Cloud Hypervisor, which are played: by a shell script, or, if threads are needed, by this
//! test program. A played VMM checks its arguments, names its threads, prints as a serial port and ends as the real one does.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{AMPLE, has_ended, script};
use host::{CancelToken, CpuSet};
use qemu::{
    Accelerator, AcceleratorChoice, BootMedium, FirstRecord, GuestEvent, GuestRun, GuestSpec, MachineSpec,
    Outcome, Phase, QemuError, Vga, Vmm, VmmKind,
};

/// A run that boots a kernel under a VMM that `script` plays.
struct Played {
    directory: tempfile::TempDir,
    spec: GuestSpec,
}

impl Played {
    fn of(kind: VmmKind, vcpus: u32, body: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = script(directory.path(), body);
        let file = |name: &str| {
            let path = directory.path().join(name);
            fs::write(&path, name).unwrap();
            path
        };
        let boot = BootMedium::Kernel {
            kernel: file("a kernel"),
            initrd: Some(file("ramdisk.tar")),
            append: kind.boot_configuration().to_owned(),
        };
        let version = qemu::Version { major: 99, minor: 0, micro: 0 };
        let spec = GuestSpec {
            vmm: Vmm { kind, path, version, banner: String::new() },
            accelerator: AcceleratorChoice::only(kind),
            machine: MachineSpec { vga: Vga::None, ..MachineSpec::q35(vcpus, 128) },
            boot,
            host_cpus: None,
            deadline: AMPLE,
            first_record: None,
            serial_log: directory.path().join("run.serial.log"),
            delete_after: None,
            serial_limit_bytes: GuestSpec::SERIAL_LIMIT_BYTES,
        };
        Self { directory, spec }
    }

    /// A VMM of several threads, played by [`the_vmm`].
    fn threaded(kind: VmmKind, vcpus: u32, prefix: &str) -> Self {
        let program = std::env::current_exe().unwrap();
        let exec = format!(
            "PLAYED_THREADS='{prefix}' PLAYED_VCPUS={vcpus} exec '{}' --exact the_vmm --ignored --nocapture",
            program.display()
        );
        Self::of(kind, vcpus, &exec)
    }

    fn run(&self) -> Result<GuestRun, QemuError> {
        self.run_with(&CancelToken::new().unwrap(), &mut |_| {})
    }

    fn run_with(
        &self,
        cancel: &CancelToken,
        progress: &mut dyn FnMut(GuestEvent<'_>),
    ) -> Result<GuestRun, QemuError> {
        qemu::run(&self.spec, cancel, progress)
    }

    fn serial(&self) -> String {
        fs::read_to_string(&self.spec.serial_log).unwrap()
    }
}

/// Names the script's only thread as the VMM names that of CPU 0, and goes on with `then`. The wait lets it be found.
fn one_vcpu(kind: VmmKind, then: &str) -> String {
    let name = match kind {
        VmmKind::Firecracker => "fc_vcpu 0",
        _ => "vcpu0",
    };
    format!("printf '{name}' > /proc/$$/comm; sleep 0.2; {then}")
}

fn firecracker(then: &str) -> Played {
    Played::of(VmmKind::Firecracker, 1, &one_vcpu(VmmKind::Firecracker, then))
}

fn cloud_hypervisor(then: &str) -> Played {
    Played::of(VmmKind::CloudHypervisor, 1, &one_vcpu(VmmKind::CloudHypervisor, then))
}

fn is_record(line: &[u8]) -> bool {
    line.starts_with(b"@alive")
}

#[test]
#[ignore = "the VMM that the tests of several threads start"]
fn the_vmm() {
    let (Ok(prefix), Ok(vcpus)) = (std::env::var("PLAYED_THREADS"), std::env::var("PLAYED_VCPUS")) else {
        return;
    };
    let vcpus: u32 = vcpus.parse().unwrap();
    // The last first: the order in which they begin says nothing about their numbers.
    let threads = (0..vcpus).rev().map(|index| {
        std::thread::Builder::new()
            .name(format!("{prefix}{index}"))
            .spawn(|| std::thread::sleep(Duration::from_millis(700)))
            .unwrap()
    });
    let threads: Vec<_> = threads.collect();
    println!("@alive");
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    std::io::stdout().flush().unwrap();
    std::process::exit(0);
}

#[test]
fn firecracker_reads_its_configuration_from_a_file_and_logs_to_standard_error() {
    let played = firecracker(
        r#"[ "$1 $2 $4 $5" = "--no-api --config-file --log-path /dev/stderr" ] || exit 153
        [ $# = 5 ] || exit 153; cat "$3"; echo 'Running Firecracker' > "$5"; echo 'exit_code=0' >&2"#,
    );
    let run = played.run().unwrap();
    assert_eq!(run.outcome, Outcome::GuestReset, "{}", run.stderr);
    assert_eq!(run.stderr, "Running Firecracker\nexit_code=0\n");
    let given = run.command.given().unwrap();
    assert_eq!(
        (played.serial(), given.path.as_path()),
        (given.content.clone(), configuration(&played).as_path())
    );
    let json: serde_json::Value = serde_json::from_str(&given.content).unwrap();
    let file = |name: &str| played.directory.path().join(name).display().to_string();
    assert_eq!(json["boot-source"]["kernel_image_path"], file("a kernel"));
    assert_eq!(json["boot-source"]["initrd_path"], file("ramdisk.tar"));
    assert_eq!(json["boot-source"]["boot_args"], "after=reboot");
    assert_eq!(json["machine-config"]["vcpu_count"], 1);
    assert_eq!(json["machine-config"]["mem_size_mib"], 128);
}

fn configuration(played: &Played) -> std::path::PathBuf {
    played.spec.serial_log.with_extension("firecracker.json")
}

#[test]
fn cloud_hypervisor_has_everything_on_its_command_line() {
    let run = cloud_hypervisor(r#"printf '%s\n' "$@""#).run().unwrap();
    assert_eq!((run.outcome.clone(), run.command.given()), (Outcome::GuestShutdown, None));
    let words: Vec<String> =
        run.command.arguments().iter().map(|word| word.to_string_lossy().into_owned()).collect();
    assert_eq!(words[..2], ["--event-monitor", "fd=0"]);
    assert_eq!((words[2].as_str(), words[4].as_str()), ("--kernel", "--initramfs"));
    let rest = [
        "--cmdline",
        "after=poweroff",
        "--cpus",
        "boot=1,topology=1:1:1:1",
        "--memory",
        "size=128M",
        "--serial",
        "file=/dev/stdout",
        "--console",
        "off",
    ];
    assert_eq!(words[6..], rest);
    assert_eq!(run.command.by_hand().arguments()[0], "--kernel");
}

#[test]
fn finds_and_pins_the_thread_of_each_cpu_by_name() {
    let allowed = CpuSet::allowed().unwrap();
    for (kind, prefix) in [(VmmKind::Firecracker, "fc_vcpu "), (VmmKind::CloudHypervisor, "vcpu")] {
        let mut played = Played::threaded(kind, 2, prefix);
        played.spec.host_cpus = Some(allowed.clone());
        let run = played.run().unwrap();
        let vcpus = &run.vcpus;
        assert_eq!(vcpus.iter().map(|vcpu| vcpu.cpu_index).collect::<Vec<_>>(), [0, 1], "{kind}");
        assert!(vcpus[0].tid != vcpus[1].tid && vcpus.iter().all(|vcpu| vcpu.tid != vcpu.pid), "{vcpus:?}");
        let each = if allowed.len() >= 2 { 1 } else { allowed.len() };
        assert!(vcpus.iter().all(|vcpu| vcpu.pinned_to.len() == each), "{vcpus:?}");
        assert!(allowed.len() < 2 || vcpus[0].pinned_to != vcpus[1].pinned_to, "{vcpus:?}");
        assert_eq!(run.host_cpus_in_force, Some(allowed.clone()));
        assert!(run.timeline.cont_us.unwrap() <= run.timeline.exit_us);
        assert!(played.serial().contains("@alive\n"));
    }
}

#[test]
fn a_vmm_never_runs_outside_the_cpus_that_it_is_given() {
    let one = CpuSet::single(CpuSet::allowed().unwrap().iter().next().unwrap());
    // Before its threads can be found.
    let mut played = Played::of(VmmKind::Firecracker, 1, "grep Cpus_allowed_list /proc/$$/status");
    played.spec.host_cpus = Some(one.clone());
    played.run().unwrap();
    assert_eq!(played.serial(), format!("Cpus_allowed_list:\t{one}\n"));
}

#[test]
fn a_wrapper_that_does_not_exec_is_named_and_ended() {
    let mut played = Played::of(VmmKind::CloudHypervisor, 2, "echo @alive; sleep 1000");
    played.spec.first_record = Some(FirstRecord { deadline: AMPLE, is_record });
    let mut pid = 0;
    let ended = played.run_with(&CancelToken::new().unwrap(), &mut |event| {
        if let GuestEvent::Started { pid: started } = event {
            pid = started;
        }
    });
    let error = ended.unwrap_err().to_string();
    assert!(error.contains("0 of 2 threads named `vcpuN`") && error.contains("wrapper"), "{error}");
    assert!(has_ended(pid));
}

#[test]
fn firecrackers_ends_are_distinct() {
    let triple = "echo '[fc_vcpu 0] Unexpected exit reason on vcpu run: Shutdown' >&2; exit 1";
    assert_eq!(firecracker(triple).run().unwrap().outcome, Outcome::TripleFault);
    assert_eq!(firecracker("exit 0").run().unwrap().outcome, Outcome::GuestReset);
    let bad = Played::of(VmmKind::Firecracker, 1, "echo 'Invalid vcpu count' >&2; exit 152").run().unwrap();
    let Outcome::QemuDied { status, stderr_tail, phase } = bad.outcome else { panic!("{:?}", bad.outcome) };
    assert_eq!((status.as_str(), stderr_tail.as_str()), ("exit status: 152", "Invalid vcpu count"));
    assert_eq!(phase, Phase::Start);
}

#[test]
fn a_guest_that_cloud_hypervisor_boots_again_is_ended() {
    let event = r#"printf '{\n  "source": "vm",\n  "event": "rebooting",\n  "properties": null\n}\n\n' >&0; sleep 1000"#;
    let played = cloud_hypervisor(event);
    let run = played.run().unwrap();
    assert_eq!(run.outcome, Outcome::GuestReset);
    assert_eq!(run.events.len(), 1);
    assert!(run.timeline.exit_us < 30_000_000, "{:?}", run.timeline);
}

#[test]
fn deadlines_and_the_limit_of_the_log_hold_for_every_vmm() {
    for kind in [VmmKind::Firecracker, VmmKind::CloudHypervisor] {
        let mut silent = Played::of(kind, 1, "sleep 1000");
        silent.spec.deadline = Duration::from_secs(1);
        assert_eq!(silent.run().unwrap().outcome, Outcome::DeadlineExceeded { phase: Phase::Start });
        let mut hung = Played::of(kind, 1, &one_vcpu(kind, "sleep 1000"));
        hung.spec.deadline = Duration::from_secs(3);
        let run = hung.run().unwrap();
        assert_eq!(run.outcome, Outcome::DeadlineExceeded { phase: Phase::Guest });
        assert_eq!(run.last_registers, []);
        let mut floods = Played::of(kind, 1, &one_vcpu(kind, "yes"));
        floods.spec.serial_limit_bytes = 1000;
        let run = floods.run().unwrap();
        assert_eq!((run.outcome, run.serial_bytes), (Outcome::SerialOverflow { limit_bytes: 1000 }, 1000));
        let mut waits = Played::of(kind, 1, &one_vcpu(kind, "sleep 1000"));
        waits.spec.first_record = Some(FirstRecord { deadline: Duration::from_secs(2), is_record });
        assert_eq!(waits.run().unwrap().outcome, Outcome::DeadlineExceeded { phase: Phase::Guest });
    }
}

#[test]
fn a_cancelled_run_leaves_nothing_but_its_record() {
    let cancel = CancelToken::new().unwrap();
    cancel.cancel();
    let played = Played::of(VmmKind::Firecracker, 1, "sleep 1000");
    assert_eq!(played.run_with(&cancel, &mut |_| {}).unwrap().outcome, Outcome::Cancelled);
    let mut left: Vec<String> = fs::read_dir(played.directory.path())
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    left.sort_unstable();
    assert_eq!(left, ["a kernel", "qemu", "ramdisk.tar", "run.serial.firecracker.json", "run.serial.log"]);
}

#[test]
fn what_only_qemu_has_is_refused_before_anything_starts() {
    for kind in [VmmKind::Firecracker, VmmKind::CloudHypervisor] {
        let refused = |change: &dyn Fn(&mut GuestSpec)| {
            let mut played = Played::of(kind, 1, "exit 0");
            change(&mut played.spec);
            let error = played.run().unwrap_err().to_string();
            assert!(!played.spec.serial_log.exists(), "{error}");
            error
        };
        let option =
            |change: &dyn Fn(&mut GuestSpec)| refused(change).split(" = ").next().unwrap().to_owned();
        assert_eq!(option(&|spec| spec.machine.vcpus = 255), "vcpus");
        assert_eq!(option(&|spec| spec.machine.vcpus = 0), "vcpus");
        assert_eq!(option(&|spec| spec.machine.memory_mib = 0), "memory-mib");
        assert_eq!(option(&|spec| spec.machine.icount_shift = Some(0)), "icount-shift");
        assert_eq!(option(&|spec| spec.machine.trace_log = Some("/t".into())), "trace-log");
        assert_eq!(option(&|spec| spec.machine.hold_at_end = true), "hold-at-end");
        assert_eq!(option(&|spec| spec.machine.extra_args = vec!["-d".to_owned()]), "extra-args");
        assert_eq!(option(&|spec| spec.machine.cpu_model = Some("max".to_owned())), "cpu-model");
        let disk = |spec: &mut GuestSpec| spec.boot = BootMedium::Disk { path: spec.vmm.path.clone() };
        assert_eq!(option(&disk), "boot");
        let tcg = |spec: &mut GuestSpec| {
            spec.accelerator = AcceleratorChoice::forced(Accelerator::Tcg, "the tests");
        };
        assert_eq!(option(&tcg), "accelerator");
        let gone = refused(&|spec| {
            let BootMedium::Kernel { kernel, .. } = &mut spec.boot else { panic!() };
            *kernel = "/no/such/kernel".into();
        });
        assert!(gone.starts_with("/no/such/kernel: cannot read the kernel"), "{gone}");
    }
}

fn find(kind: VmmKind, body: &str) -> Result<Vmm, QemuError> {
    let directory = tempfile::tempdir().unwrap();
    Vmm::find(kind, Some(&script(directory.path(), body)))
}

#[test]
fn finds_one_that_is_new_enough_and_refuses_others() {
    let found = find(VmmKind::Firecracker, "echo 'Firecracker v1.17.0-dev'; echo").unwrap();
    assert_eq!(
        (found.version.to_string().as_str(), found.banner.as_str()),
        ("1.17.0", "Firecracker v1.17.0-dev")
    );
    let found = find(VmmKind::CloudHypervisor, "echo 'cloud-hypervisor v54.0.0'").unwrap();
    assert_eq!(found.version.major, 54);
    let error = find(VmmKind::Firecracker, "echo 'Firecracker v1.11.0'").unwrap_err().to_string();
    assert!(error.ends_with("version 1.11.0 is too old, expected 1.12.0 or later"), "{error}");
    let error = find(VmmKind::Firecracker, "echo 'cloud-hypervisor v54.0.0'").unwrap_err();
    assert!(matches!(error, QemuError::NotThisVmm { .. }), "{error}");
    let error = find(VmmKind::Qemu, "echo 'Firecracker v1.17.0'").unwrap_err();
    assert!(matches!(error, QemuError::NotQemu { .. }), "{error}");
    let none =
        Vmm::find(VmmKind::Firecracker, Some(Path::new("/no/such/firecracker"))).unwrap_err().to_string();
    assert!(
        none.contains("/no/such/firecracker: no such program") && none.contains("ASSAY_FIRECRACKER"),
        "{none}"
    );
}

#[test]
fn the_played_vmm_is_this_program() {
    // Without its environment it does nothing, so that `--ignored` runs of all tests pass.
    let status =
        Command::new(std::env::current_exe().unwrap()).args(["--exact", "the_vmm", "--ignored"]).output();
    assert!(status.unwrap().status.success());
}
