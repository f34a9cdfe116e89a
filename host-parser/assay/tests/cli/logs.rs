//! `assay parse` on logs that are good, foreign, truncated or unreadable.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use abi::Digest;
use abi::wire::record::{CaseSkipped, CommandKind, CommandTaken, RunStatus, SkipReason, SystemName};
use abi::wire::{Hex64, Record};
use evidence::transcript::Transcript;
use test_support::guest::Guest;
use test_support::script::Script;

use crate::assay::{Said, assay, manifest, run};
use crate::stage::{DEADLINE, good_log, shipped};

/// Runs `assay parse` on a file with this content.
#[track_caller]
fn parse(content: &[u8]) -> Said {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), content).unwrap();
    run(assay(["parse"]).arg(file.path()), DEADLINE)
}

#[test]
fn shows_a_good_log() {
    let said = parse(&fs::read(good_log()).unwrap());
    said.expect_exit(0).expect_answer(&["primes", "speed-up"]);
    assert_eq!(said.err, "");
}

#[test]
fn reads_standard_input() {
    let mut command = assay(["parse", "-"]);
    command.stdin(Stdio::from(fs::File::open(good_log()).unwrap()));
    run(&mut command, DEADLINE).expect_exit(0);
}

#[test]
fn a_file_that_is_no_log_is_bad_input() {
    parse(b"").expect_exit(7).expect_message(&["not-assay", "empty"]);
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    parse(&bytes).expect_exit(7).expect_message(&["not-assay", "binary"]);
    parse(b"[    0.000000] Linux version 6.1.0\n").expect_exit(7).expect_message(&["not-assay", "1 line"]);
    run(&mut assay(["parse", "/dev/null"]), DEADLINE).expect_exit(7).expect_message(&["/dev/null", "empty"]);
    run(&mut assay(["parse", "/bin/true"]), DEADLINE).expect_exit(7).expect_message(&["/bin/true", "binary"]);
    // One among good ones is named, and nothing is judged without it.
    let mut command = assay(["parse"]);
    let said = run(command.arg(good_log()).arg("/dev/null"), DEADLINE);
    said.expect_exit(7).expect_message(&["/dev/null"]);
}

#[test]
fn reports_a_truncated_log() {
    let log = fs::read(good_log()).unwrap();
    parse(&log[..log.len() / 2]).expect_exit(5).expect_answer(&["missing-end"]);
}

#[test]
fn names_a_log_that_cannot_be_read() {
    let empty = tempfile::tempdir().unwrap();
    for path in ["/nonexistent", empty.path().to_str().unwrap()] {
        run(&mut assay(["parse", path]), DEADLINE).expect_exit(7).expect_message(&[path]);
    }
}

#[test]
fn answers_to_commands_are_no_boots() {
    let log = fs::read(good_log()).unwrap();
    let taken = CommandTaken {
        kind: CommandKind::Exec,
        number: 0,
        after: Hex64(0),
        bytes: 711,
        took_us: 2204,
        refused: 0,
    };
    let answer = |nonce| {
        let of_command = Script::of(&log).insert_before(taken, |record| matches!(record, Record::Machine(_)));
        let new_nonce = |record: &mut Record| {
            if let Record::Start(start) = record {
                start.nonce = Hex64(nonce);
            }
        };
        of_command.edit(new_nonce).log()
    };
    let stayed = [log.clone(), answer(1), answer(2)].concat();
    let said = parse(&stayed);
    said.expect_exit(0).expect_message(&["2 answers to commands left out"]);
    assert_eq!(said.out, parse(&log).out, "the figures are the boot's");
    parse(&answer(1)).expect_exit(7).expect_message(&["1 answers to commands, and not the boot before them"]);
}

#[test]
fn undoes_what_a_collector_put_around_a_log_and_says_so() {
    let log = fs::read_to_string(good_log()).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(log.as_bytes()).unwrap();
    parse(&gzip.finish().unwrap()).expect_exit(0).expect_message(&["undone: gzip"]);
    let object = |line: &str| serde_json::json!({ "log": format!("{line}\n") }).to_string() + "\n";
    let docker: String = log.lines().map(object).collect();
    parse(docker.as_bytes()).expect_exit(0).expect_message(&["undone: docker's JSON lines"]);
    // What is inside may not be a log of ours: the message says how to look at it.
    let other: String = ["one", "two"].map(object).concat();
    parse(other.as_bytes()).expect_exit(7).expect_message(&["not-assay", "docker logs"]);
}

#[test]
fn a_folder_stands_for_the_logs_in_it() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b.log", "a.log"] {
        fs::copy(good_log(), folder.path().join(name)).unwrap();
    }
    let named = run(assay(["parse"]).args(["a.log", "b.log"]).current_dir(folder.path()), DEADLINE);
    let whole = run(assay(["parse", "."]).current_dir(folder.path()), DEADLINE);
    assert_eq!((whole.code, whole.out), (named.code, named.out));
}

