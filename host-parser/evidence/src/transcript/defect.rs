//! The defects of a stream of records.

use std::fmt;

use abi::wire::LineError;
use abi::wire::line::TAG;

/// One defect and its line.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Defect {
    /// The line of the log, from 1.
    pub line: u64,
    /// The kind of defect.
    pub kind: DefectKind,
}

/// What is wrong with a line, or with its place in the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DefectKind {
    /// A line that has the tag but is not a record.
    Corrupt(LineError),
    /// A line with the tag of another protocol version.
    Version(u32),
    /// A whole record that begins in the middle of a line, after other text than what a collector put before every line of
    /// the boot. (Before the first record of a boot this is no defect: firmware need not end its last line.)
    MidLine,
    /// The log ends in the middle of a record.
    CutShort,
    /// Records that are missing from the boot, without a corrupt line at their place to explain it.
    Gap {
        /// The number of the first of them.
        first: u32,
        /// How many there are.
        count: u32,
    },
    /// An exact copy of an earlier record.
    Duplicate {
        /// Its number.
        seq: u32,
    },
    /// A record after one with a higher number, or with the same number as a different record.
    OutOfOrder {
        /// Its number.
        seq: u32,
    },
    /// A record after `end`.
    AfterEnd {
        /// Its number.
        seq: u32,
    },
    /// The count of records in `end` differs from its own sequence number.
    EndCount {
        /// The count in `end`.
        said: u32,
        /// Its sequence number.
        found: u32,
    },
    /// No line is broken, but the digest in `end` is not that of the lines before it.
    EndDigest,
}

impl fmt::Display for DefectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(error) => write!(f, "{error}"),
            Self::Version(version) => write!(f, "the record has protocol version ASSAY{version}, not {TAG}"),
            Self::MidLine => f.write_str("a record begins in the middle of the line"),
            Self::CutShort => f.write_str("the log ends in the middle of a record"),
            Self::Gap { first, count: 1 } => write!(f, "record {first} is missing before this line"),
            Self::Gap { first, count } => {
                write!(f, "records {first} to {} are missing before this line", first + (count - 1))
            }
            Self::Duplicate { seq } => write!(f, "record {seq} is a copy of an earlier line"),
            Self::OutOfOrder { seq } => write!(f, "record {seq} is out of order"),
            Self::AfterEnd { seq } => write!(f, "record {seq} comes after `end`"),
            Self::EndCount { said, found } => {
                write!(f, "`end` counts {said} records before it, but its sequence number is {found}")
            }
            Self::EndDigest => f.write_str("the digest in `end` does not match the lines before it"),
        }
    }
}
