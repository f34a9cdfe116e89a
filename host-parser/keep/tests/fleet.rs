//! `assay-keep fleet` and `assay-keep export` on logs of simulated guests.

#![expect(clippy::unwrap_used, reason = "a panic is a failed test")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Instant;

use serde_json::Value;
use test_support::guest::Guest;

fn keep() -> Command {
    // At run time: a compiler that a shell script starts does not see a variable with a hyphen.
    let mut command =
        Command::new(std::env::var_os("CARGO_BIN_EXE_assay-keep").expect("cargo runs the tests"));
    command.stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    keep().args(args).output().unwrap()
}

fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn log(nonce: u64) -> Vec<u8> {
    Guest { nonce, cases: vec![1, 2], iterations: 5, ..Guest::of(2) }.log()
}

/// A folder with a log of each kind, and an empty place for the dataset.
struct Fleet(tempfile::TempDir);

impl Fleet {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs/zone");
        fs::create_dir_all(&logs).unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(logs.join(name), bytes).unwrap();
        write("a.log", &log(1));
        write("b.log", &log(2));
        write("b-again.log", &log(2));
        write("cut.log", &log(3)[..2_000]);
        write("empty.log", b"");
        write("empty-too.log", b"");
        write("linux.log", b"Linux version 6.1\nKernel panic - not syncing\n");
        write("partly.log", &[&log(4), &log(5)[..2_000]].concat());
        symlink("nowhere", logs.join("gone.log")).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn gather(&self, more: &[&str]) -> Output {
        let (logs, out) = (self.path("logs"), self.path("dataset"));
        keep().arg("fleet").arg(logs).arg("--out").arg(out).arg("--json").args(more).output().unwrap()
    }

    /// Every file of the dataset with its bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let (mut found, mut folders) = (BTreeMap::new(), vec![self.path("dataset")]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    found.insert(path.clone(), fs::read(&path).unwrap());
                }
            }
        }
        found
    }
}

fn names(files: &BTreeMap<PathBuf, Vec<u8>>, table: &str) -> Vec<String> {
    let of_table = files.keys().filter(|path| path.extension().is_some_and(|of| of == "parquet"));
    let of_table = of_table.filter(|path| path.to_string_lossy().contains(&format!("/dataset/{table}/")));
    of_table.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
}

#[test]
fn every_log_becomes_one_row_and_none_becomes_a_second_one() {
    let fleet = Fleet::new();
    let first = fleet.gather(&[]);
    // A log that cannot be read is a row, and the command says so by its exit.
    assert_eq!(first.status.code(), Some(7));
    let summary = &answer(&first)["summary"];
    let expected = serde_json::json!({
        "judged": 2, "partly": 1, "refused": 2, "empty": 2, "unreadable": 1, "copy": 1,
    });
    assert_eq!((&summary["added"], &summary["found"]), (&expected, &9.into()), "{summary:#}");
    assert!(summary["reasons"].as_object().unwrap().contains_key("missing-end"), "{summary:#}");
    let before = fleet.files();
    for table in ["logs", "boots", "figures", "samples"] {
        assert_eq!(names(&before, table), names(&before, "logs"), "{table}");
        assert!(names(&before, table).len() >= 2, "{:?}", before.keys());
    }
    let again = answer(&fleet.gather(&["--jobs", "1"]));
    assert_eq!((&again["summary"]["known"], &again["summary"]["added"]), (&9.into(), &serde_json::json!({})));
    assert_eq!(fleet.files(), before);
    // A new one is added to what is there.
    fs::write(fleet.path("logs/zone/new.log"), log(6)).unwrap();
    let third = answer(&fleet.gather(&[]));
    assert_eq!(third["summary"]["added"], serde_json::json!({ "judged": 1 }));
    let after = fleet.files();
    let unchanged = |(path, bytes): (&PathBuf, &Vec<u8>)| {
        path.extension().is_none_or(|of| of != "parquet") || after.get(path) == Some(bytes)
    };
    assert!(before.iter().all(unchanged) && names(&after, "logs").len() == names(&before, "logs").len() + 1);
}

#[test]
fn the_order_and_the_number_of_threads_make_no_difference() {
    let (one, many) = (Fleet::new(), Fleet::new());
    let (one, many) = (answer(&one.gather(&["--jobs", "1"])), answer(&many.gather(&["--jobs", "7"])));
    assert_eq!(one["summary"], many["summary"]);
}

