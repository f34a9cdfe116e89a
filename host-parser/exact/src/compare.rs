//! The rows of a run, compared with those that are locked.

use std::fmt;

use serde::Serialize;

use crate::lock::LockedRow;
use crate::row::Row;

/// What is not as the lock says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Difference {
    /// Another count.
    Count {
        /// The row.
        row: String,
        /// What is locked, in instructions.
        locked: u64,
        /// What was counted.
        counted: u64,
        /// How far it may be from that, per million.
        tolerance_ppm: u64,
    },
    /// The count of a row that is compared exactly varies within the run.
    Unsteady {
        /// The row.
        row: String,
        /// The least sample.
        least: u64,
        /// The median.
        median: u64,
    },
    /// A goal is missed.
    Goal {
        /// The row.
        row: String,
        /// The goal.
        at_most: u64,
        /// What was counted.
        counted: u64,
    },
    /// A locked row was not counted.
    Missing {
        /// The row.
        row: String,
        /// What is locked.
        locked: u64,
    },
    /// A row is not in the lock.
    New {
        /// The row.
        row: String,
        /// What was counted.
        counted: u64,
    },
}

impl Difference {
    /// The row that it is of.
    #[must_use]
    pub fn row(&self) -> &str {
        match self {
            Self::Count { row, .. }
            | Self::Unsteady { row, .. }
            | Self::Goal { row, .. }
            | Self::Missing { row, .. }
            | Self::New { row, .. } => row,
        }
    }

    /// Its kind in a word.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Count { .. } => "count",
            Self::Unsteady { .. } => "unsteady",
            Self::Goal { .. } => "goal",
            Self::Missing { .. } => "missing",
            Self::New { .. } => "new",
        }
    }
}

/// Compares what was counted with what is locked. More and fewer instructions are both a difference: a lock that is not
/// tightened after an improvement would hide the next regression.
#[must_use]
pub fn compare(locked: &[LockedRow], counted: &[Row]) -> Vec<Difference> {
    let mut differences = Vec::new();
    for lock in locked {
        match counted.iter().find(|row| row.name == lock.name) {
            Some(row) => compare_row(lock, row, &mut differences),
            None => {
                differences.push(Difference::Missing { row: lock.name.clone(), locked: lock.instructions });
            }
        }
    }
    for row in counted.iter().filter(|row| !locked.iter().any(|lock| lock.name == row.name)) {
        differences.push(Difference::New { row: row.name.clone(), counted: row.least() });
    }
    differences
}

fn compare_row(lock: &LockedRow, row: &Row, differences: &mut Vec<Difference>) {
    let (name, counted) = (&lock.name, row.least());
    if lock.tolerance_ppm == 0 && !row.is_steady() {
        let median = row.median();
        differences.push(Difference::Unsteady { row: name.clone(), least: counted, median });
    }
    let LockedRow { instructions: locked, tolerance_ppm, .. } = *lock;
    let allowed = u128::from(locked) * u128::from(tolerance_ppm) / 1_000_000;
    if u128::from(counted.abs_diff(locked)) > allowed {
        differences.push(Difference::Count { row: name.clone(), locked, counted, tolerance_ppm });
    }
    if let Some(at_most) = lock.at_most.filter(|&at_most| counted > at_most) {
        differences.push(Difference::Goal { row: name.clone(), at_most, counted });
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { row, locked, counted, tolerance_ppm } => {
                let (sign, by) =
                    if counted > locked { ('+', counted - locked) } else { ('-', locked - counted) };
                write!(f, "{row}: {locked} in the lock, {counted} counted: {sign}{by}")?;
                match tolerance_ppm {
                    0 => Ok(()),
                    ppm => write!(f, ", more than {ppm} ppm"),
                }
            }
            Self::Unsteady { row, least, median } => {
                write!(
                    f,
                    "{row}: varies within the run, from {least} to {median} in the median; locked exactly"
                )
            }
            Self::Goal { row, at_most, counted } => {
                write!(f, "{row}: {counted} counted, the goal is {at_most}")
            }
            Self::Missing { row, locked } => write!(f, "{row}: {locked} in the lock, not counted"),
            Self::New { row, counted } => write!(f, "{row}: not in the lock, {counted} counted"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(instructions: u64, tolerance_ppm: u64) -> LockedRow {
        LockedRow { name: "a".to_owned(), instructions, tolerance_ppm, at_most: None, span: None }
    }

    fn counted(samples: &[u64]) -> Vec<Row> {
        Row::new("a", samples.to_vec()).into_iter().collect()
    }

    #[test]
    fn one_instruction_more_or_less_is_a_difference() {
        assert_eq!(compare(&[locked(1_000, 0)], &counted(&[1_000])), []);
        for (count, sign) in [(1_001, "+1"), (999, "-1")] {
            let [difference] = &compare(&[locked(1_000, 0)], &counted(&[count]))[..] else { panic!() };
            assert_eq!(difference.to_string(), format!("a: 1000 in the lock, {count} counted: {sign}"));
        }
    }

    #[test]
    fn a_row_that_varies_needs_a_tolerance() {
        let varies = counted(&[1_000, 1_003]);
        let [Difference::Unsteady { .. }] = compare(&[locked(1_000, 0)], &varies)[..] else { panic!() };
        assert_eq!(compare(&[locked(1_000, 500)], &varies), []);
        assert_eq!(compare(&[locked(2_000, 500)], &counted(&[2_001])), []);
        let [Difference::Count { .. }] = compare(&[locked(2_000, 500)], &counted(&[2_002]))[..] else {
            panic!()
        };
    }

    #[test]
    fn a_goal_holds_whatever_is_recorded() {
        let lock = LockedRow { at_most: Some(900), ..locked(1_000, 0) };
        let [Difference::Goal { at_most: 900, counted: 1_000, .. }] =
            compare(&[lock], &counted(&[1_000]))[..]
        else {
            panic!()
        };
    }

    #[test]
    fn a_row_on_one_side_only_is_a_difference() {
        assert!(matches!(compare(&[locked(1, 0)], &[])[..], [Difference::Missing { locked: 1, .. }]));
        assert!(matches!(compare(&[], &counted(&[2]))[..], [Difference::New { counted: 2, .. }]));
    }
}
