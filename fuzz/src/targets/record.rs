//! A record's line. The input is a line without its checksum, which no fuzzer guesses; the last two bytes say which
//! change to try.

use abi::wire::{LineError, MAX_LINE_BYTES, decode, encode, is_tagged};

use crate::input::Input;

pub(crate) fn check(data: &[u8]) {
    canonical(data);
    let (line, change) = data.split_at(data.len() - 2.min(data.len()));
    let sealed = sealed(line);
    if canonical(&sealed) {
        change_is_noticed(&sealed, change);
    }
}

/// The line with its checksum appended.
pub(crate) fn sealed(line: &[u8]) -> Vec<u8> {
    let mut sealed = [line, b" "].concat();
    let mut crc = !0_u32;
    for &byte in &sealed {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
        }
    }
    sealed.extend(format!("crc={:08x}", !crc).bytes());
    sealed
}

/// Whether `line` is a record. If so, it is the only form of that record.
fn canonical(line: &[u8]) -> bool {
    match decode(line) {
        Ok(envelope) => {
            assert!(line.len() <= MAX_LINE_BYTES && is_tagged(line), "a record is short and seen as one");
            assert_eq!(encode(&envelope).as_bytes(), line, "written back");
            true
        }
        Err(error) => {
            assert_eq!(line.len() > MAX_LINE_BYTES, error == LineError::TooLong);
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

/// A 32-bit CRC detects any change within 32 bits.
fn change_is_noticed(line: &[u8], change: &[u8]) {
    let mut change = Input::new(change);
    let at = usize::from(change.byte()) % line.len();
    let mut changed = line.to_vec();
    changed[at] ^= change.byte().max(1);
    assert!(decode(&changed).is_err(), "a change of byte {at} goes unnoticed");
}
