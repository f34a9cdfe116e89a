//! `assay export --format parquet`, whose other forms `assay` writes itself.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use fleet::{Origin, export_samples};
use judging::{Judged, judge};
use lab::{Coded, Exit, OrExit, console};
use results::{MachineKey, write_atomically};
use serde_json::json;

use crate::tool::tool;

/// `assay-keep export`.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// Sessions (folders or archives) or serial logs
    #[arg(value_name = "SESSION|LOG", required = true)]
    of: Vec<PathBuf>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Writes the samples of sessions as one Parquet file. What does not verify is not exported.
///
/// # Errors
/// A session cannot be read or does not verify, there is no sample, or the file cannot be written.
pub fn run(args: &ExportArgs) -> Result<Exit, Coded> {
    let mut judged = Vec::new();
    for path in &args.of {
        judged.extend(judge(path, &tool())?);
    }
    judged.iter().try_for_each(Judged::verified)?;
    let machines: Vec<String> = judged.iter().map(|of| MachineKey::of(&of.results).machine_id()).collect();
    let rows = export_samples(judged.iter().zip(&machines).map(|(of, machine)| {
        let session = of.results.experiment.label.as_deref().unwrap_or(&of.name);
        (Origin { session, machine }, &of.results)
    }));
    if rows.is_empty() {
        return Err(anyhow!("parquet: no run has a time")).or_exit(Exit::Invalid);
    }
    let mut bytes = Vec::new();
    rows.write(&mut bytes).or_exit(Exit::Output)?;
    write_atomically(&args.out, |out| out.write_all(&bytes)).or_exit(Exit::Output)?;
    if args.json {
        let answer =
            json!({ "format": "parquet", "file": args.out, "bytes": bytes.len(), "samples": rows.len() });
        console::answer(&format!("{answer:#}\n"))?;
    }
    Ok(Exit::Holds)
}
