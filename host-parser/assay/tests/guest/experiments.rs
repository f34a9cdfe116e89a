//! `assay run`, from the manifest to the result files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

use host::CpuSet;
use serde_json::Value;

use crate::assay::{Said, assay, manifest, run};
use crate::lab::undisturbed;

const DEADLINE: Duration = Duration::from_secs(120);

/// A host CPU that this process may use. Two vCPUs on one host CPU are functional-only: their speed does not matter.
pub fn one_cpu() -> String {
    CpuSet::allowed().unwrap().iter().next().unwrap().to_string()
}

/// results.json of a session below `out`.
pub fn results(out: &Path, experiment: &str, label: &str) -> Value {
    let path = out.join(experiment).join(label).join("results.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Repeats an experiment until the host does not disturb it. The tries are labelled `NAME-0`, `NAME-1`, ...
fn run_undisturbed(name: &str, out: &Path, experiment: &Path, options: &[&str]) -> (Said, String) {
    undisturbed(|nth| {
        let label = format!("{name}-{nth}");
        let mut command = assay(["run", "--label", &label, "--no-probe", "--cpus", &one_cpu(), "--out"]);
        let said = run(command.arg(out).args(options).arg(experiment), DEADLINE);
        (!is_contended(&said)).then_some((said, label))
    })
}

/// Whether the experiment failed because the host was too busy.
fn is_contended(said: &Said) -> bool {
    said.code == Some(75) && said.out.contains("host-contended")
}

/// Whether a run counts. A round that the host disturbed is excluded and replaced.
fn counts(run: &&Value) -> bool {
    run["set_aside"].is_null()
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn keeps_every_raw_sample_and_makes_no_claim_on_one_host_cpu() {
    let out = tempfile::tempdir().unwrap();
    let mut command =
        assay(["run", "--label", "t", "--seed", "1", "--no-probe", "--cpus", &one_cpu(), "--out"]);
    let said = run(command.arg(out.path()).arg(manifest("small.toml")), DEADLINE);
    let contended = is_contended(&said);
    if !contended {
        said.expect_exit(6).expect_answer(&["FUNCTIONAL ONLY", "NOT MADE", "oversubscribed"]);
    }

    let results = results(out.path(), "small", "t");
    assert_eq!(
        (&results["complete"], &results["experiment"]["order_seed"]),
        (&(!contended).into(), &1.into())
    );
    assert_eq!(results["environment"]["pinning"]["host_cpus"], one_cpu());
    assert_eq!(results["runs"][0]["vcpu_host_cpus"][0], one_cpu());
    let runs = results["runs"].as_array().unwrap();
    // If the host was too busy for five rounds, the remaining checks are of the rounds that count.
    if !contended {
        assert_eq!((rounds(runs, 1).len(), runs.iter().filter(counts).count()), (5, 10));
        assert_eq!(rounds(runs, 1), rounds(runs, 2));
    }
    for run in runs.iter().filter(counts) {
        has_all_of_a_run(run);
    }

    let session = out.path().join("small/t");
    let csv = fs::read_to_string(session.join("samples.csv")).unwrap();
    let mut rows: Vec<&str> = csv.lines().collect();
    let at = rows.remove(0).split(',').position(|name| name == "set_aside").unwrap();
    rows.retain(|row| row.split(',').nth(at) == Some("0"));
    let workers = runs.iter().filter(counts).map(|run| run["case"].as_u64().unwrap()).sum::<u64>();
    assert_eq!(rows.len() as u64, workers, "a row for each worker of each run");
    assert!(fs::read_to_string(session.join("summary.md")).unwrap().contains("FUNCTIONAL ONLY"));
}

/// The rounds with a run of this case that counts.
fn rounds(runs: &[Value], case: u64) -> BTreeSet<u64> {
    let of_case = runs.iter().filter(counts).filter(|run| run["case"] == case);
    of_case.map(|run| run["round"].as_u64().unwrap()).collect()
}

/// Checks what results.json and the folder have of a run that passed.
fn has_all_of_a_run(run: &Value) {
    assert_eq!(run["outcome"], "passed");
    assert_eq!(run["host_cpus"], one_cpu());
    let cpus = run["case"].as_u64().unwrap();
    assert_eq!(run["functional_only"].is_null(), cpus == 1);
    let [sample] = run["measurement"]["samples"].as_array().unwrap().as_slice() else { panic!("{run}") };
    let workers = sample["workers"].as_array().unwrap();
    assert_eq!(workers.len() as u64, cpus);
    assert!(workers.iter().all(|worker| worker["cycles"].as_u64().unwrap() > 0));
    let answers: u64 = workers.iter().map(|worker| worker["answer"].as_u64().unwrap()).sum();
    assert_eq!(answers, 25_997);

    let log = run["log"].as_str().unwrap();
    if cpus == 1 {
        // The other logs do not show that the host had one CPU for two vCPUs.
        crate::assay::run(&mut assay(["parse", log]), DEADLINE).expect_exit(0);
    }
    let command = fs::read_to_string(log.replace(".serial.log", ".qemu.txt")).unwrap();
    for word in run["command"].as_array().unwrap() {
        assert!(command.contains(word.as_str().unwrap()), "no {word} in {command}");
    }
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn builds_an_image_once_and_succeeds_without_a_claim() {
    let out = tempfile::tempdir().unwrap();
    let source = fs::read_to_string(manifest("small.toml")).unwrap();
    let (gate, oracle) = (source.find("[gate]").unwrap(), source.find("[oracle]").unwrap());
    let unclaimed = format!("{}{}", &source[..gate], &source[oracle..]).replace("\"direct\"", "\"bios\"");
    let path = out.path().join("unclaimed.toml");
    fs::write(&path, unclaimed).unwrap();
    for name in ["first", "second"] {
        let (said, label) = run_undisturbed(name, out.path(), &path, &["--rounds", "1"]);
        said.expect_exit(0);
        assert_eq!(said.err.contains("building the image"), label == "first-0", "{}", said.err);
        let results = results(out.path(), "small", &label);
        assert_eq!(results["runs"].as_array().unwrap().iter().filter(counts).count(), 2);
    }
}
