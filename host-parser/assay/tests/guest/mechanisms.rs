//! The rows of the mechanisms on a real guest: every operation with its oracle, and the attacks on one, two and four CPUs. No
//! row is judged by its time, and none is lost to a busy host: the log is looked at, whatever the verdict of its run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use abi::series::{SeriesRow, Tier, Unavailable};
use abi::task::{Attack, FarAttack};
use abi::wire::Record;
use test_support::script::Script;

use crate::assay::{assay, run, workspace};
use crate::experiments::one_cpu;

const DEADLINE: Duration = Duration::from_secs(200);

/// Boots as many CPUs for a few samples of the rows that `options` leave, and returns the records.
fn records(cpus: u16, options: &[&str]) -> Vec<Record> {
    let out = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(workspace().join("manifests/primitives.toml")).unwrap();
    let file = out.path().join("primitives.toml");
    fs::write(&file, text.replace("workers = [2]", &format!("workers = [{cpus}]"))).unwrap();
    let always = ["run", "--label", "t", "--quick", "--no-probe", "--cpus", &one_cpu(), "--out"];
    let said = run(assay(always).arg(out.path().join("results")).args(options).arg(&file), DEADLINE);
    let folder = out.path().join("results/primitives/t/runs");
    let log = first_log(&folder).unwrap_or_else(|| panic!("no log:\n{}{}", said.out, said.err));
    Script::of(&log).records.into_iter().map(|envelope| envelope.record).collect()
}

fn first_log(folder: &Path) -> Option<Vec<u8>> {
    let mut logs: Vec<_> = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    logs.sort();
    fs::read(logs.into_iter().find(|path| path.to_string_lossy().ends_with(".serial.log"))?).ok()
}

/// Fails unless the oracle of each series holds, and nothing leaked. Returns how many series each row has, and the rows that
/// have none.
fn oracles(records: &[Record]) -> (BTreeMap<SeriesRow, usize>, Vec<(SeriesRow, Unavailable)>) {
    let (mut rows, mut places, mut none) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for record in records {
        match record {
            Record::Series(series) => {
                places.insert(series.id, (series.row, series.arg));
                *rows.entry(series.row).or_default() += 1;
            }
            Record::SeriesOracle(oracle) => {
                let place = places[&oracle.id];
                assert_eq!((oracle.done, oracle.wrong), (oracle.due, 0), "{place:?}");
            }
            Record::SeriesNone(missing) => none.push((missing.row, missing.reason)),
            Record::Problem(error) => panic!("{error:?}"),
            Record::Panic(panic) => panic!("{panic:?}"),
            _ => {}
        }
    }
    assert!(records.iter().any(|record| matches!(record, Record::MechanismNote(_))), "the rows did not end");
    (rows, none)
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn every_operation_of_the_kernel_is_counted_by_its_other_side() {
    let (rows, none) = oracles(&records(2, &[]));
    assert_eq!(none, []);
    for row in SeriesRow::of_tier(Tier::Mechanism) {
        assert!(rows.get(&row).is_some_and(|&count| count > 0), "{row}");
    }
    assert_eq!(rows[&SeriesRow::Attack], Attack::ALL.len());
    assert_eq!(rows[&SeriesRow::AttackCross], FarAttack::ALL.len());
}

#[test]
#[ignore = "needs QEMU and a built kernel: make test-guest"]
fn attacks_are_refused_on_one_cpu_and_on_four() {
    let (near, far) = (SeriesRow::Attack, SeriesRow::AttackCross);
    for (cpus, row, count) in
        [(1, near, Attack::ALL.len()), (4, near, Attack::ALL.len()), (4, far, FarAttack::ALL.len())]
    {
        let (rows, none) = oracles(&records(cpus, &["--only", row.word()]));
        assert_eq!((rows.get(&row), none.len()), (Some(&count), 0), "{row} on {cpus} CPUs");
    }
}
