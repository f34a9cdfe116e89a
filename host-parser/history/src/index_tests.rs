use std::collections::BTreeSet;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use results::{Fact, MachineKey};

use super::*;

/// The variables that make this test program a writer.
const OUT: &str = "ASSAY_TEST_HISTORY_OUT";
const FIRST: &str = "ASSAY_TEST_HISTORY_FIRST";
const COUNT: &str = "ASSAY_TEST_HISTORY_COUNT";
/// How many sessions a writer writes that is left alone, and one that is killed: it does not come to an end before.
const EACH: usize = 60;
const NO_END: usize = 1_000_000;
/// How many figures each of them has.
const ROWS: u16 = 4;

fn entry(number: u64) -> Entry {
    let row = |case| Row {
        system: "assay".to_owned(),
        case,
        work: "work".to_owned(),
        metric: "time".to_owned(),
        unit: "ms".to_owned(),
        n: 7,
        median: 100.0 / f64::from(case),
        interval: None,
    };
    let fact = |value: &str| vec![Fact { name: "host", value: value.to_owned() }];
    Entry {
        session: format!("{number:064}"),
        set: String::new(),
        head: format!("{:064}", number + 1),
        experiment: "x".to_owned(),
        manifest: "x.toml".to_owned(),
        started_unix_ms: number,
        tool: "assay".to_owned(),
        kernel: "0000000000000001".to_owned(),
        vmm: "QEMU".to_owned(),
        machine: MachineKey { hard: fact("a"), epoch: fact("b") },
        outcome: "measured".to_owned(),
        reason: String::new(),
        rows: (1..=ROWS).map(row).collect(),
    }
}

fn known(number: u64) -> Known {
    Known { folder: format!("x/{number}"), stamp: (1, 2), left_out: None }
}

/// Not a test of its own: the others start this program with the variables to have it write.
#[test]
#[ignore = "the other tests start it"]
fn a_writer() {
    let Some(out) = env::var_os(OUT) else { return };
    let [first, count] = [FIRST, COUNT].map(|name| env::var(name).unwrap().parse::<u64>().unwrap());
    let mut index = Index::open(Path::new(&out)).unwrap();
    for number in first..first + count {
        index.put(&known(number), &[entry(number)]).unwrap();
        let mut stdout = std::io::stdout().lock();
        writeln!(stdout, "wrote {number}").and_then(|()| stdout.flush()).unwrap();
    }
}

fn writer(out: &Path, first: u64, count: usize) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "index::tests::a_writer", "--ignored", "--nocapture"]);
    command
        .env(OUT, out)
        .env(FIRST, first.to_string())
        .env(COUNT, count.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

/// The numbers that a writer says it has written. It is killed, by SIGKILL, after so many, if it gets so far.
fn written(writer: &mut Child, kill_after: Option<usize>) -> Vec<u64> {
    let mut numbers = Vec::new();
    for line in BufReader::new(writer.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        numbers.extend(line.split_once("wrote ").and_then(|(_, number)| number.parse::<u64>().ok()));
        if kill_after == Some(numbers.len()) {
            writer.kill().unwrap();
        }
    }
    writer.wait().unwrap();
    numbers
}

fn sessions(index: &Index) -> BTreeSet<u64> {
    let found: Vec<i64> = index.read("SELECT started_unix_ms FROM session", [], |row| row.get(0)).unwrap();
    found.into_iter().map(i64::unsigned_abs).collect()
}

#[test]
fn two_writers_at_once_and_a_kill_in_the_middle_lose_nothing() {
    let out = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for (round, kill_after) in [(0, 1), (1, 7), (2, 20), (3, 33)] {
        let first = 10_000_000 * round;
        let mut killed = writer(out.path(), first, NO_END);
        let mut whole = writer(out.path(), first + 5_000_000, EACH);
        let reader = std::thread::spawn(move || written(&mut whole, None));
        let of_killed = written(&mut killed, Some(kill_after));
        let of_whole = reader.join().unwrap();
        assert!(of_killed.len() >= kill_after && of_killed.len() < NO_END, "{}", of_killed.len());
        assert_eq!(of_whole.len(), EACH, "the other one goes on");
        acknowledged.extend(of_killed.into_iter().chain(of_whole));
    }
    let index = Index::open(out.path()).unwrap();
    assert_eq!(index.check().unwrap(), None);
    let kept = sessions(&index);
    assert!(acknowledged.is_subset(&kept), "lost: {:?}", acknowledged.difference(&kept));
    // A write that was not acknowledged is whole or not there.
    let parts: Vec<i64> =
        index.read("SELECT count(*) FROM figure GROUP BY session", [], |row| row.get(0)).unwrap();
    assert!(parts.iter().all(|&rows| rows == i64::from(ROWS)) && parts.len() == kept.len(), "{parts:?}");
    // The same sessions, written by one process, make the same index.
    let again = tempfile::tempdir().unwrap();
    let mut fresh = Index::open(again.path()).unwrap();
    for number in kept {
        fresh.put(&known(number), &[entry(number)]).unwrap();
    }
    assert_eq!(fresh.dump().unwrap(), index.dump().unwrap());
}

#[test]
fn a_session_that_is_written_again_is_there_once_and_as_it_is_now() {
    let out = tempfile::tempdir().unwrap();
    let mut index = Index::open(out.path()).unwrap();
    index.put(&known(1), &[entry(1)]).unwrap();
    let other = Entry { rows: Vec::new(), outcome: "refused".to_owned(), ..entry(1) };
    index.put(&known(1), std::slice::from_ref(&other)).unwrap();
    assert_eq!(index.experiments().unwrap(), [("x".to_owned(), 1)]);
    assert!(index.dump().unwrap().ends_with("figure\n\n"), "{}", index.dump().unwrap());
    // A copy in another folder is the same session.
    index.put(&known(2), &[other]).unwrap();
    assert_eq!(index.experiments().unwrap(), [("x".to_owned(), 1)]);
    index.forget(&["x/1".to_owned(), "x/2".to_owned()]).unwrap();
    assert!(index.experiments().unwrap().is_empty() && index.known().unwrap().is_empty());
    assert!(!index.dump().unwrap().contains("m-"), "no machine without a session");
}

#[test]
fn an_index_of_another_version_is_made_again_or_left_alone() {
    let out = tempfile::tempdir().unwrap();
    let path = out.path().join(NAME);
    let raw = |statements: &str| Connection::open(&path).unwrap().execute_batch(statements).unwrap();
    raw("CREATE TABLE session (other TEXT); INSERT INTO session VALUES ('old')");
    let mut index = Index::open(out.path()).unwrap();
    index.put(&known(1), &[entry(1)]).unwrap();
    drop(index);
    raw("PRAGMA user_version = 999");
    let newer = Index::open(out.path()).unwrap_err().to_string();
    assert!(newer.contains("version 999") && newer.contains(NAME), "{newer}");
    raw("PRAGMA user_version = 1");
    assert_eq!(Index::open(out.path()).unwrap().experiments().unwrap().len(), 1, "nothing was lost by that");
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let out = tempfile::tempdir().unwrap();
    std::fs::write(out.path().join(NAME), "not a database, and longer than its header is".repeat(9)).unwrap();
    let error = Index::open(out.path()).unwrap_err().to_string();
    assert!(error.contains(NAME) && error.contains("not a database"), "{error}");
}
