//! Logs inside one JSON document, and logs in base64.

use std::io::{self, Read};

use base64ct::{Base64, Encoding};
use serde_json::Value;

use crate::peek::Peek;
use crate::{Form, LIMIT};

/// The fields in which clouds return a console, and whose they are: EC2 GetConsoleOutput, GCE instances.getSerialPortOutput.
const FIELDS: [(&str, Form); 3] =
    [("Output", Form::Ec2Json), ("contents", Form::GceJson), ("output", Form::JsonDocument)];

/// How many characters must be base64, and nothing else, before a log is held to be base64.
const BASE64_AT_LEAST: usize = 64;

/// By the first bytes.
pub(crate) fn form(head: &[u8]) -> Option<Form> {
    let text = head.trim_ascii_start();
    if text.starts_with(b"{") || text.starts_with(b"[") {
        let has = |field: &str| memchr::memmem::find(head, format!("\"{field}\"").as_bytes()).is_some();
        return FIELDS.iter().find(|(field, _)| has(field)).map(|(_, form)| *form);
    }
    let first = text.split(u8::is_ascii_whitespace).next().unwrap_or_default();
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    (first.len() >= BASE64_AT_LEAST && first.iter().all(base64)).then_some(Form::Base64)
}

/// The whole of a log that must be held as a whole.
fn whole(log: Peek) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    log.take(LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LIMIT {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("a document of more than {} MiB: give the log that is in it", LIMIT >> 20),
        ));
    }
    Ok(bytes)
}

/// The log in a JSON document; the document as it is, if it has none.
pub(crate) fn json(log: Peek) -> io::Result<Vec<u8>> {
    let bytes = whole(log)?;
    let found = serde_json::from_slice::<Value>(&bytes).ok().and_then(|value| console(&value));
    Ok(found.unwrap_or(bytes))
}

/// The longest console in a document, wherever it is: an answer may be a list of machines.
fn console(value: &Value) -> Option<Vec<u8>> {
    let inside = match value {
        Value::Object(object) => {
            let own = FIELDS.iter().filter_map(|(field, _)| object.get(*field)?.as_str());
            let own = own.map(|text| text.as_bytes().to_vec());
            own.chain(object.values().filter_map(console)).max_by_key(Vec::len)
        }
        Value::Array(values) => values.iter().filter_map(console).max_by_key(Vec::len),
        _ => None,
    };
    inside.filter(|text| !text.is_empty())
}

/// The log in base64, with or without line breaks; the text as it is, if it is not that.
pub(crate) fn base64(log: Peek) -> io::Result<Vec<u8>> {
    let bytes = whole(log)?;
    let packed: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let decoded = std::str::from_utf8(&packed).ok().and_then(|text| Base64::decode_vec(text).ok());
    Ok(decoded.unwrap_or(bytes))
}
