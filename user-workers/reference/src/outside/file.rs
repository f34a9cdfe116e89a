//! The file of an oracle.
//!
//! ```text
//! ASSAY-ORACLE1
//! answer ones
//! work words
//! parameter first-block 0
//! parameter end-block 2
//! parameter words 4096
//! item 131072 4096 0123456789abcdef
//! item 131104 4096 fedcba9876543210
//! ```
//!
//! The units of answers and work; two to four parameters with the values that the file is about, of which the first two
//! are the first item and the end of the items; and for each item its answer, its work and its digest.

use std::fmt;

use abi::Digest;

use crate::{Expectation, MAX_PARAMETERS, Words};

/// The first line. The number is the format's version.
pub const HEADER: &str = "ASSAY-ORACLE1";

/// The most items that a file can have: the gate adds up all of them within milliseconds.
pub const MAX_ITEMS: u64 = 1 << 18;

/// The most bytes of a file: enough for that many items with the largest numbers.
pub const MAX_BYTES: u64 = 20 << 20;

/// The longest unit, and the longest key of a parameter.
const MAX_NAME: usize = 32;

/// An oracle's file, checked.
#[derive(Clone, Debug)]
pub struct Oracle {
    pub(super) answer_unit: String,
    pub(super) work_unit: String,
    /// Each key and its value: at least two.
    pub(super) parameters: Vec<(String, u64)>,
    /// As many as lie between the values of the first two parameters. Their digests are not bound to a challenge.
    items: Vec<Expectation>,
    pub(super) sha256: Digest,
}

/// What is wrong with a file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{line}: {message}")]
pub struct OracleError {
    /// The line, from 1.
    pub line: usize,
    /// What was expected, and what was found.
    pub message: String,
}

impl Oracle {
    /// Reads a file.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, OracleError> {
        let text = std::str::from_utf8(bytes).map_err(|error| OracleError {
            line: 1 + bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count(),
            message: "expected UTF-8 text".to_owned(),
        })?;
        let mut lines = Lines { lines: text.lines(), number: 0 };
        lines.next_word(HEADER)?;
        let answer_unit = lines.unit("answer")?;
        let work_unit = lines.unit("work")?;
        let mut parameters = Vec::new();
        while parameters.len() < 2
            || (parameters.len() < MAX_PARAMETERS && lines.peek_word() == Some("parameter"))
        {
            let parameter = lines.parameter(&parameters)?;
            parameters.push(parameter);
        }
        let (first, end) = (parameters[0].1, parameters[1].1);
        let Some(count) = end.checked_sub(first).filter(|count| (1..=MAX_ITEMS).contains(count)) else {
            let found = format!("the end {end} after the first {first}");
            return Err(lines.error(&format!("1 to {MAX_ITEMS} items from the first to the end"), &found));
        };
        let mut items = Vec::new();
        let mut sum = Some((0_u64, 0_u64));
        for item in first..first + count {
            let of_item = lines.item(item)?;
            sum = sum.and_then(|(answer, work)| {
                Some((answer.checked_add(of_item.answer)?, work.checked_add(of_item.work)?))
            });
            // A manifest's integers have 63 bits.
            if sum.is_none_or(|(answer, work)| i64::try_from(answer.max(work)).is_err()) {
                return Err(lines.error("answers and work that add up to less than 2^63", "more"));
            }
            items.push(of_item);
        }
        match lines.next() {
            None => Ok(Self { answer_unit, work_unit, parameters, items, sha256: Digest::of(bytes) }),
            Some(more) => Err(lines.error(&format!("no more than the {count} items"), more)),
        }
    }

    /// The SHA-256 of the file.
    #[must_use]
    pub const fn sha256(&self) -> Digest {
        self.sha256
    }

    /// The whole that the file is about.
    pub(super) fn words(&self) -> Words {
        let mut words = Words::default();
        for (word, (_, value)) in words.iter_mut().zip(&self.parameters) {
            *word = *value;
        }
        words
    }

    /// What a manifest may have for the parameter of this place, as the words that follow "expected".
    pub(super) fn expected_at(&self, at: usize, value: u64) -> String {
        let (first, end) = (self.parameters[0].1, self.parameters[1].1);
        match at {
            0 => {
                format!("a whole number of at least {first} and below {end}, as the oracle's file has items")
            }
            1 => format!("a whole number above the first and at most {end}, as the oracle's file has items"),
            _ => format!("{value}, for which the oracle's file was made"),
        }
    }

    /// The items from `first` to `end`, as far as there are any.
    pub(super) fn items_of(&self, first: u64, end: u64) -> &[Expectation] {
        let [first, end] = [first, end].map(|bound| self.place(bound));
        self.items.get(first..end).unwrap_or_default()
    }

    /// The items at which `workers` parts of `first` to `end` begin, each with the same share of the work as nearly as can
    /// be. Bounds outside the file are kept, and ascend if `first` and `end` do.
    pub(super) fn shares(&self, first: u64, end: u64, workers: u16) -> Vec<u64> {
        let items = self.items_of(first, end);
        let total: u128 = items.iter().map(|item| u128::from(item.work)).sum();
        let mut before = 0_u128;
        let mut at = 0;
        let from = first.max(self.parameters[0].1);
        let bound = |part: u16| {
            let goal = total * u128::from(part) / u128::from(workers);
            while let Some(item) = items.get(at).filter(|item| before + u128::from(item.work) / 2 < goal) {
                before += u128::from(item.work);
                at += 1;
            }
            if part == 0 || items.is_empty() { first } else { from + at as u64 }
        };
        (0..workers).map(bound).collect()
    }

    /// The place of an item in the list; its nearest end if it is outside.
    fn place(&self, item: u64) -> usize {
        let place = item.saturating_sub(self.parameters[0].1);
        usize::try_from(place).unwrap_or(usize::MAX).min(self.items.len())
    }
}

