//! `sqlite`: the same statements without a database. Tables are lists, every search looks at every row, and there is no index,
//! no transaction and no SQL. Integers and texts only.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use abi::random::mix;

use crate::digest::{bind, fingerprint};
use crate::kept::Kept;
use crate::{Expectation, Needs, Task, Units};

/// The most rows of a database, and of all of a whole: some tens of milliseconds.
const MOST_ROWS: u64 = 1000;
const MOST_ROWS_OF_ALL: u64 = 8000;

/// The modulus of the keys of the second table.
const KEYS: u64 = 4001;

/// The memory of the program: a database of most rows, and SQLite's own.
const MEMORY_BYTES: u64 = 4 << 20;

/// The results of databases.
static DATABASES: Kept<(u64, u64), Tally> = Kept::new(4096);

crate::parameters! {
    /// Databases in memory, and statements on them.
    pub struct Sqlite {
        /// The first database.
        first: {
            key: "first-database",
            expected: "a whole number below 4294967296",
            fits: |whole| whole.first < 1 << 32,
        },
        /// The end of the databases, itself not one.
        end: {
            key: "end-database",
            expected: "a whole number above the first database, so that all databases together have at most 8000 rows",
            fits: |whole| whole.first < whole.end
                && (whole.end - whole.first).saturating_mul(whole.rows) <= MOST_ROWS_OF_ALL,
        },
        /// The rows that each of the two tables of a database begins with.
        rows: {
            key: "rows",
            expected: "a whole number of at least 1 and at most 1000",
            fits: |whole| (1..=MOST_ROWS).contains(&whole.rows),
        },
    }
}

impl Task for Sqlite {
    const NAME: &'static str = "sqlite";

    const UNITS: Units = Units { answer: "rows returned", work: "statements" };

    const NEEDS: Needs = Needs { prepare: true, ..Needs::NONE };

    fn example() -> Self {
        Self { first: 1, end: 18, rows: 60 }
    }

    fn expectation(&self, challenge: u64) -> Expectation {
        let rows = self.rows.clamp(1, MOST_ROWS);
        let end = self.end.min(self.first.saturating_add(MOST_ROWS_OF_ALL / rows));
        let of_database = |database| {
            let Tally { rows, statements, digest } =
                DATABASES.get((database, rows), || Database::new(database, rows).run());
            Expectation { answer: rows, work: statements, digest: bind(mix(digest), challenge) }
        };
        (self.first..end).map(of_database).sum()
    }

    fn memory_bytes(&self) -> u64 {
        MEMORY_BYTES
    }
}

/// What the statements on a database gave.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Tally {
    rows: u64,
    statements: u64,
    digest: u64,
}

impl Tally {
    /// A statement that returns one row. No value is an empty column.
    fn row(&mut self, columns: &[Option<Column>]) {
        self.statements += 1;
        self.further_row(columns);
    }

    /// A further row of the same statement.
    fn further_row(&mut self, columns: &[Option<Column>]) {
        self.rows += 1;
        for column in columns {
            let print = match column {
                None => fingerprint(&[]),
                Some(Column::Integer(integer)) => fingerprint(&integer.to_le_bytes()),
                Some(Column::Text(text)) => fingerprint(text.as_bytes()),
            };
            self.digest = self.digest.wrapping_mul(31).wrapping_add(print);
        }
    }

    /// Statements that return nothing.
    const fn silent(&mut self, statements: u64) {
        self.statements += statements;
    }
}

/// The value of a column.
enum Column {
    Integer(u64),
    Text(String),
}

fn integer(value: u64) -> Option<Column> {
    Some(Column::Integer(value))
}

fn text(value: &str) -> Option<Column> {
    Some(Column::Text(value.to_owned()))
}

/// The sum of a column; no value if there are no rows.
fn sum(values: impl Iterator<Item = u64>) -> Option<Column> {
    values.reduce(|sum, value| sum + value).map(Column::Integer)
}

/// A row of the first table.
struct Row {
    a: u64,
    b: u64,
    c: String,
}

/// Both tables.
struct Database {
    rows: u64,
    first: Vec<Row>,
    /// By `a`, the key.
    second: BTreeMap<u64, (u64, String)>,
}

