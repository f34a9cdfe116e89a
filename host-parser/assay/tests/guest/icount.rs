//! How many instructions a worker's timed region has, on our kernel and under Linux. Under `-icount` the TSC counts
//! instructions (QEMU, "TCG Instruction Counting"), whatever the host's load is: no other test shows as exactly that the
//! two systems give the worker the same to do, and that ours takes no instruction from it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use abi::wire::Record;
use evidence::transcript::Transcript;

use crate::assay::{assay, manifest, run};
use crate::experiments::results;

/// A guest takes seconds; the Linux kernel may have to be downloaded first.
const DEADLINE: Duration = Duration::from_secs(400);

const ITERATIONS: usize = 6;

/// QEMU with one instruction a nanosecond. That needs one thread for all CPUs.
const WRAPPER: &str = r#"#!/bin/sh
case "$*" in *-accel*) ;; *) exec qemu-system-x86_64 "$@" ;; esac
for word do
    shift
    [ "$word" = tcg,thread=multi ] && word=tcg,thread=single
    set -- "$@" "$word"
done
exec qemu-system-x86_64 "$@" -icount shift=0
"#;

/// The cycles of the only worker of `experiment`, by iteration, on one system. The gate refuses such a run: by the host's
/// clock, which it is held against, an instruction takes longer than a nanosecond.
fn instructions(experiment: &Path, out: &Path, system: &str) -> Vec<u64> {
    let options =
        ["run", "--label", system, "--rounds", "1", "--no-probe", "--accel", "tcg", "--systems", system];
    let mut command = assay(options);
    command.env("ASSAY_QEMU", wrapper(out)).arg("--out").arg(out).arg(experiment);
    let said = run(&mut command, DEADLINE);
    assert!(out.join("small").join(system).join("results.json").exists(), "{}", said.err);
    let results = results(out, "small", system);
    let log = results["runs"][0]["log"].as_str().unwrap();
    let boots = Transcript::read(&fs::read(log).unwrap()).boots;
    assert!(boots.len() == 1 && boots[0].defects.is_empty() && boots[0].end().is_some(), "{log}");
    let cycles = boots[0].records.iter().filter_map(|located| match located.envelope.record {
        Record::Worker(worker) => Some(worker.cycles),
        _ => None,
    });
    let cycles: Vec<u64> = cycles.collect();
    assert_eq!(cycles.len(), ITERATIONS, "{system}: {cycles:?}");
    cycles
}

fn wrapper(folder: &Path) -> String {
    let path = folder.join("qemu-icount");
    fs::write(&path, WRAPPER).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs QEMU, a built kernel and a Linux kernel: make test-guest"]
fn a_worker_has_the_same_instructions_on_our_kernel_and_only_interrupts_more_under_linux() {
    let out = tempfile::tempdir().unwrap();
    let source = fs::read_to_string(manifest("small.toml")).unwrap();
    let (gate, oracle) = (source.find("[gate]").unwrap(), source.find("[oracle]").unwrap());
    let cases = format!("workers = [1]\niterations = {ITERATIONS}");
    let text = format!("{}{}", &source[..gate], &source[oracle..]).replace("workers = [1, 2]", &cases);
    let path = out.path().join("one.toml");
    // Linux needs more memory than the others, and with one thread for everything half a minute to its first record.
    let text = text
        .replace("memory-mib = 64", "memory-mib = 128")
        .replace("boot-seconds = 30", "boot-seconds = 150");
    fs::write(&path, text.replace("run-seconds = 60", "run-seconds = 240")).unwrap();
    let ours = instructions(&path, out.path(), "assay");
    let [first, ..] = ours[..] else { panic!("no iteration") };
    assert!(first > 6_509_943 && ours.iter().all(|&count| count == first), "{ours:?}");
    let mut linux = instructions(&path, out.path(), "linux");
    linux.sort_unstable();
    // Its timer's interrupts: 250 a second, and each is a few thousand instructions.
    let [least, median] = [linux[0], linux[ITERATIONS / 2]];
    assert!(least >= first && median <= first + first / 200, "ours {first}, Linux {linux:?}");
}
