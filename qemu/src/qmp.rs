//! The messages of QMP, QEMU's control protocol: one JSON object a line, in both directions.
//!
//! Pure: bytes in, [`Message`] out. Any bytes give a message or an error, never a panic. Reference:
//! "QEMU Machine Protocol Specification", docs/interop/qmp-spec in QEMU's sources.

use serde_json::{Map, Value, json};

use crate::Version;

/// The longest line taken, in bytes. `query-cpus-fast` for 255 CPUs is under 64 KiB.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// One message from QEMU.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// The first message on every connection.
    Greeting {
        /// QEMU's version.
        version: Version,
    },
    /// The reply to a command that succeeded.
    Return {
        /// The command's id; `None` if it had none.
        id: Option<u64>,
        /// Its result.
        value: Value,
    },
    /// The reply to a command that failed.
    Error {
        /// The command's id; `None` if QEMU could not even read it.
        id: Option<u64>,
        /// The reason, for people.
        description: String,
    },
    /// Something happened.
    Event {
        /// Its name, in capitals.
        name: String,
        /// What goes with it.
        data: Map<String, Value>,
    },
}

/// Why a line is not a QMP message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// Not JSON, or not an object.
    #[error("expected a JSON object: {0}")]
    NotAnObject(#[from] serde_json::Error),
    /// An object without any of the keys that identify a message.
    #[error("expected one of the keys QMP, return, error and event")]
    Unknown,
    /// A key that is absent or has a value of another type.
    #[error("{key}: expected {expected}")]
    Key {
        /// The key, as a path.
        key: &'static str,
        /// What should be there.
        expected: &'static str,
    },
}

/// Reads one line, without its end.
///
/// # Errors
/// [`MessageError`] names the violation of the specification.
pub fn parse(line: &[u8]) -> Result<Message, MessageError> {
    let mut object: Map<String, Value> = serde_json::from_slice(line)?;
    let id = object.get("id").and_then(Value::as_u64);
    if let Some(greeting) = object.get("QMP") {
        return Ok(Message::Greeting { version: version(greeting)? });
    }
    if let Some(value) = object.remove("return") {
        return Ok(Message::Return { id, value });
    }
    if let Some(error) = object.get("error") {
        let description = error.get("desc").and_then(Value::as_str);
        let description = description.ok_or(MessageError::Key { key: "error.desc", expected: "a string" })?;
        return Ok(Message::Error { id, description: description.to_owned() });
    }
    let name = match object.get("event") {
        Some(Value::String(name)) => name.clone(),
        Some(_) => return Err(MessageError::Key { key: "event", expected: "a string" }),
        None => return Err(MessageError::Unknown),
    };
    let data = match object.remove("data") {
        Some(Value::Object(data)) => data,
        Some(_) => return Err(MessageError::Key { key: "data", expected: "an object" }),
        None => Map::new(),
    };
    Ok(Message::Event { name, data })
}

fn version(greeting: &Value) -> Result<Version, MessageError> {
    let version = greeting.pointer("/version/qemu").and_then(version_numbers);
    version.ok_or(MessageError::Key { key: "QMP.version.qemu", expected: "major, minor and micro" })
}

fn version_numbers(version: &Value) -> Option<Version> {
    Some(Version {
        major: number(version, "major")?,
        minor: number(version, "minor")?,
        micro: number(version, "micro")?,
    })
}

/// The number at `key`, if it fits.
fn number(object: &Value, key: &str) -> Option<u32> {
    object.get(key)?.as_u64()?.try_into().ok()
}

/// Formats a command without arguments, with its line end.
#[must_use]
pub fn command(name: &str, id: u64) -> String {
    format!("{}\n", json!({ "execute": name, "id": id }))
}

/// Formats a command with arguments, likewise.
#[must_use]
pub fn command_with(name: &str, arguments: &Value, id: u64) -> String {
    format!("{}\n", json!({ "execute": name, "arguments": arguments, "id": id }))
}

/// Formats a command of QEMU's human monitor, with its line end. Its result is the monitor's output.
#[must_use]
pub fn monitor_command(line: &str, id: u64) -> String {
    command_with("human-monitor-command", &json!({ "command-line": line }), id)
}

