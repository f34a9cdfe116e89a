//! `assay schema`: the JSON Schemas of what programs read.

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use lab::{Coded, Exit, OrExit, console};
use schema::Versioned;
use serde_json::Value;

/// `assay schema`.
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_enum, default_value_t = Form::Results)]
    form: Form,
    /// The version, as the key `schema` of the form has it; by default the newest
    #[arg(long, value_name = "N")]
    version: Option<u32>,
}

/// What programs read.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// results.json
    Results,
    /// The object that every command prints with --json
    Answer,
}

/// Prints the schema.
///
/// # Errors
/// There is none of this version, or standard output cannot be written.
pub fn run(args: &SchemaArgs) -> Result<Exit, Coded> {
    let (known, what) = match args.form {
        Form::Results => (schema::RESULTS, "results.json"),
        Form::Answer => (schema::ANSWER, "answers of --json"),
    };
    let found = of_version(known, args.version)
        .ok_or_else(|| {
            let versions = known.iter().map(|of| of.version.to_string()).collect::<Vec<_>>().join(", ");
            let asked = args.version.unwrap_or_default();
            anyhow!("--version {asked}: no schema of {what}; expected one of the versions {versions}")
        })
        .or_exit(Exit::Usage)?;
    let schema: Value = serde_json::from_str(found.text).expect("a test reads every schema");
    console::data("version", &found.version)?;
    console::data("schema", &schema)?;
    console::answer(found.text)?;
    Ok(Exit::Holds)
}

fn of_version(known: &'static [Versioned], asked: Option<u32>) -> Option<&'static Versioned> {
    match asked {
        Some(version) => known.iter().find(|of| of.version == version),
        None => known.last(),
    }
}
