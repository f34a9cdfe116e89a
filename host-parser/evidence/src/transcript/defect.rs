//! What can be wrong with a stream of records.

use std::fmt;

use abi::wire::LineError;
use abi::wire::line::TAG;

/// One defect, and the line that shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Defect {
    /// The line of the log, from 1.
    pub line: u64,
    /// The kind of defect.
    pub kind: DefectKind,
}

/// The ways in which a line, or its place, can be wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DefectKind {
    /// A line with the tag that is no record.
    Corrupt(LineError),
    /// A line with the tag of another protocol version.
    Version(u32),
    /// A whole record that begins in the middle of a line, so that other text broke in. (Before the first record of
    /// a boot this is no defect: firmware need not end its last line.)
    MidLine,
    /// The log ends in the middle of a record.
    CutShort,
    /// Records that are nowhere in the boot, and no corrupt line at the same place accounts for them.
    Gap {
        /// The number of the first of them.
        first: u32,
        /// How many there are.
        count: u32,
    },
    /// A record that is there a second time, byte for byte.
    Duplicate {
        /// Its number.
        seq: u32,
    },
    /// A record after one of a higher number, or with the number of a different record.
    OutOfOrder {
        /// Its number.
        seq: u32,
    },
    /// A record after `end`.
    AfterEnd {
        /// Its number.
        seq: u32,
    },
    /// `end` counts another number of records before it than its own number says.
    EndCount {
        /// What it says.
        said: u32,
        /// What there is.
        found: u32,
    },
    /// No line is broken, and yet the digest in `end` is not that of the lines before it.
    EndDigest,
}

impl fmt::Display for DefectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Corrupt(error) => write!(f, "{error}"),
            Self::Version(version) => write!(f, "a record of protocol ASSAY{version}, not {TAG}"),
            Self::MidLine => f.write_str("a record begins in the middle of the line"),
            Self::CutShort => f.write_str("the log ends in the middle of a record"),
            Self::Gap { first, count: 1 } => write!(f, "record {first} is missing before this line"),
            Self::Gap { first, count } => {
                write!(f, "records {first} to {} are missing before this line", first + (count - 1))
            }
            Self::Duplicate { seq } => write!(f, "record {seq} is here a second time"),
            Self::OutOfOrder { seq } => write!(f, "record {seq} is out of order"),
            Self::AfterEnd { seq } => write!(f, "record {seq} comes after `end`"),
            Self::EndCount { said, found } => {
                write!(f, "`end` counts {said} records before it, its own number says {found}")
            }
            Self::EndDigest => f.write_str("the digest in `end` is not that of the lines before it"),
        }
    }
}
