//! Chains that are whole, and whose logs are good, but of other runs than those that they count as.

use abi::wire::{Label, Record};
use serde_json::{Value, json};

use super::chains::{forge, is};
use super::{NOT_VERIFIED, session, verify};
use crate::compare::sessions::{Played, Sessions};

/// Changes the entry of every run, and every hash after it.
fn refuses(change: fn(&mut Value), says: &str) {
    let sessions = Sessions::new();
    let b = session(&sessions, "b");
    forge(&b, |entries| {
        entries.iter_mut().filter(|entry| is(entry, "run")).for_each(|entry| change(&mut entry["run"]));
    });
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&[says]);
}

#[test]
fn a_run_counts_as_one_of_the_system_that_its_log_names() {
    let rename = |run: &mut Value| run["system"] = json!("linux");
    refuses(rename, "run 0 counts as one of linux, but its log is of the system assay");
    // Two rows of one name differ in how they were started, which no log shows.
    let sessions = Sessions::new();
    let b = sessions.play("b", &Played { system: |_| results::System::AssayBios, ..Played::default() });
    verify(&b).expect_exit(0);
}

#[test]
fn a_run_counts_as_one_of_the_case_that_its_log_has() {
    let exchange = |run: &mut Value| run["case"] = json!(3 - run["case"].as_u64().unwrap());
    refuses(exchange, "run 0 counts as one of case 2, but its log is of the cases [1]");
    refuses(|run| run["case"] = Value::Null, "run 0 was to have a case");
}

fn of_another_experiment(record: &mut Record) {
    if let Record::Experiment(experiment) = record {
        experiment.name = Label::new("another").unwrap();
    }
}

#[test]
fn a_log_is_of_the_experiment_that_the_manifest_describes() {
    let sessions = Sessions::new();
    let b = sessions.play("b", &Played { edit: of_another_experiment, ..Played::default() });
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&[
        "run 0 is of another (primes [2, 300000, 0, 0]), but the manifest describes smp-process-scale (primes",
    ]);
}
