//! A guest does not outlive the program that runs it, however that program ends, and gets no signal from its terminal.

mod common;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Guest, has_ended};
use host::CancelToken;
use qemu::{GuestEvent, Outcome};
use rustix::process::{Pid, getpgid, getpgrp};

const MARK: &str = "guest pid ";

#[test]
#[ignore = "the other half of dies_with_a_program_that_is_killed"]
fn holds_a_guest_until_killed() {
    let guest = Guest::of_sector(common::HANG);
    let _ = guest.run_with(&CancelToken::new().unwrap(), &mut |progress| {
        if let GuestEvent::Running { vcpus } = progress {
            println!("{MARK}{}", vcpus[0].pid);
        }
    });
}

#[test]
fn dies_with_a_program_that_is_killed() {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holds_a_guest_until_killed", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(holder.stdout.take().unwrap());
    let pid_of = |line: String| line.split_once(MARK).map(|(_, pid)| pid.trim().parse().unwrap());
    let pid: u32 = output.lines().map_while(Result::ok).find_map(pid_of).unwrap();
    assert!(!has_ended(pid));
    holder.kill().unwrap();
    holder.wait().unwrap();
    let killed = Instant::now();
    while !has_ended(pid) {
        assert!(killed.elapsed() < Duration::from_secs(30), "process {pid} was left behind");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn leads_its_own_process_group() {
    let guest = Guest::of_sector(common::DEBUG_EXIT);
    let mut group = None;
    let run = guest
        .run_with(&CancelToken::new().unwrap(), &mut |progress| {
            if let GuestEvent::Running { vcpus } = progress {
                let pid = i32::try_from(vcpus[0].pid).ok().and_then(Pid::from_raw);
                group = Some((pid, getpgid(pid).ok()));
            }
        })
        .unwrap();
    let (pid, group) = group.unwrap();
    assert_eq!(group, pid);
    assert_ne!(group, Some(getpgrp()));
    assert_eq!(run.outcome, Outcome::DebugExit { value: 0x10 });
    assert!(run.dies_with_parent, "util-linux has setpriv");
}
