//! The page sizes of this process's memory: /proc/self/smaps (proc(5)).

use std::fs;
use std::io;

/// How many bytes of the mapping that begins at `at` are in large pages. 0 if there is none.
///
/// # Errors
/// The file cannot be read.
pub fn huge_bytes_at(at: u64) -> io::Result<usize> {
    Ok(parse(&fs::read_to_string("/proc/self/smaps")?, at).unwrap_or(0))
}

fn parse(file: &str, at: u64) -> Option<usize> {
    let first = format!("{at:x}-");
    let mut lines = file.lines().skip_while(|line| !line.starts_with(&first)).skip(1);
    // The next mapping's first line has no colon in its first word.
    let own =
        lines.by_ref().take_while(|line| line.split(' ').next().is_some_and(|word| word.ends_with(':')));
    let huge = own.filter_map(|line| line.strip_prefix("AnonHugePages:")).next()?;
    let kib: usize = huge.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::parse;

    const FILE: &str = "\
1000000000-1000400000 rw-p 00000000 00:00 0 
Size:               4096 kB
AnonHugePages:      2048 kB
VmFlags: rd wr mr mw me ac sd hg 
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
Size:                132 kB
AnonHugePages:         0 kB
";

    #[test]
    fn finds_the_large_pages_of_one_mapping() {
        assert_eq!(parse(FILE, 0x10_0000_0000), Some(2 << 20));
        assert_eq!(parse(FILE, 0x7ffc_0000_0000), Some(0));
        assert_eq!(parse(FILE, 0x10_0000), None);
        assert_eq!(parse("1000-2000 rw-p\nSize: 4 kB\n2000-3000 rw-p\nAnonHugePages: 2 kB\n", 0x1000), None);
    }
}