#[test]
fn does_not_judge_a_claim_by_the_log_of_another_experiment() {
    let mut command = assay(["parse", "--manifest"]);
    let said = run(command.arg(manifest("small.toml")).arg(good_log()), DEADLINE);
    said.expect_exit(7).expect_message(&["good-1.log: is a log of ", "small.toml"]);
}

#[test]
fn writes_the_same_results_as_it_prints() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = assay(["parse", "--json", "--out"]);
    let said = run(command.arg(folder.path().join("new/folder")).arg(good_log()), DEADLINE);
    let said: serde_json::Value = serde_json::from_str(&said.expect_exit(0).out).unwrap();
    let written = fs::read(folder.path().join("new/folder/results.json")).unwrap();
    let written: serde_json::Value = serde_json::from_slice(&written).unwrap();
    assert_eq!(said["result"]["rows"], serde_json::json!([written]));
}

/// The log of a good guest with this nonce, changed.
fn log(nonce: u64, cpus: u16, change: impl FnMut(&mut Record)) -> Vec<u8> {
    Script::of(&Guest { nonce, ..Guest::of(cpus) }.log()).edit(change).log()
}

/// Runs `assay parse` with these options on these logs, each a file.
#[track_caller]
fn parse_all(options: &[&str], logs: &[Vec<u8>]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let mut command = assay(["parse"]);
    command.args(options);
    for (number, log) in logs.iter().enumerate() {
        let path = folder.path().join(format!("{number}.log"));
        fs::write(&path, log).unwrap();
        command.arg(path);
    }
    run(&mut command, DEADLINE)
}

fn as_native(record: &mut Record) {
    if let Record::System(system) = record {
        system.name = SystemName::Native;
    }
}

fn of_another_program(record: &mut Record) {
    if let Record::Blob(blob) = record {
        blob.sha256 = Digest([0; 32]);
    }
}

fn same(_: &mut Record) {}

#[test]
fn several_logs_of_one_row_have_one_result() {
    let said = parse_all(&[], &[log(1, 1, same), log(2, 2, same)]);
    said.expect_exit(0).expect_answer(&["1.9", "NOT KNOWN", "left out or picked", "--program"]);
    assert!(!said.out.contains("ROW"), "{}", said.out);
}

#[test]
fn no_figure_of_one_row_is_divided_by_anothers() {
    for (change, subject) in [(as_native as fn(&mut Record), "system"), (of_another_program, "program")] {
        let (one, two) = (log(1, 1, same), log(2, 2, change));
        // In one file or in two, it is the same.
        for logs in [vec![one.clone(), two.clone()], vec![[one, two].concat()]] {
            let said = parse_all(&[], &logs);
            let differs = format!("row 2 differs in {subject}:");
            said.expect_exit(0).expect_answer(&["2 ROWS", &differs, "\nROW 1\n", "\nROW 2\n"]);
            assert!(!said.out.contains("1.9"), "a speed-up over two rows:\n{}", said.out);
            assert!(said.out.lines().all(|line| line.len() <= 80), "{}", said.out);
        }
    }
}

#[test]
fn writes_a_folder_for_each_row() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_str().unwrap();
    parse_all(&["--out", out], &[log(1, 1, same), log(2, 2, as_native)]).expect_exit(0);
    for (row, system) in [("row-1", "assay"), ("row-2", "native")] {
        let text = fs::read_to_string(folder.path().join(row).join("results.json")).unwrap();
        let results: serde_json::Value = serde_json::from_str(&text).unwrap();
        let systems: Vec<_> = results["runs"].as_array().unwrap().iter().map(|run| &run["system"]).collect();
        assert_eq!(systems, [system]);
    }
}

#[test]
fn refuses_a_boot_of_the_same_case_with_another_plan() {
    let other = log(2, 1, |record| {
        if let Record::Challenge(challenge) = record {
            challenge.work = Digest([7; 32]);
        }
    });
    let said = parse_all(&[], &[log(1, 1, same), other]);
    said.expect_exit(5).expect_answer(&["row-mismatch", "the plan's work is"]);
}

