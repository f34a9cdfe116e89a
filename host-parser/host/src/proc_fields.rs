//! Files of `Key: value` lines: /proc/meminfo, proc_meminfo(5), and /proc/PID/status, proc_pid_status(5).

/// The number after `key:`.
pub fn number(text: &str, key: &str) -> Option<u64> {
    value(text, key)?.parse().ok()
}

/// The size after `key:`, in bytes. Both files give it as `31332 kB`, in units of 1,024 bytes.
pub fn bytes(text: &str, key: &str) -> Option<u64> {
    value(text, key)?.strip_suffix("kB")?.trim_end().parse::<u64>().ok()?.checked_mul(1024)
}

fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_size_in_bytes() {
        let status = "VmPeak:\t  10 kB\nVmHWM:\t   31332 kB\nVmRSS:\t 1 kB\n";
        assert_eq!(bytes(status, "VmHWM"), Some(31332 * 1024));
        for bad in ["", "VmHWM: x kB", "VmHWM: 5", "State: Z (zombie)"] {
            assert_eq!(bytes(bad, "VmHWM"), None, "{bad}");
        }
    }

    #[test]
    fn reads_the_key_that_matches_whole() {
        let status = "nonvoluntary_ctxt_switches:\t3\nvoluntary_ctxt_switches:\t7\n";
        assert_eq!(number(status, "voluntary_ctxt_switches"), Some(7));
        assert_eq!(number(status, "voluntary"), None);
    }
}
