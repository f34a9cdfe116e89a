//! What is counted: a kernel of the user's, our own with its worker, or the same worker under Linux.

use std::path::Path;

use abi::checks::Checks;
use abi::exit::GuestExit;
use abi::wire::Record;
use anyhow::{Context, anyhow};
use evidence::transcript::Transcript;
use exact::{LockedRow, Row, Span, Subject, of_records};
use experiment::manifest::Manifest;
use experiment::plan::{PlanBytes, PlanOptions, WorkerBlob, ramdisk};
use lab::{Coded, Exit, OrExit, Places};
use qemu::linux::{LinuxKernel, SetUp, initramfs, medium};
use qemu::{BootMedium, Outcome, VmmKind};

use super::args::{ExactArgs, ExactRunArgs};
use super::guest::{Boots, Guest};

/// The name of our own kernel in the lock file.
pub const OURS: &str = "assay";
/// The command line's word without which Linux lies somewhere else in each boot. The seed makes that repeat, and it would
/// still change counts with every rebuild.
const NO_KASLR: &str = " nokaslr";
/// The control that makes a syscall, which the kernel refuses, in front of the work of `primes`.
const SYSCALL_CONTROL: &str = "control-syscall";

/// The rows of a subject, and all that they depend on.
pub struct Counted {
    /// The subject without its rows.
    pub subject: Subject,
    /// The rows.
    pub rows: Vec<Row>,
    /// The span of each row, for a kernel of the user's.
    pub spans: Vec<(String, Span)>,
}

impl Counted {
    /// The subject as it is locked.
    pub fn to_lock(&self, tolerance_ppm: u64) -> Subject {
        let span = |row: &Row| self.spans.iter().find(|(name, _)| *name == row.name).map(|(_, span)| span);
        let rows = self.rows.iter().map(|row| LockedRow::of(row, tolerance_ppm, span(row))).collect();
        Subject { rows, ..self.subject.clone() }
    }
}

/// The name of what the options name.
///
/// # Errors
/// The kernel's file has no name.
pub fn name(args: &ExactArgs) -> Result<String, Coded> {
    let Some(kernel) = &args.kernel else { return Ok(OURS.to_owned()) };
    let of_file = || kernel.file_name().map(|name| name.to_string_lossy().into_owned());
    args.name.clone().or_else(of_file).context("--kernel: no file").or_exit(Exit::Usage)
}

/// What the options name, without its rows: nothing is booted.
///
/// # Errors
/// There is no QEMU, or the manifest cannot be counted.
pub fn subject_of(args: &ExactArgs) -> Result<Subject, Coded> {
    let name = name(args)?;
    match &args.kernel {
        Some(_) => Ok(Guest::new(&args.run, args.run.memory_mib)?.subject(name, &args.append)),
        None => {
            let memory_mib = load(&args.run.manifest)?.machine().memory_mib;
            Ok(Guest::new(&args.run, memory_mib)?.subject(name, ""))
        }
    }
}

/// Counts what the options name. `spans` are the rows of a kernel of the user's.
///
/// # Errors
/// It cannot be run, or not exactly.
pub fn count(args: &ExactArgs, spans: Vec<(String, Span)>) -> Result<Counted, Coded> {
    match &args.kernel {
        Some(kernel) => count_kernel(args, kernel, spans),
        None => count_ours(&args.run),
    }
}

/// Counts between lines of a kernel of the user's.
fn count_kernel(args: &ExactArgs, kernel: &Path, spans: Vec<(String, Span)>) -> Result<Counted, Coded> {
    let guest = Guest::new(&args.run, args.run.memory_mib)?;
    let boot = BootMedium::Kernel {
        kernel: kernel.to_owned(),
        initrd: args.initrd.clone(),
        append: args.append.clone(),
    };
    let boots = guest.run(&boot)?;
    let printed = boots.printed().context("counts").or_exit(Exit::Invalid)?;
    let mut rows = Vec::new();
    for (name, span) in &spans {
        let row = printed.row(name, span).with_context(|| {
            format!(
                "row {name}: the output has no line with {:?} followed by one with {:?}",
                span.from, span.to
            )
        });
        rows.push(row.or_exit(Exit::Failed)?);
    }
    Ok(Counted { subject: guest.subject(name(args)?, &args.append), rows, spans })
}

