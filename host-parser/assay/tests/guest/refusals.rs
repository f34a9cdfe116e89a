//! Unusable ramdisks, and machines that are too small: the kernel always emits a record that says so, and ends.

use abi::exit::GuestExit;
use abi::wire::Label;
use evidence::gate::ReasonCode;
use experiment::plan::{WorkerBlob, ramdisk};

use crate::lab::{Start, boot, good_ramdisk, plan, worker};

/// Boots a ramdisk that the kernel must refuse, with an `error` record that contains each of `says`.
#[track_caller]
fn refused(start: Start, ramdisk: &[u8], says: &[&str]) {
    let over = boot(start, ramdisk, 1, |_| {});
    over.expect_exit(GuestExit::Refused);
    let text = over.text();
    let record = text.lines().find(|line| line.contains(" ev=error ")).unwrap_or_else(|| panic!("{text}"));
    for part in says {
        assert!(record.contains(part), "no {part:?} in: {record}");
    }
    assert!(text.contains(" ev=end ") && text.contains(" status=failed "), "{text}");
    assert!(over.judge(&[1], 1).outcome.measurement().is_none());
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn refuses_to_run_without_a_ramdisk() {
    refused(Start::Direct, b"", &["code=plan"]);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn refuses_an_empty_archive() {
    for start in [Start::Direct, Start::Bios] {
        refused(start, &[0; 1024], &["code=plan"]);
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn refuses_a_ramdisk_that_is_not_an_archive() {
    refused(Start::Direct, b"not an archive\n", &["code=plan"]);
    refused(Start::Direct, &[0xff; 4096], &["code=plan"]);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn refuses_a_ramdisk_without_a_plan() {
    let mut archive = good_ramdisk(&[1]);
    rename(&mut archive, b"plan", b"plam");
    refused(Start::Direct, &archive, &["code=plan"]);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn refuses_a_corrupt_plan() {
    let mut archive = good_ramdisk(&[1]);
    let at = find(&archive, b"case workers=");
    archive[at..at + 4].copy_from_slice(b"cast");
    refused(Start::Direct, &archive, &["code=plan", "line"]);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn refuses_another_program_than_the_plan_names() {
    let mut bytes = worker("primes").bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    let changed = WorkerBlob::new(Label::new("primes").unwrap(), bytes);
    refused(Start::Direct, &ramdisk(&plan(&[1]), &[&changed]), &["code=blob", "sha256"]);
    refused(Start::Direct, &ramdisk(&plan(&[1]), &[]), &["code=blob", "no such worker"]);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn refuses_a_truncated_archive() {
    let archive = good_ramdisk(&[1]);
    let inside_the_program = find(&archive, b"\x7fELF") + 100;
    refused(Start::Direct, &archive[..inside_the_program], &["code=blob", "ends inside"]);
    let inside_the_plan = find(&archive, b"case workers=");
    refused(Start::Direct, &archive[..inside_the_plan], &["code=plan"]);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn tells_missing_cpus_from_a_case_that_is_too_big() {
    let over = boot(Start::Direct, &good_ramdisk(&[4]), 2, |_| {});
    over.expect_exit(GuestExit::Failed);
    let reason = |cpus| over.judge(&[4], cpus).outcome.refusal().map(|(reason, _)| reason);
    // If the machine should have four CPUs, two are missing. If it should have two, the case is too big.
    assert_eq!(reason(4), Some(ReasonCode::CpuMissing));
    assert_eq!(reason(2), Some(ReasonCode::CaseSkipped));
}

/// The offset of `part`.
fn find(bytes: &[u8], part: &[u8]) -> usize {
    bytes.windows(part.len()).position(|window| window == part).unwrap()
}

/// Renames the file `from` of an archive, and corrects the checksum of its header.
fn rename(archive: &mut [u8], from: &[u8], to: &[u8]) {
    assert_eq!(from.len(), to.len());
    let named = |block: &&mut [u8]| block.strip_prefix(from).is_some_and(|rest| rest.starts_with(b"\0"));
    let block = archive.chunks_exact_mut(512).find(named).unwrap();
    block[..to.len()].copy_from_slice(to);
    let mut header = tar::Header::from_byte_slice(block).clone();
    header.set_cksum();
    block.copy_from_slice(header.as_bytes());
}
