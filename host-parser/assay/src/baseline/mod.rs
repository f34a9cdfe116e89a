//! `assay baseline`: named baselines, one for each machine, and the one that a session is compared with.

mod key;
mod store;

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::anyhow;
use clap::{Args, Subcommand};
use evidence::gate::ReasonCode;
use lab::{Coded, Exit, OrExit, console};
use report::Table;
use results::MachineKey;
use serde::Serialize;

use crate::compare::ThresholdArgs;
use crate::ending::Ending;
use crate::show::page_of;

pub use key::{Difference, Key};
pub use store::Baseline;

/// The commands of `assay baseline`.
#[derive(Debug, Subcommand)]
pub enum BaselineCommand {
    /// Save a session under a name, for its machine.
    Save(SaveArgs),
    /// List all baselines.
    List(DirArgs),
    /// Show a baseline's session and machine.
    Show(OneArgs),
    /// Remove a baseline.
    Remove(OneArgs),
}

/// Where baselines are.
#[derive(Args, Clone, Debug)]
pub struct DirArgs {
    /// Folder of the baselines; it may be kept under version control
    #[arg(long, value_name = "DIR", default_value = "baselines")]
    pub baselines: PathBuf,
}

/// `assay baseline save`.
#[derive(Args, Debug)]
pub struct SaveArgs {
    /// The name, such as main
    #[arg(value_parser = name)]
    pub name: String,
    /// Session (folder or archive) of `assay run`
    pub session: PathBuf,
    /// Save it in place of the one that the machine has
    #[arg(long)]
    pub replace: bool,
    /// What comparisons with it are held to.
    #[command(flatten)]
    pub thresholds: ThresholdArgs,
    /// Where.
    #[command(flatten)]
    pub dir: DirArgs,
}

/// `assay baseline show` and `remove`.
#[derive(Args, Debug)]
pub struct OneArgs {
    /// The name
    #[arg(value_parser = name)]
    pub name: String,
    /// Only that of this machine, such as m-ab12cd34; needed if there are several
    #[arg(long, value_name = "MACHINE")]
    pub machine: Option<String>,
    /// Where.
    #[command(flatten)]
    pub dir: DirArgs,
}

/// A name that is a folder's, of one step.
pub fn name(word: &str) -> Result<String, String> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if word.is_empty() || word.starts_with('.') || !word.chars().all(plain) {
        return Err("expected letters, digits, `.`, `_` or `-`, not beginning with a dot".to_owned());
    }
    Ok(word.to_owned())
}

/// A baseline, for a program.
#[derive(Serialize)]
struct Listed<'b> {
    folder: &'b Path,
    #[serde(flatten)]
    description: &'b store::Description,
}

impl<'b> Listed<'b> {
    fn of(baseline: &'b Baseline) -> Self {
        Self { folder: &baseline.folder, description: &baseline.description }
    }
}

/// Runs the command.
///
/// # Errors
/// A baseline or session cannot be read or written, or does not verify.
pub fn run(command: &BaselineCommand) -> Result<Ending, Coded> {
    match command {
        BaselineCommand::Save(args) => save(args),
        BaselineCommand::List(args) => list(args),
        BaselineCommand::Show(args) => show(args),
        BaselineCommand::Remove(args) => {
            let baseline = one(args)?;
            baseline.remove()?;
            console::data("baseline", &Listed::of(&baseline))?;
            console::answer(&format!("{}: removed\n", baseline.folder.display()))?;
            Ok(Ending::from(Exit::Holds).then("`assay baseline list` has those that are left."))
        }
    }
}

fn save(args: &SaveArgs) -> Result<Ending, Coded> {
    let baseline =
        store::save(&args.dir.baselines, &args.name, &args.session, args.thresholds, args.replace)?;
    console::data("baseline", &Listed::of(&baseline))?;
    let description = &baseline.description;
    let (name, machine, folder) = (&description.name, &description.machine, baseline.folder.display());
    console::answer(&format!("{name}: saved for {machine}: {}\n  {folder}\n", description.experiment))?;
    Ok(Ending::from(Exit::Holds).then(format!("`assay compare --baseline {name} SESSION`.")))
}