#[test]
fn demands_a_plan_a_program_and_a_kernel() {
    let bytes = [7; 200];
    let good = log(1, 1, |record| {
        if let Record::Blob(blob) = record {
            (blob.bytes, blob.sha256) = (200, Digest::of(&bytes));
        }
    });
    let boots = Transcript::read(&good).boots;
    let (start, challenge) = (boots[0].start().unwrap(), boots[0].challenge().unwrap());
    let program = Digest::of(&bytes).to_string();
    let (plan, work, kernel) = (start.plan.to_string(), challenge.work.to_string(), start.build.to_string());
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    for (option, value) in [
        ("--plan", plan.as_str()),
        ("--plan", &work),
        ("--program", &program),
        ("--program", file.path().to_str().unwrap()),
        ("--kernel", &kernel),
    ] {
        let said = parse_all(&[option, value], std::slice::from_ref(&good));
        let open = said.out.split_once("NOT KNOWN").expect("something is open").1;
        assert!(said.code == Some(0) && !open.contains(option), "{option} {value}\n{}", said.out);
    }
    let other = "11".repeat(32);
    for (option, value, reason) in [
        ("--plan", other.as_str(), "plan-mismatch"),
        ("--program", &other, "blob-mismatch"),
        ("--kernel", "00000000deadbeef", "kernel-mismatch"),
    ] {
        parse_all(&[option, value], std::slice::from_ref(&good)).expect_exit(5).expect_answer(&[reason]);
    }
    for option in ["--plan", "--program", "--kernel"] {
        let said = parse_all(&[option, "/nonexistent"], std::slice::from_ref(&good));
        said.expect_exit(7).expect_message(&["/nonexistent"]);
    }
}

#[test]
fn a_chain_of_challenges_shows_that_no_boot_is_missing() {
    let mut challenge = evidence::challenge::first(Digest([3; 32]));
    let logs = (1..4_u32).map(|run| {
        let log = Guest { nonce: run.into(), challenge, ..Guest::of(1) }.log();
        let ended = Transcript::read(&log).boots[0].end().unwrap().digest;
        challenge = evidence::challenge::next(challenge, ended, run);
        log
    });
    let logs: Vec<_> = logs.collect();
    parse_all(&[], &logs).expect_exit(0).expect_answer(&["none is missing"]);
    let picked = [logs[0].clone(), logs[2].clone()];
    parse_all(&[], &picked).expect_exit(0).expect_answer(&["left out or picked"]);
}

