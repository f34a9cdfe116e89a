//! Every boot path, on one, two and four CPUs.

use abi::exit::GuestExit;
use evidence::gate::Measurement;
use host::Root;
use qemu::{Accelerator, AcceleratorChoice, MachineSpec};

use crate::lab::{Start, boot, experiment, good_ramdisk, undisturbed};

/// Runs one case on a machine with as many CPUs, and checks everything that does not depend on the machine.
fn passes(start: Start, cpus: u16, change: fn(&mut MachineSpec)) -> Measurement {
    let (over, measured) = undisturbed(|_| {
        let over = boot(start, &good_ramdisk(&[cpus]), u32::from(cpus), change);
        let measured = over.expect_exit(GuestExit::Success).measured(&over.judge(&[cpus], cpus))?;
        Some((over, measured))
    });
    let [sample] = measured.samples() else { panic!("{:?}", measured.samples()) };
    let workers = &sample.workers;
    assert_eq!(workers.iter().map(|worker| worker.task.answer).sum::<u64>(), 216_816);
    assert_eq!(workers.iter().map(|worker| worker.task.work).sum::<u64>(), experiment().oracle().work);
    assert_eq!(workers.iter().map(|worker| worker.cpu).collect::<Vec<_>>(), (0..cpus).collect::<Vec<_>>());
    assert_eq!(measured.machine().cpus_online, cpus);
    let firmware = match start {
        Start::Direct => "direct",
        Start::Bios => "bios",
        Start::Uefi => "uefi",
    };
    assert_eq!(measured.machine().firmware.word(), firmware);
    assert!(!over.text().contains("ev=error"), "{}", over.text());
    measured
}

/// The same on one, two and four CPUs of the default model. Under TCG that has every feature that QEMU offers, under KVM
/// those of the host's CPU.
fn passes_on_one_two_and_four_cpus(start: Start) {
    let host = Root::here().cpu_flags().unwrap_or_default();
    let emulated = AcceleratorChoice::detect().accelerator == Accelerator::Tcg;
    let has = |wanted: &&str| emulated || host.iter().any(|flag| flag == wanted);
    for cpus in [1, 2, 4] {
        let measured = passes(start, cpus, |_| {});
        let features = &measured.machine().features;
        for wanted in ["nx", "smep", "smap", "umip"].into_iter().filter(has) {
            assert!(features.contains(&wanted), "{start:?}: no {wanted} in {features:?}");
        }
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn runs_every_case_by_direct_boot() {
    passes_on_one_two_and_four_cpus(Start::Direct);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn runs_every_case_from_a_bios() {
    passes_on_one_two_and_four_cpus(Start::Bios);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn runs_every_case_from_uefi() {
    passes_on_one_two_and_four_cpus(Start::Uefi);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn runs_on_a_cpu_without_smep_smap_and_umip() {
    for start in [Start::Direct, Start::Bios] {
        let measured = passes(start, 2, |machine| machine.cpu_model = Some("qemu64".to_owned()));
        assert_eq!(measured.machine().features, ["nx"]);
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn runs_four_cpus_in_64_mib() {
    for start in [Start::Direct, Start::Bios] {
        let measured = passes(start, 4, |machine| machine.memory_mib = 64);
        assert!(measured.machine().usable_bytes < 64 << 20);
    }
}
