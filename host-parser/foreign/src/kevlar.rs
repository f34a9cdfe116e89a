//! The console of Kevlar's `bench` programs: lines `BENCH NAME ITERATIONS TOTAL PER`, with the time of all iterations and of
//! one, in ns by CLOCK_MONOTONIC. One loop is one figure: it says nothing of its spread. Source: Kevlar, `benchmarks/`.
//!
//! A console can be torn: a panic in the middle of a line leaves a figure that looks whole. The quotient in each line is
//! checked, and a line that begins as a figure and is none is an error, not a figure less.

use std::path::Path;

use abi::series::SeriesRow;

use super::{Beside, Figure, ForeignError, Unit};

/// What begins a figure.
const MARK: &str = "BENCH ";

/// The programs that one of our rows is about too.
const BESIDE: &[(&str, SeriesRow, &str)] = &[
    ("getpid", SeriesRow::NullEnter, "a call that returns a number that the kernel has at hand"),
    (
        "mmap_fault",
        SeriesRow::FaultZero,
        "pages that were zeroed before, if the pool has as many as the loop touches; ours zeroes inside",
    ),
];

/// The figures of a console, in its order.
pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Figure>, ForeignError> {
    let mut all: Vec<Figure> = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let Some(fields) = fields(text) else { continue };
        let name = fields.first().copied().unwrap_or_default();
        let wrong =
            |detail| ForeignError::Figure { path: path.to_owned(), line, name: name.to_owned(), detail };
        let [_, iterations, total, per] = fields[..] else {
            return Err(wrong("expected BENCH NAME ITERATIONS TOTAL PER: the line was torn"));
        };
        let number = |field: &str| field.parse::<u64>().ok();
        let (Some(iterations), Some(total), Some(per)) = (number(iterations), number(total), number(per))
        else {
            return Err(wrong(
                "its numbers are not whole and above 0: the line was torn, or the clock ran back",
            ));
        };
        if iterations == 0 || total == 0 {
            return Err(wrong("no iterations, or no time: nothing was measured"));
        }
        if total / iterations != per {
            return Err(wrong("its total by its iterations is not what it says: the line was torn"));
        }
        if all.iter().any(|figure| figure.name == name) {
            return Err(wrong("the file has a second figure of this name; give the console of one run"));
        }
        let beside = BESIDE.iter().find(|(known, ..)| *known == name);
        let beside = beside.map(|&(_, row, differs)| Beside { row, arg: 0, differs });
        #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a benchmark")]
        let value = Some(total as f64 / iterations as f64);
        let note = format!("mean of {iterations}");
        all.push(Figure { name: name.to_owned(), value, unit: Unit::Nanos, samples: 1, note, beside });
    }
    Ok(all)
}

/// What follows the mark, in words. A console may have something before it.
fn fields(line: &str) -> Option<Vec<&str>> {
    let at = line.find(MARK)?;
    let begins = line[..at].chars().last().is_none_or(char::is_whitespace);
    begins.then(|| line[at + MARK.len()..].split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Figure>, String> {
        read(Path::new("k.log"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_the_figures_between_other_lines() {
        let text = "BENCH_START mode=quick\n[    0.310] BENCH getpid 10000 610999 61\r\nBENCH stat 3 10 3\n\
                    WORKBENCH x 1 1 1\nBENCH_END\n";
        let figures = parse(text).unwrap();
        let names: Vec<_> = figures.iter().map(|of| (of.name.as_str(), of.beside.map(|of| of.row))).collect();
        assert_eq!(names, [("getpid", Some(SeriesRow::NullEnter)), ("stat", None)]);
        // Not the quotient of the line, which has lost its fraction.
        assert_eq!((figures[0].value, figures[0].unit), (Some(61.0999), Unit::Nanos));
        assert_eq!((figures[1].note.as_str(), figures[1].samples), ("mean of 3", 1));
    }

    #[test]
    fn torn_lines_are_errors_and_not_figures_less() {
        for (text, detail) in [
            ("BENCH getpid 10000 6109", "k.log:1: getpid: expected BENCH NAME"),
            ("BENCH getpid 10000 610999 6", "is not what it says"),
            ("BENCH getpid 10000 -5 0", "not whole and above 0"),
            ("BENCH getpid 0 5 5", "nothing was measured"),
            ("BENCH getpid 10 0 0", "nothing was measured"),
            ("BENCH getpid 1 61 61\nBENCH getpid 1 62 62", "k.log:2: getpid: the file has a second"),
            ("BENCH ", "the line was torn"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(detail), "{text}: {error}");
        }
    }
}
