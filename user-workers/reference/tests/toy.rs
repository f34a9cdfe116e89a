//! That the contract is open: a workload with other parameters and another unit, in a registry of its own, goes the way
//! of those that are shipped. It needs nothing that a workload in this package would not have.

use abi::random::mix;
use abi::sweep::bounds;
use workloads::laws::assert_laws;
use workloads::{BadParameter, Expectation, Slowed, Table, Task, Units, Workload, parameters, workloads};

parameters! {
    /// Finding the cells of a grid whose row and column share no bit.
    pub struct Grid {
        /// The first row.
        first_row: {
            key: "first-row",
            expected: "a whole number below 1000",
            fits: |whole| whole.first_row < 1000,
        },
        /// The end of the rows, itself not one.
        end_row: {
            key: "end-row",
            expected: "a whole number above the first row and at most 1000",
            fits: |whole| whole.first_row < whole.end_row && whole.end_row <= 1000,
        },
        /// The number of columns.
        columns: {
            key: "columns",
            expected: "a whole number of at least 1 and at most 64",
            fits: |whole| (1..=64).contains(&whole.columns),
        },
    }
}

impl Task for Grid {
    const NAME: &'static str = "grid";
    const UNITS: Units = Units { answer: "cells", work: "comparisons" };
    const SLOWED: &'static [Slowed] = &[Slowed { program: "grid-slowed-3", percent: 3 }];

    fn example() -> Self {
        Self { first_row: 5, end_row: 77, columns: 12 }
    }

    fn expectation(&self, challenge: u64) -> Expectation {
        let (rows, columns) = (self.first_row.min(1000)..self.end_row.min(1000), 0..self.columns.min(64));
        let cells = rows.flat_map(|row| columns.clone().map(move |column| (row, column)));
        let of_cell = |(row, column): (u64, u64)| {
            let apart = row & column == 0;
            let digest = if apart { mix((row << 32 | column) ^ challenge) } else { 0 };
            Expectation { answer: apart.into(), work: 1, digest }
        };
        cells.map(of_cell).sum()
    }

    fn split(&self, workers: u16, _: Expectation) -> Vec<Self> {
        // Any words can be a grid: rows past the limit do not exist.
        let (first, end) = (self.first_row.min(1000), self.end_row.min(1000));
        let row = |worker: u16| match worker {
            0 => self.first_row,
            last if last == workers => self.end_row,
            _ => first + end.saturating_sub(first) * u64::from(worker) / u64::from(workers),
        };
        (0..workers).map(|i| Self { first_row: row(i), end_row: row(i + 1), ..*self }).collect()
    }

    fn join(parts: &[Self]) -> Option<Self> {
        let adjacent = parts.windows(2).all(|pair| pair[0].end_row == pair[1].first_row);
        let (first, last) = (*parts.first()?, parts.last()?);
        let alike = parts.iter().all(|part| part.columns == first.columns && part.first_row <= part.end_row);
        (adjacent && alike).then_some(Self { end_row: last.end_row, ..first })
    }
}

parameters! {
    /// Counting numbers, wrongly: its split leaves out the first of every part but one.
    pub struct Gap {
        /// The first number.
        first: { key: "first", expected: "a whole number below 1000", fits: |whole| whole.first < 1000 },
        /// The end of the numbers.
        end: { key: "end", expected: "a whole number below 1000", fits: |whole| whole.end < 1000 },
    }
}

impl Task for Gap {
    const NAME: &'static str = "gap";
    const UNITS: Units = Units { answer: "numbers", work: "steps" };

    fn example() -> Self {
        Self { first: 3, end: 90 }
    }

    fn expectation(&self, _: u64) -> Expectation {
        let numbers = self.end.saturating_sub(self.first);
        Expectation { answer: numbers, work: numbers, digest: 0 }
    }

    fn split(&self, workers: u16, _: Expectation) -> Vec<Self> {
        let middle = self.first.midpoint(self.end);
        let parts = (0..workers).map(|worker| match worker {
            0 if workers == 1 => *self,
            0 => Self { end: middle, ..*self },
            1 => Self { first: middle + 1, ..*self },
            _ => Self { first: self.end, ..*self },
        });
        parts.collect()
    }

