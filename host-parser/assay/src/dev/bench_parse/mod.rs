//! `assay dev bench-parse`: how fast logs are judged, and with how much memory, beside programs that only read them.

mod generate;

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use evidence::gate::{Sample, WorkerSample};
use lab::{Coded, Exit, OrExit, console};

use generate::Template;
use stats::median;

/// How often a child's memory is read.
const POLL: Duration = Duration::from_millis(5);

/// `assay dev bench-parse`.
#[derive(Args, Debug)]
pub struct BenchParseArgs {
    /// Size of the log that is made, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 64)]
    pub mib: u64,
    /// How often each program runs
    #[arg(long, value_name = "TURNS", default_value_t = 5)]
    pub turns: u32,
    /// Good log of one boot, of which the log is made
    #[arg(long, value_name = "FILE", default_value = "host-parser/evidence/tests/transcripts/good-1.log")]
    pub log: PathBuf,
}

/// Makes the log, judges it, reads it with other programs, and prints the medians of several turns, in each of which every
/// program runs once. No figure has a limit.
///
/// # Errors
/// The log cannot be made, or a program cannot be run.
pub fn run(args: &BenchParseArgs) -> Result<Exit, Coded> {
    let folder = tempfile::tempdir().context("a folder for the log").or_exit(Exit::Output)?;
    let path = folder.path().join("many-boots.log");
    let Made { boots, bytes, samples } = make(args, &path).or_exit(Exit::Output)?;
    let cpu = fs::read_to_string("/proc/cpuinfo").ok();
    let cpu = cpu.as_deref().and_then(model).unwrap_or("a CPU without a name");
    console::answer(&format!("{cpu}; a log of {} MB, {boots} boots:\n", bytes / 1_000_000))?;
    let assay = std::env::current_exe().context("this program's path").or_exit(Exit::Environment)?;
    let programs: [(&str, &Path, &[&str]); 4] = [
        ("assay parse", &assay, &["parse"]),
        ("grep -c", Path::new("grep"), &["-c", "ASSAY1"]),
        ("wc -l", Path::new("wc"), &["-l"]),
        ("sha256sum", Path::new("sha256sum"), &[]),
    ];
    let mut costs: [Vec<Cost>; 4] = Default::default();
    for _ in 0..args.turns.max(1) {
        for ((name, program, options), costs) in programs.iter().zip(&mut costs) {
            let mut command = command(program, options);
            let cost = measure(command.arg(&path)).with_context(|| (*name).to_owned());
            costs.push(cost.or_exit(Exit::Environment)?);
        }
    }
    for ((name, ..), costs) in programs.iter().zip(&costs) {
        let median = |of: fn(&Cost) -> f64| median(costs.iter().map(of)).unwrap_or_default();
        let (wall, cpu) = (median(Cost::wall_s), median(Cost::cpu_s));
        let (rate, mib) = (|s: f64| bytes as f64 / 1e6 / s, (median(Cost::peak_kib) / 1024.0).ceil());
        console::answer(&format!(
            "{name:<12}{wall:>8.2} s {:>7.0} MB/s {cpu:>8.2} s of CPUs {:>7.0} MB/s {mib:>6.0} MiB\n",
            rate(wall),
            rate(cpu)
        ))?;
    }
    let samples = samples.div_ceil(1 << 20);
    console::answer(&format!(
        "medians of {}; {samples} MiB of assay's memory are samples\n",
        args.turns.max(1)
    ))?;
    Ok(Exit::Holds)
}

/// The name of the first CPU in /proc/cpuinfo.
fn model(cpuinfo: &str) -> Option<&str> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim())
}

/// The log that was made.
struct Made {
    boots: u64,
    bytes: u64,
    /// How many bytes its samples take in memory, as plain data.
    samples: u64,
}

fn make(args: &BenchParseArgs, path: &Path) -> anyhow::Result<Made> {
    let log = fs::read(&args.log).with_context(|| args.log.display().to_string())?;
    let template = Template::of(&log).with_context(|| args.log.display().to_string())?;
    let mut out = BufWriter::new(File::create(path)?);
    let (boots, bytes) = template.write(&mut out, args.mib << 20)?;
    out.flush()?;
    let (iterations, workers) = template.samples();
    let of_boot = iterations * size_of::<Sample>() + workers * size_of::<WorkerSample>();
    Ok(Made { boots, bytes, samples: boots * of_boot as u64 })
}

