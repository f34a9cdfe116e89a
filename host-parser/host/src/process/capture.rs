//! Runs a program to its end, deadline, output limit or cancellation, and captures what it printed.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::process::ExitStatus;
use std::time::Duration;

use super::{Process, Wake, wait};
use crate::CancelToken;

/// How much of standard error is kept, from its end.
const STDERR_BYTES: usize = 64 << 10;

/// The limits of a captured run.
#[derive(Clone, Copy, Debug)]
pub struct Capture<'a> {
    /// The longest time from its start to its end.
    pub deadline: Duration,
    /// How much it may print on standard output, in bytes.
    pub limit_bytes: usize,
    /// Ends it early.
    pub cancel: Option<&'a CancelToken>,
}

/// The result of a captured run.
#[derive(Debug)]
pub struct Captured {
    /// How it ended.
    pub end: End,
    /// Its standard output.
    pub output: Vec<u8>,
    /// The end of its standard error.
    pub stderr: String,
    /// When it was started, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// From there to its end, in microseconds.
    pub exit_us: u64,
}

/// How a program ended.
#[derive(Clone, Copy, Debug)]
pub enum End {
    /// It exited by itself.
    Itself(ExitStatus),
    /// It was cancelled.
    Cancelled,
    /// It had not ended by its deadline.
    Deadline,
    /// It printed more than its limit; the output up to the limit is kept.
    Overflow {
        /// The limit, in bytes.
        limit_bytes: u64,
    },
}

impl Capture<'_> {
    /// Runs a program that was just started, and reads its standard output and error if they are pipes. Calls `on_line`
    /// with each line of the output, without its line end, and the line's arrival time in microseconds from the start.
    ///
    /// # Errors
    /// The system's error if it cannot be watched.
    pub fn run(&self, mut process: Process, on_line: &mut dyn FnMut(&[u8], u64)) -> io::Result<Captured> {
        let (mut stdout, mut stderr) = (process.take_stdout(), process.take_stderr());
        let (mut output, mut messages) = (Vec::new(), Vec::new());
        let mut reported = 0;
        let end = loop {
            let streams = [stdout.as_ref().map(AsFd::as_fd), stderr.as_ref().map(AsFd::as_fd)];
            let left = self.deadline.saturating_sub(process.elapsed());
            match wait(&streams, Some(&process), self.cancel, left)? {
                Wake::Stream(0) => {
                    read(&mut stdout, &mut output)?;
                    reported += report_lines(&output[reported..], process.elapsed_us(), on_line);
                }
                Wake::Stream(_) => {
                    read(&mut stderr, &mut messages)?;
                    messages.drain(..messages.len().saturating_sub(STDERR_BYTES));
                }
                Wake::Exit => break End::Itself(process.end()?),
                Wake::Cancel | Wake::Nothing => {}
            }
            if output.len() > self.limit_bytes {
                output.truncate(self.limit_bytes);
                break End::Overflow { limit_bytes: self.limit_bytes as u64 };
            }
            if self.cancel.is_some_and(CancelToken::is_cancelled) {
                break End::Cancelled;
            }
            if process.elapsed() >= self.deadline {
                break End::Deadline;
            }
        };
        process.end()?;
        Ok(Captured {
            end,
            output,
            stderr: String::from_utf8_lossy(&messages).into_owned(),
            started_unix_ms: process.started_unix_ms(),
            exit_us: process.elapsed_us(),
        })
    }
}

/// Reports every complete line of `output`, and returns their length in bytes.
fn report_lines(output: &[u8], at_us: u64, on_line: &mut dyn FnMut(&[u8], u64)) -> usize {
    let mut reported = 0;
    for line in output.split_inclusive(|&byte| byte == b'\n') {
        let Some(text) = line.strip_suffix(b"\n") else { break };
        on_line(text.strip_suffix(b"\r").unwrap_or(text), at_us);
        reported += line.len();
    }
    reported
}

