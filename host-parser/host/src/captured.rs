//! A program of the host whose standard output is a log: run to its end, or until that is enough of it. It is in a
//! process group of its own, and none of it is left behind.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::{CancelToken, CpuSet};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How late a cancellation is noticed. The program's CPUs are ours too: no more wake-ups than that needs.
const TICK: Duration = Duration::from_millis(50);
/// The same once the streams are at their end and only the exit status is missing.
const LAST_TICK: Duration = Duration::from_millis(1);
/// How much it may print, as much as a guest.
const LIMIT_BYTES: usize = 16 << 20;

/// What a program left behind.
pub struct Captured {
    /// How it ended.
    pub end: End,
    /// Its standard output.
    pub log: Vec<u8>,
    /// Its standard error.
    pub stderr: String,
    /// The host CPUs that it was started on, read back from the kernel.
    pub host_cpus: CpuSet,
    /// When it was started, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// From there to its end, in microseconds.
    pub exit_us: u64,
}

/// How a program ended.
pub enum End {
    /// By itself.
    Itself(ExitStatus),
    /// It was cancelled.
    Cancelled,
    /// It had not ended by its deadline.
    Deadline,
    /// It printed more than [`LIMIT_BYTES`].
    Overflow {
        /// The limit.
        limit_bytes: u64,
    },
}

/// Runs `command` on the host CPUs `cpus`. `on_line` is given every line of its standard output, without its end, and
/// when it had arrived, in microseconds from the start.
///
/// # Errors
/// The system's reason why it could not be started or watched.
pub fn run(
    command: &mut Command,
    cpus: &CpuSet,
    deadline: Duration,
    cancel: &CancelToken,
    on_line: &mut dyn FnMut(&[u8], u64),
) -> io::Result<Captured> {
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let begun = Instant::now();
    // Read back before it runs: it may confine itself further.
    let (host_cpus, child) = cpus.confine(|| (CpuSet::allowed(), command.spawn()))?;
    let (host_cpus, mut program) = (host_cpus?, Program::of(child?));
    let mut told = 0;
    let end = loop {
        let tick = if program.is_silent() { LAST_TICK } else { TICK };
        program.take_in(tick)?;
        let at_us = micros(begun.elapsed());
        while let Some(length) = program.log[told..].iter().position(|&byte| byte == b'\n') {
            let line = &program.log[told..told + length];
            on_line(line.strip_suffix(b"\r").unwrap_or(line), at_us);
            told += length + 1;
        }
        if let Some(status) = program.ended()? {
            break End::Itself(status);
        }
        if program.log.len() > LIMIT_BYTES {
            program.log.truncate(LIMIT_BYTES);
            break End::Overflow { limit_bytes: LIMIT_BYTES as u64 };
        }
        if cancel.is_cancelled() {
            break End::Cancelled;
        }
        if begun.elapsed() >= deadline {
            break End::Deadline;
        }
    };
    program.end()?;
    Ok(Captured {
        end,
        log: std::mem::take(&mut program.log),
        stderr: String::from_utf8_lossy(&program.said).into_owned(),
        host_cpus,
        started_unix_ms: u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
        exit_us: micros(begun.elapsed()),
    })
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A started program. Dropping it kills it and whatever it has started.
struct Program {
    child: Child,
    /// Its status, once it was waited for.
    status: Option<ExitStatus>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    log: Vec<u8>,
    said: Vec<u8>,
}

impl Program {
    fn of(mut child: Child) -> Self {
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        Self { child, status: None, stdout, stderr, log: Vec::new(), said: Vec::new() }
    }

    /// Whether nothing can come from it any more.
    const fn is_silent(&self) -> bool {
        self.stdout.is_none() && self.stderr.is_none()
    }

    /// Waits for something to read, at most for `tick`, and reads it.
    fn take_in(&mut self, tick: Duration) -> io::Result<()> {
        let streams = [self.stdout.as_ref().map(AsFd::as_fd), self.stderr.as_ref().map(AsFd::as_fd)];
        let mut waiting: Vec<_> =
            streams.iter().flatten().map(|stream| PollFd::from_borrowed_fd(*stream, PollFlags::IN)).collect();
        let timeout = Timespec::try_from(tick).map_err(io::Error::other)?;
        match poll(&mut waiting, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut readable = waiting.iter().map(|stream| !stream.revents().is_empty());
        let mut next = |open: bool| open && readable.next().unwrap_or(false);
        let (stdout, stderr) = (next(self.stdout.is_some()), next(self.stderr.is_some()));
        if stdout {
            read(&mut self.stdout, &mut self.log)?;
        }
        if stderr {
            read(&mut self.stderr, &mut self.said)?;
        }
        Ok(())
    }

    /// Its status, once it has ended and all that it wrote was read.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if !self.is_silent() || !self.has_exited()? {
            return Ok(None);
        }
        self.end().map(Some)
    }

    /// Whether it has exited. It stays to be waited for.
    fn has_exited(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(Pid::from_child(&self.child)), options)?.is_some())
    }

    /// Kills it and whatever it has started, and waits for it. One that has exited keeps its status.
    fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        // Until it is waited for the id is this child's, and so is the group: what it left behind is killed first.
        let _ = kill_process_group(Pid::from_child(&self.child), Signal::KILL);
        let status = self.child.wait()?;
        self.status = Some(status);
        Ok(status)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = self.end();
    }
}

