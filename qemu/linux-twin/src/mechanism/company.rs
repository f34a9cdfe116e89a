//! The processes of a scene, from the first fork to the last end.
#![expect(unsafe_code, reason = "forks")]

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use abi::series::SeriesRow;
use abi::worker::WorkerResult;
use harness::le::u64_at;
use harness::mechanism::{Counted, Ended, Played, Role, Scene};
use harness::user::Exit;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, pidfd_open, pidfd_send_signal, waitpid};
use rustix::time::Timespec;

use super::objects::Objects;
use super::task::{Assignment, PRIORITY, live};
use crate::cpus::Cpu;
use crate::linux::{memlock, scheduler};
use crate::worker::{End, Pages, Region, Shared, Slot, bytes_of, map, traps};

/// How long the other tasks may go on when one has ended.
const GRACE: Duration = Duration::from_secs(2);

/// The priority of this process while the tasks of `switch` run: above theirs, so that the first, which waits for the second,
/// does not keep this process from starting it.
const ABOVE: i32 = PRIORITY + 1;

/// This process as a real-time process, until it is dropped.
struct Above;

impl Above {
    fn begin() -> io::Result<Self> {
        scheduler::become_fifo(ABOVE).map(|()| Self)
    }
}

impl Drop for Above {
    fn drop(&mut self) {
        let _restored = scheduler::become_other();
    }
}

/// A task and its process.
struct Member<'a> {
    role: &'a Role,
    cpu: Cpu,
    pages: Pages,
    slot: Shared<Slot>,
}

/// A process that was started. It is ended when this is dropped.
struct Child {
    pid: Pid,
    handle: OwnedFd,
    is_over: bool,
}

/// Runs the tasks of `scene`. No process is left afterwards.
///
/// # Errors
/// A process could not be made, or could not do what it must do before its task runs.
pub fn run(
    scene: &Scene<'_>,
    cpus: &[Cpu],
    elf: &[u8],
    stubs: &[u8],
    results: &mut [u64],
) -> io::Result<Played> {
    memlock::check(bytes_of(scene.program))?;
    let objects = Objects::make(scene.profile, elf)?;
    let kept = File::from(memfd_create("results", MemfdFlags::CLOEXEC)?);
    let _shared = shared_memory(scene)?;
    let members = scene.tasks.iter().map(|role| member(role, cpus)).collect::<io::Result<Vec<_>>>()?;
    let _above = (scene.row == SeriesRow::Switch).then(Above::begin).transpose()?;
    let mut children = Vec::with_capacity(members.len());
    for (member, place) in members.iter().zip(0..) {
        let assignment = Assignment {
            scene,
            role: member.role,
            cpu: member.cpu,
            objects: &objects,
            pages: &member.pages,
            stubs,
            kept: &kept,
            words: if place == 0 { results.len() } else { 0 },
        };
        children.push(start(&assignment, &member.slot)?);
    }
    // The ends of pipes that are left here would keep a task waiting for one that has ended.
    drop(objects);
    wait(&mut children, Duration::from_micros(scene.timeout_us))?;
    drop(children);
    let ended = members.iter().map(ended).collect::<io::Result<_>>()?;
    read_words(&kept, results)?;
    Ok(Played { ended, counted: Counted::NOTHING })
}

fn member<'a>(role: &'a Role, cpus: &[Cpu]) -> io::Result<Member<'a>> {
    let cpu = cpus.iter().find(|cpu| cpu.id == role.cpu).ok_or(io::ErrorKind::NotFound)?;
    Ok(Member { role, cpu: *cpu, pages: Pages::new(0)?, slot: Shared::new(Slot::default())? })
}

/// The memory that all tasks inherit at its place, if there is any.
fn shared_memory(scene: &Scene<'_>) -> io::Result<Option<Region>> {
    let shared = scene.program.granted().shared;
    let bytes = usize::try_from(shared.bytes).map_err(io::Error::other)?;
    (bytes > 0).then(|| map::shared_zeros(shared.at, bytes)).transpose()
}

fn start(assignment: &Assignment<'_>, slot: &Shared<Slot>) -> io::Result<Child> {
    // SAFETY: this process has one thread here, so the child may do everything that a process may.
    let pid = unsafe { libc::fork() };
    if pid == 0 {
        // SAFETY: shared memory, which this process keeps until its end.
        let slot = unsafe { &*std::ptr::from_ref::<Slot>(slot) };
        traps::leave(live(assignment, slot));
    }
    let pid = Pid::from_raw(pid).filter(|_| pid > 0).ok_or_else(io::Error::last_os_error)?;
    Ok(Child { pid, handle: pidfd_open(pid, PidfdFlags::empty())?, is_over: false })
}

/// Waits until all have ended, or the time is up: all of it, or the grace after the first end. This process sleeps meanwhile:
/// it shares a CPU with a task.
fn wait(children: &mut [Child], patience: Duration) -> io::Result<()> {
    let mut deadline = Instant::now() + patience;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let waiting = children.iter().filter(|child| !child.is_over);
        let mut handles: Vec<_> = waiting.map(|child| PollFd::new(&child.handle, PollFlags::IN)).collect();
        if handles.is_empty() || left.is_zero() {
            return Ok(());
        }
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut handles, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for child in children.iter_mut().filter(|child| !child.is_over) {
            if waitpid(Some(child.pid), WaitOptions::NOHANG)?.is_some() {
                child.is_over = true;
                deadline = deadline.min(Instant::now() + GRACE);
            }
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if !self.is_over {
            let _ = pidfd_send_signal(&self.handle, Signal::KILL);
            let _ = waitpid(Some(self.pid), WaitOptions::empty());
        }
    }
}

/// How a task ended.
fn ended(member: &Member<'_>) -> io::Result<Ended> {
    let exit = match member.slot.end() {
        End::Came(exit) => exit,
        End::SetUp(step, errno) => {
            let error = io::Error::from_raw_os_error(errno);
            return Err(io::Error::other(format!("{}: {step}: {error}", member.role.name)));
        }
        End::NoStart | End::NotReported => Exit::Timeout,
    };
    let result = if exit == Exit::Returned { member.pages.result()? } else { WorkerResult::default() };
    Ok(Ended { exit, result })
}

/// Reads what the client kept; zeros after its end.
fn read_words(kept: &File, words: &mut [u64]) -> io::Result<()> {
    let mut bytes = vec![0; words.len() * 8];
    let mut read = 0;
    while read < bytes.len() {
        match kept.read_at(&mut bytes[read..], read as u64)? {
            0 => break,
            more => read += more,
        }
    }
    for (at, word) in words.iter_mut().enumerate() {
        *word = u64_at(&bytes, 8 * at).unwrap_or(0);
    }
    Ok(())
}
