//! Makes the logs of a fleet, for `make test-fleet` and `make bench-fleet`: `make-fleet DIR LOGS KB`.
//!
//! Machines of three kinds in two zones, each log of about KB thousand bytes. One log in ten is not good: cut, corrupt, of
//! something else, empty, missing, a copy, compressed, with the boots of another one, with two boots. DIR/labels.csv has their
//! labels, and DIR/expected.csv what each was made to be.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use test_support::guest::Guest;

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, logs, kb] = words.as_slice() else { return Err("make-fleet DIR LOGS KB".into()) };
    make(Path::new(folder), logs.parse()?, kb.parse()?)
}

fn make(folder: &Path, logs: usize, kb: usize) -> Result<(), Error> {
    let (mut labels, mut expected) = ("file,zone,type,day\n".to_owned(), "file,outcome,boots\n".to_owned());
    for number in 0..logs {
        let zone = if number % 2 == 0 { "a" } else { "b" };
        let name = format!("zone-{zone}/vm-{number:05}.log");
        let path = folder.join("logs").join(&name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        let before = folder.join("logs").join(format!("zone-a/vm-{:05}.log", number.saturating_sub(1)));
        let (outcome, boots) = match number % 10 {
            9 => special(number / 10, &path, &before, kb)?,
            _ => {
                fs::write(&path, machine(number, kb).log())?;
                ("judged", 1)
            }
        };
        let day = 1 + number % 3;
        labels += &format!("vm-{number:05}.log,zone-{zone},kind-{},2026-11-0{day}\n", number % 3);
        expected += &format!("{name},{outcome},{boots}\n");
    }
    fs::write(folder.join("labels.csv"), labels)?;
    fs::write(folder.join("expected.csv"), expected)?;
    Ok(())
}

/// A machine of one of three kinds. Those of zone b are slower by 3 %.
fn machine(number: usize, kb: usize) -> Guest {
    let cpus = [1, 2, 4][number % 3];
    let cases: Vec<u16> = [1, 2, 4].into_iter().filter(|&case| case <= cpus).collect();
    let base = Guest {
        cases,
        nonce: 0x1000_0000_0000 + number as u64,
        work_cycles: 30_000_000 * (100 + 3 * (number as u64 % 2)) / 100 + 1_000 * (number as u64 % 97),
        khz: [2_100_000, 2_600_000, 3_000_000][number % 3],
        ..Guest::of(cpus)
    };
    let bytes = |iterations| Guest { iterations, cases: base.cases.clone(), ..Guest::of(cpus) }.log().len();
    let (one, two) = (bytes(1), bytes(2));
    let iterations = (1_000 * kb).saturating_sub(one) / (two - one) + 1;
    Guest { iterations: u16::try_from(iterations).unwrap_or(100).clamp(5, 100), ..base }
}

/// A log that is not one good boot as its machine printed it; `before` is a good one that came earlier.
fn special(kind: usize, path: &Path, before: &Path, kb: usize) -> Result<(&'static str, usize), Error> {
    let log = machine(10_000 + kind, kb).log();
    let other = machine(20_000 + kind, kb).log();
    let corrupt = |of: &[u8]| {
        let mut log = of.to_vec();
        log[of.len() / 2] ^= 1;
        log
    };
    let (bytes, made) = match kind % 10 {
        0 => (log[..log.len() * 6 / 10].to_vec(), ("refused", 1)),
        1 => (corrupt(&log), ("refused", 1)),
        2 => (format!("Linux version 6.1.{kind}\nKernel panic\n").repeat(100).into_bytes(), ("refused", 0)),
        3 => (Vec::new(), ("empty", 0)),
        4 => {
            symlink("nowhere", path)?;
            return Ok(("unreadable", 0));
        }
        5 => (fs::read(before)?, ("copy", 0)),
        6 => {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
            gzip.write_all(&log)?;
            (gzip.finish()?, ("judged", 1))
        }
        // The same boot in a log of other bytes.
        7 => ([&b"login:\r\n"[..], &fs::read(before)?].concat(), ("judged", 1)),
        8 => ([log, other].concat(), ("judged", 2)),
        _ => ([log, corrupt(&other)].concat(), ("partly", 2)),
    };
    fs::write(path, bytes)?;
    Ok(made)
}
