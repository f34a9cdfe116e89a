//! `assay doctor` on the host of the tests: the form of its output, for any findings.

use std::time::Duration;

use serde_json::Value;

use crate::assay::{assay, run};

const DEADLINE: Duration = Duration::from_secs(60);

#[test]
fn json_has_facts_and_agrees_with_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = assay(["doctor", "--json", "--accel", "tcg", "--out"]);
    let said = run(command.arg(folder.path()), DEADLINE);
    let envelope: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(envelope["exit_code"].as_i64().unwrap(), i64::from(said.code.unwrap()), "{}", said.err);
    let data = &envelope["result"]["report"];
    assert_eq!(data["exit_code"].as_i64().unwrap(), i64::from(said.code.unwrap()), "{}", said.err);
    let facts = &data["facts"];
    let cpus = facts["topology"]["cpus"].as_array().unwrap();
    assert!(cpus.iter().any(|cpu| cpu["guest"] == true), "{cpus:?}");
    let Value::Object(accelerator) = &facts["accelerator"] else { panic!("{facts}") };
    assert!(accelerator["name"] == "tcg" && accelerator["why"].as_str().unwrap().contains("--accel tcg"));
    let of_disk = |finding: &&Value| finding["check"] == "disk";
    let disk = data["findings"].as_array().unwrap().iter().find(of_disk).unwrap();
    assert!(disk["value"].as_str().unwrap().contains(folder.path().to_str().unwrap()), "{disk}");
}
