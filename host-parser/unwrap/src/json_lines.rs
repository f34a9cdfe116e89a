//! Logs whose every line is a JSON object with a line of the log in it: docker's, the journal's, and others.

use std::io::{self, BufRead, BufReader, Read};

use serde_json::Value;

use crate::Form;
use crate::peek::Peek;

/// The keys under which collectors keep the line, and what they are.
const KEYS: [(&str, Form); 7] = [
    ("log", Form::DockerJson),
    ("MESSAGE", Form::JournalJson),
    ("message", Form::JsonLines),
    ("msg", Form::JsonLines),
    ("textPayload", Form::JsonLines),
    ("line", Form::JsonLines),
    ("content", Form::JsonLines),
];

/// By the first line that is not empty: a whole object with a known key.
pub(crate) fn form(head: &[u8]) -> Option<Form> {
    let line = head.split(|&byte| byte == b'\n').find(|line| !line.trim_ascii().is_empty())?;
    message(line).map(|(_, form)| form)
}

/// The line of the log that an object has, and how it is called.
fn message(line: &[u8]) -> Option<(Vec<u8>, Form)> {
    let line = line.trim_ascii();
    if !line.starts_with(b"{") {
        return None;
    }
    let Value::Object(object) = serde_json::from_slice(line).ok()? else { return None };
    let (value, form) = KEYS.iter().find_map(|(key, form)| Some((object.get(*key)?, *form)))?;
    Some((text(value)?, form))
}

/// A string, or what the journal writes for a string with bytes that JSON cannot have: an array of numbers (systemd,
/// "Journal JSON Format").
fn text(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::String(text) => Some(text.clone().into_bytes()),
        Value::Array(bytes) => bytes.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect(),
        _ => None,
    }
}

/// The lines in the objects. A line that is none stays as it is.
pub(crate) struct JsonLines {
    log: BufReader<Peek>,
    ready: Vec<u8>,
    read: usize,
}

impl JsonLines {
    pub fn new(log: Peek) -> Self {
        Self { log: BufReader::new(log), ready: Vec::new(), read: 0 }
    }
}

impl Read for JsonLines {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.read == self.ready.len() {
            let mut line = Vec::new();
            if self.log.by_ref().take(crate::LIMIT).read_until(b'\n', &mut line)? == 0 {
                return Ok(0);
            }
            self.ready = match message(&line) {
                Some((mut text, _)) => {
                    if !text.ends_with(b"\n") {
                        text.push(b'\n');
                    }
                    text
                }
                None => line,
            };
            self.read = 0;
        }
        let count = (&self.ready[self.read..]).read(buffer)?;
        self.read += count;
        Ok(count)
    }
}
