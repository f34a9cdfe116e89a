//! `assay export` and `assay trace`: results in the forms of other people's tools.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::Args;
use export::{Better, Form, FormError, Subject, machine_id, trace};
use judging::{Judged, judge};
use lab::{Coded, Exit, OrExit, console};
use results::write_atomically;

use crate::keep;
use crate::tool::tool;

/// `assay export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Sessions (folders or archives) or serial logs
    #[arg(value_name = "SESSION|LOG", required = true)]
    pub of: Vec<PathBuf>,
    /// The form: github-action-benchmark, bencher, benchfmt, hyperfine, junit, ktap, openmetrics, csv, kevlar-bench, lnt,
    /// parquet
    ///
    /// parquet has every sample, as csv has; it takes --out, and `make keep` builds what writes it.
    #[arg(long, value_parser = format)]
    pub format: Format,
    /// The figures of a form that does not say which direction is better: bigger (speed-ups) or smaller (times)
    #[arg(long, value_name = "WHICH", value_parser = better, default_value = "bigger")]
    pub better: Better,
    /// The file to write, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `assay trace`.
#[derive(Args, Debug)]
pub struct TraceArgs {
    /// A session (folder or archive) or a serial log
    #[arg(value_name = "SESSION|LOG")]
    pub of: PathBuf,
    /// The file to write, instead of standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// A form of the command line.
#[derive(Clone, Copy, Debug)]
pub enum Format {
    /// Text, which this program writes.
    Text(Form),
    /// Parquet, which `assay-keep` writes.
    Parquet,
}

impl Format {
    const PARQUET: &str = "parquet";

    /// What reads it.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Text(form) => form.meaning(),
            Self::Parquet => "DuckDB, Spark, pandas",
        }
    }
}

fn format(word: &str) -> Result<Format, String> {
    if word == Format::PARQUET {
        return Ok(Format::Parquet);
    }
    let words: Vec<&str> = Form::ALL.iter().map(|form| form.word()).chain([Format::PARQUET]).collect();
    let form = Form::of_word(word).map(Format::Text);
    form.ok_or_else(|| format!("expected one of {}", words.join(", ")))
}

fn better(word: &str) -> Result<Better, String> {
    match word {
        "bigger" => Ok(Better::Bigger),
        "smaller" => Ok(Better::Smaller),
        _ => Err("expected bigger or smaller".to_owned()),
    }
}

/// Exports sessions. What does not verify is not exported.
///
/// # Errors
/// A session cannot be read or does not verify, no figure of it may leave, or the output cannot be written.
pub fn export(args: &ExportArgs) -> Result<Exit, Coded> {
    let form = match (args.format, &args.out) {
        (Format::Text(form), _) => form,
        (Format::Parquet, Some(out)) => return keep::export(&args.of, out),
        (Format::Parquet, None) => {
            return Err(anyhow!("parquet is no text: name its file by --out FILE")).or_exit(Exit::Usage);
        }
    };
    let mut judged = Vec::new();
    for path in &args.of {
        judged.extend(judge(path, &tool())?);
    }
    judged.iter().try_for_each(Judged::verified)?;
    let subjects: Vec<Subject<'_>> = judged.iter().map(subject).collect();
    let text = form.write(&subjects, args.better).or_else(|error| {
        let exit = match &error {
            FormError::Nothing => Exit::Invalid,
            FormError::NoTime => Exit::Unsupported,
            FormError::OneSession => Exit::Usage,
        };
        Err(error).context(form.word()).or_exit(exit)
    })?;
    if form == Form::Bencher {
        // The file has no place for it.
        let machines: Vec<String> = judged.iter().map(|of| machine_id(&of.results)).collect();
        console::note(&format!("bencher run --testbed {}", machines.join(" ")));
        console::data("testbeds", &machines)?;
    }
    console::data("format", &form.word())?;
    write(&text, args.out.as_deref())
}

/// Writes a session as trace events.
///
/// # Errors
/// It cannot be read or does not verify, it has several rows, or the output cannot be written.
pub fn run_trace(args: &TraceArgs) -> Result<Exit, Coded> {
    let judged = judge(&args.of, &tool())?;
    judged.iter().try_for_each(Judged::verified)?;
    let [only] = judged.as_slice() else {
        let name = args.of.display();
        return Err(anyhow!("{name}: has several rows; name the folder or the log of one"))
            .or_exit(Exit::BadInput);
    };
    write(&trace(&subject(only)), args.out.as_deref())
}

fn subject(of: &Judged) -> Subject<'_> {
    Subject { name: &of.name, results: &of.results }
}

fn write(text: &str, out: Option<&Path>) -> Result<Exit, Coded> {
    console::data("file", &out)?;
    console::data("bytes", &text.len())?;
    match out {
        None => {
            console::data("content", &text)?;
            console::answer(text)?;
        }
        Some(path) => write_atomically(path, |out| out.write_all(text.as_bytes())).or_exit(Exit::Output)?,
    }
    Ok(Exit::Holds)
}
