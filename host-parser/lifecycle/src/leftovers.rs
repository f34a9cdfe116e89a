//! The oracle of a deletion: nothing of the machine is left.
//!
//! What the VMM holds is read while it lives (its open files and sockets, its memory), and looked for when it is gone. Memory
//! that a process has alone goes with it; memory that it shares would need another proof, so a VMM that shares any is
//! reported. A process that the VMM started and moved into a process group of its own is not seen.

use std::fs;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The tables of sockets, proc_net(5), each with the column that has the socket's inode.
const SOCKETS: [(&str, usize); 4] = [("unix", 6), ("tcp", 9), ("tcp6", 9), ("udp", 9)];

/// What a VMM holds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Held {
    /// The files and sockets with a name that it has made.
    files: Vec<PathBuf>,
    /// The inodes of its sockets.
    sockets: Vec<u64>,
    /// Its resident memory in KiB.
    pub rss_kib: Option<u64>,
    /// The part of it that it shares with others, or could.
    shared_kib: u64,
}

/// The host as a VMM leaves traces in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traces<'a> {
    /// `/proc`.
    pub proc: &'a Path,
}

impl Traces<'_> {
    /// What process `pid` holds, of what was made since `started`.
    pub fn held(self, pid: u32, started: SystemTime) -> Held {
        let of_process = self.proc.join(pid.to_string());
        let mut held = Held::default();
        for link in fs::read_dir(of_process.join("fd")).into_iter().flatten().flatten() {
            let Ok(target) = fs::read_link(link.path()) else { continue };
            let name = target.to_string_lossy();
            if let Some(inode) = name.strip_prefix("socket:[").and_then(|name| name.strip_suffix(']')) {
                held.sockets.extend(inode.parse::<u64>().ok());
            } else if name.starts_with('/') && is_made_since(&target, started) {
                held.files.push(target);
            }
        }
        held.files.extend(self.bound(&held.sockets));
        let status = fs::read_to_string(of_process.join("status")).unwrap_or_default();
        held.rss_kib = kib(&status, "VmRSS:");
        held.shared_kib = kib(&status, "RssShmem:").unwrap_or(0);
        held
    }

    /// The processes in the group that `leader` led, but for itself. It has ended, and its id is not given away yet.
    pub fn group(self, leader: u32) -> Vec<u32> {
        let processes = fs::read_dir(self.proc).into_iter().flatten().flatten();
        let members = processes.filter_map(|process| {
            let pid: u32 = process.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(process.path().join("stat")).ok()?;
            // After the name, which may hold anything: state, parent, group (proc_pid_stat(5)).
            let mut after = stat.rsplit_once(')')?.1.split_whitespace();
            let (state, group) = (after.next()?, after.nth(1)?.parse::<u32>().ok()?);
            (pid != leader && group == leader && state != "Z").then_some(pid)
        });
        members.collect()
    }

    /// What is left of a machine whose VMM is gone: what it held, who was left in its `group`, and what is in its `folder`
    /// besides the `known` files.
    pub fn left(self, held: &Held, pid: u32, group: &[u32], folder: &Path, known: &[PathBuf]) -> Vec<String> {
        let mut left: Vec<String> = group.iter().map(|pid| format!("process {pid}")).collect();
        if self.proc.join(pid.to_string()).exists() {
            left.push(format!("process {pid}, the VMM"));
        }
        let in_folder = fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path());
        let mut files: Vec<PathBuf> = held.files.iter().filter(|file| file.exists()).cloned().collect();
        files.extend(in_folder);
        files.retain(|file| !known.contains(file));
        files.sort();
        files.dedup();
        left.extend(files.iter().map(|file| format!("file {}", file.display())));
        let open = self.inodes();
        let sockets = held.sockets.iter().filter(|inode| open.contains(inode));
        left.extend(sockets.map(|inode| format!("socket {inode}")));
        if held.shared_kib > 0 {
            left.push(format!(
                "{} KiB of shared memory, which its end alone does not return",
                held.shared_kib
            ));
        }
        left
    }

    /// The inodes of all sockets.
    fn inodes(self) -> Vec<u64> {
        let mut inodes = Vec::new();
        for (table, column) in SOCKETS {
            let text = fs::read_to_string(self.proc.join("net").join(table)).unwrap_or_default();
            let of_line = |line: &str| line.split_whitespace().nth(column)?.parse::<u64>().ok();
            inodes.extend(text.lines().skip(1).filter_map(of_line));
        }
        inodes
    }

    /// The names of these sockets in the file system.
    fn bound(self, sockets: &[u64]) -> Vec<PathBuf> {
        let text = fs::read_to_string(self.proc.join("net/unix")).unwrap_or_default();
        let of_line = |line: &str| {
            let mut words = line.split_whitespace().skip(6);
            let inode: u64 = words.next()?.parse().ok()?;
            let name = words.next().filter(|name| name.starts_with('/'))?;
            sockets.contains(&inode).then(|| PathBuf::from(name))
        };
        text.lines().skip(1).filter_map(of_line).collect()
    }
}

