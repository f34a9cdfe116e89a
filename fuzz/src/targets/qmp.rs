//! QMP: one line from QEMU.

use qemu::qmp::{Message, cpu_threads, parse};
use serde_json::{Map, Value, json};

pub(crate) fn check(data: &[u8]) {
    let message = match parse(data) {
        Ok(message) => message,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let written = match &message {
        Message::Greeting { version } => {
            let qemu = json!({ "major": version.major, "minor": version.minor, "micro": version.micro });
            json!({ "QMP": { "version": { "qemu": qemu } } })
        }
        Message::Return { id, value } => {
            threads(value);
            with_id(*id, "return", value.clone())
        }
        Message::Error { id, description } => with_id(*id, "error", json!({ "desc": description })),
        Message::Event { name, data } => json!({ "event": name, "data": data }),
    };
    // A fraction may lose its last digit on the way. No reader of messages uses one.
    if !has_fraction(&written) {
        let again = parse(written.to_string().as_bytes()).expect("a message can be written back");
        assert_eq!(again, message);
    }
}

fn with_id(id: Option<u64>, key: &str, value: Value) -> Value {
    let id = id.map(|id| ("id".to_owned(), json!(id)));
    Value::Object(Map::from_iter(id.into_iter().chain([(key.to_owned(), value)])))
}

/// The reader returns all CPUs in order, or an error.
fn threads(value: &Value) {
    let Ok(threads) = cpu_threads(value) else { return };
    assert!(threads.is_sorted() && value.as_array().is_some_and(|cpus| cpus.len() == threads.len()));
    for (index, thread) in threads {
        let expected = [Some(index.into()), Some(thread.into())];
        assert!(value.as_array().is_some_and(|cpus| cpus.iter().any(|cpu| numbers(cpu) == expected)));
    }
}

/// The index of a CPU and the id of its thread.
fn numbers(cpu: &Value) -> [Option<u64>; 2] {
    ["cpu-index", "thread-id"].map(|key| cpu.get(key).and_then(Value::as_u64))
}

fn has_fraction(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(values) => values.iter().any(has_fraction),
        Value::Object(values) => values.values().any(has_fraction),
        _ => false,
    }
}
