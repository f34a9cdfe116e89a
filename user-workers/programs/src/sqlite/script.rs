//! The statements that are made on a database, in the manner of SQLite's speedtest1: inserts, ranges, patterns, indices,
//! lookups, updates, deletions, a join, groups. Integers and texts only: the text of a floating-point number differs between
//! versions of SQLite.

use core::ffi::CStr;

use abi::random::mix;

use super::connection::{Connection, Statement, Value};
use crate::worker::digest::fingerprint;

/// The modulus of the keys of the second table: a prime above twice the most rows.
const KEYS: u64 = 4001;

/// The longest text: five words.
const MOST_TEXT: usize = 48;

/// What the statements gave.
#[derive(Clone, Copy, Default)]
pub struct Tally {
    /// The rows that they returned.
    pub rows: u64,
    /// The statements that were run.
    pub statements: u64,
    /// A digest of all columns of those rows, in their order.
    pub digest: u64,
}

impl Tally {
    fn run(&mut self, statement: &mut Statement<'_>) {
        self.statements += 1;
        statement.run(|columns| {
            self.rows += 1;
            for value in columns {
                let print = match value {
                    Value::Null => fingerprint(b""),
                    Value::Integer(integer) => fingerprint(&integer.to_le_bytes()),
                    Value::Text(text) => fingerprint(text),
                };
                self.digest = self.digest.wrapping_mul(31).wrapping_add(print);
            }
        });
    }

    fn run_all(&mut self, connection: &Connection, statements: &[&CStr]) {
        for sql in statements {
            self.run(&mut connection.prepare(sql));
        }
    }
}

/// Makes a database, runs all statements, and drops it.
pub fn run(database: u64, rows: u64) -> Tally {
    let connection = Connection::open();
    let mut tally = Tally::default();
    fill(&connection, &mut tally, database, rows);
    search(&connection, &mut tally, rows);
    change(&connection, &mut tally, rows);
    tally
}

fn fill(connection: &Connection, tally: &mut Tally, database: u64, rows: u64) {
    tally.run_all(
        connection,
        &[
            c"BEGIN",
            c"CREATE TABLE t1(a INTEGER, b INTEGER, c TEXT)",
            c"CREATE TABLE t2(a INTEGER PRIMARY KEY, b INTEGER, c TEXT)",
        ],
    );
    for (table, sql) in
        [c"INSERT INTO t1 VALUES(?1, ?2, ?3)", c"INSERT INTO t2 VALUES(?1, ?2, ?3)"].into_iter().enumerate()
    {
        let mut insert = connection.prepare(sql);
        for row in 1..=rows {
            let number = mix(row ^ database << 32) % (10 * rows);
            let mut text = [0; MOST_TEXT];
            insert.bind_integer(1, if table == 0 { number } else { key(row) } as i64);
            insert.bind_integer(2, (mix(number) % rows) as i64);
            insert.bind_text(3, words(number, &mut text));
            tally.run(&mut insert);
        }
    }
    tally.run_all(connection, &[c"COMMIT"]);
}

fn search(connection: &Connection, tally: &mut Tally, rows: u64) {
    let mut range =
        connection.prepare(c"SELECT count(*), sum(b), sum(length(c)) FROM t1 WHERE b BETWEEN ?1 AND ?2");
    for part in 0..10 {
        range.bind_integer(1, (part * rows / 10) as i64);
        range.bind_integer(2, ((part + 1) * rows / 10) as i64);
        tally.run(&mut range);
    }
    let mut pattern = connection.prepare(c"SELECT count(*), sum(b) FROM t1 WHERE c LIKE ?1");
    for number in 3..8 {
        let mut text = [b'%'; MOST_TEXT + 2];
        let length = words(number, (&mut text[1..=MOST_TEXT]).try_into().expect("as long")).len();
        pattern.bind_text(1, &text[..length + 2]);
        tally.run(&mut pattern);
    }
    tally.run_all(
        connection,
        &[c"BEGIN", c"CREATE INDEX t1b ON t1(b)", c"CREATE INDEX t1c ON t1(c)", c"COMMIT"],
    );
    let mut indexed =
        connection.prepare(c"SELECT count(*), sum(a), max(c) FROM t1 WHERE b BETWEEN ?1 AND ?2");
    for number in 0..rows / 5 {
        let low = mix(number) % rows;
        indexed.bind_integer(1, low as i64);
        indexed.bind_integer(2, low as i64 + 10);
        tally.run(&mut indexed);
    }
    let mut lookup = connection.prepare(c"SELECT a, b, c FROM t2 WHERE a = ?1");
    for number in 0..rows {
        lookup.bind_integer(1, key(1 + mix(number) % rows) as i64);
        tally.run(&mut lookup);
    }
}

fn change(connection: &Connection, tally: &mut Tally, rows: u64) {
    tally.run_all(connection, &[c"BEGIN"]);
    let mut update = connection.prepare(c"UPDATE t1 SET b = b * 3 WHERE b BETWEEN ?1 AND ?2");
    for number in 0..rows as i64 / 5 {
        update.bind_integer(1, 2 * number);
        update.bind_integer(2, 2 * number + 1);
        tally.run(&mut update);
    }
    drop(update);
    tally.run_all(
        connection,
        &[
            c"COMMIT",
            c"BEGIN",
            c"DELETE FROM t2 WHERE a % 3 = 1",
            c"COMMIT",
            c"SELECT t1.b % 10, count(*), sum(t2.b) FROM t1 JOIN t2 ON t2.a = t1.b GROUP BY 1 ORDER BY 1",
            c"SELECT c, count(*) FROM t1 GROUP BY c ORDER BY 2 DESC, 1 LIMIT 20",
            c"SELECT sum(b), count(DISTINCT c) FROM t1",
        ],
    );
}

/// The key of a row of the second table.
fn key(row: u64) -> u64 {
    row * 7919 % KEYS
}

/// Writes a number in words over the beginning of `text`: the digits to base 20, the lowest first.
fn words(mut number: u64, text: &mut [u8; MOST_TEXT]) -> &[u8] {
    const DIGITS: [&[u8]; 20] = [
        b"zero",
        b"one",
        b"two",
        b"three",
        b"four",
        b"five",
        b"six",
        b"seven",
        b"eight",
        b"nine",
        b"ten",
        b"twenty",
        b"thirty",
        b"forty",
        b"fifty",
        b"sixty",
        b"seventy",
        b"hundred",
        b"thousand",
        b"million",
    ];
    let mut length = 0;
    loop {
        let digit = DIGITS[(number % 20) as usize];
        text[length..length + digit.len()].copy_from_slice(digit);
        length += digit.len();
        number /= 20;
        if number == 0 {
            return &text[..length];
        }
        text[length] = b' ';
        length += 1;
    }
}