#[test]
fn of_many_refused_boots_the_first_ones_keep_their_particulars() {
    let begun = |nonce| {
        let log = Guest { nonce, ..Guest::of(1) }.log();
        let mut lines = log.split_inclusive(|&byte| byte == b'\n');
        lines.find(|line| line.starts_with(b"ASSAY")).expect("a record").to_vec()
    };
    let log: Vec<u8> = (1..=1_500).flat_map(begun).collect();
    let said = parse_all(&["--json"], std::slice::from_ref(&log));
    said.expect_exit(4);
    let results: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let runs = results["result"]["rows"][0]["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1_500);
    let found = runs.iter().map(|run| run["findings"].as_array().unwrap().len());
    assert!(found.eq((0..1_500).map(|at| if at < 1_000 {
        runs[0]["findings"].as_array().unwrap().len()
    } else {
        0
    })));
    // The last one has no boot after it, and so another reason.
    for (at, run) in runs[..1_499].iter().enumerate() {
        assert_eq!((&run["outcome"], &run["reason"]), (&runs[0]["outcome"], &runs[0]["reason"]), "run {at}");
        assert_eq!(run["detail"].as_str().unwrap().contains("not kept"), at >= 1_000, "run {at}");
    }
    let said = parse_all(&[], &[log]);
    said.expect_exit(4)
        .expect_answer(&["1500 of 1500 runs did not pass", "more; results.json has all of them"]);
}

#[test]
fn a_log_that_asks_for_a_large_sieve_is_refused() {
    let said = parse(&log(1, 1, |record| {
        if let Record::Split(split) = record {
            split.p1 = u32::MAX.into();
        }
    }));
    said.expect_exit(6).expect_answer(&["workload-unknown", "end-candidate"]);
}

/// The log of a machine that is too small for a case of its plan.
fn with_a_case_skipped() -> Vec<u8> {
    let skipped = CaseSkipped { case: 2, reason: SkipReason::Cpus, online: 1 };
    let script = Script::of(&Guest { nonce: 1, ..Guest::of(1) }.log());
    script.insert_before(skipped, |record| matches!(record, Record::End(_))).status(RunStatus::Failed).log()
}

#[test]
fn a_planned_case_that_did_not_run_is_reported() {
    // Of a plan for machines of any size it is no fault.
    let said = parse(&with_a_case_skipped());
    said.expect_exit(0).expect_answer(&["NOT RUN: case 2: skipped by the guest, which had 1 CPU online"]);
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("x.toml");
    let smaller = [("3_000_000", "300_000"), ("216_816", "25_997"), ("161_131_521", "6_509_943")];
    let text = smaller.iter().fold(shipped("", ""), |text, (from, to)| text.replacen(from, to, 1));
    fs::write(&manifest, text.replacen("[1, 2, 4]", "[1, 2]", 1)).unwrap();
    let options = ["--manifest", manifest.to_str().unwrap()];
    // The manifest's cases are 1 and 2.
    let all = parse_all(&options, &[with_a_case_skipped()]);
    all.expect_exit(6).expect_answer(&["NOT RUN: case 2: skipped by the guest", "case-skipped"]);
    let missing = parse_all(&options, &[log(1, 1, same)]);
    missing.expect_exit(6).expect_answer(&["NOT RUN: case 2: no run of it is there", "case-skipped"]);
    let both = parse_all(&options, &[log(1, 1, same), log(2, 2, same)]);
    assert!(!both.out.contains("NOT RUN"), "{}", both.out);
    // A case that is not the claim's does not change the claim, and is reported all the same.
    fs::write(&manifest, text).unwrap();
    let other = parse_all(&options, &[log(1, 1, same), log(2, 2, same)]);
    other.expect_answer(&["NOT RUN: case 4: no run of it is there", "too-few-rounds"]);
}

#[test]
fn figures_of_other_tools_are_shown_and_decide_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [hyperfine, memtest, kevlar] = ["h.json", "m.log", "k.log"].map(|name| folder.path().join(name));
    fs::write(&kevlar, "BENCH_START\r\nBENCH getpid 10000 610999 61\r\nBENCH stat 3 10 3\r\n").unwrap();
    let name = "a command with a name that is much too long for a table of eighty columns";
    fs::write(
        &hyperfine,
        format!(r#"{{"results":[{{"command":"{name}","median":0.5,"times":[0.5,0.5]}}]}}"#),
    )
    .unwrap();
    fs::write(
        &memtest,
        "MTLOG ts=1.0 ev=test_start test=1 name=\"Own\"\r\nMTLOG ts=3.5 ev=test_end test=1 errors=7\r\n",
    )
    .unwrap();
    let options = [
        format!("hyperfine={}", hyperfine.display()),
        format!("memtest86+={}", memtest.display()),
        format!("kevlar={}", kevlar.display()),
    ];
    let of = |json: &[&str]| {
        let mut command = assay(["parse"]);
        command.args(json).arg(good_log());
        for option in &options {
            command.args(["--foreign", option]);
        }
        run(&mut command, DEADLINE)
    };
    let said = of(&[]);
    let alone = run(assay(["parse"]).arg(good_log()), DEADLINE);
    assert_eq!(said.code, alone.code, "errors that another tool found are not ours to judge");
    said.expect_answer(&[
        "FOREIGN, hyperfine",
        "0.5000",
        "pass 1, test 1: Own",
        "2.5000",
        "7 ERRORS of memory",
        "null_enter",
    ]);
    // A path is as long as it is.
    let wide = said.out.lines().filter(|line| line.chars().count() > 80 && !line.contains('/'));
    assert_eq!(wide.collect::<Vec<_>>(), [""; 0]);
    let json: serde_json::Value = serde_json::from_str(&of(&["--json"]).out).unwrap();
    let foreign = &json["result"]["foreign"];
    assert_eq!((&foreign[0]["tool"], &foreign[0]["figures"][0]["name"]), (&"hyperfine".into(), &name.into()));
    assert_eq!(
        (&foreign[1]["figures"][0]["value"], &foreign[1]["figures"][0]["unit"]),
        (&2.5.into(), &"seconds".into())
    );
}

#[test]
fn figures_of_other_tools_are_shown_again_and_plotted() {
    let folder = tempfile::tempdir().unwrap();
    let [kevlar, page] = ["k.log", "r.html"].map(|name| folder.path().join(name));
    fs::write(&kevlar, "BENCH getpid 10000 610999 61\n").unwrap();
    let option = format!("kevlar={}", kevlar.display());
    let alone = run(&mut assay(["show", "--foreign", option.as_str()]), DEADLINE);
    alone.expect_exit(0).expect_answer(&["FOREIGN, kevlar", "61.0999"]);
    assert!(!alone.out.contains("our row"), "{}", alone.out);
    let mut command = assay(["show", "--foreign", option.as_str()]);
    run(command.arg(good_log()), DEADLINE).expect_exit(0).expect_answer(&[
        "workers",
        "our row",
        "null_enter",
    ]);
    let mut command = assay(["report", "--foreign", option.as_str(), "--html"]);
    run(command.arg(&page).arg(good_log()), DEADLINE).expect_exit(0);
    let page = fs::read_to_string(&page).unwrap();
    assert!(page.contains("<h4>Foreign 1: kevlar</h4>"), "{page}");
    let wrong = run(&mut assay(["show", "--foreign", "kevlar=/nonexistent"]), DEADLINE);
    wrong.expect_exit(7);
    assert!(wrong.err.contains("/nonexistent"), "{}", wrong.err);
}
