//! Whether this process may lock memory (mlock(2), getrlimit(2), capabilities(7)).

use std::fs;
use std::io;

use rustix::process::{Resource, getrlimit};

/// CAP_IPC_LOCK, with which there is no limit.
const CAP_IPC_LOCK: u32 = 14;

/// Checks that a child of this process may lock all its memory, with `more` bytes beyond what this process has.
///
/// # Errors
/// It may not; the message has the one remedy.
pub fn check(more: u64) -> io::Result<()> {
    let limit = getrlimit(Resource::Memlock).current;
    let status = fs::read_to_string("/proc/self/status")?;
    let own = fs::read_to_string("/proc/self/statm")?;
    if may_lock(limit, &status, &own, more) {
        return Ok(());
    }
    Err(io::Error::other("memory cannot be locked: run `sudo prlimit --memlock=unlimited --pid $$` first"))
}

/// Linux compares all mapped memory with the limit.
fn may_lock(limit: Option<u64>, status: &str, statm: &str, more: u64) -> bool {
    let capable = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let capable = capable.and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    if capable.is_some_and(|set| set >> CAP_IPC_LOCK & 1 != 0) {
        return true;
    }
    let pages: u64 = statm.split(' ').next().and_then(|pages| pages.parse().ok()).unwrap_or(0);
    limit.is_none_or(|limit| (pages * 4096).saturating_add(more) <= limit)
}

#[cfg(test)]
mod tests {
    use super::may_lock;

    const NONE: &str = "Name:\tx\nCapEff:\t0000000000000000\n";
    const LOCK: &str = "CapEff:\t0000000000004000\n";

    #[test]
    fn the_limit_is_for_all_memory_and_not_for_the_capable() {
        let mib = 1 << 20;
        assert!(may_lock(Some(8 * mib), NONE, "1024 1 1", 4 * mib));
        assert!(!may_lock(Some(8 * mib), NONE, "1024 1 1", 4 * mib + 1));
        assert!(may_lock(Some(8 * mib), LOCK, "1024 1 1", 900 * mib));
        assert!(may_lock(None, NONE, "1024 1 1", u64::MAX));
    }
}