/// Counts the steps of our kernel's boot, its worker, and the way out of ring 3 and back.
///
/// The last is what the worker takes longer with a syscall in front of its work, which the kernel refuses: the way out, the
/// refusal, the way back, and the handful of instructions with which the control makes it.
///
/// # Errors
/// The manifest has another case than that of one worker, or the kernel cannot be run, or not exactly.
pub fn count_ours(args: &ExactRunArgs) -> Result<Counted, Coded> {
    let manifest = load(&args.manifest)?;
    let guest = Guest::new(args, manifest.machine().memory_mib)?;
    let mut rows = rows_of_ours(args, &guest, &manifest, manifest.program(), GuestExit::Success)?;
    if manifest.program() == "primes" {
        let refused = rows_of_ours(args, &guest, &manifest, SYSCALL_CONTROL, GuestExit::Failed)?;
        let syscall =
            worker(&refused).zip(worker(&rows)).and_then(|(refused, plain)| refused.checked_sub(plain));
        rows.extend(syscall.and_then(|syscall| Row::new("syscall, refused", vec![syscall])));
    }
    Ok(Counted { subject: guest.subject(OURS.to_owned(), ""), rows, spans: Vec::new() })
}

/// Counts a kernel of ours that was built without some of its checks; with none left out, the kernel itself.
///
/// # Errors
/// As [`count_ours`]; or its log has other checks.
pub fn count_profile(args: &ExactRunArgs, left_out: Checks) -> Result<Vec<Row>, Coded> {
    let manifest = load(&args.manifest)?;
    let guest = Guest::new(args, manifest.machine().memory_mib)?;
    let boots = boots_of_ours(args, &guest, &manifest, manifest.program())?;
    rows_of(&boots, GuestExit::Success, "the kernel", left_out)
}

/// The rows of our kernel with `program` as the worker.
fn rows_of_ours(
    args: &ExactRunArgs,
    guest: &Guest<'_>,
    manifest: &Manifest,
    program: &str,
    exit: GuestExit,
) -> Result<Vec<Row>, Coded> {
    rows_of(&boots_of_ours(args, guest, manifest, program)?, exit, "our kernel", Checks::NONE)
}

/// The boots of our kernel with `program` as the worker.
fn boots_of_ours(
    args: &ExactRunArgs,
    guest: &Guest<'_>,
    manifest: &Manifest,
    program: &str,
) -> Result<Boots, Coded> {
    let initrd = guest.file("ramdisk.tar", &plan_and_worker(args, manifest, program)?)?;
    let (kernel, append) = (args.own_kernel.clone(), String::new());
    guest.run(&BootMedium::Kernel { kernel, initrd: Some(initrd), append })
}

/// The least instructions of the worker.
fn worker(rows: &[Row]) -> Option<u64> {
    rows.iter().find(|row| row.name == "worker").map(Row::least)
}

/// The least instructions of a manifest's worker on our kernel, and under Linux.
///
/// # Errors
/// As [`count_ours`] and [`count_linux`]; or a guest runs no worker, because its machine lacks what that needs.
pub fn on_both(args: &ExactRunArgs, manifest: &Manifest) -> Result<[u64; 2], Coded> {
    let manifest = countable(manifest.clone())?;
    let guest = Guest::new(args, manifest.machine().memory_mib)?;
    let ours = rows_of_ours(args, &guest, &manifest, manifest.program(), GuestExit::Success)?;
    let linux = rows_of_linux(args, &guest, &manifest)?;
    let counts = worker(&ours).zip(worker(&linux)).map(|(ours, linux)| [ours, linux]);
    counts.context("no worker has run").or_exit(Exit::Failed)
}

/// Counts the same worker under Linux.
///
/// # Errors
/// As [`count_ours`]; or there is no Linux kernel or no twin.
pub fn count_linux(args: &ExactRunArgs) -> Result<Counted, Coded> {
    let manifest = load(&args.manifest)?;
    let guest = Guest::new(args, manifest.machine().memory_mib)?;
    let rows = rows_of_linux(args, &guest, &manifest)?;
    let append = format!("{}{NO_KASLR}", SetUp::Default.command_line(1));
    Ok(Counted { subject: guest.subject("linux".to_owned(), &append), rows, spans: Vec::new() })
}