/// Whether a file or a socket was made since then. Devices and pipes are no files of the machine.
fn is_made_since(path: &Path, started: SystemTime) -> bool {
    let Ok(file) = fs::metadata(path) else { return false };
    let kind = file.file_type();
    let made = file.created().or_else(|_| file.modified());
    (kind.is_file() || kind.is_socket()) && made.is_ok_and(|made| made >= started)
}

/// A number of KiB in `/proc/PID/status`.
fn kib(status: &str, key: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;
    use std::time::Duration;

    use host::process::Process;

    use super::*;

    fn here() -> Traces<'static> {
        Traces { proc: Path::new("/proc") }
    }

    fn ago() -> SystemTime {
        SystemTime::now() - Duration::from_secs(60)
    }

    #[test]
    fn finds_a_file_and_a_socket_that_a_process_has_made() {
        let folder = tempfile::tempdir().unwrap();
        let (file, socket) = (folder.path().join("file"), folder.path().join("socket"));
        let open = fs::File::create(&file).unwrap();
        let listener = UnixListener::bind(&socket).unwrap();
        let pid = std::process::id();
        let held = here().held(pid, ago());
        assert!(held.files.contains(&file) && held.files.contains(&socket), "{held:?}");
        assert!(held.rss_kib.is_some_and(|kib| kib > 0) && !held.sockets.is_empty());
        let of_this = Held { shared_kib: 0, files: vec![file.clone(), socket.clone()], ..held };
        let inode = *of_this.sockets.last().unwrap();
        drop(open);
        let left = here().left(&of_this, pid, &[], folder.path(), std::slice::from_ref(&file));
        assert!(left.contains(&format!("file {}", socket.display())), "{left:?}");
        assert!(!left.contains(&format!("file {}", file.display())), "a known file: {left:?}");
        assert!(left.contains(&format!("process {pid}, the VMM")));
        drop(listener);
        fs::remove_file(&socket).unwrap();
        let left = here().left(&of_this, pid, &[], folder.path(), &[file]);
        assert!(!left.iter().any(|what| what.starts_with("file ") || *what == format!("socket {inode}")));
    }

    #[test]
    fn an_older_file_is_not_the_machines() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("image");
        let _open = fs::File::create(&file).unwrap();
        let later = SystemTime::now() + Duration::from_secs(60);
        assert!(!here().held(std::process::id(), later).files.contains(&file));
    }

    #[test]
    fn finds_a_process_that_is_left_in_the_group() {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "sleep 1000 & wait"]);
        let mut leader = Process::spawn(&mut command).unwrap();
        let until = std::time::Instant::now() + Duration::from_secs(30);
        let mut group = Vec::new();
        while group.is_empty() && std::time::Instant::now() < until {
            group = here().group(leader.id());
        }
        assert_eq!(group.len(), 1, "the sleep");
        let left = here().left(&Held::default(), 0, &group, Path::new("/nowhere/at/all"), &[]);
        assert_eq!(left, [format!("process {}", group[0])]);
        leader.end().unwrap();
    }

    #[test]
    fn shared_memory_is_reported() {
        let held = Held { shared_kib: 4, ..Held::default() };
        let left = here().left(&held, 0, &[], Path::new("/nowhere/at/all"), &[]);
        assert_eq!(left.len(), 1, "{left:?}");
    }
}
