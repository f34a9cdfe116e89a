//! Made-up sessions in which several systems ran the same rounds.

use abi::wire::Record;
use abi::wire::record::System as SystemRecord;
use evidence::gate::{Ended, Gate, HostEvidence, RunExpectation};
use evidence::transcript::Transcript;
use results::{BootCost, Completion, Results, RunRecord, System};

use super::rounds::{QUIET, RULE, environment, experiment};
use test_support::guest::{Guest, KHZ, WHOLE};
use test_support::script::Script;

/// How many host CPUs there are.
const HOST_CPUS: u16 = 2;

/// One system of a session.
#[derive(Clone)]
pub struct Side {
    /// Which.
    pub system: System,
    /// How long case 2 takes, in percent of what a guest of ours does.
    pub slowness: u64,
    /// The whole of its workers.
    pub whole: [u64; 4],
    /// How often it runs each case in a run.
    pub iterations: u16,
    /// The frequency of its TSC.
    pub khz: u64,
    /// What its log says otherwise.
    pub edit: fn(&mut Record),
    /// What its command has otherwise.
    pub command: fn(&mut Vec<String>),
    /// The host CPUs in force.
    pub host_cpus: Option<&'static str>,
}

/// A system that did all as it should.
pub fn side(system: System) -> Side {
    let (edit, command) = (|_: &mut Record| (), |_: &mut Vec<String>| ());
    Side {
        system,
        slowness: 100,
        whole: WHOLE,
        iterations: 1,
        khz: KHZ,
        edit,
        command,
        host_cpus: Some("0-1"),
    }
}

/// The rounds of all sides, each of which runs every case.
pub fn rounds(count: usize, cases: &[u16], sides: &[Side]) -> Vec<RunRecord> {
    let mut gate = Gate::default();
    let mut runs = Vec::new();
    for round in 0..count {
        for side in sides {
            for &case in cases {
                let number = u32::try_from(runs.len()).expect("few");
                runs.push(run(&mut gate, number, round, case, side));
            }
        }
    }
    runs
}

/// What came of them.
pub fn compared(runs: Vec<RunRecord>) -> Results {
    let mut results = Results::new(experiment(Some(RULE)), environment(), runs, Completion::Complete);
    results.tool.version = "0.0.0".to_owned();
    results
}

fn run(gate: &mut Gate, number: u32, round: usize, case: u16, side: &Side) -> RunRecord {
    let evidence = HostEvidence {
        ended: Ended::DebugExit { value: 0x10 },
        vcpus: Some(case),
        host_cpus: Some(HOST_CPUS),
        ..HostEvidence::default()
    };
    let slowness = if case == 1 { 100 } else { side.slowness };
    let guest = Guest {
        nonce: 1000 + u64::from(number),
        work_cycles: 17_180_000 * QUIET[round] * slowness / 100,
        whole: side.whole,
        iterations: side.iterations,
        khz: side.khz,
        ..Guest::of(case)
    };
    let log = Script::of(&guest.log()).edit(|record| describe(side, record)).log();
    let verdict = gate.judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
    let mut run = RunRecord::new(number, u32::try_from(round).expect("few"), verdict).with_evidence(evidence);
    run.system = side.system;
    run.case = Some(case);
    run.making().started_unix_ms = Some(1_800_000_000_000 + u64::from(number) * 1000);
    run.making().command = command(side, case);
    run.making().boot = Some(cost(side.system, case));
    run.making().host_cpus = side.host_cpus.map(str::to_owned);
    run
}

/// Changes the records in which a guest of another system differs from ours.
fn describe(side: &Side, record: &mut Record) {
    match record {
        Record::System(SystemRecord { name, .. }) => *name = side.system.name(),
        // A kernel of its own.
        Record::Start(start) => start.build.0 += side.system.name() as u64,
        _ => {}
    }
    (side.edit)(record);
}

fn command(side: &Side, case: u16) -> Vec<String> {
    let booted = match side.system {
        System::Native => "assay-twin native --ramdisk /somewhere/plan.tar --cpus 0,1".to_owned(),
        System::Linux => qemu(case, "/boot/vmlinuz", "/somewhere/initramfs -append quiet"),
        System::LinuxMitigationsOff => {
            qemu(case, "/boot/vmlinuz", "/somewhere/initramfs -append mitigations=off")
        }
        System::LinuxTuned => qemu(case, "/boot/vmlinuz", "/somewhere/initramfs -append assay.tuned"),
        System::Assay | System::AssayBios => qemu(case, "/somewhere/assay-kernel", "/somewhere/plan.tar"),
    };
    let mut words = booted.split(' ').map(str::to_owned).collect();
    (side.command)(&mut words);
    words
}

fn qemu(case: u16, kernel: &str, initrd: &str) -> String {
    let machine = format!("-machine q35 -accel tcg -cpu max -smp {case},cores={case} -m 128M");
    format!("/usr/bin/qemu-system-x86_64 -nodefaults {machine} -kernel {kernel} -initrd {initrd}")
}

fn cost(system: System, case: u16) -> BootCost {
    let (boot_us, image_bytes) = match system {
        System::Assay | System::AssayBios => (60_000, 230_000),
        System::Linux | System::LinuxMitigationsOff | System::LinuxTuned => (1_700_000, 16_000_000),
        System::Native => (3_000, 900_000),
    };
    BootCost {
        first_serial_us: Some(boot_us),
        first_worker_us: Some(boot_us + 20_000),
        end_record_us: Some(boot_us + 820_000 / u64::from(case)),
        peak_rss_bytes: Some(image_bytes * 3),
        image_bytes: Some(image_bytes),
    }
}
