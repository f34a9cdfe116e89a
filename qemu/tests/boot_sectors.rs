//! Real guests of one boot sector: each way a guest can end, and the evidence it leaves.

mod common;

use std::time::{Duration, Instant};

use common::{AMPLE, Guest, has_ended};
use host::{CancelToken, CpuSet, HostTopology, Root};
use qemu::trace::{Event, Trace};
use qemu::{Firmware, GuestEvent, MachineSpec, Outcome, Phase, QemuError, UefiFirmware};

#[test]
fn reports_what_the_guest_wrote_to_the_debug_exit() {
    let guest = Guest::of_sector(common::DEBUG_EXIT);
    let run = guest.run().unwrap();
    assert_eq!(run.outcome, Outcome::DebugExit { value: 0x10 }, "{}", run.stderr);
    assert_eq!(run.vmm_version, guest.spec.vmm.version);
    assert!(run.timeline.cont_us.unwrap() <= run.timeline.exit_us);
    assert_eq!((run.serial_bytes, run.timeline.first_serial_us), (0, None));
}

#[test]
fn keeps_the_serial_bytes_unchanged_and_reports_each_line() {
    let text = b"one\r\n\x1b[1m\xfftwo\nthree";
    let guest = Guest::of_sector(&common::print_then(text, common::DEBUG_EXIT));
    let mut lines = Vec::new();
    let run = guest
        .run_with(&CancelToken::new().unwrap(), &mut |progress| {
            if let GuestEvent::SerialLine { line, .. } = progress {
                lines.push(line.to_vec());
            }
        })
        .unwrap();
    assert_eq!(run.outcome, Outcome::DebugExit { value: 0x10 });
    assert_eq!(guest.serial(), text);
    assert_eq!(lines, [b"one".as_slice(), b"\x1b[1m\xfftwo", b"three"]);
    assert_eq!(run.serial_bytes, text.len() as u64);
    assert!(run.timeline.first_serial_us.unwrap() >= run.timeline.cont_us.unwrap());
}

/// QEMU sends the reason just before it ends, and its exit status is 0 for both: the event must never be missed.
#[test]
fn distinguishes_a_reset_from_a_power_off_every_time() {
    for _ in 0..3 {
        for (sector, outcome) in [
            (common::RESET, Outcome::GuestReset),
            (common::TRIPLE_FAULT, Outcome::GuestReset),
            (common::POWER_OFF, Outcome::GuestShutdown),
        ] {
            let run = Guest::of_sector(sector).run().unwrap();
            assert_eq!(run.outcome, outcome, "{:?} {}", run.events, run.stderr);
        }
    }
}

#[test]
fn traces_the_exceptions_before_a_reset() {
    let mut guest = Guest::of_sector(common::TRIPLE_FAULT);
    let log = guest.directory.path().join("trace.log");
    guest.spec.machine.trace_log = Some(log.clone());
    assert_eq!(guest.run().unwrap().outcome, Outcome::GuestReset);
    let trace = Trace::read(&std::fs::read(log).unwrap());
    assert_eq!(trace.events.last(), Some(&Event::TripleFault));
    // The exceptions are in real mode, and have no registers.
    assert_eq!(trace.triple_fault(), Some(vec![]));
}

#[test]
fn bounds_the_trace_of_a_guest_that_takes_exceptions_for_ever() {
    const MIB: u64 = 1 << 20;
    let mut guest = Guest::of_sector(common::FAULT_FOR_EVER);
    let log = guest.directory.path().join("trace.log");
    guest.spec.machine.trace_log = Some(log.clone());
    guest.spec.deadline = Duration::from_secs(8);
    let run = guest.run().unwrap();
    assert_eq!(run.outcome, Outcome::DeadlineExceeded { phase: Phase::Guest });
    let file = std::fs::metadata(&log).unwrap();
    assert!(file.is_file() && (4 * MIB..4 * MIB + 100).contains(&file.len()), "{} bytes", file.len());
}

#[test]
fn names_the_trace_that_cannot_be_made() {
    let mut guest = Guest::of_sector(common::HANG);
    guest.spec.machine.trace_log = Some("/proc/trace.log".into());
    let error = guest.run().unwrap_err();
    assert!(matches!(error, QemuError::TraceLog { .. }), "{error}");
    assert!(error.to_string().starts_with("/proc/trace.log: cannot make a FIFO for the trace"), "{error}");
}

#[test]
fn reports_a_panic() {
    let mut guest = Guest::of_sector(common::PANIC);
    guest.spec.machine.extra_args = vec!["-device".to_owned(), "pvpanic".to_owned()];
    let run = guest.run().unwrap();
    assert_eq!(run.outcome, Outcome::GuestPanicked, "{:?} {}", run.events, run.stderr);
}

