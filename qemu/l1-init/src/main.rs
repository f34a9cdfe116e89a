//! The first process of an L1 guest: mounts what a program needs, loads KVM, keeps one guest stopped, runs the program
//! of its job, and powers the guest off. It prints the program's output on the console, whole lines at a time.
#![forbid(unsafe_code)]

mod clock;
mod holder;
mod pulse;
mod system;

use std::io::{self, BufRead as _, BufReader, PipeReader, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use l1_init::{ALIVE_EVERY_SECONDS, JOB, Job, Said};
use rustix::system::{RebootCommand, reboot};

use crate::clock::Clock;
use crate::pulse::Pulse;

fn main() -> ExitCode {
    if std::process::id() != 1 {
        eprintln!("assay-l1-init: runs only as the first process of a guest");
        return ExitCode::from(2);
    }
    let said = match work() {
        Ok(status) => Said::Ended(code(status)),
        Err(why) => Said::Failed(why),
    };
    say(&said);
    // The console's last bytes are still on their way to the host.
    thread::sleep(Duration::from_millis(200));
    let _ = reboot(RebootCommand::PowerOff);
    // Linux panics now, and QEMU ends with it.
    ExitCode::FAILURE
}

/// Does the job, and returns how its program ended.
fn work() -> Result<ExitStatus, String> {
    system::mount_all()?;
    let text = std::fs::read_to_string(JOB).map_err(|error| format!("{JOB}: {error}"))?;
    let job = Job::parse(&text).map_err(|line| format!("{JOB}: {line:?} is no part of a job"))?;
    job.modules.iter().try_for_each(|module| system::load(module))?;
    let _holder = holder::start(&job.holder)?;
    say(&Said::Up);
    let (child, output) = start(&job)?;
    let ended = ended(child, output);
    let (mut pulse, clock) = (Pulse::of_every_cpu(), Clock::begin());
    loop {
        match ended.recv_timeout(Duration::from_secs(ALIVE_EVERY_SECONDS)) {
            Ok(status) => return status.map_err(|error| format!("waiting for the program: {error}")),
            Err(_) => say(&clock.check().unwrap_or_else(|| pulse.check())),
        }
    }
}

/// Starts the job's program, and returns it with what it will print on both of its streams.
fn start(job: &Job) -> Result<(Child, PipeReader), String> {
    let [program, arguments @ ..] = job.program.as_slice() else {
        return Err("the job has no program".to_owned());
    };
    let started = io::pipe().and_then(|(output, input)| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&job.folder).env_clear().envs(job.variables.iter().cloned());
        command.stdin(Stdio::null()).stdout(input.try_clone()?).stderr(input);
        Ok((command.spawn()?, output))
    });
    started.map_err(|error| format!("{program}: {error}"))
}

/// Prints the program's output from now on. How it ended follows once all of that is printed.
fn ended(mut child: Child, output: PipeReader) -> mpsc::Receiver<io::Result<ExitStatus>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n') {
            let Ok(mut line) = line else { break };
            line.push(b'\n');
            // The console is all there is to report an error on.
            let _ = io::stdout().lock().write_all(&line);
        }
        let _ = sender.send(child.wait());
    });
    receiver
}

/// A program's exit code, as a shell counts.
fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(-1)
}

fn say(said: &Said) {
    let _ = io::stdout().lock().write_all(format!("{}\n", said.line()).as_bytes());
}
