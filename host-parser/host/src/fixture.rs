//! A host made of files, for the tests of this crate and of its users.
#![allow(clippy::unwrap_used, reason = "what fails here is a test that fails")]
#![allow(clippy::new_without_default, reason = "a host without files is no natural default")]

use std::fs;
use std::ops::Deref;

use crate::CpuSet;
use tempfile::TempDir;

use crate::Root;
use crate::doctor::Finding;
use crate::doctor::Host;

/// Files below a folder of their own.
pub struct Fixture(TempDir);

/// A [`Root`] whose files last as long as it does.
pub struct FixtureRoot {
    root: Root,
    _files: TempDir,
}

impl Fixture {
    /// No files at all.
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A host with these CPUs online, each its own core in one package with one last-level cache.
    pub fn with_cpus(list: &str) -> Self {
        let cpus: CpuSet = list.parse().unwrap();
        let mut host = Self::new().file("/sys/devices/system/cpu/online", list);
        for cpu in cpus.iter() {
            host = host.core(&[cpu], 0, list);
        }
        host.file("/sys/devices/system/node/node0/cpulist", list)
    }

    /// A hybrid CPU with SMT on its performance cores, siblings numbered side by side: 0-7 are four of those, 8-15
    /// eight efficient ones.
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

    /// A core with these threads, in `package`, with a last-level cache shared by `sharing`.
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

    /// A file, with a line feed at its end as Linux has it.
    pub fn file(self, path: &str, content: &str) -> Self {
        let path = self.0.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("{content}\n")).unwrap();
        self
    }

    /// To read from.
    pub fn root(self) -> FixtureRoot {
        FixtureRoot { root: Root::new(self.0.path()), _files: self.0 }
    }

    /// What `probe` finds where a guest gets `cpus`, pinned to them or not.
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
    /// The remedy of a finding that must have one.
    pub fn help(&self) -> &str {
        self.remedy.as_deref().unwrap()
    }
}