#[test]
fn ends_a_guest_that_hangs_at_its_deadline() {
    let mut guest = Guest::of_sector(&common::print_then(b"last words", common::HANG));
    guest.spec.deadline = Duration::from_secs(6);
    let mut pid = 0;
    let run =
        guest.run_with(&CancelToken::new().unwrap(), &mut |progress| remember(&mut pid, progress)).unwrap();
    assert_eq!(run.outcome, Outcome::DeadlineExceeded { phase: Phase::Guest });
    assert_eq!(guest.serial(), b"last words");
    assert!(has_ended(pid));
}

#[test]
fn reports_the_registers_of_every_cpu_at_the_deadline() {
    let mut guest = Guest::of_sector(&common::print_then(b"up", common::HANG));
    guest.spec.machine = MachineSpec::q35(2, 32);
    guest.spec.deadline = Duration::from_secs(6);
    let run = guest.run().unwrap();
    assert_eq!(run.outcome, Outcome::DeadlineExceeded { phase: Phase::Guest });
    let cpus: Vec<u32> = run.last_registers.iter().map(|state| state.cpu).collect();
    assert_eq!(cpus, [0, 1], "{:?}", run.last_registers);
    let first = run.last_registers[0];
    // `hlt` is the second byte after the printing code.
    assert_eq!((first.rip, first.halted, first.takes_interrupts()), (0x7c15, true, false), "{first:?}");
}

#[test]
fn keeps_the_state_of_a_guest_that_ends() {
    for (sector, outcome, rip) in [
        (common::RESET, Outcome::GuestReset, 0x7c06..0x7c08),
        (common::TRIPLE_FAULT, Outcome::GuestReset, 0x7c09..0x7c0a),
        (common::POWER_OFF, Outcome::GuestShutdown, 0x7c07..0x7c09),
    ] {
        let mut guest = Guest::of_sector(sector);
        guest.spec.machine.hold_at_end = true;
        let run = guest.run().unwrap();
        assert_eq!(run.outcome, outcome, "{:?} {}", run.events, run.stderr);
        assert!(rip.contains(&run.last_registers[0].rip), "{outcome:?}: {:x?}", run.last_registers);
    }
    let mut guest = Guest::of_sector(common::DEBUG_EXIT);
    guest.spec.machine.hold_at_end = true;
    assert_eq!(guest.run().unwrap().outcome, Outcome::DebugExit { value: 0x10 });
}

#[test]
fn ends_on_cancellation_and_keeps_the_output() {
    let guest = Guest::of_sector(&common::print_then(b"line\nrest", common::HANG));
    let cancel = CancelToken::new().unwrap();
    let mut pid = 0;
    let mut cancelled = None;
    let run = guest
        .run_with(&cancel, &mut |progress| {
            remember(&mut pid, progress);
            if matches!(progress, GuestEvent::SerialLine { line: b"line", .. }) {
                cancel.cancel();
                cancelled = Some(Instant::now());
            }
        })
        .unwrap();
    assert_eq!(run.outcome, Outcome::Cancelled);
    assert!(guest.serial().starts_with(b"line\n"));
    assert!(has_ended(pid));
    // This takes some tens of milliseconds on an idle host.
    assert!(cancelled.unwrap().elapsed() < Duration::from_secs(5));
}

/// The bytes count up, so that a lost one shows: the log must be exact even if the reader cannot keep up.
#[test]
fn stops_a_guest_that_prints_for_ever() {
    let mut guest = Guest::of_sector(common::FLOOD);
    guest.spec.serial_limit_bytes = 100_000;
    let run = guest
        .run_with(&CancelToken::new().unwrap(), &mut |progress| {
            if let GuestEvent::SerialLine { .. } = progress {
                std::thread::sleep(Duration::from_micros(500));
            }
        })
        .unwrap();
    assert_eq!(run.outcome, Outcome::SerialOverflow { limit_bytes: 100_000 });
    let expected: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    assert!(guest.serial() == expected, "a byte was lost");
}

#[test]
fn fails_on_a_full_disk_and_names_the_log() {
    let mut guest = Guest::of_sector(&common::print_then(b"text", common::HANG));
    guest.spec.serial_log = "/dev/full".into();
    let mut pid = 0;
    let error = guest
        .run_with(&CancelToken::new().unwrap(), &mut |progress| remember(&mut pid, progress))
        .unwrap_err();
    assert!(matches!(error, QemuError::SerialLog { .. }), "{error}");
    assert!(error.to_string().starts_with("/dev/full: "), "{error}");
    assert!(has_ended(pid));
}

