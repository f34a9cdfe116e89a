//! What SQLite asks of a system and of the C library: nine functions on text and numbers, and a file system without files.
//!
//! Owns the functions that its C code calls by name, besides those in `mem.s`. There are no files: databases, journals and
//! sorters are in memory (`SQLITE_TEMP_STORE=3`). Time stands still and random numbers repeat, so that each run is the same.

use core::cell::UnsafeCell;
use core::ffi::{c_char, c_int};
use core::ptr;

use libsqlite3_sys::{
    SQLITE_CANTOPEN, SQLITE_IOERR, SQLITE_OK, sqlite3_file, sqlite3_filename, sqlite3_vfs,
    sqlite3_vfs_register,
};

/// A system in SQLite's sense, which SQLite links into its list of them.
struct System(UnsafeCell<sqlite3_vfs>);

// SAFETY: a worker is one thread.
unsafe impl Sync for System {}

static SYSTEM: System = System(UnsafeCell::new(sqlite3_vfs {
    iVersion: 1,
    szOsFile: size_of::<sqlite3_file>() as c_int,
    mxPathname: 64,
    pNext: ptr::null_mut(),
    zName: c"none".as_ptr(),
    pAppData: ptr::null_mut(),
    xOpen: Some(open),
    xDelete: Some(delete),
    xAccess: Some(access),
    xFullPathname: Some(full_path),
    xDlOpen: None,
    xDlError: None,
    xDlSym: None,
    xDlClose: None,
    xRandomness: Some(randomness),
    xSleep: Some(sleep),
    xCurrentTime: Some(time),
    xGetLastError: None,
    xCurrentTimeInt64: None,
    xSetSystemCall: None,
    xGetSystemCall: None,
    xNextSystemCall: None,
}));

/// SQLite calls this first.
#[unsafe(no_mangle)]
extern "C" fn sqlite3_os_init() -> c_int {
    // SAFETY: it keeps the address of a `static`, which nothing else uses.
    unsafe { sqlite3_vfs_register(SYSTEM.0.get(), 1) }
}

/// SQLite calls this last.
#[unsafe(no_mangle)]
extern "C" fn sqlite3_os_end() -> c_int {
    SQLITE_OK
}

extern "C" fn open(
    _: *mut sqlite3_vfs,
    _: sqlite3_filename,
    _: *mut sqlite3_file,
    _: c_int,
    _: *mut c_int,
) -> c_int {
    SQLITE_CANTOPEN
}

extern "C" fn delete(_: *mut sqlite3_vfs, _: *const c_char, _: c_int) -> c_int {
    SQLITE_IOERR
}

extern "C" fn access(_: *mut sqlite3_vfs, _: *const c_char, _: c_int, _: *mut c_int) -> c_int {
    SQLITE_IOERR
}

extern "C" fn full_path(_: *mut sqlite3_vfs, _: *const c_char, _: c_int, _: *mut c_char) -> c_int {
    SQLITE_CANTOPEN
}

unsafe extern "C" fn randomness(_: *mut sqlite3_vfs, bytes: c_int, out: *mut c_char) -> c_int {
    for at in 0..bytes {
        // SAFETY: SQLite has room for as many bytes at `out`.
        let byte = unsafe { out.offset(at as isize) };
        // SAFETY: the same room.
        unsafe { byte.write(at as c_char) }
    }
    bytes
}

