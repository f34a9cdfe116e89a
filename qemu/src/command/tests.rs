//! The command line of each profile.

use super::*;
use crate::UefiFirmware;

fn qemu() -> PathBuf {
    "/usr/bin/qemu-system-x86_64".into()
}

fn disk(path: &str) -> BootMedium {
    BootMedium::Disk { path: path.into() }
}

fn line(accelerator: Accelerator, machine: &MachineSpec, boot: &BootMedium) -> String {
    CommandLine::new(&qemu(), accelerator, machine, boot).unwrap().to_string()
}

#[test]
fn builds_the_whole_line_for_a_bios_disk() {
    assert_eq!(
        line(Accelerator::Tcg, &MachineSpec::q35(2, 64), &disk("/images/bios.img")),
        "/usr/bin/qemu-system-x86_64 -S -chardev socket,id=qmp,fd=0 -mon chardev=qmp,mode=control -nodefaults \
         -no-user-config -no-reboot -display none -device isa-debug-exit,iobase=0xf4,iosize=0x04 \
         -chardev file,id=serial0,path=/dev/stdout -serial chardev:serial0 -machine q35 \
         -accel tcg,thread=multi -cpu max -smp 2,sockets=1,cores=2,threads=1 -m 64M -vga std \
         -drive if=none,id=boot,format=raw,snapshot=on,file=/images/bios.img -device ide-hd,drive=boot,bootindex=0"
    );
}

#[test]
fn counts_instructions_in_one_thread() {
    let machine = MachineSpec { icount_shift: Some(0), ..MachineSpec::q35(1, 64) };
    let line = line(Accelerator::Tcg, &machine, &disk("/i"));
    assert!(line.contains("-accel tcg,thread=single ") && line.contains(" -icount shift=0 "), "{line}");
}

#[test]
fn the_exact_mode_has_no_control_channel_and_no_clock_of_the_host() {
    let machine = MachineSpec {
        exact: Some(ExactMode { replay_log: "/tmp/a,b".into() }),
        cpu_model: Some("qemu64".to_owned()),
        vga: Vga::None,
        ..MachineSpec::q35(1, 64)
    };
    let kernel = BootMedium::Kernel { kernel: "/k".into(), initrd: None, append: String::new() };
    assert_eq!(
        line(Accelerator::Tcg, &machine, &kernel),
        "/usr/bin/qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none \
         -device isa-debug-exit,iobase=0xf4,iosize=0x04 -serial file:/dev/stdout -machine q35 \
         -accel tcg,thread=single -cpu qemu64,-erms -smp 1,sockets=1,cores=1,threads=1 \
         -icount shift=0,sleep=off,rr=record,rrfile=/tmp/a,,b \
         -rtc base=2026-01-01T00:00:00,clock=vm -seed 1 -m 64M -vga none -kernel /k"
    );
}

#[test]
fn gives_kvm_guests_the_hosts_cpu_with_its_tsc() {
    let line = line(Accelerator::Kvm, &MachineSpec::q35(1, 64), &disk("/i"));
    assert!(line.contains("-accel kvm -cpu host,migratable=off "), "{line}");
}

#[test]
fn passes_no_shutdown_only_with_hold_at_end() {
    let machine = MachineSpec { hold_at_end: true, ..MachineSpec::q35(1, 64) };
    assert!(line(Accelerator::Tcg, &machine, &disk("/i")).ends_with(" -no-shutdown"));
}

#[test]
fn doubles_commas_and_quotes_spaces() {
    let line = line(Accelerator::Tcg, &MachineSpec::q35(1, 64), &disk("/a b/c,d's"));
    assert!(line.contains(r"'if=none,id=boot,format=raw,snapshot=on,file=/a b/c,,d'\''s'"), "{line}");
}

#[test]
fn makes_relative_paths_absolute() {
    let line = line(Accelerator::Tcg, &MachineSpec::q35(1, 64), &disk("nbd:image"));
    let expected = format!("file={}/nbd:image ", std::env::current_dir().unwrap().display());
    assert!(line.contains(&expected), "{line}");
}

#[test]
fn keeps_the_firmwares_variables_unwritten() {
    let uefi = UefiFirmware { code: "/f/CODE.fd".into(), vars: Some("/f/VARS.fd".into()) };
    let machine = MachineSpec { firmware: Firmware::Uefi(uefi), ..MachineSpec::q35(1, 64) };
    let line = line(Accelerator::Tcg, &machine, &disk("/i"));
    assert!(line.contains("-drive if=pflash,unit=0,format=raw,readonly=on,file=/f/CODE.fd "), "{line}");
    assert!(line.contains("-drive if=pflash,unit=1,format=raw,snapshot=on,file=/f/VARS.fd "), "{line}");
}