#[test]
fn pins_each_vcpu_before_the_guest_runs() {
    let allowed = CpuSet::allowed().unwrap();
    let host: Vec<usize> = allowed.iter().take(2).collect();
    let vcpus = u32::try_from(host.len()).unwrap();
    let mut guest = Guest::of_sector(common::DEBUG_EXIT);
    guest.spec.machine = MachineSpec::q35(vcpus, 32);
    let set: CpuSet = host.iter().map(usize::to_string).collect::<Vec<_>>().join(",").parse().unwrap();
    guest.spec.host_cpus = Some(set.clone());
    let mut counted = Vec::new();
    let run = guest
        .run_with(&CancelToken::new().unwrap(), &mut |progress| {
            if let GuestEvent::Running { vcpus } = progress {
                counted = vcpus.iter().map(|vcpu| vcpu.sched_stat(&Root::here()).unwrap()).collect();
            }
        })
        .unwrap();
    assert_eq!(run.host_cpus_in_force, Some(set));
    let pinned: Vec<String> = run.vcpus.iter().map(|vcpu| vcpu.pinned_to.to_string()).collect();
    let spread = HostTopology::here().spread(&run.host_cpus_requested.unwrap());
    assert_eq!(pinned, spread.iter().map(usize::to_string).collect::<Vec<_>>());
    assert_eq!(counted.len(), host.len());
}

#[test]
fn pins_all_vcpus_to_a_set_that_is_too_small() {
    let first = CpuSet::allowed().unwrap().iter().next().unwrap().to_string();
    let mut guest = Guest::of_sector(common::DEBUG_EXIT);
    guest.spec.machine = MachineSpec::q35(3, 32);
    guest.spec.host_cpus = Some(first.parse().unwrap());
    let run = guest.run().unwrap();
    assert_eq!(run.vcpus.len(), 3);
    assert!(run.vcpus.iter().all(|vcpu| vcpu.pinned_to.to_string() == first));
}

#[test]
fn refuses_host_cpus_that_do_not_exist() {
    let mut guest = Guest::of_sector(common::DEBUG_EXIT);
    guest.spec.host_cpus = Some("1023".parse().unwrap());
    let error = guest.run().unwrap_err().to_string();
    assert!(error.starts_with("host CPUs 1023 are not available"), "{error}");
}

#[test]
fn counts_instructions_in_one_thread_for_all_vcpus() {
    let mut guest = Guest::of_sector(common::DEBUG_EXIT);
    guest.spec.machine = MachineSpec { icount_shift: Some(0), ..MachineSpec::q35(2, 32) };
    guest.spec.host_cpus = Some(CpuSet::allowed().unwrap());
    let run = guest.run().unwrap();
    assert_eq!(run.outcome, Outcome::DebugExit { value: 0x10 }, "{}", run.stderr);
    assert_eq!(run.vcpus[0].tid, run.vcpus[1].tid);
}

#[test]
fn starts_uefi_and_leaves_its_variables_alone() {
    let mut guest = Guest::of_sector(common::HANG);
    let uefi = UefiFirmware::find(None).expect("OVMF is installed by `make setup`");
    let before = uefi.vars.as_ref().map(|vars| std::fs::read(vars).unwrap());
    guest.spec.machine = MachineSpec { firmware: Firmware::Uefi(uefi.clone()), ..MachineSpec::q35(1, 64) };
    guest.spec.deadline = AMPLE;
    let cancel = CancelToken::new().unwrap();
    // The firmware prints on the serial port that it finds nothing to boot.
    let run = guest
        .run_with(&cancel, &mut |progress| {
            if let GuestEvent::SerialLine { .. } = progress {
                cancel.cancel();
            }
        })
        .unwrap();
    assert_eq!(run.outcome, Outcome::Cancelled, "{}", run.stderr);
    assert_eq!(uefi.vars.map(|vars| std::fs::read(vars).unwrap()), before);
}

#[test]
fn reports_an_option_that_qemu_refuses() {
    let mut guest = Guest::of_sector(common::DEBUG_EXIT);
    guest.spec.machine.extra_args = vec!["-no-such-option".to_owned()];
    let Outcome::QemuDied { status, stderr_tail, phase } = guest.run().unwrap().outcome else { panic!() };
    assert_eq!((status.as_str(), phase), ("exit status: 1", Phase::Start));
    assert!(stderr_tail.contains("-no-such-option: invalid option"), "{stderr_tail}");
}

#[test]
fn names_an_image_that_is_missing() {
    let guest = Guest::of_sector(common::DEBUG_EXIT);
    let qemu::BootMedium::Disk { path } = &guest.spec.boot else { panic!() };
    std::fs::remove_file(path).unwrap();
    let error = guest.run().unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: cannot read the boot disk: ", path.display())), "{error}");
    assert!(!guest.spec.serial_log.exists());
}

#[test]
fn runs_by_hand_with_the_serial_port_on_standard_output() {
    let guest = Guest::of_sector(&common::print_then(b"hello", common::DEBUG_EXIT));
    let command = guest.spec.command().unwrap().by_hand().to_string();
    let output = std::process::Command::new("sh").arg("-c").arg(&command).output().unwrap();
    assert_eq!(
        (output.status.code(), output.stdout.as_slice()),
        (Some(33), b"hello".as_slice()),
        "{output:?}"
    );
}

fn remember(pid: &mut u32, progress: GuestEvent<'_>) {
    if let GuestEvent::Started { pid: started } = progress {
        *pid = started;
    }
}