extern "C" fn sleep(_: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

/// The first day of 2026, as a Julian day.
unsafe extern "C" fn time(_: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: SQLite asks for the time there.
    unsafe { out.write(2_461_041.5) }
    SQLITE_OK
}

/// The byte at an index.
///
/// # Safety
/// It is within the text, its terminating zero included.
unsafe fn byte(text: *const c_char, at: usize) -> u8 {
    // SAFETY: the caller's promise: the index is within the text.
    let at = unsafe { text.add(at) };
    // SAFETY: the same promise: the byte is readable.
    unsafe { at.read() as u8 }
}

/// The first difference of two texts of at most `most` bytes, as <string.h> has it.
///
/// # Safety
/// Both are texts that a zero ends, or have `most` bytes.
unsafe fn difference(one: *const c_char, other: *const c_char, most: usize) -> c_int {
    for at in 0..most {
        // SAFETY: no byte before was the zero.
        let one = unsafe { byte(one, at) };
        // SAFETY: as above, since all bytes before were the same.
        let other = unsafe { byte(other, at) };
        if one != other || one == 0 {
            return c_int::from(one) - c_int::from(other);
        }
    }
    0
}

/// Compares two texts.
///
/// # Safety
/// As in the C standard's <string.h>.
#[unsafe(no_mangle)]
unsafe extern "C" fn strcmp(one: *const c_char, other: *const c_char) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { difference(one, other, usize::MAX) }
}

/// Compares the first bytes of two texts.
///
/// # Safety
/// As in the C standard's <string.h>.
#[unsafe(no_mangle)]
unsafe extern "C" fn strncmp(one: *const c_char, other: *const c_char, most: usize) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { difference(one, other, most) }
}

/// The first byte of a text with a value, which may be the zero at its end.
///
/// # Safety
/// As in the C standard's <string.h>.
#[unsafe(no_mangle)]
unsafe extern "C" fn strchr(text: *const c_char, value: c_int) -> *const c_char {
    let mut at = 0;
    loop {
        // SAFETY: no byte before was the zero.
        let found = unsafe { byte(text, at) };
        if found == value as u8 {
            return text.wrapping_add(at);
        }
        if found == 0 {
            return ptr::null();
        }
        at += 1;
    }
}

/// The last byte of a text with a value.
///
/// # Safety
/// As in the C standard's <string.h>.
#[unsafe(no_mangle)]
unsafe extern "C" fn strrchr(text: *const c_char, value: c_int) -> *const c_char {
    let (mut at, mut last) = (0, ptr::null());
    loop {
        // SAFETY: no byte before was the zero.
        let found = unsafe { byte(text, at) };
        if found == value as u8 {
            last = text.wrapping_add(at);
        }
        if found == 0 {
            return last;
        }
        at += 1;
    }
}

/// The length of the beginning of a text whose bytes are all in a set, or all not in it.
///
/// # Safety
/// Both are texts that a zero ends.
unsafe fn span(text: *const c_char, set: *const c_char, inside: bool) -> usize {
    let mut at = 0;
    loop {
        // SAFETY: no byte before was the zero.
        let found = unsafe { byte(text, at) };
        // SAFETY: the caller's promise.
        if found == 0 || unsafe { strchr(set, found.into()) }.is_null() == inside {
            return at;
        }
        at += 1;
    }
}

/// How many bytes of a text, from its first on, are in a set.
///
/// # Safety
/// As in the C standard's <string.h>.
#[unsafe(no_mangle)]
unsafe extern "C" fn strspn(text: *const c_char, set: *const c_char) -> usize {
    // SAFETY: the caller's promise.
    unsafe { span(text, set, true) }
}

/// How many bytes of a text, from its first on, are not in a set.
///
/// # Safety
/// As in the C standard's <string.h>.
#[unsafe(no_mangle)]
unsafe extern "C" fn strcspn(text: *const c_char, set: *const c_char) -> usize {
    // SAFETY: the caller's promise.
    unsafe { span(text, set, false) }
}

/// The first of `bytes` bytes with a value.
///
/// # Safety
/// As in the C standard's <string.h>.
#[unsafe(no_mangle)]
unsafe extern "C" fn memchr(memory: *const c_char, value: c_int, bytes: usize) -> *const c_char {
    for at in 0..bytes {
        // SAFETY: the caller promises as many bytes, up to the one that is found.
        if unsafe { byte(memory, at) } == value as u8 {
            return memory.wrapping_add(at);
        }
    }
    ptr::null()
}

/// A number without its sign.
#[unsafe(no_mangle)]
extern "C" fn fabs(number: f64) -> f64 {
    f64::from_bits(number.to_bits() & !(1 << 63))
}
