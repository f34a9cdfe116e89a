//! Exact gates: the lock file holds for what is built, one change of a program is found, and a kernel of the user's is
//! counted without its help.

use std::fs;
use std::path::Path;
use std::time::Duration;

use experiment::manifest::Manifest;
use experiment::plan::{PlanBytes, PlanOptions, ramdisk};

use crate::assay::{Said, assay, run, workspace};
use crate::lab::worker;

/// Two boots of Linux with one thread for everything, on a busy host; the Linux kernel may have to be downloaded first.
const DEADLINE: Duration = Duration::from_secs(500);

/// `assay exact COMMAND` with `options`, in the workspace.
fn exact(command: &str, lock: &Path, options: &[&str]) -> Said {
    run(assay(["exact", command, "--lock"]).arg(lock).args(options), DEADLINE)
}

/// A ramdisk for the cases, with the short work of the exact manifest.
fn short_ramdisk(cases: &[u16]) -> Vec<u8> {
    let manifest = Manifest::load(&workspace().join("manifests/exact.toml")).unwrap();
    let plan = PlanBytes::new(&manifest, &worker("primes"), cases, PlanOptions::default()).unwrap();
    ramdisk(&plan, &[&worker("primes")])
}

/// Whether the lock is for another QEMU than this host's: then nothing can be compared here.
fn is_for_another_qemu(said: &Said) -> bool {
    let other = said.code == Some(6) && said.err.contains("QEMU is");
    if other {
        println!("not compared: {}", said.err);
    }
    other
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn what_is_built_has_the_counts_that_are_locked() {
    for name in ["exact", "exact-mechanisms"] {
        let file = |end: &str| workspace().join(format!("manifests/{name}{end}"));
        let manifest = file(".toml");
        let said = exact("check", &file(".lock.toml"), &["--manifest", manifest.to_str().unwrap()]);
        assert!(said.code == Some(0) || is_for_another_qemu(&said), "{}{}", said.out, said.err);
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn a_worker_with_more_instructions_is_found_with_both_counts_and_the_line_that_locks_it() {
    let folder = tempfile::tempdir().unwrap();
    let built = workspace().join("target/release");
    fs::copy(built.join("primes-slowed-2"), folder.path().join("primes")).unwrap();
    fs::copy(built.join("control-syscall"), folder.path().join("control-syscall")).unwrap();
    let lock = workspace().join("manifests/exact.lock.toml");
    let said = exact("check", &lock, &["--workers", folder.path().to_str().unwrap()]);
    if is_for_another_qemu(&said) {
        return;
    }
    said.expect_exit(1);
    let locked = fs::read_to_string(&lock).unwrap();
    let line = locked.lines().find(|line| line.contains("{ name = \"worker\", instructions = ")).unwrap();
    let count = line.split("instructions = ").nth(1).unwrap().split(' ').next().unwrap();
    let both = format!("worker: {count} in the lock, ");
    said.expect_answer(&[&both, "    { name = \"worker\", instructions = "]);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn a_users_kernel_is_counted_between_lines_that_it_prints() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (lock, initrd) = (folder.path().join("own.lock.toml"), file("initrd"));
    fs::write(&initrd, short_ramdisk(&[1])).unwrap();
    let kernel = workspace().join("target/kernel/assay-kernel");
    let guest = ["--kernel", kernel.to_str().unwrap(), "--initrd", &initrd];
    let rows = ["--row", "boot=ev=start..ev=case-ready", "--row", "work=ev=case-ready..ev=case-begin"];
    let recorded = exact("record", &lock, &[guest.as_slice(), &rows].concat());
    recorded.expect_exit(0);
    let checked = exact("check", &lock, &guest);
    checked.expect_exit(0).expect_answer(&["boot ", "work "]);

    // A ramdisk with one more case, for which this machine has too few CPUs: a few lines more to read and to print.
    fs::write(&initrd, short_ramdisk(&[1, 2])).unwrap();
    let longer = exact("check", &lock, &guest);
    longer.expect_exit(1).expect_answer(&["boot: ", " in the lock, "]);

    let other = exact("check", &lock, &[guest.as_slice(), &["--cpu-model", "Haswell"]].concat());
    other.expect_exit(6).expect_message(&["the CPU model is"]);
}

#[test]
#[ignore = "needs QEMU, a built kernel and a Linux kernel: make test-guest"]
fn a_worker_has_the_same_instructions_on_our_kernel_and_under_linux() {
    let options = ["run", "manifests/exact.toml", "--exact", "--systems", "assay,linux"];
    let said = run(&mut assay(options), DEADLINE);
    said.expect_exit(0).expect_answer(&["equal: the same work"]);
}

#[test]
#[ignore = "needs QEMU, a built kernel and a Linux kernel: make test-guest"]
fn a_workload_has_the_same_instructions_on_both_but_for_the_interrupts_of_linux() {
    let said = run(&mut assay(["exact", "workloads", "--only", "sqlite"]), DEADLINE);
    said.expect_exit(0).expect_answer(&["sqlite ", "1 of 1 hold"]);
}
