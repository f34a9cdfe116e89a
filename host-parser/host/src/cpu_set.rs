//! Sets of host CPUs, in the list form of `taskset -c` and of cpuset files: `0,1`, `0-3,6`.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::str::FromStr;

use rustix::process::Pid;
use rustix::thread::{sched_getaffinity, sched_setaffinity};
use serde::{Serialize, Serializer};

/// A set of host CPUs, never empty. Serialised as its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuSet(BTreeSet<usize>);

/// Why a CPU list is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CpuSetError {
    /// Not a CPU list.
    #[error("CPU list {list:?}: {item:?} is not a CPU number or a range, expected a list like 0,1 or 0-3")]
    Malformed {
        /// The whole list.
        list: String,
        /// The part that is wrong.
        item: String,
    },
    /// A CPU is named twice: another one may have been meant, and a guest would have fewer CPUs than it seems.
    #[error("CPU list {list:?}: names CPU {cpu} twice")]
    Repeated {
        /// The whole list.
        list: String,
        /// The CPU.
        cpu: usize,
    },
    /// A CPU number above [`CpuSet::MAX_CPU`].
    #[error("CPU list {list:?}: CPU {cpu} is too large, expected at most {}", CpuSet::MAX_CPU)]
    TooLarge {
        /// The whole list.
        list: String,
        /// The number.
        cpu: usize,
    },
    /// CPUs that this process may not run on, or that do not exist. Running on fewer CPUs would be another experiment.
    #[error("host CPUs {missing} are not available to this process, expected CPUs among {allowed}")]
    NotAllowed {
        /// The CPUs that are not available.
        missing: CpuSet,
        /// The CPUs that are.
        allowed: CpuSet,
    },
}

impl CpuSet {
    /// The largest CPU number: Linux's affinity calls take 1,024 CPUs in their fixed form.
    pub const MAX_CPU: usize = rustix::thread::CpuSet::MAX_CPU - 1;

    /// The CPUs this thread may run on.
    ///
    /// # Errors
    /// The system's error if `sched_getaffinity` fails.
    pub fn allowed() -> io::Result<Self> {
        let mask = sched_getaffinity(None)?;
        Ok(Self::from_mask(&mask))
    }

    /// The CPUs that a thread, or a process's main thread, may run on.
    ///
    /// # Errors
    /// The system's error, for example that the thread does not exist.
    pub fn of_thread(tid: u32) -> io::Result<Self> {
        let pid = i32::try_from(tid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self::from_mask(&sched_getaffinity(Some(pid))?))
    }

    /// Does `work` with this thread's affinity set to these CPUs. Threads and processes that `work` starts inherit it.
    ///
    /// # Errors
    /// The system's error if the affinity cannot be set or restored.
    pub fn confine<T>(&self, work: impl FnOnce() -> T) -> io::Result<T> {
        let before = sched_getaffinity(None)?;
        sched_setaffinity(None, &self.to_mask())?;
        let done = work();
        sched_setaffinity(None, &before)?;
        Ok(done)
    }

    /// Checks that every CPU of this set is in `allowed`.
    ///
    /// # Errors
    /// [`CpuSetError::NotAllowed`] names the CPUs that are missing.
    pub fn check_within(&self, allowed: &Self) -> Result<(), CpuSetError> {
        let missing: BTreeSet<usize> = self.0.difference(&allowed.0).copied().collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(CpuSetError::NotAllowed { missing: Self(missing), allowed: allowed.clone() })
    }

    /// Reads a list in the form of the kernel's command line (Linux, Documentation/admin-guide/kernel-parameters.rst, "cpu
    /// lists"): also `all`, `N` for the last possible CPU, and `0-15:2/4`, the first two of every four. CPUs past `last`
    /// are skipped. `None` if the list is malformed or empty.
    #[must_use]
    pub fn from_boot_list(list: &str, last: usize) -> Option<Self> {
        let mut cpus = BTreeSet::new();
        for item in list.split(',') {
            cpus.extend(boot_item(item, last)?);
        }
        (!cpus.is_empty()).then_some(Self(cpus))
    }

    /// Reads a list that a person wrote, in which no CPU is named twice.
    ///
    /// # Errors
    /// As for [`FromStr`], or [`CpuSetError::Repeated`].
    pub fn from_list_without_repeats(list: &str) -> Result<Self, CpuSetError> {
        let set: Self = list.parse()?;
        let mut before = BTreeSet::new();
        for item in list.split(',') {
            let cpus = item.parse::<Self>()?.0;
            if let Some(&cpu) = cpus.intersection(&before).next() {
                return Err(CpuSetError::Repeated { list: list.to_owned(), cpu });
            }
            before.extend(cpus);
        }
        Ok(set)
    }

    /// The CPUs, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().copied()
    }

    /// Whether `cpu` is in the set.
    #[must_use]
    pub fn contains(&self, cpu: usize) -> bool {
        self.0.contains(&cpu)
    }

    /// The number of CPUs, at least 1.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The set of one CPU. The caller took `cpu` from another set, so it is in range.
    #[must_use]
    pub fn single(cpu: usize) -> Self {
        Self(BTreeSet::from([cpu]))
    }

    pub(crate) fn from_mask(mask: &rustix::thread::CpuSet) -> Self {
        Self((0..=Self::MAX_CPU).filter(|cpu| mask.is_set(*cpu)).collect())
    }

    pub(crate) fn to_mask(&self) -> rustix::thread::CpuSet {
        let mut mask = rustix::thread::CpuSet::new();
        self.iter().for_each(|cpu| mask.set(cpu));
        mask
    }
}