    fn join(parts: &[Self]) -> Option<Self> {
        Some(Self { end: parts.last()?.end, ..*parts.first()? })
    }
}

workloads! {
    /// The workloads of this test.
    static TOYS;

    Grid, failed by "control-grid-lazy" "control-grid-late";
    Gap;
}

fn grid() -> &'static dyn Workload {
    TOYS.by_name("grid").expect("it is registered")
}

#[test]
fn a_manifests_table_becomes_words_and_every_misfit_is_named() {
    let good = Table::from([("first-row", 2), ("end-row", 50), ("columns", 7)]);
    assert_eq!(grid().read_table(&good), Ok([2, 50, 7, 0]));
    let with = |key, value| {
        let mut table = good.clone();
        table.insert(key, value);
        grid().read_table(&table).unwrap_err()
    };
    let bad = |key: &str, expected: &str| vec![BadParameter { key: key.into(), expected: expected.into() }];
    assert_eq!(with("columns", 65), bad("columns", "a whole number of at least 1 and at most 64"));
    assert_eq!(with("first-row", -1), bad("first-row", "a whole number below 1000"));
    assert_eq!(with("end-row", 2), bad("end-row", "a whole number above the first row and at most 1000"));
    let unknown = with("row", 1);
    assert_eq!(unknown, bad("row", "a parameter of this program: first-row, end-row, columns"));
    let absent = grid().read_table(&Table::from([("columns", 7)])).unwrap_err();
    assert_eq!(absent.iter().map(|bad| bad.key.as_str()).collect::<Vec<_>>(), ["first-row", "end-row"]);
}

#[test]
fn a_whole_is_split_answered_and_joined() {
    // Of rows 1, 2 and 3 and columns 0 and 1, all but (1, 1) and (3, 1) share no bit.
    assert_eq!(grid().expectation([1, 4, 2, 0], 0).answer, 4);
    assert_eq!((grid().units().answer, grid().expectation([1, 4, 2, 0], 0).work), ("cells", 6));
    let whole = [10, 100, 9, 0];
    let parts = grid().split(whole, 4);
    assert_eq!(parts, [[10, 32, 9, 0], [32, 55, 9, 0], [55, 77, 9, 0], [77, 100, 9, 0]]);
    assert_eq!(grid().join(&parts), Some(whole));
    let sum: Expectation = parts.iter().map(|&part| grid().expectation(part, 3)).sum();
    assert_eq!(sum, grid().expectation(whole, 3));
    assert_eq!(grid().join(&[[10, 32, 9, 0], [32, 100, 8, 0]]), None);
}

#[test]
fn a_sweep_finds_its_cut_points() {
    let points = grid().cut_points([0, 900, 9, 0]).unwrap();
    assert_eq!(bounds(&points, 2, 1), Some((450, 900)));
}

#[test]
fn its_controls_share_its_task_and_its_slowed_build_is_a_program() {
    let names: Vec<_> = TOYS.all().map(Workload::name).collect();
    assert_eq!(names, ["grid", "gap", "control-grid-lazy", "control-grid-late"]);
    let control = TOYS.by_name("control-grid-late").unwrap();
    assert_eq!((control.control_of(), grid().control_of()), (Some("grid"), None));
    assert_eq!(control.expectation(grid().example(), 3), grid().expectation(grid().example(), 3));
    assert!(TOYS.programs().eq(names.into_iter().chain(["grid-slowed-3"])));
}

#[test]
fn it_keeps_the_laws() {
    for workload in TOYS.all().filter(|workload| workload.name() != "gap") {
        assert_laws(workload, workload.example());
    }
}

#[test]
#[should_panic(expected = "the results of 2 parts add up")]
fn the_laws_find_a_gap() {
    let gap = TOYS.by_name("gap").unwrap();
    assert_laws(gap, gap.example());
}
