//! The negative controls: the gate finds each deliberate fault, under its own reason.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::assay::{assay, run, workspace};
use crate::experiments::{one_cpu, results};

/// For all controls together. One hangs until its deadline, which takes most of the time.
const DEADLINE: Duration = Duration::from_secs(180);

/// The faults of the workers, with the mnemonic and error code that the kernel must report (Intel SDM vol. 3A,
/// "Page-Fault Exception": present 1, write 2, user 4, instruction fetch 16).
const FAULTS: [(&str, &str, u64); 9] = [
    ("worker-divide-error", "DE", 0),
    ("worker-invalid-opcode", "UD", 0),
    ("worker-general-protection", "GP", 0),
    ("worker-page-fault", "PF", 4),
    ("worker-shared-memory", "PF", 4),
    ("worker-stack-overflow", "PF", 4 + 2),
    ("worker-outside-slot", "PF", 4 + 2),
    ("worker-kernel-write", "PF", 4 + 2 + 1),
    ("worker-execute-data", "PF", 16 + 4 + 1),
];

/// The controls that a busy host can hide, and the reasons behind which it hides them. If vCPUs do not run at the same time,
/// they cannot compare their clocks, and a worker on a clock that is ahead seems to start late. If the host took as much
/// time as the kernel conceals, the host is to blame. The run does not pass in any of these cases.
const ELUSIVE: [(&str, &[&str]); 3] = [
    ("kernel-tsc-ahead.toml", &["control-unnoticed", "late-start", "vcpu-preempted"]),
    ("kernel-halve-times.toml", &["late-start", "vcpu-preempted"]),
    ("kernel-halve-times-short.toml", &["late-start", "vcpu-preempted"]),
];
const TRIES: usize = 5;

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn every_control_is_refused_for_its_own_reason() {
    let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let manifests = fs::read_dir(workspace().join("manifests/controls")).unwrap();
    let manifests = manifests
        .map(|entry| entry.unwrap().path())
        .filter(|path| ELUSIVE.iter().all(|(elusive, _)| !path.ends_with(elusive)));
    let copied = manifests.map(|path| fs::copy(&path, folder.path().join(path.file_name().unwrap())));
    let tried = copied.map(Result::unwrap).count();
    let said = run(assay(["dev", "controls"]).arg(folder.path()).arg("--out").arg(out.path()), DEADLINE);
    said.expect_exit(0).expect_answer(&[&format!("{tried} of {tried} controls ended as expected")]);

    let session = fs::read_dir(out.path().join("controls")).unwrap().next().unwrap().unwrap().path();
    for (name, mnemonic, code) in FAULTS {
        let fault = format!(" ev=fault worker=0 exception={mnemonic} error={code:016x} ");
        assert!(log(&session.join(name)).contains(&fault), "{name}: no {fault}");
    }
}

/// Worker 0 of each skips work. The other worker is right, so each program is also run as it is.
#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn every_workload_that_skips_work_is_refused() {
    let (workloads, out) = (workspace().join("manifests/workloads"), tempfile::tempdir().unwrap());
    let args = ["dev", "controls", "--only", "control-", "--workloads"];
    let said = run(assay(args).arg(workloads).arg("--out").arg(out.path()), DEADLINE);
    // Each workload but `primes`, whose controls have manifests of their own.
    let tried = workloads::REGISTRY.measured().count() - 1;
    said.expect_exit(0).expect_answer(&[&format!("{tried} of {tried} controls ended as expected")]);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn what_a_busy_host_can_hide_is_found_and_never_passes() {
    for (elusive, hidden_by) in ELUSIVE {
        let (folder, out) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let manifest = workspace().join("manifests/controls").join(elusive);
        fs::copy(manifest, folder.path().join(elusive)).unwrap();
        let noticed = (0..TRIES).any(|_| {
            let said =
                run(assay(["dev", "controls"]).arg(folder.path()).arg("--out").arg(out.path()), DEADLINE);
            let hidden = hidden_by.iter().any(|reason| said.out.contains(reason));
            said.expect_exit(i32::from(hidden));
            !hidden
        });
        assert!(noticed, "{elusive}");
    }
}

/// The content of the serial log in a folder.
fn log(folder: &Path) -> String {
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let log = files.find(|path| path.to_string_lossy().ends_with(".serial.log"));
    fs::read_to_string(log.unwrap()).unwrap()
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn the_exit_code_follows_the_class_of_a_refused_run() {
    let cases = [
        ("worker-page-fault", "worker-fault", 4),
        ("worker-never-returns", "worker-timeout", 4),
        ("worker-syscall", "authority-exceeded", 4),
        ("worker-wrong-answer", "verifier-mismatch", 4),
        ("kernel-lose-record", "dropped-records", 5),
    ];
    let out = tempfile::tempdir().unwrap();
    for (name, reason, exit) in cases {
        let manifest = workspace().join("manifests/controls").join(name).with_extension("toml");
        let mut command = assay(["run", "--label", "t", "--cpus", &one_cpu(), "--out"]);
        let said = run(command.arg(out.path()).arg(manifest), DEADLINE);
        said.expect_exit(exit).expect_answer(&["no run counts", reason]);
        assert_eq!(results(out.path(), name, "t")["runs"][0]["reason"], reason);
    }
}
