//! What a log from elsewhere must say of its plan, program and kernel.

use std::fs;
use std::path::Path;

use abi::Digest;
use abi::plan::Plan;
use abi::wire::{Hex64, Value};
use anyhow::{Context, anyhow};
use clap::Args;
use evidence::gate::{AskedMechanisms, AskedRows, RunExpectation};
use lab::{Coded, Exit, OrExit, build_id};

/// The options that demand what a log must say.
#[derive(Args, Clone, Debug, Default)]
pub struct DemandArgs {
    /// Plan that every boot must have: its file, or a SHA-256 as `start` or `challenge` has it
    #[arg(long, value_name = "FILE|SHA256")]
    pub plan: Option<String>,
    /// Program of the workers that every boot must have: its ELF file, or its SHA-256
    #[arg(long, value_name = "FILE|SHA256")]
    pub program: Option<String>,
    /// Kernel that every boot must have: its ELF file, or the first 16 hex digits of its build ID
    #[arg(long, value_name = "FILE|BUILD-ID")]
    pub kernel: Option<String>,
}

impl DemandArgs {
    /// What is expected of every boot.
    ///
    /// # Errors
    /// A file cannot be read, or is not what its option takes.
    pub fn expectation(&self) -> Result<RunExpectation, Coded> {
        let program = self.program.as_deref().map(program).transpose().or_exit(Exit::BadInput)?;
        let plan = self.plan.as_deref().map(plan).transpose().or_exit(Exit::BadInput)?;
        Ok(RunExpectation {
            plan_or_work: plan.map(|plan| plan.digest),
            platform: plan.and_then(|plan| plan.platform),
            mechanisms: plan.and_then(|plan| plan.mechanisms),
            blob: program.map(|(sha256, _)| sha256),
            blob_bytes: program.and_then(|(_, bytes)| bytes),
            build: self.kernel.as_deref().map(kernel).transpose().or_exit(Exit::BadInput)?,
            ..RunExpectation::default()
        })
    }

    /// The options that were not given, each with what it would check.
    pub fn unchecked(&self) -> Vec<(&'static str, &'static str)> {
        let all = [
            ("plan", "--plan", &self.plan),
            ("program", "--program", &self.program),
            ("kernel", "--kernel", &self.kernel),
        ];
        all.into_iter()
            .filter(|(_, _, given)| given.is_none())
            .map(|(what, option, _)| (what, option))
            .collect()
    }
}

/// What is demanded of the plan.
#[derive(Clone, Copy)]
struct PlanDemand {
    digest: Digest,
    /// The rows that it asks for, if its file is given.
    platform: Option<AskedRows>,
    mechanisms: Option<AskedMechanisms>,
}

fn plan(given: &str) -> anyhow::Result<PlanDemand> {
    if let Some(digest) = Digest::from_hex(given) {
        return Ok(PlanDemand { digest, platform: None, mechanisms: None });
    }
    let bytes = read(given)?;
    let plan = Plan::parse(&bytes).map_err(|error| anyhow!("{given}: {error}"))?;
    let (platform, mechanisms) =
        (plan.platform.map(AskedRows::from), plan.mechanisms.map(AskedMechanisms::from));
    Ok(PlanDemand { digest: plan.work_digest(), platform, mechanisms })
}

/// The program's SHA-256, and its size if its file is given.
fn program(given: &str) -> anyhow::Result<(Digest, Option<u32>)> {
    if let Some(sha256) = Digest::from_hex(given) {
        return Ok((sha256, None));
    }
    let bytes = read(given)?;
    Ok((Digest::of(&bytes), u32::try_from(bytes.len()).ok()))
}

fn kernel(given: &str) -> anyhow::Result<u64> {
    match Hex64::parse(given) {
        Some(Hex64(build)) => Ok(build),
        None => build_id(&read(given)?).with_context(|| given.to_owned()),
    }
}

fn read(path: &str) -> anyhow::Result<Vec<u8>> {
    fs::read(Path::new(path)).with_context(|| path.to_owned())
}