impl Database {
    fn new(database: u64, rows: u64) -> Self {
        let number = |row: u64| mix(row ^ database << 32) % (10 * rows);
        let numbers = || (1..=rows).map(|row| (row, number(row)));
        let first = numbers().map(|(_, a)| Row { a, b: mix(a) % rows, c: words(a) }).collect();
        let second = numbers().map(|(row, a)| (key(row), (mix(a) % rows, words(a)))).collect();
        Self { rows, first, second }
    }

    fn run(mut self) -> Tally {
        let mut tally = Tally::default();
        // Two tables in a transaction.
        tally.silent(4 + 2 * self.rows);
        self.search(&mut tally);
        self.update(&mut tally);
        self.delete(&mut tally);
        self.group(&mut tally);
        tally
    }

    fn search(&self, tally: &mut Tally) {
        for part in 0..10 {
            let found = self.between(part * self.rows / 10, (part + 1) * self.rows / 10);
            let lengths = found.iter().map(|row| row.c.len() as u64);
            let b = sum(found.iter().map(|row| row.b));
            tally.row(&[integer(found.len() as u64), b, sum(lengths)]);
        }
        for digit in &DIGITS[3..8] {
            let found = || self.first.iter().filter(|row| row.c.contains(digit));
            tally.row(&[integer(found().count() as u64), sum(found().map(|row| row.b))]);
        }
        // Two indices in a transaction.
        tally.silent(4);
        for number in 0..self.rows / 5 {
            let low = mix(number) % self.rows;
            let found = self.between(low, low + 10);
            let largest = found.iter().map(|row| row.c.as_str()).max();
            let a = sum(found.iter().map(|row| row.a));
            tally.row(&[integer(found.len() as u64), a, largest.and_then(text)]);
        }
        for number in 0..self.rows {
            let key = key(1 + mix(number) % self.rows);
            let (b, c) = &self.second[&key];
            tally.row(&[integer(key), integer(*b), text(c)]);
        }
    }

    /// The rows of the first table with `b` from `low` to `high`.
    fn between(&self, low: u64, high: u64) -> Vec<&Row> {
        self.first.iter().filter(|row| (low..=high).contains(&row.b)).collect()
    }

    fn update(&mut self, tally: &mut Tally) {
        let updates = self.rows / 5;
        for number in 0..updates {
            for row in &mut self.first {
                if row.b / 2 == number {
                    row.b *= 3;
                }
            }
        }
        tally.silent(2 + updates);
    }

    fn delete(&mut self, tally: &mut Tally) {
        self.second.retain(|a, _| a % 3 != 1);
        tally.silent(3);
    }

    fn group(&self, tally: &mut Tally) {
        let mut joined: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
        let mut of_text: BTreeMap<&str, u64> = BTreeMap::new();
        for row in &self.first {
            if let Some((b, _)) = self.second.get(&row.b) {
                let (count, sum) = joined.entry(row.b % 10).or_default();
                (*count, *sum) = (*count + 1, *sum + b);
            }
            *of_text.entry(&row.c).or_default() += 1;
        }
        for (digit, (count, sum)) in joined {
            tally.further_row(&[integer(digit), integer(count), integer(sum)]);
        }
        let texts = of_text.len() as u64;
        let most: BTreeSet<_> = of_text.into_iter().map(|(text, count)| (Reverse(count), text)).collect();
        for (Reverse(count), c) in most.into_iter().take(20) {
            tally.further_row(&[text(c), integer(count)]);
        }
        tally.silent(2);
        tally.row(&[sum(self.first.iter().map(|row| row.b)), integer(texts)]);
    }
}

/// The key of a row of the second table. Each has another, since the modulus is a prime above the number of rows.
const fn key(row: u64) -> u64 {
    row * 7919 % KEYS
}

const DIGITS: [&str; 20] = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "twenty",
    "thirty", "forty", "fifty", "sixty", "seventy", "hundred", "thousand", "million",
];

/// A number in words: its digits to base 20, the lowest first.
fn words(number: u64) -> String {
    let quotients = std::iter::successors(Some(number), |number| Some(number / 20).filter(|&rest| rest > 0));
    let digits = quotients.map(|number| DIGITS[usize::try_from(number % 20).unwrap_or_default()]);
    digits.collect::<Vec<_>>().join(" ")
}
