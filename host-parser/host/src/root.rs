//! /proc and /sys below a root directory, so that the probes can be tested on another host's files.

use std::fs;
use std::path::{Path, PathBuf};

use crate::CpuSet;

/// The directory that holds /proc and /sys. A file that cannot be read counts as absent: no probe fails because of it.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// This host.
    #[must_use]
    pub fn here() -> Self {
        Self::new("/")
    }

    /// A host below `path`; `/` is this one.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The whole text of a file.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<String> {
        let bytes = fs::read(self.path(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// A file of one line, trimmed; an empty line is `Some`.
    #[must_use]
    pub fn line(&self, path: &str) -> Option<String> {
        Some(self.text(path)?.trim().to_owned())
    }

    /// A file that holds one number.
    #[must_use]
    pub fn number(&self, path: &str) -> Option<u64> {
        self.line(path)?.parse().ok()
    }

    /// A file that holds a list of CPUs; `None` if the list is empty.
    #[must_use]
    pub fn cpus(&self, path: &str) -> Option<CpuSet> {
        self.line(path)?.parse().ok()
    }

    /// The names in a directory, in order.
    #[must_use]
    pub fn names(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(path)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }

    /// The value of `key=` on the command line of the host's kernel. The last one counts.
    #[must_use]
    pub fn boot_option(&self, key: &str) -> Option<String> {
        let line = self.line("/proc/cmdline")?;
        // Words after `--` are for init.
        let words = line.split_ascii_whitespace().take_while(|word| *word != "--");
        let values = words.filter_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        values.last().map(str::to_owned)
    }

    /// The load averages over 1 and 5 minutes, proc_loadavg(5).
    #[must_use]
    pub fn load_averages(&self) -> Option<(f64, f64)> {
        let line = self.line("/proc/loadavg")?;
        let mut averages = line.split_ascii_whitespace().map(str::parse);
        Some((averages.next()?.ok()?, averages.next()?.ok()?))
    }

    /// The flags of the first CPU. Linux does not boot CPUs with different flags.
    #[must_use]
    pub fn cpu_flags(&self) -> Option<Vec<String>> {
        let cpuinfo = self.text("/proc/cpuinfo")?;
        let fields = cpuinfo.lines().filter_map(|line| line.split_once(':'));
        let (_, flags) = fields.into_iter().find(|(key, _)| key.trim() == "flags")?;
        Some(flags.split_ascii_whitespace().map(str::to_owned).collect())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join(Path::new(path).strip_prefix("/").unwrap_or(Path::new(path)))
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Fixture;

    #[test]
    fn unreadable_files_count_as_absent() {
        let host = Fixture::new().file("/proc/version", "").root();
        assert_eq!(host.text("/proc/nothing"), None);
        assert_eq!(host.number("/proc/version"), None);
        assert_eq!(host.cpus("/proc/version"), None);
        assert_eq!(host.text("/proc"), None);
        assert!(host.names("/proc/version").is_empty());
    }

    #[test]
    fn the_last_boot_option_counts_and_arguments_of_init_do_not() {
        let host =
            Fixture::new().file("/proc/cmdline", "isolcpus=1 quiet isolcpus=2,3 -- isolcpus=4\n").root();
        assert_eq!(host.boot_option("isolcpus").as_deref(), Some("2,3"));
        assert_eq!(host.boot_option("quiet"), None);
        assert_eq!(host.boot_option("isol"), None);
    }
}
