//! A host made of files, for the tests of this crate and of its users.
#![allow(clippy::unwrap_used, reason = "a failure here fails the test")]
#![allow(clippy::new_without_default, reason = "a host without files is no natural default")]

use std::fs;
use std::ops::Deref;

use crate::CpuSet;
use tempfile::TempDir;

use crate::Root;
use crate::doctor::Finding;
use crate::doctor::Host;

/// Files below a temporary folder.
pub struct Fixture(TempDir);

/// A [`Root`] that keeps its temporary files until it is dropped.
pub struct FixtureRoot {
    root: Root,
    _files: TempDir,
}

impl Fixture {
    /// A host without files.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A host with these CPUs online, one a core, in one package with one last-level cache.
    pub fn with_cpus(list: &str) -> Self {
        let cpus: CpuSet = list.parse().unwrap();
        let mut host = Self::new().file("/sys/devices/system/cpu/online", list);
        for cpu in cpus.iter() {
            host = host.core(&[cpu], 0, list);
        }
        host.file("/sys/devices/system/node/node0/cpulist", list)
    }

    /// A hybrid CPU. CPUs 0-7 are four performance cores with SMT, siblings numbered side by side; 8-15 are eight
    /// efficient cores.
    pub fn hybrid() -> Self {
        let mut host = Self::new().file("/sys/devices/system/cpu/online", "0-15");
        for first in [0, 2, 4, 6] {
            host = host.core(&[first, first + 1], 0, "0-15");
        }
        for cpu in 8..16 {
            host = host.core(&[cpu], 0, "0-15");
        }
        host.file("/sys/devices/system/node/node0/cpulist", "0-15")
            .file("/sys/devices/cpu_core/cpus", "0-7")
            .file("/sys/devices/cpu_atom/cpus", "8-15")
    }

    /// Adds a core with these threads, in `package`, with a last-level cache that the CPUs `sharing` share.
    pub fn core(mut self, threads: &[usize], package: usize, sharing: &str) -> Self {
        let siblings: Vec<String> = threads.iter().map(ToString::to_string).collect();
        for cpu in threads {
            let at = format!("/sys/devices/system/cpu/cpu{cpu}");
            self = self
                .file(&format!("{at}/topology/thread_siblings_list"), &siblings.join(","))
                .file(&format!("{at}/topology/physical_package_id"), &package.to_string())
                .file(&format!("{at}/cache/index0/level"), "1")
                .file(&format!("{at}/cache/index0/type"), "Data")
                .file(&format!("{at}/cache/index0/size"), "32K")
                .file(&format!("{at}/cache/index0/shared_cpu_list"), &siblings.join(","))
                .file(&format!("{at}/cache/index3/level"), "3")
                .file(&format!("{at}/cache/index3/type"), "Unified")
                .file(&format!("{at}/cache/index3/size"), "32768K")
                .file(&format!("{at}/cache/index3/shared_cpu_list"), sharing);
        }
        self
    }

    /// Adds a file; its content ends with a line feed, as in Linux.
    pub fn file(self, path: &str, content: &str) -> Self {
        let path = self.0.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{content}\n")).unwrap();
        self
    }

    /// The root to read these files from.
    pub fn root(self) -> FixtureRoot {
        FixtureRoot { root: Root::new(self.0.path()), _files: self.0 }
    }

    /// Runs `probe` on this host for a guest that gets `cpus`.
    pub fn probe<T>(self, cpus: &str, pinned: bool, probe: impl Fn(&Host) -> T) -> T {
        let root = self.root();
        probe(&Host::new(root.root.clone(), cpus.parse().unwrap(), pinned))
    }
}

impl Deref for FixtureRoot {
    type Target = Root;

    fn deref(&self) -> &Root {
        &self.root
    }
}

impl Finding {
    /// The remedy. Panics if the finding has none.
    pub fn help(&self) -> &str {
        self.remedy.as_deref().unwrap()
    }
}