/// Reads one chunk. Closes the stream at its end.
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
    use std::process::{Command, Stdio};
    use std::time::Instant;

    use super::*;

    const LIMIT_BYTES: usize = 16 << 20;

    fn start(script: &str) -> Process {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Process::spawn(&mut command).unwrap()
    }

    fn shell(script: &str, deadline: Duration) -> (Captured, Vec<(String, u64)>) {
        let mut lines = Vec::new();
        let mut on_line =
            |line: &[u8], at_us| lines.push((String::from_utf8_lossy(line).into_owned(), at_us));
        let capture = Capture { deadline, limit_bytes: LIMIT_BYTES, cancel: None };
        let captured = capture.run(start(script), &mut on_line).unwrap();
        (captured, lines)
    }

    #[test]
    fn reports_lines_as_they_come_and_keeps_every_byte() {
        let script = "printf 'one\\r\\ntw'; sleep 0.2; printf 'o\\nlast'; echo oh >&2; exit 19";
        let (captured, lines) = shell(script, Duration::from_secs(60));
        assert!(matches!(captured.end, End::Itself(status) if status.code() == Some(19)));
        assert_eq!(captured.output, b"one\r\ntwo\nlast");
        assert_eq!(captured.stderr, "oh\n");
        let words: Vec<_> = lines.iter().map(|(line, _)| line.as_str()).collect();
        assert_eq!(words, ["one", "two"]);
        assert!(lines[1].1 >= 200_000 && captured.exit_us >= lines[1].1, "{lines:?}");
    }

    #[test]
    fn ends_a_program_at_its_deadline() {
        let (captured, _) = shell("echo x; sleep 1000 & sleep 1000", Duration::from_millis(200));
        assert!(matches!(captured.end, End::Deadline));
        assert_eq!(captured.output, b"x\n");
        assert!(captured.exit_us < 60_000_000);
    }

    /// Whether a process exists and is no zombie: proc_pid_stat(5).
    fn lives(pid: &str) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.starts_with(" Z"))
    }

    /// Waits until a process is gone.
    fn await_end(pid: &str) {
        let until = Instant::now() + Duration::from_secs(30);
        while lives(pid) {
            assert!(Instant::now() < until, "process {pid} is still there");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn kills_the_children_of_a_program_that_exits() {
        let script = "sleep 1000 >/dev/null 2>&1 & echo $!; exit 3";
        let (captured, lines) = shell(script, Duration::from_secs(60));
        assert!(matches!(captured.end, End::Itself(status) if status.code() == Some(3)));
        await_end(&lines[0].0);
    }

    #[test]
    fn does_not_wait_for_a_child_that_holds_the_streams_open() {
        let (captured, lines) = shell("sleep 1000 & echo $!; exit 3", Duration::from_secs(60));
        assert!(matches!(captured.end, End::Itself(status) if status.code() == Some(3)));
        await_end(&lines[0].0);
    }

    #[test]
    fn ends_a_program_that_prints_without_end() {
        let (captured, _) = shell("exec yes", Duration::from_secs(300));
        assert!(matches!(captured.end, End::Overflow { limit_bytes } if limit_bytes == LIMIT_BYTES as u64));
        assert_eq!(captured.output.len(), LIMIT_BYTES);
    }

    #[test]
    fn keeps_the_end_of_the_messages() {
        let (captured, _) = shell("head -c 200000 /dev/zero >&2; echo end >&2", Duration::from_secs(60));
        assert!(captured.stderr.len() <= STDERR_BYTES && captured.stderr.ends_with("end\n"));
    }

    #[test]
    fn ends_a_program_when_cancelled() {
        let cancel = CancelToken::new().unwrap();
        let capture =
            Capture { deadline: Duration::from_secs(600), limit_bytes: LIMIT_BYTES, cancel: Some(&cancel) };
        let process = start("sleep 1000 & sleep 1000");
        let canceller = cancel.clone();
        // From another thread, while this one sleeps in its wait.
        let thread = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(100));
            canceller.cancel();
        });
        let captured = capture.run(process, &mut |_, _| ()).unwrap();
        thread.join().unwrap();
        assert!(matches!(captured.end, End::Cancelled) && captured.exit_us < 60_000_000);
        // With a token that is cancelled already there is no wait.
        let captured = capture.run(start("sleep 1000"), &mut |_, _| ()).unwrap();
        assert!(matches!(captured.end, End::Cancelled));
    }
}
