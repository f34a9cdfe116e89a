//! Sweeps on real guests: cores before siblings, every case as planned, and the same results from the log alone.

use std::fs;
use std::time::Duration;

use abi::exit::GuestExit;
use evidence::gate::{Ended, Gate, HostEvidence, Measurement, RunExpectation};
use evidence::transcript::Transcript;
use experiment::manifest::Manifest;
use experiment::plan::{PlanBytes, PlanOptions, ramdisk};

use crate::assay::{assay, manifest, run};
use crate::experiments::{one_cpu, results};
use crate::lab::{Over, Start, boot, undisturbed, worker};

const DEADLINE: Duration = Duration::from_secs(240);

/// The plan and the ramdisk of the tests' sweep, with three iterations.
fn sweep() -> (PlanBytes, Vec<u8>) {
    let manifest = Manifest::load(&manifest("sweep.toml")).unwrap();
    let blob = worker("primes");
    let options = PlanOptions { iterations: 3, ..PlanOptions::default() };
    let plan = PlanBytes::new(&manifest, &blob, &[], options).unwrap();
    let ramdisk = ramdisk(&plan, &[&blob]);
    (plan, ramdisk)
}

/// Runs the sweep on a machine with these CPUs and arguments, and returns the measurement.
fn swept(cpus: u16, arguments: &[&str]) -> (Over, Measurement) {
    let (plan, ramdisk) = sweep();
    let evidence = HostEvidence {
        ended: Ended::DebugExit { value: GuestExit::Success.value() },
        vcpus: Some(cpus),
        host_cpus: Some(1),
        ..HostEvidence::default()
    };
    let expectation =
        RunExpectation { plan: Some(plan.digest()), cpus: Some(cpus), ..RunExpectation::default() };
    undisturbed(|_| {
        let more = arguments.iter().map(|&argument| argument.to_owned());
        let over = boot(Start::Direct, &ramdisk, cpus.into(), |machine| machine.extra_args.extend(more));
        over.expect_exit(GuestExit::Success);
        let verdict = Gate::default().judge(&Transcript::read(&over.log), &expectation, &evidence);
        let measured = over.measured(&verdict)?;
        Some((over, measured))
    })
}

/// Every case, with whether its workers shared cores and the CPUs they ran on.
fn cases(measured: &Measurement) -> Vec<(u16, bool, Vec<u16>)> {
    let mut cases: Vec<_> = measured
        .samples()
        .iter()
        .map(|sample| (sample.case, sample.smt, sample.workers.iter().map(|worker| worker.cpu).collect()))
        .collect();
    cases.sort();
    assert!(cases.chunks(3).all(|three| three[0] == three[1] && three[1] == three[2]), "{cases:?}");
    cases.dedup();
    cases
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn takes_cores_before_siblings_and_packages_one_after_the_other() {
    // Two packages of two cores of two threads, each package with its own memory. The last -smp counts.
    let shape = "-smp 8,sockets=2,cores=2,threads=2 \
                 -object memory-backend-ram,id=m0,size=64M -object memory-backend-ram,id=m1,size=64M \
                 -numa node,nodeid=0,cpus=0-3,memdev=m0 -numa node,nodeid=1,cpus=4-7,memdev=m1";
    let (over, measured) = swept(8, &shape.split_whitespace().collect::<Vec<_>>());
    let topology = &measured.machine().topology;
    assert_eq!((topology.packages, topology.cores, topology.nodes), (Some(2), Some(4), Some(2)));
    assert!(topology.cpus.iter().all(|cpu| cpu.package == cpu.node), "{topology:?}");
    let all = cases(&measured);
    assert_eq!(
        all,
        [
            (1, false, vec![0]),
            (2, false, vec![0, 2]),
            (4, false, vec![0, 2, 4, 6]),
            (8, true, vec![0, 2, 4, 6, 1, 3, 5, 7])
        ]
    );
    assert!(over.text().contains(" smp8-smt "), "the console's table names the SMT case");
    let platform = measured.machine().platform.clone().unwrap();
    assert_eq!(platform.dmi.get("system-vendor").map(String::as_str), Some("QEMU"));
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn ends_with_a_case_of_all_cores() {
    let (_, measured) = swept(3, &[]);
    assert_eq!(cases(&measured), [(1, false, vec![0]), (2, false, vec![0, 1]), (3, false, vec![0, 1, 2])]);
    let (_, measured) = swept(1, &[]);
    assert_eq!(cases(&measured), [(1, false, vec![0])]);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn counts_each_cpu_as_a_core_if_the_topology_is_hidden() {
    let (_, measured) = swept(2, &["-smp", "2,sockets=2,cores=1,threads=1", "-cpu", "qemu64,level=10"]);
    assert_eq!(measured.machine().topology.source, None);
    assert_eq!(cases(&measured), [(1, false, vec![0]), (2, false, vec![0, 1])]);
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn parse_gives_the_results_of_the_run() {
    let out = tempfile::tempdir().unwrap();
    let mut command = assay(["run", "--label", "t", "--vcpus", "2", "--cpus", &one_cpu(), "--out"]);
    let said = run(command.arg(out.path()).arg(manifest("sweep.toml")), DEADLINE);
    said.expect_exit(6).expect_answer(&["FUNCTIONAL ONLY", "oversubscribed", "2 CPUs, 2 cores"]);
    let ran = results(out.path(), "small-sweep", "t");
    assert_eq!((&ran["experiment"]["pairing"], &ran["experiment"]["rounds"]), (&"runs".into(), &5.into()));
    assert_eq!(ran["cases"].as_array().unwrap().len(), 2);

    // Its boots, one after the other, as from a console that was captured all the time.
    let runs = ran["runs"].as_array().unwrap();
    let logs = runs.iter().flat_map(|run| fs::read(run["log"].as_str().unwrap()).unwrap());
    let log = out.path().join("all.log");
    fs::write(&log, logs.collect::<Vec<u8>>()).unwrap();
    let parsed = out.path().join("parsed");
    let said = run(assay(["parse", "--out"]).arg(&parsed).arg(&log), DEADLINE);
    let again: serde_json::Value =
        serde_json::from_slice(&fs::read(parsed.join("results.json")).unwrap()).unwrap();
    // The log does not show that two vCPUs shared a host CPU, so `parse` may refuse it for the waits that it shows.
    let refused = |run: &serde_json::Value| {
        run["reason"].as_str().is_some_and(|reason| ["vcpu-preempted", "late-start"].contains(&reason))
    };
    let excluded = |run: &serde_json::Value| run["set_aside"].is_string();
    if again["runs"].as_array().unwrap().iter().any(|run| refused(run) || excluded(run)) {
        return;
    }
    said.expect_exit(0);
    for (ran, again) in ran["cases"].as_array().unwrap().iter().zip(again["cases"].as_array().unwrap()) {
        for key in ["case", "label", "smt", "cycles", "nanos", "basis", "speedup"] {
            assert_eq!(ran[key], again[key], "{key}");
        }
    }
    assert_eq!(ran["runs"][0]["measurement"]["samples"], again["runs"][0]["measurement"]["samples"]);
}
