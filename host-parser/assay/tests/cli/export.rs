//! `assay export` and `assay trace`.

use std::fs;

use serde_json::Value;

use crate::assay::{assay, run};
use crate::compare::sessions::{Sessions, probed};
use crate::stage::{DEADLINE, good_log};

#[test]
fn a_session_leaves_in_every_form_and_a_changed_one_in_none() {
    let sessions = Sessions::new();
    let folder = sessions.play("a", &probed());
    let export = |form: &str| run(assay(["export", "--format", form]).arg(&folder), DEADLINE);
    for (form, word) in [
        ("github-action-benchmark", "\"unit\": \"x\""),
        ("bencher", "\"speed-up\""),
        ("benchfmt", "BenchmarkSmpProcessScale/workers=2 1 "),
        ("hyperfine", "\"parameters\""),
        ("junit", "<testsuite "),
        ("ktap", "KTAP version 1"),
        ("openmetrics", "# EOF"),
        ("csv", "session,machine,tool,run,"),
        ("lnt", "\"format_version\": \"2\""),
    ] {
        export(form).expect_exit(0).expect_answer(&[word]);
    }
    export("xlsx").expect_exit(2).expect_message(&["expected one of github-action-benchmark, "]);
    fs::write(folder.join("summary.md"), "HOLDS").unwrap();
    export("ktap").expect_exit(12).expect_message(&["does not verify", "summary.md"]);
}

#[test]
fn a_trace_has_every_run_of_a_session_and_of_a_log() {
    let sessions = Sessions::new();
    let folder = sessions.play("a", &probed());
    let file = folder.join("trace.json");
    run(assay(["trace"]).arg(&folder).arg("--out").arg(&file), DEADLINE).expect_exit(0);
    let runs = |trace: &str| {
        let trace: Value = serde_json::from_str(trace).unwrap();
        let events = trace["traceEvents"].as_array().unwrap();
        events.iter().filter(|event| event["args"]["run"].is_u64()).count()
    };
    let results: Value = serde_json::from_slice(&fs::read(folder.join("results.json")).unwrap()).unwrap();
    assert_eq!(runs(&fs::read_to_string(&file).unwrap()), results["runs"].as_array().unwrap().len());
    let of_log = run(assay(["trace"]).arg(good_log()), DEADLINE);
    assert_eq!(runs(&of_log.expect_exit(0).out), 1);
}
