//! The output of records.

use core::fmt;

use abi::wire::record::Problem;
use abi::wire::{Label, Record, Text};

/// A stream of records: the kernel's serial ports, or the twin's terminal.
pub trait Sink {
    /// Emits one record.
    fn record(&mut self, record: Record);

    /// Prints for a person at the machine how far the run is; by default it prints nothing. Never called while workers run.
    fn progress(&mut self, text: fmt::Arguments<'_>) {
        let _ = text;
    }

    /// Emits an `error` record. A `code` that is no label is a defect of the caller, and nothing is emitted.
    fn problem(&mut self, code: &str, detail: fmt::Arguments<'_>) {
        if let Some(code) = Label::new(code) {
            self.record(Problem { code, detail: Text::format(detail) }.into());
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// Records, kept in order.
    #[derive(Default)]
    pub struct Kept(pub Vec<Record>);

    impl Sink for Kept {
        fn record(&mut self, record: Record) {
            self.0.push(record);
        }
    }

    impl Kept {
        /// The records' names, in order.
        pub fn names(&self) -> Vec<&'static str> {
            self.0.iter().map(Record::name).collect()
        }
    }

    #[test]
    fn a_problem_is_an_error_record() {
        let mut kept = Kept::default();
        kept.problem("blob", format_args!("{} is missing", "it"));
        kept.problem("not a label", format_args!(""));
        assert_eq!(kept.names(), ["error"]);
    }
}
