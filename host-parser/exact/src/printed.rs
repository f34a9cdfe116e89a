//! What a guest printed, with the instruction count at each byte, and the rows between two of its lines.

use std::fmt;
use std::str::FromStr;

use crate::row::Row;

/// The serial output of a run.
#[derive(Clone, Debug)]
pub struct Printed<'a> {
    lines: Vec<Line<'a>>,
    end: u64,
}

/// A line, and the counts at its first and its last byte.
#[derive(Clone, Debug)]
struct Line<'a> {
    text: &'a [u8],
    begin: u64,
    end: u64,
}

impl<'a> Printed<'a> {
    /// The output `bytes`, each written after as many instructions as `at` has at its place, of a run of `end` instructions.
    /// `None` if these are not counts of this output.
    #[must_use]
    pub fn new(bytes: &'a [u8], at: &[u64], end: u64) -> Option<Self> {
        let ordered = at.is_sorted() && at.last().is_none_or(|&last| last <= end);
        if bytes.len() != at.len() || !ordered {
            return None;
        }
        let mut lines = Vec::new();
        let mut rest = 0;
        for text in bytes.split_inclusive(|&byte| byte == b'\n') {
            let counts = &at[rest..rest + text.len()];
            rest += text.len();
            if let [begin, ..] = *counts {
                lines.push(Line { text, begin, end: counts[counts.len() - 1] });
            }
        }
        Some(Self { lines, end })
    }

    /// The row of `span`: a sample for each time that it begins and ends; `None` if it never does.
    #[must_use]
    pub fn row(&self, name: &str, span: &Span) -> Option<Row> {
        let mut samples = Vec::new();
        // Without a line to begin with, it begins with the machine.
        let mut begun = span.from.is_empty().then_some(0);
        for line in &self.lines {
            if let Some(begin) = begun
                && !span.to.is_empty()
                && contains(line.text, &span.to)
            {
                samples.push(line.begin.saturating_sub(begin));
                begun = None;
            }
            // The last of several lines begins it.
            if !span.from.is_empty() && contains(line.text, &span.from) {
                begun = Some(line.end);
            }
        }
        if let Some(begin) = begun.filter(|_| span.to.is_empty()) {
            samples.push(self.end.saturating_sub(begin));
        }
        Row::new(name, samples)
    }
}

fn contains(line: &[u8], text: &str) -> bool {
    line.windows(text.len()).any(|part| part == text.as_bytes())
}

/// From the end of a line to the beginning of another: neither is printed in between. Text of a line stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Text of the line before; empty: from the machine's reset on, firmware included.
    pub from: String,
    /// Text of the line after; empty: to the end of the run.
    pub to: String,
}

/// Why a span's text is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected NAME=FROM..TO, such as boot=Booting..login: with texts of two lines, each of which may be left out"
)]
pub struct SpanError;

impl Span {
    /// A name and a span: `NAME=FROM..TO`.
    ///
    /// # Errors
    /// There is no name, or no `..`.
    pub fn named(text: &str) -> Result<(String, Self), SpanError> {
        let (name, span) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or(SpanError)?;
        Ok((name.to_owned(), span.parse()?))
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let (from, to) = text.split_once("..").ok_or(SpanError)?;
        Ok(Self { from: from.to_owned(), to: to.to_owned() })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.from, self.to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &[u8] = b"boot\ngo 1\ndone\ngo 2\ndone\n";

    fn least_and_samples(span: &str) -> Option<(u64, usize)> {
        // 10 instructions a byte.
        let at: Vec<u64> = (1..=OUTPUT.len() as u64).map(|byte| byte * 10).collect();
        let printed = Printed::new(OUTPUT, &at, 1_000).unwrap();
        let row = printed.row("x", &span.parse().unwrap())?;
        Some((row.least(), row.samples()))
    }

    #[test]
    fn a_span_is_from_the_end_of_a_line_to_the_beginning_of_another() {
        // The line feed after `go 1` is byte 11, the first byte of `done` byte 12.
        assert_eq!(least_and_samples("go..done"), Some((10, 2)));
        assert_eq!(least_and_samples("boot..go 2"), Some((110, 1)));
    }

    #[test]
    fn a_span_may_begin_with_the_machine_and_end_with_the_run() {
        assert_eq!(least_and_samples("..go"), Some((60, 1)));
        assert_eq!(least_and_samples("go 2.."), Some((1_000 - 200, 1)));
        assert_eq!(least_and_samples(".."), Some((1_000, 1)));
    }

    #[test]
    fn a_span_that_is_not_there_is_no_row() {
        for span in ["login..done", "done..login", "go 2..go 1"] {
            assert_eq!(least_and_samples(span), None, "{span}");
        }
    }

    #[test]
    fn refuses_counts_of_other_output() {
        let counted = |at: &[u64], end| Printed::new(b"ab", at, end).is_some();
        assert!(counted(&[1, 2], 2));
        assert!(!counted(&[1], 2) && !counted(&[1, 2, 3], 3) && !counted(&[2, 1], 2) && !counted(&[1, 3], 2));
    }

    #[test]
    fn a_named_span_needs_its_name_and_two_dots() {
        let (name, span) = Span::named("up=Linux version..Run /init").unwrap();
        assert_eq!((name.as_str(), span.to_string().as_str()), ("up", "Linux version..Run /init"));
        for text in ["up", "=a..b", "up=a", "up=a.b"] {
            assert_eq!(Span::named(text), Err(SpanError), "{text}");
        }
    }
}