fn list(args: &DirArgs) -> Result<Ending, Coded> {
    let all = store::all(&args.baselines, None)?;
    console::data("baselines", &all.iter().map(Listed::of).collect::<Vec<_>>())?;
    if all.is_empty() {
        let dir = args.baselines.display();
        console::answer(&format!("no baseline yet in {dir}\n"))?;
        return Ok(Ending::from(Exit::Holds).then("`assay baseline save NAME SESSION` saves one."));
    }
    let header = ["name", "machine", "experiment", "saved (UTC)", "CPU"].map(str::to_owned).to_vec();
    let rows = all.iter().map(|Baseline { description, .. }| {
        let cpu = description
            .key
            .hard
            .iter()
            .find(|fact| fact.name == "CPU")
            .map(|fact| fact.value.clone())
            .unwrap_or_default();
        let (name, machine) = (description.name.clone(), description.machine.clone());
        let cpu = cpu.chars().take(20).collect();
        vec![name, machine, description.experiment.clone(), day(description.saved_unix_s), cpu]
    });
    console::answer(&Table { header, rows: rows.collect(), left: vec![0, 1, 2, 3, 4] }.text())?;
    Ok(Ending::from(Exit::Holds).then("`assay compare --baseline NAME SESSION`."))
}

fn day(seconds: u64) -> String {
    let time = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
    time.split('T').next().unwrap_or_default().to_owned()
}

fn show(args: &OneArgs) -> Result<Ending, Coded> {
    let baseline = one(args)?;
    let results = baseline.open()?.results()?;
    console::data("baseline", &Listed::of(&baseline))?;
    console::data("results", &crate::show::as_data(&results)?)?;
    let page = page_of(&results)?;
    let key = &baseline.description.key;
    let mut text = format!("{}\nmachine {}:\n", page.text, baseline.description.machine);
    for (part, facts) in [("", &key.hard), ("epoch ", &key.epoch)] {
        for fact in facts {
            text += &format!("  {part}{}: {}\n", fact.name, fact.value);
        }
    }
    console::answer(&text)?;
    let name = &baseline.description.name;
    Ok(Ending::from(Exit::Holds).then(format!("`assay compare --baseline {name} SESSION`.")))
}

/// The only baseline of a name, or that of a machine.
fn one(args: &OneArgs) -> Result<Baseline, Coded> {
    let mut all = store::all(&args.dir.baselines, Some(&args.name))?;
    all.retain(|of| args.machine.as_ref().is_none_or(|machine| *machine == of.description.machine));
    let name = &args.name;
    match all.len() {
        0 => Err(anyhow!("{name}: no such baseline in {}", args.dir.baselines.display()))
            .or_exit(Exit::BadInput),
        1 => Ok(all.remove(0)),
        _ => {
            let machines: Vec<&str> = all.iter().map(|of| of.description.machine.as_str()).collect();
            Err(anyhow!("{name}: several machines have it; name one with --machine: {}", machines.join(", ")))
                .or_exit(Exit::Usage)
        }
    }
}

/// The baseline of this name for the machine with this key.
///
/// # Errors
/// There is none of that name, or none of that machine: what differs from the nearest.
pub fn of_machine(dir: &Path, name: &str, machine: &MachineKey) -> Result<Baseline, Coded> {
    let (all, key) = (store::all(dir, Some(name))?, Key::from(machine));
    if let Some(found) = all.iter().find(|of| of.description.key.hard == key.hard) {
        return Ok(found.clone());
    }
    let differences = |of: &Baseline| of.description.key.hard_differences(&key);
    let Some(nearest) = all.iter().min_by_key(|of| differences(of).len()) else {
        let dir = dir.display();
        return Err(anyhow!(
            "{name}: no such baseline in {dir}; `assay baseline save {name} SESSION` saves one"
        ))
        .or_exit(Exit::BadInput);
    };
    let each: Vec<String> = differences(nearest).iter().map(ToString::to_string).collect();
    let (machine, other) = (machine.machine_id(), &nearest.description.machine);
    Err(anyhow!(
        "{name}: has no baseline of this session's machine ({machine}); the nearest, {other}, differs in {}",
        each.join("; ")
    ))
    .or_refuse(ReasonCode::NotComparable)
}
