//! Baselines on the disk: `DIR/NAME/MACHINE/`, with the whole sealed session in an archive and what describes it.
//!
//! Nothing in the description is believed. The archive must have the digest that it says, the session in it must verify, and
//! its machine's key is derived again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use abi::Digest;
use anyhow::{Context, anyhow};
use judging::Opened;
use lab::{Coded, Exit, OrExit};
use report::{EXPORTERS, Exporter};
use results::seal::pack;
use results::{MachineKey, write_atomically};
use serde::{Deserialize, Serialize};

use super::key::Key;
use crate::compare::ThresholdArgs;

/// Version of the description.
const SCHEMA: u32 = 1;
/// The description.
const DESCRIPTION: &str = "baseline.json";
/// The session.
const ARCHIVE: &str = "session.tar.gz";

/// What describes a baseline.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    schema: u32,
    /// Its name.
    pub name: String,
    /// The machine's id: the hard part of the key, shortened.
    pub machine: String,
    /// The experiment.
    pub experiment: String,
    /// The session's label.
    pub session: Option<String>,
    /// When the baseline was saved, in seconds since 1970 (UTC).
    pub saved_unix_s: u64,
    /// The head of the session's chain.
    pub chain: String,
    /// SHA-256 of the archive.
    pub archive_sha256: String,
    /// What a comparison with it is held to, if not to the defaults.
    #[serde(default, skip_serializing_if = "is_default")]
    pub thresholds: ThresholdArgs,
    /// The machine.
    pub key: Key,
}

fn is_default(thresholds: &ThresholdArgs) -> bool {
    *thresholds == ThresholdArgs::default()
}

/// A baseline.
#[derive(Clone, Debug)]
pub struct Baseline {
    /// Its folder.
    pub folder: PathBuf,
    /// What describes it.
    pub description: Description,
}

impl Baseline {
    /// The archive of its session.
    pub fn archive(&self) -> PathBuf {
        self.folder.join(ARCHIVE)
    }

    /// Its session, verified.
    ///
    /// # Errors
    /// It is not what the description says, or does not verify.
    pub fn open(&self) -> Result<Opened, Coded> {
        let (path, description) = (self.archive(), &self.description);
        let bytes = fs::read(&path).with_context(|| path.display().to_string()).or_exit(Exit::BadInput)?;
        let found = Digest::of(&bytes).to_string();
        let refuse = |what: &str| {
            let path = path.display();
            Err(anyhow!("{path}: {what} is not as {DESCRIPTION} says; save the baseline again"))
                .or_exit(Exit::NotVerified)
        };
        if found != description.archive_sha256 {
            return refuse("its SHA-256");
        }
        let opened = Opened::open(&path)?;
        opened.verified()?;
        if opened.session.chain.head.to_string() != description.chain {
            return refuse("its chain");
        }
        if Key::from(&MachineKey::of(&opened.results()?)) != description.key {
            return refuse("its machine");
        }
        Ok(opened)
    }

    /// Removes it.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn remove(&self) -> Result<(), Coded> {
        let shown = || self.folder.display().to_string();
        fs::remove_dir_all(&self.folder).with_context(shown).or_exit(Exit::Output)?;
        // The name goes with its last machine; as long as there is another, its folder is not empty.
        let _ = self.folder.parent().map(fs::remove_dir);
        Ok(())
    }
}

/// Saves a session as the baseline `name` of its machine.
///
/// # Errors
/// It does not verify or has no result, the machine has one of that name and `replace` is not set, or it cannot be written.
pub fn save(
    dir: &Path,
    name: &str,
    session: &Path,
    thresholds: ThresholdArgs,
    replace: bool,
) -> Result<Baseline, Coded> {
    let opened = Opened::open(session)?;
    opened.verified()?;
    let stored = opened.stored_one(results::session::Whole::Must)?;
    if opened.row.is_some() {
        let shown = session.display();
        return Err(anyhow!("{shown}: is one of several rows; a baseline is a whole session of `assay run`"))
            .or_exit(Exit::BadInput);
    }
    let key = MachineKey::of(&opened.results()?);
    let folder = dir.join(name).join(key.machine_id());
    if folder.exists() && !replace {
        let (name, machine) = (name, key.machine_id());
        return Err(anyhow!(
            "{name}: {machine} has this baseline already; --replace saves another in its place"
        ))
        .or_exit(Exit::Usage);
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
    let archive = folder.join(ARCHIVE);
    pack(&opened.session, &EXPORTERS.map(Exporter::file_name), &archive).or_exit(Exit::Output)?;
    let bytes = fs::read(&archive).with_context(|| archive.display().to_string()).or_exit(Exit::Output)?;
    let description = Description {
        schema: SCHEMA,
        name: name.to_owned(),
        machine: key.machine_id(),
        experiment: stored.experiment,
        session: stored.label,
        saved_unix_s: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
        chain: opened.session.chain.head.to_string(),
        archive_sha256: Digest::of(&bytes).to_string(),
        thresholds,
        key: Key::from(&key),
    };
    // Last: without it the folder is no baseline.
    let json = serde_json::to_string_pretty(&description).or_exit(Exit::Output)? + "\n";
    write_atomically(&folder.join(DESCRIPTION), |out| out.write_all(json.as_bytes()))
        .or_exit(Exit::Output)?;
    Ok(Baseline { folder, description })
}

/// All baselines of a name, or of all names, in order.
///
/// # Errors
/// A folder or a description cannot be read.
pub fn all(dir: &Path, name: Option<&str>) -> Result<Vec<Baseline>, Coded> {
    let names = match name {
        Some(name) => vec![dir.join(name)],
        None => folders(dir)?,
    };
    let mut baselines = Vec::new();
    for name in names {
        for folder in folders(&name)? {
            if folder.join(DESCRIPTION).is_file() {
                baselines.push(read(&folder)?);
            }
        }
    }
    Ok(baselines)
}

/// The folders in a folder, in order; none if it is not there.
fn folders(of: &Path) -> Result<Vec<PathBuf>, Coded> {
    let entries = match fs::read_dir(of) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.and_then(Iterator::collect::<Result<Vec<_>, _>>),
    };
    let entries = entries.with_context(|| of.display().to_string()).or_exit(Exit::BadInput)?;
    let mut all: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    all.sort();
    Ok(all)
}

fn read(folder: &Path) -> Result<Baseline, Coded> {
    let path = folder.join(DESCRIPTION);
    let shown = || path.display().to_string();
    let json = fs::read(&path).with_context(shown).or_exit(Exit::BadInput)?;
    let description: Description =
        serde_json::from_slice(&json).with_context(shown).or_exit(Exit::BadInput)?;
    if description.schema != SCHEMA {
        let (path, schema) = (path.display(), description.schema);
        return Err(anyhow!("{path}: schema {schema}: this `assay` reads {SCHEMA}")).or_exit(Exit::BadInput);
    }
    Ok(Baseline { folder: folder.to_owned(), description })
}
