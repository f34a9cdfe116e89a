//! SQLite's C interface, as far as the script uses it. Owns all `unsafe` of that.
//!
//! Anything but success is a panic, which is an invalid-opcode fault: the script has no mistake that it could go on after.

use core::ffi::{CStr, c_int};
use core::marker::PhantomData;
use core::{ptr, slice};

use libsqlite3_sys::{self as c, SQLITE_DONE, SQLITE_OK, SQLITE_ROW, SQLITE_TRANSIENT};

/// The smallest block of SQLite's allocator.
const SMALLEST_BYTES: c_int = 64;

/// Gives SQLite its memory: the only memory that it uses.
pub fn start(memory: &mut [u64]) {
    let bytes = c_int::try_from(size_of_val(memory)).expect("less than 2 GiB");
    // SAFETY: SQLITE_CONFIG_HEAP takes an address, a number of bytes and the smallest block. The caller gives the memory up:
    // from now on the program uses it through SQLite alone.
    let set = unsafe { c::sqlite3_config(c::SQLITE_CONFIG_HEAP, memory.as_mut_ptr(), bytes, SMALLEST_BYTES) };
    assert!(set == SQLITE_OK, "before the first use");
    // SAFETY: no arguments, one thread.
    assert!(unsafe { c::sqlite3_initialize() } == SQLITE_OK, "a system without files is enough");
}

/// A database in memory, gone when dropped.
pub struct Connection(*mut c::sqlite3);

impl Connection {
    /// An empty database.
    pub fn open() -> Self {
        let mut connection = ptr::null_mut();
        // SAFETY: a text that a zero ends, and room for the result.
        let opened = unsafe { c::sqlite3_open(c":memory:".as_ptr(), &mut connection) };
        assert!(opened == SQLITE_OK, "the memory is enough");
        Self(connection)
    }

    /// A statement of SQL.
    pub fn prepare(&self, sql: &CStr) -> Statement<'_> {
        let mut statement = ptr::null_mut();
        // SAFETY: an open connection, a text that a zero ends, room for the result, and no interest in what follows.
        let prepared =
            unsafe { c::sqlite3_prepare_v2(self.0, sql.as_ptr(), -1, &mut statement, ptr::null_mut()) };
        assert!(prepared == SQLITE_OK, "a statement that SQLite knows");
        Statement { statement, connection: PhantomData }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // SAFETY: an open connection, all of whose statements are gone: they borrow it.
        assert!(unsafe { c::sqlite3_close(self.0) } == SQLITE_OK, "no statement is left");
    }
}

/// A prepared statement.
pub struct Statement<'c> {
    statement: *mut c::sqlite3_stmt,
    connection: PhantomData<&'c Connection>,
}

/// The value of a column.
pub enum Value<'r> {
    /// No value.
    Null,
    /// An integer.
    Integer(i64),
    /// A text.
    Text(&'r [u8]),
}

impl Statement<'_> {
    /// Sets the parameter of this number, from 1.
    pub fn bind_integer(&mut self, parameter: c_int, value: i64) {
        // SAFETY: a statement that is not being stepped.
        let bound = unsafe { c::sqlite3_bind_int64(self.statement, parameter, value) };
        assert!(bound == SQLITE_OK, "the statement has this parameter");
    }

    /// Sets the parameter of this number to a copy of a text.
    pub fn bind_text(&mut self, parameter: c_int, text: &[u8]) {
        let bytes = text.len() as c_int;
        // SAFETY: as many bytes, which SQLite copies before it returns.
        let bound = unsafe {
            c::sqlite3_bind_text(self.statement, parameter, text.as_ptr().cast(), bytes, SQLITE_TRANSIENT())
        };
        assert!(bound == SQLITE_OK, "the statement has this parameter");
    }

    /// Runs the statement, and hands on each row by its columns.
    pub fn run(&mut self, mut on_row: impl FnMut(&mut dyn Iterator<Item = Value<'_>>)) {
        loop {
            // SAFETY: a statement that was prepared and not finalized.
            match unsafe { c::sqlite3_step(self.statement) } {
                SQLITE_ROW => on_row(&mut self.columns()),
                SQLITE_DONE => break,
                _ => panic!("the memory is enough"),
            }
        }
        // SAFETY: as above.
        assert!(unsafe { c::sqlite3_reset(self.statement) } == SQLITE_OK, "the run succeeded");
    }

    /// The columns of the present row.
    fn columns(&self) -> impl Iterator<Item = Value<'_>> {
        // SAFETY: a statement that was prepared.
        let count = unsafe { c::sqlite3_column_count(self.statement) };
        (0..count).map(|column| self.value(column))
    }

    fn value(&self, column: c_int) -> Value<'_> {
        // SAFETY: a column of the present row.
        match unsafe { c::sqlite3_column_type(self.statement, column) } {
            c::SQLITE_NULL => Value::Null,
            // SAFETY: as above.
            c::SQLITE_INTEGER => Value::Integer(unsafe { c::sqlite3_column_int64(self.statement, column) }),
            _ => {
                // SAFETY: as above.
                let text = unsafe { c::sqlite3_column_text(self.statement, column) };
                assert!(!text.is_null(), "the memory is enough");
                // SAFETY: as above; asked for after the text, so it is the text's.
                let bytes = unsafe { c::sqlite3_column_bytes(self.statement, column) };
                // SAFETY: SQLite keeps as many bytes there until the next step, for which it is borrowed mutably.
                Value::Text(unsafe { slice::from_raw_parts(text, bytes as usize) })
            }
        }
    }
}

impl Drop for Statement<'_> {
    fn drop(&mut self) {
        // SAFETY: prepared, and finalized once.
        unsafe { c::sqlite3_finalize(self.statement) };
    }
}
