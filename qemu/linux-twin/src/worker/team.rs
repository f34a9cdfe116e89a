//! One iteration of a case: its workers, each a process on its CPU, from the first fork to the last end.
#![expect(unsafe_code, reason = "forks")]

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use abi::plan::{Needs, Split};
use abi::wire::record::{SystemName, WorkerStatus};
use harness::TeamReport;
use harness::backend::patience_us;
use harness::chunks::Roots;
use harness::clock::Clock;
use harness::emit::WorkerReport;
use harness::outcome::Outcome;
use harness::pace::HostGaps;
use harness::rendezvous::Rendezvous;
use harness::user::{Exit, Fault, Program};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, WaitStatus, pidfd_open, pidfd_send_signal, waitpid,
};
use rustix::time::Timespec;

use super::child::{Assignment, live};
use super::shared::Shared;
use super::slot::{End, NOT_REPORTED, Slot, Step};
use super::space::{Pages, bytes_of};
use super::{map, traps};
use crate::cpus::Cpu;
use crate::linux::memlock;
use crate::second::SecondClock;

/// The workers of a case, ready to run once.
pub struct Team {
    members: Vec<Member>,
    rendezvous: Shared<Rendezvous>,
    /// The plan's challenge.
    challenge: u64,
    limits: Limits,
    /// What each worker needs.
    needs: Needs,
    /// The memory that all workers share, if there is any. Every worker's process inherits it at its place.
    _shared: Option<map::Region>,
}

/// How long the calls of a worker take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// At most, in milliseconds.
    pub timeout_ms: u32,
    /// The warm-up at least, in milliseconds.
    pub warm_up_ms: u32,
}

struct Member {
    cpu: Cpu,
    split: Split,
    pages: Pages,
    slot: Shared<Slot>,
}

/// A process that was started.
struct Child {
    pid: Pid,
    handle: OwnedFd,
    status: Option<WaitStatus>,
}

impl Team {
    /// A worker for each of `cpus`.
    ///
    /// # Errors
    /// No memory, or none that can be locked.
    pub fn assemble(
        cpus: &[Cpu],
        splits: &[Split],
        program: &Program<'_>,
        challenge: u64,
        limits: Limits,
    ) -> io::Result<Self> {
        memlock::check(bytes_of(program))?;
        let (needs, shared) = (program.needs, program.granted().shared);
        let members = cpus.iter().zip(splits).map(|(&cpu, &split)| Member::new(cpu, split, needs.chunks));
        let members: Vec<_> = members.collect::<io::Result<_>>()?;
        let expected = u32::try_from(members.len()).map_err(io::Error::other)?;
        let rendezvous = Shared::new(Rendezvous::new(expected))?;
        let bytes = usize::try_from(shared.bytes).map_err(io::Error::other)?;
        let _shared = (bytes > 0).then(|| map::shared_zeros(shared.at, bytes)).transpose()?;
        Ok(Self { members, rendezvous, challenge, limits, needs, _shared })
    }

    /// How long to wait for all processes.
    fn patience(&self) -> Duration {
        Duration::from_micros(patience_us(&self.needs, u64::from(self.limits.timeout_ms) * 1_000))
    }

    /// Runs it. No process is left afterwards.
    ///
    /// # Errors
    /// A process could not be made, or could not do what it must do before its worker runs.
    pub fn run(
        &self,
        program: &Program<'_>,
        clock: &Clock,
        second: SecondClock,
        system: SystemName,
        tuned: bool,
    ) -> io::Result<TeamReport> {
        let mut children = Vec::with_capacity(self.members.len());
        let started = self.members.iter().try_for_each(|member| {
            children.push(self.start(member, program, clock, second, tuned)?);
            Ok(())
        });
        let watched = started.and_then(|()| self.watch(&mut children, second));
        children.iter_mut().for_each(Child::end);
        watched?;
        let (each, mut roots) = (self.members.iter().zip(&children), Roots::default());
        let reports = each.map(|(member, child)| member.report(child, system, &self.needs, &mut roots));
        let workers = reports.collect::<io::Result<_>>()?;
        let root = (self.needs.chunks > 0).then(|| roots.all());
        let start_tsc = self.rendezvous.start_tsc().unwrap_or(0);
        let (warm, back) = (self.rendezvous.warm(), self.rendezvous.back());
        Ok(TeamReport { start_tsc, warm, back, workers, root })
    }

    fn start(
        &self,
        member: &Member,
        program: &Program<'_>,
        clock: &Clock,
        second: SecondClock,
        tuned: bool,
    ) -> io::Result<Child> {
        let assignment = Assignment {
            cpu: member.cpu,
            split: member.split,
            program,
            workers: u32::try_from(self.members.len()).unwrap_or(u32::MAX),
            tuned,
            pages: &member.pages,
            rendezvous: &self.rendezvous,
            clock,
            second,
            challenge: self.challenge,
            limits: self.limits,
            patience: self.patience(),
        };
        // SAFETY: this process has one thread here, so the child may do everything that a process may.
        let pid = unsafe { libc::fork() };
        if pid == 0 {
            // SAFETY: shared memory, which this process keeps until its end.
            let slot = unsafe { &*std::ptr::from_ref::<Slot>(&member.slot) };
            traps::leave(live(&assignment, slot));
        }
        let pid = Pid::from_raw(pid).filter(|_| pid > 0).ok_or_else(io::Error::last_os_error)?;
        Ok(Child { pid, handle: pidfd_open(pid, PidfdFlags::empty())?, status: None })
    }