/// The lines that are left.
struct Lines<'a> {
    lines: std::str::Lines<'a>,
    /// The number of the last line that was read, from 1.
    number: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.number += 1;
        self.lines.next()
    }

    /// The first word of the next line.
    fn peek_word(&self) -> Option<&'a str> {
        self.lines.clone().next()?.split(' ').next()
    }

    /// A line that is this word.
    fn next_word(&mut self, word: &str) -> Result<(), OracleError> {
        match self.next() {
            Some(line) if line == word => Ok(()),
            found => Err(self.error(word, found.unwrap_or("the end of the file"))),
        }
    }

    /// What follows `word` in the next line.
    fn after(&mut self, word: &str, expected: &str) -> Result<&'a str, OracleError> {
        let line = self.next();
        let rest = line.and_then(|line| line.strip_prefix(word)?.strip_prefix(' '));
        rest.ok_or_else(|| self.error(expected, line.unwrap_or("the end of the file")))
    }

    fn unit(&mut self, word: &str) -> Result<String, OracleError> {
        let expected = format!("\"{word} UNIT\", the unit with at most {MAX_NAME} characters");
        let unit = self.after(word, &expected)?;
        let fits =
            (1..=MAX_NAME).contains(&unit.len()) && unit.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if fits && unit.trim() == unit { Ok(unit.to_owned()) } else { Err(self.error(&expected, unit)) }
    }

    fn parameter(&mut self, earlier: &[(String, u64)]) -> Result<(String, u64), OracleError> {
        const EXPECTED: &str = "\"parameter KEY VALUE\", the key of a-z 0-9 -, the value below 2^63";
        let line = self.after("parameter", EXPECTED)?;
        let fits = |key: &&str| {
            (1..=MAX_NAME).contains(&key.len())
                && key.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
        };
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        let parsed = Some(key).filter(fits).zip(number(value).filter(|&value| i64::try_from(value).is_ok()));
        match parsed {
            Some((key, _)) if earlier.iter().any(|(other, _)| other == key) => {
                Err(self.error("each key once", key))
            }
            Some((key, value)) => Ok((key.to_owned(), value)),
            None => Err(self.error(EXPECTED, line)),
        }
    }

    fn item(&mut self, item: u64) -> Result<Expectation, OracleError> {
        let expected = format!(
            "item {item} as \"item ANSWER WORK DIGEST\", work above 0, 16 digits of the digest in hexadecimal"
        );
        let line = self.after("item", &expected)?;
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (answer, work, digest) = (number(word()), number(word()), word());
        let is_hex = |text: &&str| {
            text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        let digest = Some(digest).filter(is_hex).and_then(|text| u64::from_str_radix(text, 16).ok());
        match (answer, work.filter(|&work| work > 0), digest, words.next()) {
            (Some(answer), Some(work), Some(digest), None) => Ok(Expectation { answer, work, digest }),
            _ => Err(self.error(&expected, line)),
        }
    }

    /// The error in the line that was read last.
    fn error(&self, expected: &str, found: &str) -> OracleError {
        let found: String = found.chars().take(60).collect();
        OracleError { line: self.number, message: format!("expected {expected}, found {found}") }
    }
}

/// A decimal number without sign and without leading zeros.
fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| plain)
}

impl fmt::Display for Oracle {
    /// As a file has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}\nanswer {}\nwork {}", self.answer_unit, self.work_unit)?;
        for (key, value) in &self.parameters {
            writeln!(f, "parameter {key} {value}")?;
        }
        self.items.iter().try_for_each(|Expectation { answer, work, digest }| {
            writeln!(f, "item {answer} {work} {digest:016x}")
        })
    }
}
