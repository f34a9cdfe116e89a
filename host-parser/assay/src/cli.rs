//! The command line.

use clap::{Parser, Subcommand};
use lab::Exit;

use crate::ab::AbArgs;
use crate::archive::ArchiveArgs;
use crate::baseline::BaselineCommand;
use crate::compare::CompareArgs;
use crate::configure::ConfigureArgs;
use crate::dev::DevCommand;
use crate::doctor::DoctorArgs;
use crate::exact::ExactCommand;
use crate::export_command::{ExportArgs, TraceArgs};
use crate::image_command::ImageArgs;
use crate::keep::Words;
use crate::lifecycle::LifecycleArgs;
use crate::new::NewCommand;
use crate::parse::ParseArgs;
use crate::pipeline::PipelineArgs;
use crate::report_command::ReportArgs;
use crate::run::RunArgs;
use crate::schema_command::SchemaArgs;
use crate::show::{ListArgs, ShowArgs};
use crate::snapshot::SnapshotArgs;
use crate::tool::VERSION;
use crate::verify::VerifyArgs;
use crate::workloads::WorkloadsArgs;

/// Measure how work scales with CPUs; report a number only if its evidence holds.
#[derive(Debug, Parser)]
#[command(name = "assay", version = VERSION, max_term_width = 80, after_help = after_help())]
pub struct Cli {
    /// Answer with one JSON object, errors too (docs/JSON.md)
    #[arg(long, global = true)]
    pub json: bool,
    /// The command to run.
    #[command(subcommand)]
    pub command: Command,
}

/// Examples for people, and the exit codes for scripts.
fn after_help() -> String {
    format!(
        "\
Examples:
  # Seven rounds on 1, 2 and 4 CPUs; then: print only what that would do
  assay run manifests/smp-process-scale.toml
  assay run manifests/smp-process-scale.toml --dry-run
  # The newest session again; all sessions
  assay show
  assay list
  # Judge a serial log from elsewhere
  assay parse serial.log
  # Is kernel NEW slower than the built one?
  assay ab manifests/verdict.toml --b-kernel NEW
  # Is the new session slower than the old one? Do its results follow from its logs?
  assay compare target/smp-process-scale/{{old,new}}
  assay verify target/smp-process-scale/new

Exit codes:
{}
Terms in the results: docs/GLOSSARY.md. Reasons for a refusal: docs/GATE.md",
        exit_codes()
    )
}

/// The table of exit codes, at most 80 columns wide.
fn exit_codes() -> String {
    let rows = Exit::TABLE.lines().map(|row| {
        let options = textwrap::Options::new(80).subsequent_indent("       ");
        textwrap::fill(row, options.word_splitter(textwrap::WordSplitter::NoHyphenation)) + "\n"
    });
    rows.collect()
}

/// The commands of `assay`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run an experiment under QEMU, judge every run, write the results.
    Run(RunArgs),
    /// Start, use and delete machines over and over; time each step of their lives.
    ///
    /// Every machine does the same verified work, and nothing of it may be left. Exit codes: 0 if all machines lived and every
    /// gate holds, 3 if a gate has too few cycles, 4 if a machine failed or left something, 13 if a gate is exceeded.
    Lifecycle(LifecycleArgs),
    /// Save a machine that is up to a file, load it again and in several clones; check what it kept.
    ///
    /// Times saving, loading with a cold and a warm page cache, and the first verified answer, beside a Linux guest. What must
    /// survive is checked by the guest and from outside, and each check has a control. QEMU only. Exit codes: 0 if every
    /// check holds and every control is noticed, 4 if not.
    Snapshot(SnapshotArgs),
    /// Run every workload of a folder in our guest, a Linux guest and natively; print one table.
    ///
    /// Each workload is a session of its own, with all systems in shuffled order. Ends with the exit code of the first
    /// session that did not pass; a workload that the machine cannot run counts as passed, and its status says so.
    Workloads(WorkloadsArgs),
    /// Write a folder to begin with: a workload of your own.
    #[command(subcommand)]
    New(NewCommand),
    /// Show a session or a log again on one page; the newest session by default.
    Show(ShowArgs),
    /// List the sessions on this disk, the newest first.
    List(ListArgs),
    /// Show how an experiment's figures went from session to session.
    ///
    /// Changes of level are hints, each with the command that would settle it. `make keep` builds what answers.
    #[command(disable_help_flag = true)]
    History(Words),
    /// Judge the serial logs of many machines; make one dataset of them.
    ///
    /// Parquet files for DuckDB, DataFusion, Spark or BigQuery, one row for each log (docs/FLEET.md). `make keep` builds what
    /// answers.
    #[command(disable_help_flag = true)]
    Fleet(Words),
    /// Report sessions and logs as one HTML file: figures, tables, conditions.
    ///
    /// All logs are judged again for it. Exit codes: 0 if every session verifies, 7 if a path is neither a session nor a log,
    /// 12 if one does not verify; the report then says so.
    Report(ReportArgs),
    /// Export results for other tools: CI dashboards, test reports, monitoring.
    ///
    /// All logs are judged again, and what does not verify is not exported. What is refused is left out, or is a skipped
    /// test; it is never a zero. Exit codes: 5 if no figure may be exported, 6 if the form has no unit for cycles, 12 if a
    /// session does not verify.
    Export(ExportArgs),
    /// Write a session as Chrome trace events, which Perfetto opens as a timeline.
    Trace(TraceArgs),
    /// Print the JSON Schema of results.json, or of the answers of `--json`.
    Schema(SchemaArgs),
    /// Judge a serial log from any source, such as a cloud VM's console.
    Parse(ParseArgs),
    /// Run A and B in the same rounds, and say whether B is slower.
    ///
    /// They differ in the kernel, the build of the worker, or QEMU. The exit codes are those of `compare`. Use
    /// `compare` if A is on another host or was measured before.
    Ab(AbArgs),
    /// Say whether one session is slower than another.
    ///
    /// They differ in the kernel, the host, or the build of the worker. Both are verified first, so every log is judged
    /// again. Exit codes: 0 if no case is slower, 1 if one is, 3 if the rounds do not decide it, 5 if the sessions must
    /// not be compared, 6 if no case shows speed on these hosts, 7 if a folder is not a session, 12 if one does not
    /// verify. If a session has no result, the exit code is that of its `run`.
    Compare(CompareArgs),
    /// Keep named baselines, one for each machine, for `compare --baseline`.
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Derive the results of stored sessions again; report every difference.
    ///
    /// It checks the chain in session.jsonl, judges every log again, works every exclusion out again, and compares
    /// results.json, samples.csv and summary.md. Exit codes: 0 if every session verifies, 5 if one has no end because it
    /// was killed or still runs, 7 if a path is not a session, 12 if one does not verify.
    Verify(VerifyArgs),
    /// Write a session with its logs into one compressed file, which `verify` reads.
    Archive(ArchiveArgs),
    /// Count instructions in runs that repeat exactly, and compare them.
    ///
    /// Performance tests without noise, on any host: QEMU counts the instructions of a kernel between lines that it prints.
    /// docs/EXACT.md says what that can show, and what it cannot.
    #[command(subcommand)]
    Exact(ExactCommand),
    /// Check whether this host is fit for a measurement; change nothing.
    ///
    /// Exit codes: 0 if a measurement is possible, with or without warnings; 6 if this host cannot give one; 8 if
    /// something is missing or broken; 9 if results cannot be written.
    Doctor(DoctorArgs),
    /// Write an experiment as bootable images: ISO, disks, cloud formats.
    Image(ImageArgs),
    /// Show or change the boot configuration of an image.
    ///
    /// It sets the serial port, the screen, and what the machine does after the run.
    Configure(ConfigureArgs),
    /// Test the tool itself: controls, limits, quality of the verdict.
    #[command(subcommand)]
    Dev(DevCommand),
}

