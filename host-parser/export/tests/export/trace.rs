//! The trace events.

use export::{Subject, trace};
use results::Results;
use serde_json::Value;

use super::forms::session;

fn events(results: &Results) -> Vec<Value> {
    let text = trace(&Subject { name: "x", results });
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["displayTimeUnit"], "ms");
    json["traceEvents"].as_array().expect("events").clone()
}

/// The fields that the format demands of each phase ("Trace Event Format", complete, counter and metadata events).
#[test]
fn every_event_is_of_the_format() {
    for event in events(&session()) {
        let number = |key: &str| event[key].as_f64().filter(|number| number.is_finite());
        assert!(event["name"].is_string() && event["pid"].is_u64() && event["tid"].is_u64(), "{event}");
        match event["ph"].as_str() {
            Some("X") => {
                assert!(
                    number("ts").is_some_and(|ts| ts >= 0.0) && number("dur").is_some_and(|dur| dur >= 0.0),
                    "{event}"
                );
            }
            Some("C") => {
                let values = event["args"].as_object().expect("values");
                assert!(number("ts").is_some() && values.values().all(Value::is_number), "{event}");
            }
            Some("M") => assert!(event["args"]["name"].is_string(), "{event}"),
            other => panic!("phase {other:?}: {event}"),
        }
    }
}

#[test]
fn each_run_and_each_worker_is_a_bar() {
    let results = session();
    let events = events(&results);
    let bars =
        |of: &dyn Fn(&Value) -> bool| events.iter().filter(|event| event["ph"] == "X" && of(event)).count();
    assert_eq!(bars(&|event| event["tid"] == 0), results.runs.len());
    // Two systems, six rounds, cases of 1, 2 and 4.
    assert_eq!(bars(&|event| event["cat"] == "worker"), 2 * 6 * 7);
    assert_eq!(bars(&|event| event["args"]["last"] == true), 2 * 6 * 3, "one is the last of each iteration");
}

#[test]
fn workers_keep_their_distances_and_lie_after_their_runs_start() {
    let results = session();
    let events = events(&results);
    let of_first: Vec<&Value> = events
        .iter()
        .skip_while(|event| event["args"]["run"] != 2)
        .skip(1)
        .take_while(|event| event["args"]["run"].is_null())
        .filter(|event| event["cat"] == "worker")
        .collect();
    let sample = &results.runs[2].verdict.outcome.measurement().expect("passed").samples()[0];
    assert_eq!(of_first.len(), sample.workers.len());
    let khz = results.runs[2]
        .verdict
        .outcome
        .measurement()
        .and_then(|of| of.clock().tsc.map(|tsc| tsc.khz))
        .unwrap();
    for (event, worker) in of_first.iter().zip(&sample.workers) {
        let apart = event["ts"].as_f64().unwrap() - of_first[0]["ts"].as_f64().unwrap();
        let skew = (worker.skew.0 as f64 - sample.workers[0].skew.0 as f64) / khz as f64 * 1e3;
        assert!((apart - skew).abs() < 1e-3, "{event}");
    }
}