#[test]
fn wrong_labels_are_named_by_file_line_and_column() {
    let fleet = Fleet::new();
    let labels = fleet.path("labels.csv");
    fs::write(&labels, "file,zone,day\na.log,x,2026-11-29\nb.log,y,29.11.\n").unwrap();
    let output = fleet.gather(&["--labels", labels.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(7));
    let error = &answer(&output)["error"];
    let problem = &error["problems"][0];
    assert_eq!((&problem["line"], &problem["column"]), (&3.into(), &9.into()), "{error:#}");
    assert_eq!(problem["file"].as_str(), labels.to_str());
    assert!(problem["expected"].as_str().unwrap().contains("2026-11-29") && problem["found"] == "`29.11.`");
    // Nothing was begun.
    assert!(!fleet.path("dataset").exists());
    fs::write(&labels, "file,zone,day\na.log,x,2026-11-29\ngone too,y,\n").unwrap();
    let summary = &answer(&fleet.gather(&["--labels", labels.to_str().unwrap()]))["summary"];
    assert_eq!(summary["labels_without_log"], serde_json::json!(["gone too"]));
    assert_eq!(summary["logs_without_labels"], 8);
    assert!(fleet.files().keys().any(|path| path.to_string_lossy().contains("/day=2026-11-29/")));
}

#[test]
fn one_killed_in_the_middle_leaves_nothing_half() {
    let whole = Fleet::new();
    for number in 0..60 {
        fs::write(whole.path(&format!("logs/zone/more-{number:02}.log")), log(100 + number)).unwrap();
    }
    // Many folders, so that many files are written.
    let labels = whole.path("labels.csv");
    let rows: String = (0..60).map(|of| format!("more-{of:02}.log,2026-10-{:02}\n", 1 + of % 28)).collect();
    fs::write(&labels, format!("file,day\n{rows}")).unwrap();
    let labels = ["--labels", labels.to_str().unwrap()];
    let start = Instant::now();
    let expected = answer(&whole.gather(&labels))["summary"]["added"].clone();
    let took = start.elapsed();
    let made = names(&whole.files(), "logs");
    let (mut killed, mut half) = (0, 0);
    for step in 1..=12_u32 {
        fs::remove_dir_all(whole.path("dataset")).unwrap();
        let (logs, out) = (whole.path("logs"), whole.path("dataset"));
        let mut child = keep();
        let child = child.arg("fleet").arg(logs).arg("--out").arg(out).args(labels);
        let mut child = child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(took * step / 12);
        // SIGKILL, to this process alone.
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().code().is_none());
        let left = whole.files();
        half += usize::from(names(&left, "samples").len() > names(&left, "logs").len());
        let parquet = left.iter().filter(|(path, _)| path.extension().is_some_and(|of| of == "parquet"));
        for (path, bytes) in parquet {
            assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{}", path.display());
        }
        // What is left of a batch is removed, and its logs are judged again.
        let known = answer(&whole.gather(&labels))["summary"]["known"].as_u64().unwrap();
        let files = whole.files();
        for table in ["logs", "boots", "figures", "samples"] {
            assert_eq!(names(&files, table), names(&files, "logs"), "{table} after a kill at step {step}");
        }
        assert_eq!(rows_of(&whole), 69, "{known} were known");
        if known == 0 {
            assert_eq!(names(&files, "logs"), made);
        }
        assert!(!files.keys().any(|path| path.to_string_lossy().contains("/.assay-")), "{:?}", files.keys());
    }
    // A fast machine may end before the last kills; the first ones are long before its end.
    assert!(killed > 0, "{half} of them left a batch half written");
    assert_eq!(expected["judged"], 62);
}

/// How many rows the table of logs has.
fn rows_of(fleet: &Fleet) -> u64 {
    let again = answer(&fleet.gather(&[]));
    assert_eq!(again["summary"]["added"], serde_json::json!({}));
    again["summary"]["known"].as_u64().unwrap()
}

#[test]
fn one_writer_at_a_time() {
    let fleet = Fleet::new();
    fs::create_dir(fleet.path("dataset")).unwrap();
    let lock = fs::File::create(fleet.path("dataset/.assay.lock")).unwrap();
    lock.lock().unwrap();
    let output = fleet.gather(&[]);
    assert_eq!(output.status.code(), Some(9));
    assert!(answer(&output)["error"]["message"].as_str().unwrap().contains("another `assay fleet` writes"));
    drop(lock);
    assert_eq!(answer(&fleet.gather(&[]))["summary"]["found"], 9);
}

#[test]
fn a_log_is_exported_with_all_its_samples() {
    let fleet = Fleet::new();
    let (log, out) = (fleet.path("logs/zone/a.log"), fleet.path("samples.parquet"));
    let export =
        |log: &Path| run(&["export", log.to_str().unwrap(), "--out", out.to_str().unwrap(), "--json"]);
    let exported = export(&log);
    assert_eq!(exported.status.code(), Some(0), "{}", String::from_utf8_lossy(&exported.stderr));
    // Two cases of five iterations.
    assert_eq!(answer(&exported)["samples"], 10);
    let bytes = fs::read(&out).unwrap();
    assert!(bytes.starts_with(b"PAR1") && answer(&exported)["bytes"] == bytes.len());
    // A refused log has no time.
    let refused = export(&fleet.path("logs/zone/cut.log"));
    assert_eq!(refused.status.code(), Some(5), "{}", answer(&refused));
    assert_eq!(fs::read(&out).unwrap(), bytes);
}

#[test]
fn a_session_folder_is_no_folder_of_logs() {
    let fleet = Fleet::new();
    fs::write(fleet.path("logs/session.jsonl"), "{}\n").unwrap();
    let output = fleet.gather(&[]);
    assert_eq!(output.status.code(), Some(7));
    assert!(answer(&output)["error"]["message"].as_str().unwrap().contains("a session's folder"));
}

#[test]
fn what_people_read_is_at_most_80_columns_wide() {
    let fleet = Fleet::new();
    let output =
        keep().arg("fleet").arg(fleet.path("logs")).arg("--out").arg(fleet.path("d")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("9 logs: 9 added") && text.contains("missing-end"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80 || line.starts_with('/')), "{text}");
    let help = String::from_utf8(run(&["fleet", "--help"]).stdout).unwrap();
    assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
}