/// Reads one chunk; at its end the stream is closed.
fn read(stream: &mut Option<impl Read>, into: &mut Vec<u8>) -> io::Result<()> {
    let mut chunk = [0; 16 << 10];
    let Some(open) = stream else { return Ok(()) };
    match open.read(&mut chunk) {
        Ok(0) => *stream = None,
        Ok(bytes) => into.extend_from_slice(&chunk[..bytes]),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, deadline: Duration) -> (Captured, Vec<(String, u64)>) {
        let mut lines = Vec::new();
        let mut on_line =
            |line: &[u8], at_us| lines.push((String::from_utf8_lossy(line).into_owned(), at_us));
        let (mut command, cpus) = (Command::new("sh"), CpuSet::allowed().unwrap());
        command.args(["-c", script]);
        let captured = run(&mut command, &cpus, deadline, &CancelToken::new(), &mut on_line).unwrap();
        assert_eq!(captured.host_cpus, cpus);
        (captured, lines)
    }

    #[test]
    fn tells_lines_as_they_come_and_keeps_every_byte() {
        let script = "printf 'one\\r\\ntw'; sleep 0.2; printf 'o\\nlast'; echo oh >&2; exit 19";
        let (captured, lines) = shell(script, Duration::from_secs(60));
        assert!(matches!(captured.end, End::Itself(status) if status.code() == Some(19)));
        assert_eq!(captured.log, b"one\r\ntwo\nlast");
        assert_eq!(captured.stderr, "oh\n");
        let words: Vec<_> = lines.iter().map(|(line, _)| line.as_str()).collect();
        assert_eq!(words, ["one", "two"]);
        assert!(lines[1].1 >= 200_000 && captured.exit_us >= lines[1].1, "{lines:?}");
    }

    #[test]
    fn ends_a_program_that_does_not() {
        let (captured, _) = shell("echo x; sleep 1000 & sleep 1000", Duration::from_millis(200));
        assert!(matches!(captured.end, End::Deadline));
        assert_eq!(captured.log, b"x\n");
        assert!(captured.exit_us < 60_000_000);
    }

    /// Whether a process is there, and not only waiting to be waited for: proc_pid_stat(5).
    fn lives(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.starts_with(" Z"))
    }

    #[test]
    fn leaves_nothing_behind_of_a_program_that_ends() {
        let script = "sleep 1000 >/dev/null 2>&1 & echo $!; exit 3";
        let (captured, lines) = shell(script, Duration::from_secs(60));
        assert!(matches!(captured.end, End::Itself(status) if status.code() == Some(3)));
        let until = Instant::now() + Duration::from_secs(30);
        while lives(&lines[0].0) {
            assert!(Instant::now() < until, "process {} is still there", lines[0].0);
            std::thread::sleep(LAST_TICK);
        }
    }

    #[test]
    fn ends_a_program_that_prints_without_end() {
        let (captured, _) = shell("exec yes", Duration::from_secs(300));
        assert!(matches!(captured.end, End::Overflow { limit_bytes } if limit_bytes == LIMIT_BYTES as u64));
        assert_eq!(captured.log.len(), LIMIT_BYTES);
    }

    #[test]
    fn ends_a_program_when_cancelled() {
        let cancel = CancelToken::new();
        cancel.cancel();
        let (mut sleep, cpus) = (Command::new("sleep"), CpuSet::allowed().unwrap());
        let ended = run(sleep.arg("1000"), &cpus, Duration::from_secs(600), &cancel, &mut |_, _| ());
        assert!(matches!(ended.unwrap().end, End::Cancelled));
    }
}