/// Reads the result of `query-cpus-fast`: each CPU's index and host thread, by index.
///
/// # Errors
/// [`MessageError::Key`] if an entry has no index or no thread.
pub fn cpu_threads(value: &Value) -> Result<Vec<(u32, u32)>, MessageError> {
    let wrong = || MessageError::Key { key: "return", expected: "CPUs with cpu-index and thread-id" };
    let cpus = value.as_array().ok_or_else(wrong)?;
    let mut threads =
        cpus.iter().map(|cpu| cpu_thread(cpu).ok_or_else(wrong)).collect::<Result<Vec<_>, _>>()?;
    threads.sort_unstable();
    Ok(threads)
}

fn cpu_thread(cpu: &Value) -> Option<(u32, u32)> {
    Some((number(cpu, "cpu-index")?, number(cpu, "thread-id")?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // Captured from QEMU 7.2.
    const GREETING: &str = r#"{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}}"#;
    const CPUS: &str = r#"{"return": [{"thread-id": 9762, "props": {"core-id": 1}, "cpu-index": 1, "target": "x86_64"}, {"thread-id": 9761, "cpu-index": 0}], "id": 2}"#;
    const SHUTDOWN: &str = r#"{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}"#;

    #[test]
    fn reads_the_greeting() {
        let version = Version { major: 7, minor: 2, micro: 22 };
        assert_eq!(parse(GREETING.as_bytes()).unwrap(), Message::Greeting { version });
    }

    #[test]
    fn reads_the_cpu_threads_by_index() {
        let Message::Return { id: Some(2), value } = parse(CPUS.as_bytes()).unwrap() else { panic!() };
        assert_eq!(cpu_threads(&value).unwrap(), [(0, 9761), (1, 9762)]);
    }

    #[test]
    fn reads_events_with_and_without_data() {
        let Message::Event { name, data } = parse(SHUTDOWN.as_bytes()).unwrap() else { panic!() };
        assert_eq!((name.as_str(), data["reason"].as_str()), ("SHUTDOWN", Some("guest-reset")));
        let Message::Event { data, .. } = parse(br#"{"event": "STOP"}"#).unwrap() else { panic!() };
        assert!(data.is_empty());
    }

    #[test]
    fn reads_errors() {
        let refused =
            parse(br#"{"id": 3, "error": {"class": "CommandNotFound", "desc": "no such"}}"#).unwrap();
        assert_eq!(refused, Message::Error { id: Some(3), description: "no such".to_owned() });
    }

    #[test]
    fn refuses_lines_that_are_not_qmp() {
        for line in [
            "",
            "{",
            "[]",
            "{}",
            "null",
            "\u{fffd}",
            r#"{"event": 1}"#,
            r#"{"event": "X", "data": 1}"#,
            r#"{"error": {}}"#,
            r#"{"QMP": {}}"#,
            r#"{"QMP": {"version": {"qemu": {"micro": 0, "minor": -1, "major": 99999999999}}}}"#,
        ] {
            assert!(parse(line.as_bytes()).is_err(), "{line}");
        }
        assert!(cpu_threads(&json!([{"cpu-index": 0}])).is_err());
        assert!(cpu_threads(&json!({})).is_err());
    }

    #[test]
    fn survives_nesting_that_would_exhaust_the_stack() {
        assert!(parse(&[b'['; 200_000]).is_err());
        assert!(parse("{\"a\":".repeat(100_000).as_bytes()).is_err());
    }

    #[test]
    fn formats_a_command_as_one_line() {
        assert_eq!(command("cont", 4), "{\"execute\":\"cont\",\"id\":4}\n");
        let monitor = monitor_command("info cpus", 5);
        assert_eq!(monitor.lines().count(), 1);
        assert!(monitor.contains("{\"command-line\":\"info cpus\"}"), "{monitor}");
    }

    proptest! {
        #[test]
        fn survives_any_bytes(line in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&line);
        }

        #[test]
        fn survives_any_change_of_one_byte(at in 0..CPUS.len(), byte: u8) {
            let mut line = CPUS.as_bytes().to_vec();
            line[at] = byte;
            if let Ok(Message::Return { value, .. }) = parse(&line) {
                let _ = cpu_threads(&value);
            }
        }
    }
}