fn command(program: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::null());
    command
}

/// What a program took.
struct Cost {
    wall: Duration,
    /// How long it was on CPUs, so that other load on the host does not count: of a program with one thread by
    /// /proc/PID/schedstat (Linux, Documentation/scheduler/sched-stats.rst), of one with several by the whole program's
    /// ticks in /proc/PID/stat, of 10 ms each.
    cpu: Option<Duration>,
    /// `VmHWM` of proc_pid_status(5), a moment before the end; `None` if it ended before the first reading.
    peak_kib: Option<u64>,
}

impl Cost {
    fn wall_s(&self) -> f64 {
        self.wall.as_secs_f64()
    }

    fn cpu_s(&self) -> f64 {
        self.cpu.unwrap_or(self.wall).as_secs_f64()
    }

    fn peak_kib(&self) -> f64 {
        self.peak_kib.unwrap_or(0) as f64
    }
}

fn measure(command: &mut Command) -> anyhow::Result<Cost> {
    // Into a file: grep stops at the first match if its output goes to /dev/null.
    command.stdout(tempfile::tempfile()?);
    let start = Instant::now();
    let mut child = command.spawn()?;
    let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.id())).ok();
    let (mut peak_kib, mut has_threads) = (None, false);
    // After its end it has no memory, and its other accounts stay until it is waited for.
    while let Some((status, kib)) = read("status").and_then(|text| peak(&text).map(|kib| (text, kib))) {
        peak_kib = Some(kib);
        has_threads |= field(&status, "Threads:").is_some_and(|threads| threads > 1);
        thread::sleep(POLL);
    }
    let wall = start.elapsed();
    let cpu = match has_threads {
        true => read("stat").as_deref().and_then(of_all_threads),
        false => read("schedstat").as_deref().and_then(on_cpu),
    };
    child.wait()?;
    Ok(Cost { wall, cpu, peak_kib })
}

/// The first number: how long it was on a CPU, in ns.
fn on_cpu(schedstat: &str) -> Option<Duration> {
    schedstat.split_ascii_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// User and system time of all threads of a program, also of those that ended: fields 14 and 15 of proc_pid_stat(5), in
/// hundredths of a second (`USER_HZ`).
fn of_all_threads(stat: &str) -> Option<Duration> {
    // The name before field 3 can have spaces.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(14 - 3);
    let [user, system] = [fields.next()?, fields.next()?].map(str::parse::<u64>);
    Some(Duration::from_millis((user.ok()? + system.ok()?) * 10))
}

fn peak(status: &str) -> Option<u64> {
    field(status, "VmHWM:")
}

/// The number in a line of proc_pid_status(5), in KiB if it is a size.
fn field(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_time_on_a_cpu() {
        assert_eq!(on_cpu("1500000000 27 3\n"), Some(Duration::from_millis(1500)));
        assert_eq!(on_cpu(""), None);
    }

    #[test]
    fn reads_the_time_of_all_threads() {
        let stat = "7 (assay) Z) Z 1 7 7 0 -1 0 1 0 0 0 123 45 6 7 20 0 1 0 99";
        assert_eq!(of_all_threads(stat), Some(Duration::from_millis(1680)));
        assert_eq!((of_all_threads("7 (assay) Z 1"), of_all_threads("")), (None, None));
    }

    #[test]
    fn reads_the_name_of_a_cpu() {
        let cpuinfo = "processor\t: 0\nmodel name\t: AMD EPYC\nprocessor\t: 1\nmodel name\t: other\n";
        assert_eq!((model(cpuinfo), model("")), (Some("AMD EPYC"), None));
    }

    #[test]
    fn reads_the_most_memory_and_the_threads_of_a_status() {
        let status = "Name:\tassay\nVmHWM:\t   19708 kB\nVmRSS:\t 100 kB\nThreads:\t2\n";
        assert_eq!((peak(status), field(status, "Threads:")), (Some(19_708), Some(2)));
        assert_eq!(peak("Name:\tassay\n"), None);
    }
}
