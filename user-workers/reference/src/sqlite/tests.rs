//! The reference against SQLite itself as another build has it: threads, its own options, the host's C library. The program
//! runs in `tests/splits.rs`.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params};

use super::*;

/// Runs a statement, and counts what it returns as the program does.
fn run(connection: &Connection, tally: &mut Tally, sql: &str, params: impl Params) {
    let mut statement = connection.prepare(sql).unwrap();
    let columns = statement.column_count();
    let mut rows = statement.query(params).unwrap();
    tally.silent(1);
    while let Some(row) = rows.next().unwrap() {
        let value = |column| match row.get_ref(column).unwrap() {
            ValueRef::Null => None,
            ValueRef::Integer(value) => integer(u64::try_from(value).unwrap()),
            ValueRef::Text(value) => text(std::str::from_utf8(value).unwrap()),
            other => panic!("{other:?}"),
        };
        tally.further_row(&(0..columns).map(value).collect::<Vec<_>>());
    }
}

/// The statements of the program, in its order.
fn by_sqlite(database: u64, rows: u64) -> Tally {
    let (connection, mut tally) = (Connection::open_in_memory().unwrap(), Tally::default());
    let signed = |number: u64| i64::try_from(number).unwrap();
    let mut run = |sql: &str, integers: &[u64]| {
        let integers: Vec<i64> = integers.iter().copied().map(signed).collect();
        run(&connection, &mut tally, sql, rusqlite::params_from_iter(integers));
    };
    let all = |run: &mut dyn FnMut(&str, &[u64]), statements: &[&str]| {
        statements.iter().for_each(|sql| run(sql, &[]));
    };
    all(
        &mut run,
        &[
            "BEGIN",
            "CREATE TABLE t1(a INTEGER, b INTEGER, c TEXT)",
            "CREATE TABLE t2(a INTEGER PRIMARY KEY, b INTEGER, c TEXT)",
        ],
    );
    for table in ["t1", "t2"] {
        for row in 1..=rows {
            let number = mix(row ^ database << 32) % (10 * rows);
            let a = if table == "t1" { number } else { key(row) };
            let sql = format!("INSERT INTO {table} VALUES({a}, {}, '{}')", mix(number) % rows, words(number));
            run(&sql, &[]);
        }
    }
    run("COMMIT", &[]);
    for part in 0..10 {
        let range = [part * rows / 10, (part + 1) * rows / 10];
        run("SELECT count(*), sum(b), sum(length(c)) FROM t1 WHERE b BETWEEN ?1 AND ?2", &range);
    }
    for number in 3..8 {
        run(&format!("SELECT count(*), sum(b) FROM t1 WHERE c LIKE '%{}%'", words(number)), &[]);
    }
    all(&mut run, &["BEGIN", "CREATE INDEX t1b ON t1(b)", "CREATE INDEX t1c ON t1(c)", "COMMIT"]);
    for number in 0..rows / 5 {
        let low = mix(number) % rows;
        run("SELECT count(*), sum(a), max(c) FROM t1 WHERE b BETWEEN ?1 AND ?2", &[low, low + 10]);
    }
    for number in 0..rows {
        run("SELECT a, b, c FROM t2 WHERE a = ?1", &[key(1 + mix(number) % rows)]);
    }
    run("BEGIN", &[]);
    for number in 0..rows / 5 {
        run("UPDATE t1 SET b = b * 3 WHERE b BETWEEN ?1 AND ?2", &[2 * number, 2 * number + 1]);
    }
    all(
        &mut run,
        &[
            "COMMIT",
            "BEGIN",
            "DELETE FROM t2 WHERE a % 3 = 1",
            "COMMIT",
            "SELECT t1.b % 10, count(*), sum(t2.b) FROM t1 JOIN t2 ON t2.a = t1.b GROUP BY 1 ORDER BY 1",
            "SELECT c, count(*) FROM t1 GROUP BY c ORDER BY 2 DESC, 1 LIMIT 20",
            "SELECT sum(b), count(DISTINCT c) FROM t1",
        ],
    );
    tally
}

#[test]
fn agrees_with_sqlite() {
    for (database, rows) in [(0, 1), (1, 4), (2, 5), (3, 60), (4, 333), (5, 1000)] {
        let expected = Database::new(database, rows).run();
        assert_eq!(by_sqlite(database, rows), expected, "database {database} of {rows} rows");
        assert!(expected.rows > rows, "rows are returned");
    }
}

#[test]
fn no_two_rows_of_a_table_have_one_key() {
    let keys: BTreeSet<_> = (1..=MOST_ROWS).map(key).collect();
    assert_eq!(keys.len() as u64, MOST_ROWS);
}

#[test]
fn numbers_are_words_from_the_lowest_digit_on() {
    assert_eq!([0, 19, 20, 9_999].map(words), ["zero", "million", "zero one", "million million four one"]);
}