/// The rows of the Linux guest.
fn rows_of_linux(args: &ExactRunArgs, guest: &Guest<'_>, manifest: &Manifest) -> Result<Vec<Row>, Coded> {
    let twin = std::fs::read(&args.twin)
        .with_context(|| format!("the Linux twin {}: `make build` builds it", args.twin.display()))
        .or_exit(Exit::Environment)?;
    let archive =
        initramfs(&twin, &plan_and_worker(args, manifest, manifest.program())?).or_exit(Exit::Environment)?;
    let archive = guest.file("initramfs.cpio", &archive)?;
    let kernel = LinuxKernel::find(&Places::here().linux()).or_exit(Exit::Environment)?;
    let mut boot = medium(&kernel, &archive, SetUp::Default, 1, VmmKind::Qemu);
    if let BootMedium::Kernel { append, .. } = &mut boot {
        append.push_str(NO_KASLR);
    }
    rows_of(&guest.run(&boot)?, GuestExit::Success, "the Linux guest", Checks::NONE)
}

/// The manifest of this path, if all of it can be counted.
fn load(path: &Path) -> Result<Manifest, Coded> {
    countable(Manifest::load(&Places::here().manifest(path)).or_exit(Exit::BadInput)?)
}

/// The manifest, if all of it can be counted.
fn countable(manifest: Manifest) -> Result<Manifest, Coded> {
    let path = manifest.path().display().to_string();
    let refuse = |why: String| Err(anyhow!("{path}: {why}")).or_exit(Exit::Unsupported);
    if manifest.sweep().is_some() {
        return refuse(
            "a sweep runs on several CPUs, whose turns depend on the host; exact counts need one".to_owned(),
        );
    }
    if let Some(workers) = manifest.cases().iter().find(|&&workers| workers != 1) {
        return refuse(format!(
            "cases.workers has {workers}, which needs as many CPUs, whose turns depend on the host; exact counts need \
             `workers = [1]`"
        ));
    }
    if manifest.warm_up_ms() > 0 {
        return refuse(format!(
            "cases.warm-up-ms = {}: a warm-up ends by the clock, and would be counted; exact counts need `warm-up-ms = 0`",
            manifest.warm_up_ms()
        ));
    }
    Ok(manifest)
}

/// The ramdisk with the manifest's plan, whose challenge is 0 in every boot, and `program` as its worker.
fn plan_and_worker(args: &ExactRunArgs, manifest: &Manifest, program: &str) -> Result<Vec<u8>, Coded> {
    let mut blob = WorkerBlob::of_manifest(&args.workers, manifest).or_exit(Exit::Environment)?;
    if program != manifest.program() {
        let other = WorkerBlob::load(&args.workers, program).or_exit(Exit::Environment)?;
        blob = blob.with_bytes(other.bytes().to_vec());
    }
    let options = PlanOptions { iterations: manifest.iterations(), ..PlanOptions::default() };
    let plan = PlanBytes::new(manifest, &blob, &[1], options).or_exit(Exit::BadInput)?;
    Ok(ramdisk(&plan, &[&blob]))
}

/// The rows by the records of a boot whose log is sound and which ended by `exit`: with success, the worker's answers are
/// right. The kernel lacks the checks `left_out` and no other: counts of another are not its own.
fn rows_of(boots: &Boots, exit: GuestExit, what: &str, left_out: Checks) -> Result<Vec<Row>, Coded> {
    let transcript = Transcript::read(&boots.log);
    let expected = Outcome::DebugExit { value: exit.value() };
    let [boot] = &transcript.boots[..] else {
        return Err(anyhow!("{what}: {} boots in its log", transcript.boots.len())).or_exit(Exit::Failed);
    };
    if boots.outcome != expected || !boot.defects.is_empty() || boot.end().is_none() {
        let text = String::from_utf8_lossy(&boots.log);
        let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
        return Err(anyhow!("{what} did not end as it must: {:?}; its last line: {last}", boots.outcome))
            .or_exit(Exit::Failed);
    }
    let records = || boot.records.iter().map(|located| &located.envelope.record);
    let mut profiles = records().filter_map(|record| match record {
        Record::Profile(profile) => Some(profile.left_out),
        _ => None,
    });
    let lacks = profiles.next().unwrap_or(Checks::NONE);
    if lacks != left_out {
        let error = anyhow!("{what} was built without the checks {lacks}, where {left_out} was expected");
        return Err(error).or_exit(Exit::Invalid);
    }
    Ok(of_records(records()))
}