    /// Waits until all have ended, or the time is up. A process that ends before the rendezvous is withdrawn from it. This
    /// process sleeps meanwhile: it shares a CPU with a worker.
    fn watch(&self, children: &mut [Child], second: SecondClock) -> io::Result<()> {
        let deadline = Instant::now() + self.patience();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let waiting = children.iter().filter(|child| child.status.is_none());
            let mut handles: Vec<_> =
                waiting.map(|child| PollFd::new(&child.handle, PollFlags::IN)).collect();
            if handles.is_empty() || left.is_zero() {
                return Ok(());
            }
            let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
            match poll(&mut handles, Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            for (member, child) in self.members.iter().zip(&mut *children) {
                if child.has_just_ended()? {
                    member.slot.come_back(&self.rendezvous, second);
                    if !member.slot.arrived.load(Ordering::Acquire) {
                        self.rendezvous.withdraw();
                    }
                }
            }
        }
    }
}

impl Child {
    fn has_just_ended(&mut self) -> io::Result<bool> {
        if self.status.is_some() {
            return Ok(false);
        }
        self.status = waitpid(Some(self.pid), WaitOptions::NOHANG)?.map(|(_, status)| status);
        Ok(self.status.is_some())
    }

    /// Ends it if it has not ended.
    fn end(&mut self) {
        if self.status.is_none() {
            let _ = pidfd_send_signal(&self.handle, Signal::KILL);
            let _ = waitpid(Some(self.pid), WaitOptions::empty());
        }
    }
}

impl Member {
    fn new(cpu: Cpu, split: Split, chunks: u16) -> io::Result<Self> {
        Ok(Self { cpu, split, pages: Pages::new(chunks)?, slot: Shared::new(Slot::default())? })
    }

    fn report(
        &self,
        child: &Child,
        system: SystemName,
        needs: &Needs,
        roots: &mut Roots,
    ) -> io::Result<WorkerReport> {
        let (around, gaps, conditions) = (self.slot.around(), self.gaps(system), self.slot.conditions());
        let (cpu, split, outcome) = (self.cpu.id, self.split, self.outcome(child, needs)?);
        let chunks = if needs.chunks > 0 && outcome.status == WorkerStatus::Done {
            let mut seen = Ok(());
            let root = roots.add(outcome.result.chunks, needs.chunks, |bytes, see| {
                seen = self.pages.see_chunks(bytes, see);
            });
            seen.map(|()| Some(root))?
        } else {
            None
        };
        Ok(WorkerReport { cpu, split, outcome, chunks, around, gaps, conditions })
    }

    fn outcome(&self, child: &Child, needs: &Needs) -> io::Result<Outcome> {
        let result = || Ok::<_, io::Error>(self.slot.result(self.pages.result()?, needs.verify));
        Ok(match self.slot.end() {
            End::Came(exit) => Outcome::new(exit, self.slot.counts(), result()?),
            End::NoStart => Outcome::unfinished(WorkerStatus::Incomplete),
            End::SetUp(step, errno) => {
                let worker = self.split.worker;
                return Err(match step {
                    Step::Features | Step::Pages => {
                        io::Error::new(io::ErrorKind::Unsupported, format!("worker {worker}: {step}"))
                    }
                    _ => {
                        let error = io::Error::from_raw_os_error(errno);
                        io::Error::other(format!("worker {worker}: {step}: {error}"))
                    }
                });
            }
            End::NotReported => {
                match child.status.and_then(|status| fault_of(status.terminating_signal()?)) {
                    Some(fault) => Outcome::new(Exit::Fault(fault), self.slot.counts(), result()?),
                    None => Outcome::unfinished(WorkerStatus::Lost),
                }
            }
        })
    }

    /// What the worker's CPU saw of its host. Natively the host is Linux, and the time that a process waited for its CPU
    /// was taken from it. In a guest that wait is Linux's own, and Linux reports steal time in hundredths of a second,
    /// which is too coarse.
    fn gaps(&self, system: SystemName) -> HostGaps {
        let waited = self.slot.waited_ns.load(Ordering::Acquire);
        let steal_ns = Some(waited).filter(|&ns| system == SystemName::Native && ns != NOT_REPORTED);
        HostGaps { before: self.slot.before.load(), after: self.slot.after.load(), steal_ns }
    }
}

/// The exception behind a signal that ended a process before its handler ran.
fn fault_of(signal: i32) -> Option<Fault> {
    let vector = match signal {
        libc::SIGFPE => 0,
        libc::SIGTRAP => 3,
        libc::SIGILL => 6,
        libc::SIGSEGV => 14,
        libc::SIGBUS => 17,
        _ => return None,
    };
    Some(Fault { vector, error: 0, rip: 0, address: 0 })
}
