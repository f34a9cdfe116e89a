//! /proc/cpuinfo: the features that Linux uses. A feature that was disabled on its command line is missing.

/// Whether Linux lists `flag` for the first CPU. It does not boot CPUs that differ in these flags.
#[must_use]
pub fn has_flag(cpuinfo: &str, flag: &str) -> bool {
    let mut keyed = cpuinfo.lines().filter_map(|line| line.split_once(':'));
    let flags = keyed.find(|(key, _)| key.trim() == "flags").map(|(_, flags)| flags);
    flags.is_some_and(|flags| flags.split_ascii_whitespace().any(|word| word == flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_whole_flags_of_the_cpu() {
        let cpuinfo = "processor\t: 0\nflags\t\t: fpu nx smep\nvmx flags\t: umip\nbugs\t\t: smap\n";
        assert!(has_flag(cpuinfo, "nx") && has_flag(cpuinfo, "smep"));
        assert!(!has_flag(cpuinfo, "sme") && !has_flag(cpuinfo, "umip") && !has_flag(cpuinfo, "smap"));
        assert!(!has_flag("", "nx"));
    }
}
