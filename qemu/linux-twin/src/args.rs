//! The command line of the native role.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::cpus;

/// How it is called.
pub const USAGE: &str = "usage: assay-twin native --ramdisk FILE [--cpus LIST]
  FILE  the ramdisk of an experiment: its plan and its worker
  LIST  the CPUs that workers run on, in this order: 0,1 or 0-3; a CPU listed twice gets two workers; by default all
        CPUs that this process may use";

/// The arguments of the native role.
#[derive(Debug, Eq, PartialEq)]
pub struct Args {
    /// The ramdisk.
    pub ramdisk: PathBuf,
    /// Linux's numbers of the CPUs to use.
    pub cpus: Option<Vec<usize>>,
}

/// Reads the command line, without the program's name.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse(mut words: impl Iterator<Item = OsString>) -> Result<Args, String> {
    if words.next().is_none_or(|word| word != "native") {
        return Err("expected `native`".to_owned());
    }
    let (mut ramdisk, mut list) = (None, None);
    while let Some(word) = words.next() {
        let option = word.to_str().filter(|word| matches!(*word, "--ramdisk" | "--cpus"));
        let option = option.ok_or_else(|| format!("unknown argument {}", word.display()))?;
        let value = words.next().ok_or_else(|| format!("{option}: expected a value"))?;
        match option {
            "--ramdisk" => ramdisk = Some(PathBuf::from(value)),
            _ => {
                let read = value.to_str().and_then(cpus::parse_list);
                list = Some(read.ok_or_else(|| format!("--cpus {}: not a list of CPUs", value.display()))?);
            }
        }
    }
    Ok(Args { ramdisk: ramdisk.ok_or("--ramdisk is missing")?, cpus: list })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_words(line: &str) -> Result<Args, String> {
        parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn reads_the_ramdisk_and_the_cpus() {
        let args = parse_words("native --ramdisk /r.tar --cpus 1,0").unwrap();
        assert_eq!(args, Args { ramdisk: "/r.tar".into(), cpus: Some(vec![1, 0]) });
        assert_eq!(parse_words("native --ramdisk r").unwrap().cpus, None);
    }

    #[test]
    fn reports_each_error() {
        for (line, message) in [
            ("", "expected `native`"),
            ("guest", "expected `native`"),
            ("native", "--ramdisk is missing"),
            ("native --ramdisk", "expected a value"),
            ("native --ramdisk r --cpus 1-", "not a list"),
            ("native --fast", "unknown argument --fast"),
        ] {
            let problem = parse_words(line).unwrap_err();
            assert!(problem.contains(message), "{line}: {problem}");
        }
    }
}