#[test]
fn attaches_a_disk_to_the_chosen_bus() {
    for (bus, device) in [
        (DiskBus::Ata, "-device ide-hd,drive=boot,bootindex=0"),
        (DiskBus::Ahci, "-device ich9-ahci,id=ahci -device ide-hd,bus=ahci.0,drive=boot,bootindex=0"),
        (DiskBus::Nvme, "-device nvme,serial=boot,drive=boot,bootindex=0"),
        (DiskBus::VirtioBlk, "-device virtio-blk-pci,drive=boot,bootindex=0"),
    ] {
        let machine = MachineSpec { disk_bus: bus, ..MachineSpec::q35(1, 64) };
        let line = line(Accelerator::Tcg, &machine, &disk("/i"));
        assert!(line.ends_with(&format!("file=/i {device}")), "{line}");
    }
}

#[test]
fn arranges_cpus_in_sockets_and_leaves_places_empty() {
    let shape = |sockets| Some(CpuShape { sockets, cores: 3, threads: 2 });
    let smp = |sockets| {
        let machine = MachineSpec { shape: shape(sockets), ..MachineSpec::q35(6, 64) };
        line(Accelerator::Tcg, &machine, &disk("/i"))
    };
    assert!(smp(1).contains(" -smp 6,sockets=1,cores=3,threads=2 "), "{}", smp(1));
    assert!(smp(2).contains(" -smp 6,maxcpus=12,sockets=2,cores=3,threads=2 "), "{}", smp(2));
}

#[test]
fn shares_cpus_and_memory_among_nodes() {
    let machine = MachineSpec { numa_nodes: 3, ..MachineSpec::q35(8, 128) };
    let line = line(Accelerator::Tcg, &machine, &disk("/i"));
    let nodes = " -object memory-backend-ram,id=node0,size=42M -numa node,nodeid=0,memdev=node0,cpus=0-1 \
                 -object memory-backend-ram,id=node1,size=42M -numa node,nodeid=1,memdev=node1,cpus=2-3 \
                 -object memory-backend-ram,id=node2,size=44M -numa node,nodeid=2,memdev=node2,cpus=4-7 ";
    assert!(line.contains(nodes), "{line}");
}

#[test]
fn leaves_out_devices_that_are_switched_off() {
    let machine = MachineSpec { serial: false, hpet: false, ..MachineSpec::q35(1, 64) };
    let line = line(Accelerator::Tcg, &machine, &disk("/i"));
    assert!(line.contains(" -machine q35,hpet=off ") && !line.contains("serial"), "{line}");
}

#[test]
fn serves_a_debugger_on_the_given_socket() {
    let machine = MachineSpec { debugger: Some("/t/gdb".into()), ..MachineSpec::q35(1, 64) };
    let line = line(Accelerator::Tcg, &machine, &disk("/i"));
    let server = "-chardev socket,id=debugger,server=on,wait=off,path=/t/gdb -gdb chardev:debugger";
    assert!(line.ends_with(server), "{line}");
}

#[test]
fn hands_a_kernel_over_with_ramdisk_and_command_line() {
    let kernel = BootMedium::Kernel {
        kernel: "/k".into(),
        initrd: Some("/i,j".into()),
        append: "console=ttyS0 quiet".to_owned(),
    };
    let line = line(Accelerator::Tcg, &MachineSpec::q35(1, 64), &kernel);
    assert!(line.ends_with("-kernel /k -initrd /i,j -append 'console=ttyS0 quiet'"), "{line}");
}

#[test]
fn puts_the_trace_and_further_arguments_last() {
    let machine = MachineSpec {
        trace_log: Some("/t.log".into()),
        extra_args: vec!["-device".to_owned(), "pvpanic".to_owned()],
        ..MachineSpec::q35(1, 64)
    };
    let line = line(Accelerator::Tcg, &machine, &disk("/i"));
    assert!(line.ends_with("-d int,cpu_reset,guest_errors -D /t.log -device pvpanic"), "{line}");
}

#[test]
fn by_hand_leaves_out_only_the_control_channel() {
    let command = CommandLine::new(&qemu(), Accelerator::Tcg, &MachineSpec::q35(1, 64), &disk("/i")).unwrap();
    let by_hand = command.by_hand().to_string();
    assert!(by_hand.starts_with("/usr/bin/qemu-system-x86_64 -nodefaults "), "{by_hand}");
    assert_eq!(command.by_hand().by_hand(), command.by_hand());
}

#[test]
fn serialises_as_program_and_arguments() {
    let command = CommandLine::new(&qemu(), Accelerator::Tcg, &MachineSpec::q35(1, 64), &disk("/i")).unwrap();
    let json = serde_json::to_value(&command).unwrap();
    assert_eq!(json["program"], "/usr/bin/qemu-system-x86_64");
    assert_eq!(json["arguments"][0], "-S");
}

#[test]
fn refuses_an_impossible_machine() {
    let machine = MachineSpec::q35(0, 64);
    let error = CommandLine::new(&qemu(), Accelerator::Tcg, &machine, &disk("/i")).unwrap_err();
    assert_eq!(error.to_string(), "vcpus = 0: expected 1 to 4096");
}
