//! Our kernel, the Linux guest and native processes in one session.

use std::fs;
use std::time::Duration;

use serde_json::Value;

use crate::assay::{assay, manifest, run};
use crate::experiments::{one_cpu, results};

/// A Linux guest takes a few seconds, but its kernel may have to be downloaded first.
const DEADLINE: Duration = Duration::from_secs(500);

const SYSTEMS: [&str; 6] = ["assay", "assay-bios", "linux", "linux-mitigations-off", "linux-tuned", "native"];

/// The only run of a system.
fn of<'a>(results: &'a Value, system: &str) -> &'a Value {
    let mut runs = results["runs"].as_array().unwrap().iter().filter(|run| run["system"] == system);
    let found = runs.next().unwrap_or_else(|| panic!("no run of {system}"));
    assert!(runs.next().is_none(), "two runs of {system}");
    found
}

/// Two workers on one host CPU are functional-only, so this passes on a busy host too.
#[test]
#[ignore = "needs QEMU, a built kernel and a Linux kernel: make test-guest"]
fn every_system_does_the_same_work() {
    let out = tempfile::tempdir().unwrap();
    let source = fs::read_to_string(manifest("small.toml")).unwrap();
    let (gate, oracle) = (source.find("[gate]").unwrap(), source.find("[oracle]").unwrap());
    let only_two = format!("{}{}", &source[..gate], &source[oracle..]).replace("[1, 2]", "[2]");
    // Linux needs more memory than the others.
    let only_two = only_two.replace("memory-mib = 64", "memory-mib = 128");
    let path = out.path().join("two.toml");
    fs::write(&path, only_two).unwrap();
    let systems = SYSTEMS.join(",");
    let cpu = one_cpu();
    let mut command = assay(["run", "--label", "t", "--rounds", "1", "--no-probe", "--systems", &systems]);
    let said = run(command.args(["--cpus", &cpu, "--out"]).arg(out.path()).arg(&path), DEADLINE);
    said.expect_exit(0);

    let results = results(out.path(), "small", "t");
    let ours = of(&results, "assay");
    for system in SYSTEMS {
        let run = of(&results, system);
        assert_eq!((&run["outcome"], &run["case"]), (&"passed".into(), &2.into()), "{run}");
        assert!(run["functional_only"].is_object(), "{run}");
        assert_eq!(run["host_cpus"], cpu.as_str());
        let (measurement, our_measurement) = (&run["measurement"], &ours["measurement"]);
        let name = system.split('-').next().unwrap();
        assert_eq!(measurement["machine"]["system"], name);
        for item in ["blob_sha256", "work", "whole", "authority"] {
            assert_eq!(measurement["identity"][item], our_measurement["identity"][item], "{system}: {item}");
        }
        let boot = &run["boot"];
        let times =
            ["first_serial_us", "first_worker_us", "end_record_us"].map(|at| boot[at].as_u64().unwrap());
        assert!(times.is_sorted() && times[2] / 1000 <= run["wall_ms"].as_u64().unwrap(), "{system}: {boot}");
        assert!(boot["image_bytes"].as_u64().unwrap() > 100_000, "{system}: {boot}");
        // Peak memory is that of QEMU. The native row has no such process.
        assert_eq!(boot["peak_rss_bytes"].is_null(), system == "native", "{system}: {boot}");
    }
    has_the_same_machine(ours, of(&results, "linux"));
    is_tuned(of(&results, "linux-tuned"));
    assert!(of(&results, "linux")["measurement"]["machine"]["tuning"].is_null());
    assert_eq!(results["comparison"]["comparable"], true, "{}", results["comparison"]);
    assert_eq!(of(&results, "native")["command"][5], format!("{cpu},{cpu}"));
    let artifacts = results["environment"]["artifacts"].as_array().unwrap();
    let kernel = artifacts.iter().find(|file| file["name"].as_str().unwrap().starts_with("linux "));
    assert_eq!(kernel.expect("the kernel is recorded")["sha256"].as_str().unwrap().len(), 64);
}

/// Checks that what the command line asks for is in force: Linux ignores what it does not know.
fn is_tuned(run: &Value) {
    let expected = serde_json::json!({
        "isolated": "1",
        "nohz_full": "1",
        "idle": "none",
        "workers": "fifo",
    });
    assert_eq!(run["measurement"]["machine"]["tuning"], expected);
}

/// Checks that QEMU's arguments are the same up to the kernel, which comes last.
fn has_the_same_machine(ours: &Value, linux: &Value) {
    assert_eq!(machine_arguments(ours), machine_arguments(linux));
    let command = linux["command"].as_array().unwrap();
    assert!(
        command.contains(&"-append".into()) && command.len() == machine_arguments(linux).len() + 6,
        "{command:?}"
    );
}

/// The words of a QEMU command before the kernel.
fn machine_arguments(run: &Value) -> Vec<&str> {
    let words = run["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
    words.take_while(|word| *word != "-kernel").collect()
}