/// Reads `first-last`; a single number is both.
fn range<T>(item: &str, number: impl Fn(&str) -> Option<T>) -> Option<(T, T)> {
    let (first, last) = item.split_once('-').unwrap_or((item, item));
    Some((number(first)?, number(last)?))
}

/// The CPUs of one item of a list on the kernel's command line.
fn boot_item(item: &str, last: usize) -> Option<impl Iterator<Item = usize>> {
    let (item, stride) = item.split_once(':').map_or((item, None), |(item, stride)| (item, Some(stride)));
    let number = |text: &str| if text == "N" { Some(last) } else { text.parse().ok() };
    let (first, end) = if item == "all" { (0, last) } else { range(item, number)? };
    let (used, of): (usize, usize) = match stride {
        Some(stride) => {
            let (used, of) = stride.split_once('/')?;
            (used.parse().ok()?, of.parse().ok()?)
        }
        None => (1, 1),
    };
    Some((first..=end.min(last)).filter(move |cpu| of > 0 && (cpu - first) % of < used))
}

impl FromStr for CpuSet {
    type Err = CpuSetError;

    fn from_str(list: &str) -> Result<Self, CpuSetError> {
        let mut cpus = BTreeSet::new();
        for item in list.split(',') {
            let numbers = range(item, |text| text.trim().parse::<usize>().ok());
            let Some((first, last)) = numbers.filter(|(first, last)| first <= last) else {
                return Err(CpuSetError::Malformed { list: list.to_owned(), item: item.to_owned() });
            };
            if last > Self::MAX_CPU {
                return Err(CpuSetError::TooLarge { list: list.to_owned(), cpu: last });
            }
            cpus.extend(first..=last);
        }
        Ok(Self(cpus))
    }
}

/// The list form, with ranges from three CPUs on: `0,1`, `0-3,6`.
impl fmt::Display for CpuSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for cpu in self.iter() {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == cpu => *last = cpu,
                _ => runs.push((cpu, cpu)),
            }
        }
        let text: Vec<String> = runs
            .into_iter()
            .map(|(first, last)| match last - first {
                0 => first.to_string(),
                1 => format!("{first},{last}"),
                _ => format!("{first}-{last}"),
            })
            .collect();
        f.write_str(&text.join(","))
    }
}

impl Serialize for CpuSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_inherits_the_affinity_which_is_then_restored() {
        let allowed = CpuSet::allowed().unwrap();
        let one = CpuSet::single(allowed.iter().next().unwrap());
        let mut child =
            one.confine(|| std::process::Command::new("sleep").arg("60").spawn()).unwrap().unwrap();
        assert_eq!(CpuSet::of_thread(child.id()).unwrap(), one);
        assert_eq!(CpuSet::allowed().unwrap(), allowed);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(CpuSet::of_thread(0).is_err());
    }

    #[test]
    fn reads_and_prints_lists_and_ranges() {
        for (list, printed) in [
            ("0", "0"),
            ("0,1", "0,1"),
            ("1,0", "0,1"),
            ("0-3", "0-3"),
            (" 2 , 0-1", "0-2"),
            ("0-3,6,4", "0-4,6"),
        ] {
            assert_eq!(list.parse::<CpuSet>().unwrap().to_string(), printed);
        }
    }

    #[test]
    fn refuses_malformed_lists() {
        for list in ["", ",", "0,", "a", "3-1", "-1", "0--1", "1-2-3", "0x1", "99999999999999999999"] {
            assert!(matches!(list.parse::<CpuSet>(), Err(CpuSetError::Malformed { .. })), "{list:?}");
        }
        assert!(matches!("0-99999".parse::<CpuSet>(), Err(CpuSetError::TooLarge { cpu: 99999, .. })));
        let of_a_person = CpuSet::from_list_without_repeats;
        for (list, twice) in [("0,0", 0), ("0-3,2", 2), ("5,1-6", 5)] {
            assert_eq!(of_a_person(list), Err(CpuSetError::Repeated { list: list.to_owned(), cpu: twice }));
        }
        assert_eq!(of_a_person("0-1,3"), "0,1,3".parse());
        assert!(matches!(of_a_person("0-99999"), Err(CpuSetError::TooLarge { .. })));
    }

    #[test]
    fn names_the_cpus_that_are_not_available() {
        let allowed: CpuSet = "0,1".parse().unwrap();
        let error = "1-3".parse::<CpuSet>().unwrap().check_within(&allowed).unwrap_err();
        assert_eq!(
            error.to_string(),
            "host CPUs 2,3 are not available to this process, expected CPUs among 0,1"
        );
        assert!("1".parse::<CpuSet>().unwrap().check_within(&allowed).is_ok());
    }

    #[test]
    fn keeps_its_members_through_the_kernels_mask() {
        let set: CpuSet = "0,5,1023".parse().unwrap();
        assert_eq!(CpuSet::from_mask(&set.to_mask()), set);
    }
}
