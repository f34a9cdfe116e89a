//! A workload from outside this tree, as docs/WORKLOADS.md walks through it.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::assay::{Said, assay, run, workspace};
use crate::experiments::one_cpu;
use crate::lab::undisturbed;

const DEADLINE: Duration = Duration::from_secs(300);

/// The commands that the page shows.
fn walk() -> String {
    let page = fs::read_to_string(workspace().join("docs/WORKLOADS.md")).unwrap();
    let (_, rest) = page.split_once("<!-- own: built").expect("the walk is there");
    let (_, rest) = rest.split_once("```sh\n").expect("its commands");
    rest.split_once("```").expect("their end").0.to_owned()
}

/// A shell in `folder`, as a user has it: `assay` in PATH, and the products of `make build` below target/.
fn shell(folder: &Path, commands: &str) -> Said {
    let path = format!("{}:{}", folder.join("bin").display(), env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", commands]).current_dir(folder).env("PATH", path);
    // Two workers on one host CPU are functional-only, so this passes on a busy host too.
    run(shell.env("ASSAY_QEMU_CPUS", one_cpu()), DEADLINE)
}

/// The newest session of the experiment.
fn session(folder: &Path) -> PathBuf {
    let sessions = fs::read_dir(folder.join("target/collatz")).unwrap().map(|entry| entry.unwrap().path());
    sessions.filter(|path| path.join("session.jsonl").exists()).max().expect("a session")
}

/// The log of a run of this system and case that passed.
fn passed_log(session: &Path, system: &str, case: u16) -> Option<String> {
    let results: Value =
        serde_json::from_str(&fs::read_to_string(session.join("results.json")).unwrap()).unwrap();
    let runs = results["runs"].as_array().unwrap().clone();
    let of =
        runs.iter().find(|run| run["system"] == system && run["case"] == case && run["outcome"] == "passed");
    of.map(|run| run["log"].as_str().unwrap().to_owned())
}

#[test]
#[ignore = "needs QEMU, a built kernel and rustc: make test-guest"]
fn the_walk_through_works_as_printed_and_what_it_leaves_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for made in ["bin", "target"] {
        fs::create_dir(folder.join(made)).unwrap();
    }
    symlink(env!("CARGO_BIN_EXE_assay"), folder.join("bin/assay")).unwrap();
    for built in ["kernel", "release", "x86_64-unknown-linux-gnu"] {
        symlink(workspace().join("target").join(built), folder.join("target").join(built)).unwrap();
    }
    let commands = walk();
    let (build, last) = commands.trim_end().rsplit_once('\n').unwrap();
    shell(folder, build).expect_exit(0);
    // On a busy host one worker's runs may not count. Two workers on one CPU are functional-only and do.
    let (first, log) = undisturbed(|_| {
        let said = shell(folder, last);
        let disturbed = said.code == Some(75) && said.out.contains("vcpu-preempted");
        if !disturbed {
            said.expect_exit(0).expect_answer(&["MEASURED: collatz", "work: steps"]);
        }
        let session = session(folder);
        let of_two = ["assay", "native"].map(|system| passed_log(&session, system, 2));
        let [Some(log), Some(_)] = of_two else { return None };
        Some((session, folder.join(log)))
    });
    run(assay(["verify"]).arg(&first), DEADLINE).expect_exit(0);
    let archive = folder.join("session.tar.gz");
    run(assay(["archive"]).arg(&first).arg(&archive), DEADLINE).expect_exit(0);
    run(assay(["verify"]).arg(&archive), DEADLINE).expect_exit(0);
    // Without the manifest there are no answers to judge the log by. What else a busy host did to it is among the findings.
    let manifest = folder.join("collatz/collatz.toml");
    for (options, known) in
        [(vec![], false), (vec!["--manifest".into(), manifest.clone().into_os_string()], true)]
    {
        let said = run(assay(["parse", "--json"]).arg(&log).args(&options), DEADLINE);
        assert_eq!(said.out.contains("workload-unknown"), !known, "{}{}", said.out, said.err);
    }

    let oracle = first.join("oracle.txt");
    let other = fs::read_to_string(&oracle).unwrap().replace("item 7 7 ", "item 8 7 ");
    fs::write(&oracle, other).unwrap();
    run(assay(["verify"]).arg(&first), DEADLINE).expect_exit(12);

    // A program that leaves an item out, built by the same command.
    let source = folder.join("collatz/collatz.rs");
    let text = fs::read_to_string(&source).unwrap();
    assert_eq!(text.matches("in first..end").count(), 1);
    fs::write(&source, text.replace("in first..end", "in first + 1..end")).unwrap();
    let (_, after_new) = commands.split_once('\n').unwrap();
    let again = after_new.replace("--systems assay,native", "--systems native");
    assert_ne!(again, after_new);
    shell(folder, &again).expect_exit(4).expect_answer(&["verifier-mismatch"]);
}
