//! `assay parse` of a sweep, and whether its results may be published.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::assay::{Said, assay, run};
use crate::golden;
use crate::stage::DEADLINE;

/// The log of a sweep on four cores of two threads.
fn sweep() -> PathBuf {
    golden::transcript("good-sweep-smt.log")
}

fn parse(options: &[&str]) -> Said {
    run(assay(["parse"]).arg(sweep()).args(options), DEADLINE)
}

#[test]
fn labels_the_smt_case_of_a_sweep() {
    let said = parse(&[]);
    said.expect_exit(0).expect_answer(&[
        "smp8-smt",
        "smp8-smt: workers share cores: shows the gain from SMT, not scaling over cores",
        "8 CPUs, 4 cores, 1 package, by cpuid-0bh",
        "not publishable: disclosure-missing: date, ",
    ]);
    let rows = said.out.lines().skip_while(|line| !line.trim_start().starts_with("smp8-smt "));
    let brackets: Vec<usize> = rows.take(2).map(|row| row.matches('(').count()).collect();
    assert_eq!(brackets, [1, 2], "speed-ups must be in parentheses: {}", said.out);
}

#[test]
fn refuses_a_claim_about_shared_cores() {
    let folder = tempfile::tempdir().unwrap();
    let source = fs::read_to_string(golden::path("../tests/manifests/sweep.toml")).unwrap();
    let source =
        source.replace("small-sweep", "smp-process-scale").replace("to-workers = 2", "to-workers = 8");
    let manifest = folder.path().join("m.toml");
    fs::write(&manifest, source).unwrap();
    let said = parse(&["--manifest", manifest.to_str().unwrap()]);
    said.expect_exit(6).expect_answer(&["NOT MADE", "shared-cores: workers of case 8 shared cores"]);
}

fn fill(text: String, (key, value): (&str, &str)) -> String {
    text.replace(&format!("\n{key} = \"\""), &format!("\n{key} = \"{value}\""))
}

#[test]
fn a_filled_in_template_makes_results_publishable() {
    let folder = tempfile::tempdir().unwrap();
    let template = parse(&["--disclose-template"]);
    template
        .expect_exit(0)
        .expect_answer(&["provider = \"gce\"", "#   system-product: Google Compute Engine"]);
    let file = folder.path().join("d.toml");
    let disclose = ["--disclose", file.to_str().unwrap(), "--publish"];

    fs::write(&file, &template.out).unwrap();
    let said = parse(&disclose);
    said.expect_exit(5)
        .expect_answer(&["not publishable: disclosure-missing: date, image-sha256, instance-type"]);

    let hash = "0f".repeat(32);
    let values = [
        ("region", "europe-west1-b"),
        ("instance-type", "c3-standard-8"),
        ("image-sha256", &hash),
        ("tenancy", "shared"),
        ("vcpu-is", "hyperthread"),
        ("date", "2026-11-21"),
        ("operator", "the tests"),
    ];
    fs::write(&file, values.into_iter().fold(template.out.clone(), fill)).unwrap();
    parse(&disclose).expect_exit(0).expect_answer(&["publishable: everything is disclosed"]);
    let json: Value = serde_json::from_str(&parse(&[&disclose[..], &["--json"]].concat()).out).unwrap();
    let publication = &json["result"]["rows"][0]["publication"];
    assert_eq!(publication["publishable"], true);
    assert_eq!(publication["disclosure"]["region"], "europe-west1-b");

    fs::write(&file, template.out.replace("tenancy", "tenancies")).unwrap();
    parse(&disclose).expect_exit(7).expect_message(&["d.toml:", "tenancies: unknown field"]);
}