impl Command {
    /// What to do after it went well; `None` if standard output may have a file for another program, or for a test of the
    /// tool itself.
    pub fn next(&self) -> Option<String> {
        Some(match self {
            Self::Export(args) => match &args.out {
                Some(file) => format!("give {} to what reads {}.", file.display(), args.format.meaning()),
                None => return None,
            },
            Self::Trace(args) => match &args.out {
                Some(file) => format!("open {} at https://ui.perfetto.dev.", file.display()),
                None => return None,
            },
            // What a new workload is built with are the last lines of the answer. A schema is a file for another program.
            Self::Dev(_) | Self::New(_) | Self::History(_) | Self::Schema(_) => return None,
            Self::Fleet(_) => {
                "`duckdb < queries.sql` in the dataset's folder answers the first questions.".to_owned()
            }
            Self::Report(args) => format!("open {} in a browser.", args.html.display()),
            Self::List(_) | Self::Workloads(_) => "`assay show SESSION` shows one of them.".to_owned(),
            Self::Verify(_) | Self::Show(_) => {
                "`assay report SESSION --html FILE` makes its figures.".to_owned()
            }
            Self::Archive(args) => format!("`assay verify {}` reads it.", args.archive.display()),
            Self::Exact(ExactCommand::Record(args)) => format!("commit {}.", args.lock.display()),
            Self::Exact(ExactCommand::Check(_)) => "nothing: no count has changed.".to_owned(),
            Self::Exact(ExactCommand::Workloads(_)) => {
                "nothing: the same work is done on both systems.".to_owned()
            }
            Self::Exact(ExactCommand::Profiles(_)) => {
                "nothing: the kernel keeps all of its checks.".to_owned()
            }
            Self::Image(_) | Self::Configure(_) => {
                "boot it, keep what its serial port prints, and run `assay parse LOG`.".to_owned()
            }
            Self::Doctor(_) => "`assay run MANIFEST` measures.".to_owned(),
            Self::Parse(_) => {
                "`assay parse --out DIR` keeps these results; `assay report LOG --html FILE` makes figures."
                    .to_owned()
            }
            Self::Run(_)
            | Self::Lifecycle(_)
            | Self::Snapshot(_)
            | Self::Baseline(_)
            | Self::Ab(_)
            | Self::Compare(_) => Exit::Holds.next().to_owned(),
        })
    }

    /// What a pipeline wants of it.
    pub const fn pipeline(&self) -> Option<&PipelineArgs> {
        match self {
            Self::Run(args) => Some(&args.pipeline),
            Self::Ab(args) => Some(&args.pipeline),
            Self::Compare(args) => Some(&args.pipeline),
            Self::Exact(ExactCommand::Record(args) | ExactCommand::Check(args)) => Some(&args.pipeline),
            _ => None,
        }
    }

    /// Whether it measures on this host, so that what is busy here now matters.
    pub const fn runs_guests(&self) -> bool {
        matches!(
            self,
            Self::Run(_) | Self::Lifecycle(_) | Self::Snapshot(_) | Self::Ab(_) | Self::Workloads(_)
        )
    }

    /// The host CPUs that its option names.
    pub fn cpus(&self) -> Option<&str> {
        match self {
            Self::Run(args) => args.guest.cpus.as_deref(),
            Self::Lifecycle(args) => args.guest.cpus.as_deref(),
            Self::Snapshot(args) => args.guest.cpus.as_deref(),
            Self::Ab(args) => args.guest.cpus.as_deref(),
            Self::Workloads(args) => args.guest.cpus.as_deref(),
            _ => None,
        }
    }
}
