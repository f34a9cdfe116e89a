//! The output of x86/vmexit.flat of kvm-unit-tests: for each test a line with its name and a number, or with its name and
//! `(skipped)`, between the messages of its start. Parts of a figure follow it in lines that begin with spaces; they are not
//! figures of their own. The number is what the loop took in ticks of the TSC by how often it ran,
//! as an `int`: one that has overflowed is negative.

use std::path::Path;

use abi::series::SeriesRow;

use super::{Beside, Figure, ForeignError, Unit};

/// The tests that one of our rows is about too, by all names that they have had.
const BESIDE: &[(&str, SeriesRow, u64, &str)] = &[
    ("cpuid", SeriesRow::ExitCpuid, 0, "the leaf that EAX happens to hold"),
    ("vmcall", SeriesRow::ExitVmcall, 0, ""),
    (
        "inl_from_pmtimer",
        SeriesRow::ExitPortVmm,
        0,
        "older versions read port B008H, whatever the tables say",
    ),
    ("inl_from_kernel", SeriesRow::ExitPortHost, 0, ""),
    ("rd_tsc_adjust_msr", SeriesRow::ExitMsrRead, 0, ""),
    ("wr_tsc_adjust_msr", SeriesRow::ExitMsrWrite, 0, "writes 0, whatever the register has"),
    ("wr_kernel_gs_base", SeriesRow::MsrWriteControl, 0, ""),
    ("ipi", SeriesRow::IpiRt, 0, "with a lock, and the call of a function on the other CPU"),
    ("ipi+halt", SeriesRow::HltWake, 10, "until the caller goes on, and its wait of 2,000 ticks"),
    ("ipi_halt", SeriesRow::HltWake, 10, "until the caller goes on, and its wait of 2,000 ticks"),
    ("tscdeadline", SeriesRow::TimerHalt, 50, "with its own wait of 3,000 ticks"),
];

/// The figures of a text, in its order.
pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Figure>, ForeignError> {
    let mut all: Vec<Figure> = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let Some((name, value)) = figure(text) else { continue };
        let wrong =
            |detail| ForeignError::Figure { path: path.to_owned(), line, name: name.to_owned(), detail };
        let value = match value {
            Value::Skipped => None,
            Value::Number(ticks) if ticks > 0 => Some(f64::from(ticks)),
            Value::Number(_) => {
                return Err(wrong(
                    "0 or less is no time: the tool's number has overflowed, or it has no clock",
                ));
            }
        };
        if all.iter().any(|figure| figure.name == name) {
            return Err(wrong("the file has a second figure of this name; give the output of one run"));
        }
        let beside = BESIDE.iter().find(|(known, ..)| *known == name);
        let beside = beside.map(|&(_, row, arg, differs)| Beside { row, arg, differs });
        let (unit, note) = (Unit::Ticks, String::new());
        all.push(Figure { name: name.to_owned(), value, unit, samples: 1, note, beside });
    }
    Ok(all)
}

enum Value {
    Number(i32),
    Skipped,
}

/// The name and the value of a line, if it has just these.
fn figure(line: &str) -> Option<(&str, Value)> {
    let (name, value) = line.trim_end().split_once(' ')?;
    let is_name = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || "_+-:".contains(char);
    if !name.starts_with(|char: char| char.is_ascii_lowercase()) || !name.chars().all(is_name) {
        return None;
    }
    match value {
        "(skipped)" => Some((name, Value::Skipped)),
        _ => value.parse().ok().map(|number| (name, Value::Number(number))),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Figures, Tool};

    use super::*;

    /// The form of the output, with numbers of no machine.
    const OUTPUT: &str = "enabling apic\r\nsmp: waiting for 1 APs\r\npaging enabled\r\ncr0 = 80010011\r\n\
                          cr3 = 1007000\r\ncr4 = 20\r\ncpuid 1201\r\nvmcall (skipped)\r\nmov_from_cr8 7\r\n\
                          PM timer port is 608\r\ninl_from_kernel 2300\r\nipi 9100\r\n  ipi ipi 9000\r\nipi+halt 11500\r\nple-round-robin 77\r\n";

    fn parse(text: &str) -> Result<Figures, String> {
        Figures::parse(Tool::KvmUnitTests, Path::new("v.log"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_every_figure_and_nothing_else() {
        let figures = parse(OUTPUT).unwrap();
        let read: Vec<_> = figures.all.iter().map(|figure| (figure.name.as_str(), figure.value)).collect();
        let wanted = [
            ("cpuid", Some(1201.0)),
            ("vmcall", None),
            ("mov_from_cr8", Some(7.0)),
            ("inl_from_kernel", Some(2300.0)),
            ("ipi", Some(9100.0)),
            ("ipi+halt", Some(11_500.0)),
            ("ple-round-robin", Some(77.0)),
        ];
        assert_eq!(read, wanted);
    }

    #[test]
    fn knows_which_row_of_ours_is_about_the_same() {
        let figures = parse(OUTPUT).unwrap();
        let row = |name: &str| {
            let figure = figures.all.iter().find(|figure| figure.name == name)?;
            figure.beside.map(|beside| beside.row)
        };
        assert_eq!(row("cpuid"), Some(SeriesRow::ExitCpuid));
        assert_eq!(row("ipi+halt"), Some(SeriesRow::HltWake));
        assert_eq!(row("mov_from_cr8"), None);
    }

    #[test]
    fn every_row_beside_has_the_argument_that_is_named() {
        for &(name, row, arg, _) in BESIDE {
            assert!(abi::series::place::Places::of(row).has_argument(arg, 2), "{name}");
        }
    }

    #[test]
    fn a_file_without_figures_is_refused() {
        assert_eq!(parse("enabling apic\ncr0 = 1\n").unwrap_err(), "v.log: has no figure of kvm-unit-tests");
    }

    #[test]
    fn a_figure_that_has_overflowed_or_comes_twice_is_refused() {
        assert!(parse("cpuid -5\n").unwrap_err().starts_with("v.log:1: cpuid: 0 or less is no time"));
        assert!(parse("cpuid 5\nipi 0\n").unwrap_err().starts_with("v.log:2: ipi: 0 or less"));
        assert!(
            parse("cpuid 5\ncpuid 6\n").unwrap_err().starts_with("v.log:2: cpuid: the file has a second")
        );
    }

    #[test]
    fn an_option_names_a_tool_and_a_file() {
        for given in ["v.log", "lmbench=v.log", "=v.log"] {
            let error = Figures::load(given).unwrap_err().to_string();
            assert_eq!(
                error,
                format!(
                    "expected TOOL=FILE with one of the tools kvm-unit-tests, hyperfine, sel4bench, memtest86+, kevlar, found {given}"
                )
            );
        }
        assert!(Figures::load("kvm-unit-tests=/no/such").unwrap_err().to_string().starts_with("/no/such: "));
    }
}
