//! Real systems that must not be compared: the Linux guest gets another CPU model than ours, unknown to the tool.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::assay::{assay, manifest, run};
use crate::experiments::{one_cpu, results};

/// A Linux guest takes a few seconds, but its kernel may have to be downloaded first.
const DEADLINE: Duration = Duration::from_secs(500);

/// A QEMU that ignores `-cpu` for guests with a kernel command line. Only the Linux guest has one.
fn liar(folder: &Path) -> PathBuf {
    const SCRIPT: &str = r#"#!/bin/sh
case " $* " in *" -append "*)
    for word; do
        shift
        [ "$last" = -cpu ] && word=qemu64
        last=$word
        set -- "$@" "$word"
    done
esac
exec qemu-system-x86_64 "$@"
"#;
    let path = folder.join("qemu");
    fs::write(&path, SCRIPT).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// The commands show no difference, but the guests report different CPUs.
#[test]
#[ignore = "needs QEMU, a built kernel and a Linux kernel: make test-guest"]
fn does_not_compare_a_linux_guest_with_another_cpu_model() {
    let out = tempfile::tempdir().unwrap();
    let source = fs::read_to_string(manifest("small.toml")).unwrap();
    // Linux needs more memory than our kernel.
    let source = source.replace("[1, 2]", "[2]").replace("memory-mib = 64", "memory-mib = 128");
    let (gate, oracle) = (source.find("[gate]").unwrap(), source.find("[oracle]").unwrap());
    let path = out.path().join("two.toml");
    fs::write(&path, format!("{}{}", &source[..gate], &source[oracle..])).unwrap();
    let (cpu, qemu) = (one_cpu(), liar(out.path()));
    let options = ["run", "--label", "t", "--rounds", "1", "--systems", "assay,linux", "--cpus", &cpu];
    let mut command = assay(options);
    command.arg("--qemu").arg(qemu).arg("--out").arg(out.path()).arg(&path);
    let said = run(&mut command, DEADLINE);
    said.expect_exit(5).expect_answer(&["NOT COMPARABLE", "not-comparable-cpu-model", "\"QEMU Virtual"]);

    let results = results(out.path(), "small", "t");
    let comparison = &results["comparison"];
    assert_eq!((&comparison["comparable"], &comparison["ratios"]), (&false.into(), &serde_json::json!([])));
    let reasons: Vec<_> =
        comparison["findings"].as_array().unwrap().iter().map(|finding| &finding["reason"]).collect();
    assert_eq!(reasons, ["not-comparable-cpu-model"], "{comparison}");
    // Both runs passed the gate.
    assert_eq!(results["cases"].as_array().unwrap().len(), 2);
    // Two before the round and one after it, or two if that one was slow.
    let probes = results["probes"]["made"].as_array().unwrap().len();
    assert!((3..=4).contains(&probes), "{}", results["probes"]);
}
