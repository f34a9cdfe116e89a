//! QEMU's replay log, which the exact mode reads.

use qemu::exact::ReplayLog;

/// The first number of a log that is read.
const VERSION: [u8; 4] = [0, 0xe0, 0x20, 0x0c];

pub(crate) fn check(data: &[u8]) {
    match ReplayLog::read(data) {
        Ok(log) => {
            let (instructions, bytes_at, shut_down) = plain(data).expect("a plain walk reads it too");
            assert_eq!(log.instructions(), instructions);
            assert_eq!(log.bytes_at(), bytes_at);
            assert_eq!(log.has_guest_shutdown(), shut_down);
            assert!(bytes_at.is_sorted() && bytes_at.last().is_none_or(|&last| last <= instructions));
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// What a walk by a table of lengths finds: after each event's number, how many bytes follow.
fn plain(data: &[u8]) -> Option<(u64, Vec<u64>, bool)> {
    let mut rest = data.strip_prefix(&VERSION)?.get(8..)?;
    let (mut instructions, mut bytes_at, mut shut_down) = (0_u64, Vec::new(), false);
    loop {
        let (&event, after) = rest.split_first()?;
        let number = |at: usize| {
            after.get(at..at + 4).map(|bytes| bytes.iter().fold(0, |all, &byte| all << 8 | u64::from(byte)))
        };
        let follow = match event {
            0 => 4,
            1 | 2 | 10..=21 | 30..=38 => 0,
            3 | 4 | 8 | 28 | 29 | 22 => 8,
            27 => 8 + usize::try_from(number(4)?).ok()?,
            39 => return Some((instructions, bytes_at, shut_down)),
            _ => return None,
        };
        match event {
            0 => instructions += number(0)?,
            16 => shut_down = true,
            22 => bytes_at.extend((0..number(4)?).map(|_| instructions)),
            _ => {}
        }
        rest = after.get(follow..)?;
    }
}
