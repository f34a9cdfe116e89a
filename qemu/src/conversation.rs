//! Our side of a QMP connection, without the transport: commands, their replies, and events.

use std::collections::VecDeque;

use serde_json::Value;

use crate::classify::Evidence;
use crate::lines::Lines;
use crate::qmp::{self, Message};
use crate::{QemuError, Version};

/// How many events are kept for the record.
const MAX_EVENTS: usize = 1000;

/// One connection.
#[derive(Debug)]
pub(crate) struct Conversation {
    lines: Lines,
    last_id: u64,
    replies: VecDeque<(u64, Result<Value, String>)>,
    /// QEMU's version, once it has sent its greeting.
    pub(crate) greeting: Option<Version>,
    /// Whether a STOP event has come that was not examined yet.
    pub(crate) stopped: bool,
    /// The events that classify the end of QEMU.
    pub(crate) evidence: Evidence,
    /// The raw events, in order.
    pub(crate) events: Vec<String>,
}

impl Conversation {
    pub(crate) fn new() -> Self {
        Self {
            lines: Lines::new(qmp::MAX_LINE_BYTES),
            last_id: 0,
            replies: VecDeque::new(),
            greeting: None,
            stopped: false,
            evidence: Evidence::new(),
            events: Vec::new(),
        }
    }

    /// The next command: its id and the line to send.
    pub(crate) fn ask(&mut self, command: &str) -> (u64, String) {
        self.last_id += 1;
        (self.last_id, qmp::command(command, self.last_id))
    }

    /// As [`Self::ask`], for a command with arguments.
    pub(crate) fn ask_with(&mut self, command: &str, arguments: &Value) -> (u64, String) {
        self.last_id += 1;
        (self.last_id, qmp::command_with(command, arguments, self.last_id))
    }

    /// As [`Self::ask`], for a command of QEMU's human monitor.
    pub(crate) fn ask_monitor(&mut self, line: &str) -> (u64, String) {
        self.last_id += 1;
        (self.last_id, qmp::monitor_command(line, self.last_id))
    }

    /// The reply to a command, once it is there; `Err` is QEMU's reason for refusing.
    pub(crate) fn reply(&mut self, id: u64) -> Option<Result<Value, String>> {
        let index = self.replies.iter().position(|(of, _)| *of == id)?;
        self.replies.remove(index).map(|(_, reply)| reply)
    }

    /// Takes the next bytes from QEMU.
    pub(crate) fn receive(&mut self, bytes: &[u8]) -> Result<(), QemuError> {
        let mut complete = Vec::new();
        self.lines.feed(bytes, &mut |line| complete.push(line.to_vec()));
        complete.iter().filter(|line| !line.is_empty()).try_for_each(|line| self.take(line))
    }

    fn take(&mut self, line: &[u8]) -> Result<(), QemuError> {
        let message = qmp::parse(line).map_err(|error| nonsense(&error.to_string(), line))?;
        if self.greeting.is_none() && !matches!(message, Message::Greeting { .. }) {
            return Err(nonsense("expected a greeting first", line));
        }
        match message {
            Message::Greeting { version } => self.greeting = Some(version),
            Message::Return { id: Some(id), value } => self.replies.push_back((id, Ok(value))),
            Message::Error { id: Some(id), description } => self.replies.push_back((id, Err(description))),
            Message::Return { id: None, .. } | Message::Error { id: None, .. } => {
                return Err(nonsense("expected a reply with the id of a command", line));
            }
            Message::Event { name, data } => {
                self.evidence.observe(&name, &data);
                self.stopped |= name == "STOP";
                if self.events.len() < MAX_EVENTS {
                    self.events.push(String::from_utf8_lossy(line).into_owned());
                }
            }
        }
        Ok(())
    }
}

fn nonsense(expected: &str, line: &[u8]) -> QemuError {
    const SHOWN: usize = 200;
    let shown: String = String::from_utf8_lossy(line).chars().take(SHOWN).collect();
    QemuError::Qmp { doing: "reading QEMU's control socket", detail: format!("{expected}; got {shown:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GREETING: &[u8] =
        b"{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 1, \"minor\": 2, \"major\": 8}}}}\r\n";

    fn greeted() -> Conversation {
        let mut conversation = Conversation::new();
        conversation.receive(GREETING).unwrap();
        conversation
    }

    #[test]
    fn pairs_replies_with_commands_across_events() {
        let mut conversation = greeted();
        let (first, _) = conversation.ask("stop");
        let (second, _) = conversation.ask("no-such-command");
        conversation
            .receive(b"{\"event\": \"STOP\"}\n{\"id\": 2, \"error\": {\"desc\": \"unknown\"}}\n{\"ret")
            .unwrap();
        assert!(conversation.stopped);
        assert_eq!(conversation.reply(first), None);
        conversation.receive(b"urn\": {}, \"id\": 1}\n").unwrap();
        assert_eq!(conversation.reply(first), Some(Ok(serde_json::json!({}))));
        assert_eq!(conversation.reply(second), Some(Err("unknown".to_owned())));
        assert_eq!(conversation.events, ["{\"event\": \"STOP\"}"]);
    }

    #[test]
    fn refuses_any_message_before_the_greeting() {
        let error = Conversation::new().receive(b"{\"event\": \"STOP\"}\n").unwrap_err().to_string();
        assert!(error.contains("expected a greeting first"), "{error}");
    }

    #[test]
    fn shows_a_line_that_is_not_qmp() {
        let error = greeted().receive(b"bash: command not found\n").unwrap_err().to_string();
        assert!(error.contains("got \"bash: command not found\""), "{error}");
    }

    #[test]
    fn keeps_a_bounded_number_of_events() {
        let mut conversation = greeted();
        for _ in 0..MAX_EVENTS + 1 {
            conversation.receive(b"{\"event\": \"RTC_CHANGE\"}\n").unwrap();
        }
        assert_eq!(conversation.events.len(), MAX_EVENTS);
    }
}
