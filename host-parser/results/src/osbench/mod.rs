//! Benchmarks of operating systems that people know, and which rows here measure what they measure.
//!
//! Owns the list, and the figures of a session in its order. Nothing is translated by a shim: a benchmark whose operation does
//! not exist here is `not_applicable`, and says why. No figure stands for several benchmarks, or for all of a suite.

mod figures;
mod lmbench;
mod others;
mod unixbench;

use std::fmt;

use abi::series::SeriesRow;

pub use figures::{BenchmarkFigures, PlaceFigures, SystemFigure, figures};

/// A set of benchmarks.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Suite {
    /// lmbench 3.
    Lmbench,
    /// UnixBench 5.1.
    UnixBench,
    /// The eight micro-benchmarks of Kevlar.
    Kevlar,
    /// `perf bench` of Linux.
    PerfBench,
    /// will-it-scale.
    WillItScale,
}

impl Suite {
    /// All of them, in the order of the list.
    pub const ALL: [Self; 5] =
        [Self::Lmbench, Self::UnixBench, Self::Kevlar, Self::PerfBench, Self::WillItScale];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lmbench => "lmbench",
            Self::UnixBench => "UnixBench",
            Self::Kevlar => "Kevlar",
            Self::PerfBench => "perf bench",
            Self::WillItScale => "will-it-scale",
        }
    }

    /// Its benchmarks.
    #[must_use]
    pub const fn benchmarks(self) -> &'static [Benchmark] {
        match self {
            Self::Lmbench => lmbench::ALL,
            Self::UnixBench => unixbench::ALL,
            Self::Kevlar => others::KEVLAR,
            Self::PerfBench => others::PERF_BENCH,
            Self::WillItScale => others::WILL_IT_SCALE,
        }
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What measures a benchmark's operation here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mapping {
    /// Rows, each with all of its arguments.
    Rows(&'static [SeriesRow]),
    /// A row with one argument.
    Place(SeriesRow, u64),
    /// Nothing.
    NotApplicable,
}

impl Mapping {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rows(_) | Self::Place(..) => "translated",
            Self::NotApplicable => "not_applicable",
        }
    }

    /// The rows; none if there is none.
    #[must_use]
    pub fn rows(self) -> Vec<SeriesRow> {
        match self {
            Self::Rows(rows) => rows.to_vec(),
            Self::Place(row, _) => vec![row],
            Self::NotApplicable => Vec::new(),
        }
    }

    /// Whether a series of a row with this argument is one of them.
    #[must_use]
    pub fn has(self, row: SeriesRow, arg: u64) -> bool {
        match self {
            Self::Rows(rows) => rows.contains(&row),
            Self::Place(of, with) => (of, with) == (row, arg),
            Self::NotApplicable => false,
        }
    }
}

/// A benchmark.
#[derive(Clone, Copy, Debug)]
pub struct Benchmark {
    /// Its name in its suite.
    pub name: &'static str,
    /// What it times.
    pub times: &'static str,
    /// What measures that here.
    pub mapping: Mapping,
    /// How the row differs from it, or why there is none.
    pub note: &'static str,
}

/// One that rows here measure.
const fn translated(
    name: &'static str,
    times: &'static str,
    rows: &'static [SeriesRow],
    note: &'static str,
) -> Benchmark {
    Benchmark { name, times, mapping: Mapping::Rows(rows), note }
}

/// One that a row measures with one argument.
const fn at(
    name: &'static str,
    times: &'static str,
    (row, arg): (SeriesRow, u64),
    note: &'static str,
) -> Benchmark {
    Benchmark { name, times, mapping: Mapping::Place(row, arg), note }
}

/// One that nothing measures.
const fn not_applicable(name: &'static str, times: &'static str, note: &'static str) -> Benchmark {
    Benchmark { name, times, mapping: Mapping::NotApplicable, note }
}

#[cfg(test)]
mod tests {
    use abi::series::Tier;
    use abi::series::place::{Places, is_on_linux};

    use super::*;

    fn all() -> impl Iterator<Item = &'static Benchmark> {
        Suite::ALL.into_iter().flat_map(Suite::benchmarks)
    }

    #[test]
    fn each_benchmark_stands_once_in_its_suite_with_what_it_times_and_a_note() {
        for suite in Suite::ALL {
            let names: Vec<_> = suite.benchmarks().iter().map(|of| of.name).collect();
            for (i, name) in names.iter().enumerate() {
                assert!(!names[..i].contains(name), "{suite}: {name} twice");
            }
        }
        assert!(all().all(|of| !of.times.is_empty() && !of.note.is_empty()));
        assert_eq!(Suite::Kevlar.benchmarks().len(), 8);
    }

    #[test]
    fn a_translated_benchmark_has_rows_that_exist_and_that_linux_has_too() {
        for of in all() {
            let rows = of.mapping.rows();
            assert_eq!(rows.is_empty(), of.mapping == Mapping::NotApplicable, "{}", of.name);
            for row in rows {
                assert!(row.spec().not_on_linux.is_empty(), "{}: {row} has no twin", of.name);
            }
            if let Mapping::Place(row, arg) = of.mapping {
                assert!(
                    Places::of(row).has_argument(arg, 4) && is_on_linux(row, arg),
                    "{}: {row} {arg}",
                    of.name
                );
            }
        }
    }

    #[test]
    fn most_rows_of_the_mechanisms_that_linux_has_stand_for_a_benchmark() {
        let used: Vec<_> = all().flat_map(|of| of.mapping.rows()).collect();
        let unused: Vec<_> = SeriesRow::of_tier(Tier::Mechanism)
            .filter(|row| row.spec().not_on_linux.is_empty() && !used.contains(row))
            .collect();
        let without = [
            SeriesRow::OverheadStub,
            SeriesRow::RefusedNumber,
            SeriesRow::CapOk,
            SeriesRow::CapRefused,
            SeriesRow::SpawnRefused,
            SeriesRow::FaultServed,
            SeriesRow::Map,
            SeriesRow::Protect,
            SeriesRow::Unmap,
            SeriesRow::RingNop,
        ];
        // A row that is added is looked at here.
        assert_eq!(unused, without);
    }
}
