//! `assay exact`, and `assay run --exact`: instruction counts that are the same on every host, and a lock file for them.

mod args;
mod counted;
mod data;
mod guest;
mod profiles;
mod text;
mod workloads;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, anyhow};
use exact::{Lock, Span, Subject, compare};
use lab::{Coded, Exit, OrExit, console};
use results::write_atomically;

use crate::ending::Ending;

pub use args::{ExactArgs, ExactCommand, ExactRunArgs};

/// Runs the command.
///
/// # Errors
/// The kernel cannot be run, or not exactly, or the lock file cannot be used.
pub fn run(command: &ExactCommand) -> Result<Ending, Coded> {
    match command {
        ExactCommand::Record(args) => record(args).map(Ending::from),
        ExactCommand::Check(args) => check(args),
        ExactCommand::Workloads(args) => workloads::run(args),
        ExactCommand::Profiles(args) => profiles::run(args),
    }
}

/// Counts our own kernel and its worker, and with `linux` the same worker under Linux. Prints, and compares nothing.
///
/// # Errors
/// A guest cannot be run, or not exactly.
pub fn show(args: &ExactRunArgs, linux: bool) -> Result<Exit, Coded> {
    let ours = counted::count_ours(args)?;
    let mut text = text::table(&ours, args.boots);
    console::data("counted", &data::counted(&ours))?;
    if linux {
        let twin = counted::count_linux(args)?;
        console::data("linux", &data::counted(&twin))?;
        text +=
            &format!("\n{}\n{}", text::table(&twin, args.boots), text::side_by_side(&ours.rows, &twin.rows));
    }
    console::answer(&text)?;
    Ok(Exit::Holds)
}

fn record(args: &ExactArgs) -> Result<Exit, Coded> {
    let mut lock = read(&args.lock)?.unwrap_or_default();
    let spans = if args.rows.is_empty() { whole_run() } else { args.rows.clone() };
    let counted = counted::count(args, spans)?;
    lock.put(counted.to_lock(args.tolerance_ppm));
    write_atomically(&args.lock, |out| write!(out, "{}", lock.text())).or_exit(Exit::Output)?;
    console::data("lock", &args.lock)?;
    console::data("counted", &data::counted(&counted))?;
    let (name, path) = (&counted.subject.name, args.lock.display());
    console::answer(&format!("{}\nlocked as {name} in {path}\n", text::table(&counted, args.run.boots)))?;
    Ok(Exit::Holds)
}

fn check(args: &ExactArgs) -> Result<Ending, Coded> {
    let path = args.lock.display();
    let name = counted::name(args)?;
    let lock =
        read(&args.lock)?.with_context(|| format!("{path}: no such file; `assay exact record` writes it"));
    let lock = lock.or_exit(Exit::BadInput)?;
    let subject = lock
        .subject(&name)
        .with_context(|| format!("{path}: no subject {name:?}; `assay exact record` adds it"))
        .or_exit(Exit::BadInput)?;
    if !args.rows.is_empty() {
        return Err(anyhow!("--row: `check` counts the rows that are locked")).or_exit(Exit::Usage);
    }
    let here = counted::subject_of(args)?;
    if let Some(other) = other_conditions(subject, &here) {
        return Err(anyhow!("{path}: {name}: {other}; counts of different machines are not comparable"))
            .or_exit(Exit::Unsupported);
    }
    let counted = counted::count(args, spans(subject).or_exit(Exit::BadInput)?)?;
    let differences = compare(&subject.rows, &counted.rows);
    console::data("lock", &args.lock)?;
    console::data("counted", &data::counted(&counted))?;
    console::data("differences", &differences)?;
    let suite = data::suite(&counted, &differences);
    let table = text::table(&counted, args.run.boots);
    if differences.is_empty() {
        console::answer(&format!("{table}\nas locked in {path}\n"))?;
        return Ok(Ending { suite: Some(suite), ..Exit::Holds.into() });
    }
    let update = text::update(&differences, subject, &counted, args.tolerance_ppm);
    console::answer(&format!("{table}\nnot as locked in {path}:\n{update}"))?;
    let ending = Ending { suite: Some(suite), ..Exit::DoesNotHold.into() };
    Ok(ending.then("mend what made the counts change, or commit the new lines."))
}

/// The only row of a kernel for which none is named.
fn whole_run() -> Vec<(String, Span)> {
    vec![("run".to_owned(), Span { from: String::new(), to: String::new() })]
}

/// The rows' spans, as locked.
fn spans(subject: &Subject) -> Result<Vec<(String, Span)>, exact::LockError> {
    let spans = subject.rows.iter().filter_map(|row| row.span().transpose().map(|span| (row, span)));
    spans.map(|(row, span)| Ok((row.name.clone(), span?))).collect()
}

/// What differs between what is locked and what was run, besides the kernel.
fn other_conditions(locked: &Subject, run: &Subject) -> Option<String> {
    let memory = |subject: &Subject| format!("{} MiB", subject.memory_mib);
    let pairs = [
        ("QEMU", locked.qemu.clone(), run.qemu.clone()),
        ("the CPU model", locked.cpu_model.clone(), run.cpu_model.clone()),
        ("memory", memory(locked), memory(run)),
        ("the command line", locked.append.clone(), run.append.clone()),
    ];
    let other = pairs.into_iter().find(|(_, locked, run)| locked != run);
    other.map(|(what, locked, run)| format!("{what} is {run:?} here, and {locked:?} in the lock"))
}

/// The lock file; `None` if there is none.
fn read(path: &Path) -> Result<Option<Lock>, Coded> {
    match fs::read_to_string(path) {
        Ok(text) => {
            Lock::parse(&text).with_context(|| path.display().to_string()).or_exit(Exit::BadInput).map(Some)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| path.display().to_string()).or_exit(Exit::BadInput),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject() -> Subject {
        let (name, qemu, cpu_model) = ("x".to_owned(), "7.2.22".to_owned(), "qemu64,-erms".to_owned());
        Subject { name, qemu, cpu_model, memory_mib: 128, append: String::new(), rows: Vec::new() }
    }

    #[test]
    fn counts_of_another_qemu_or_machine_are_not_compared() {
        let changed = |change: fn(&mut Subject)| {
            let mut run = subject();
            change(&mut run);
            other_conditions(&subject(), &run)
        };
        assert_eq!(changed(|_| {}), None);
        let other = changed(|run| run.qemu = "8.2.0".to_owned()).unwrap();
        assert_eq!(other, "QEMU is \"8.2.0\" here, and \"7.2.22\" in the lock");
        assert!(changed(|run| run.cpu_model = "Haswell,-erms".to_owned()).is_some());
        assert!(changed(|run| run.memory_mib = 256).is_some());
        assert!(changed(|run| run.append = "quiet".to_owned()).is_some());
    }
}
