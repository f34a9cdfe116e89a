//! Watches an L1 guest by its console: its program's lines, and whether L1 itself still runs.

use std::io::{self, Read as _};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use host::CancelToken;
use host::process::{Process, Wake, wait};
use l1_init::Said;

/// How long the console may stay silent. L1 says every five seconds that it runs.
const SILENCE: Duration = Duration::from_secs(90);
/// How long it may take until its program starts. The slowest start seen on a busy machine took 25 s.
const START: Duration = Duration::from_secs(180);

/// How an L1 guest ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum L1End {
    /// Its program ended with this exit code.
    Ended(i32),
    /// Its program was not run, for this reason.
    Failed(String),
    /// The program had not ended by its deadline, while L1 ran.
    Deadline,
    /// L1 itself stopped, hung or died: nothing can be said about the program.
    Broken(String),
    /// The token was cancelled.
    Cancelled,
}

/// Reads the console of an L1 guest that was just started until it ends, and passes each line that is not L1's own to
/// `on_line`.
///
/// # Errors
/// The system's error if the process cannot be watched.
pub fn watch(
    mut process: Process,
    deadline: Duration,
    cancel: &CancelToken,
    on_line: &mut dyn FnMut(&str),
) -> io::Result<L1End> {
    let mut console = process.take_stdout();
    let (mut unfinished, mut state) = (Vec::new(), State::new(deadline));
    let end = loop {
        let streams = [console.as_ref().map(|console| console.as_fd())];
        match wait(&streams, Some(&process), Some(cancel), state.left())? {
            Wake::Stream(_) => {
                let mut chunk = [0; 16 << 10];
                match console.as_mut().map_or(Ok(0), |console| console.read(&mut chunk)) {
                    Ok(0) => console = None,
                    Ok(bytes) => unfinished.extend_from_slice(&chunk[..bytes]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Wake::Exit => break state.ended.unwrap_or_else(|| died(&mut process)),
            Wake::Cancel => break L1End::Cancelled,
            Wake::Nothing => {}
        }
        while let Some(at) = unfinished.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = unfinished.drain(..=at).collect();
            state.on_line(String::from_utf8_lossy(&line).trim_end(), on_line);
        }
        if let Some(end) = state.over() {
            break end;
        }
    };
    process.end()?;
    Ok(end)
}

fn died(process: &mut Process) -> L1End {
    let status = process.end().map_or_else(|error| error.to_string(), |status| status.to_string());
    L1End::Broken(format!("it ended before its program did ({status})"))
}

struct State {
    deadline: Duration,
    begin: Instant,
    heard: Instant,
    /// When the program was started.
    up: Option<Instant>,
    /// Why L1 cannot go on.
    broken: Option<String>,
    ended: Option<L1End>,
}

impl State {
    fn new(deadline: Duration) -> Self {
        let now = Instant::now();
        Self { deadline, begin: now, heard: now, up: None, broken: None, ended: None }
    }

    fn on_line(&mut self, line: &str, on_line: &mut dyn FnMut(&str)) {
        self.heard = Instant::now();
        match Said::of_line(line) {
            Some(Said::Up) => self.up = Some(self.heard),
            Some(Said::Alive) => {}
            Some(Said::Stuck(cpu)) => self.broken = Some(format!("its CPU {cpu} stopped")),
            Some(Said::WrongClock(clock, rtc)) => {
                self.broken = Some(format!("its clock is wrong: it counted {clock} s in {rtc} s"));
            }
            Some(Said::Ended(code)) => self.ended = Some(L1End::Ended(code)),
            Some(Said::Failed(why)) => self.ended = Some(L1End::Failed(why)),
            None => on_line(line),
        }
    }

    /// The time until something is overdue.
    fn left(&self) -> Duration {
        let next = match self.up {
            None => self.begin + START,
            Some(up) => (up + self.deadline).min(self.heard + SILENCE),
        };
        next.saturating_duration_since(Instant::now())
    }

    /// How the guest ended, if it must not be waited for any longer.
    fn over(&self) -> Option<L1End> {
        if self.ended.is_some() {
            // The program's end is all that was wanted. What L1 does after it does not matter.
            return self.ended.clone();
        }
        if let Some(why) = &self.broken {
            return Some(L1End::Broken(why.clone()));
        }
        if self.left() > Duration::ZERO {
            return None;
        }
        Some(match self.up {
            None => L1End::Broken(format!("it had not started its program after {} s", START.as_secs())),
            Some(_) if self.heard.elapsed() >= SILENCE => {
                L1End::Broken(format!("its console was silent for {} s", SILENCE.as_secs()))
            }
            Some(_) => L1End::Deadline,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    /// Watches a script in L1's place.
    fn watched(script: &str, deadline: Duration) -> (L1End, Vec<String>) {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
        let (process, mut lines) = (Process::spawn(&mut command).unwrap(), Vec::new());
        let cancel = CancelToken::new().unwrap();
        let end = watch(process, deadline, &cancel, &mut |line| lines.push(line.to_owned())).unwrap();
        (end, lines)
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn passes_the_programs_lines_on_and_returns_its_exit_code() {
        let script = "echo booting; echo ASSAY-L1 up; echo one; echo ASSAY-L1 alive; echo two; \
                      echo ASSAY-L1 ended 3; sleep 100";
        let (end, lines) = watched(script, LONG);
        assert_eq!((end, lines.join(" ")), (L1End::Ended(3), "booting one two".to_owned()));
        let (end, _) = watched("echo ASSAY-L1 failed no kvm; sleep 100", LONG);
        assert_eq!(end, L1End::Failed("no kvm".to_owned()));
    }

    #[test]
    fn tells_a_broken_l1_from_a_program_that_takes_too_long() {
        let (end, _) = watched("echo ASSAY-L1 up; sleep 100", Duration::from_millis(300));
        assert_eq!(end, L1End::Deadline);
        let (end, lines) = watched("echo ASSAY-L1 up; echo Kernel panic; exit 7", LONG);
        assert!(matches!(&end, L1End::Broken(why) if why.contains("exit status: 7")), "{end:?}");
        assert_eq!(lines, ["Kernel panic"]);
        let (end, _) = watched("echo ASSAY-L1 up; echo ASSAY-L1 stuck 2; sleep 100", LONG);
        assert_eq!(end, L1End::Broken("its CPU 2 stopped".to_owned()));
        let (end, _) = watched("echo ASSAY-L1 up; echo ASSAY-L1 wrong-clock 15 5; sleep 100", LONG);
        assert_eq!(end, L1End::Broken("its clock is wrong: it counted 15 s in 5 s".to_owned()));
    }
}
