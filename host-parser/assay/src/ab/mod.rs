//! `assay ab`: whether B is slower than A, by rounds in which both ran. What drifts on the host, or slows a whole round,
//! falls on both; two sessions one after the other have no such luck.

mod args;

use std::collections::BTreeSet;

use anyhow::anyhow;
use experiment::manifest::Manifest;
use lab::{
    Coded, Exit, GuestEnv, Layout, OrExit, Row, SPARE, SessionFolder, SessionSpec, clock_seed, console,
};
use results::session::{self, Accepted, StoredSession};
use stats::Design;

pub use args::AbArgs;

use crate::compare;

/// The sides' names, and their sessions' folders.
const SIDES: [&str; 2] = ["a", "b"];

/// Runs both sides in the same rounds, compares them, prints what came of it and says how it ended.
///
/// # Errors
/// What is missing, a guest that did not pass, or a host that disturbed too many rounds.
pub fn run(args: &AbArgs) -> Result<Exit, Coded> {
    let manifest = Manifest::load(&args.manifest).or_exit(Exit::BadInput)?;
    let cases = cases(args, &manifest).or_exit(Exit::Usage)?;
    let a = args.guest.env(&manifest)?;
    let b = GuestEnv::find(&args.guest_of_b().sources(), a.host_cpus.clone(), &manifest)?;
    if same(&a, &b) {
        console::note("assay: A and B are the same: whatever differs between them is a false alarm");
    }
    let folder = SessionFolder::new(&args.out.join("ab"), args.label.clone())?;
    let rows = SIDES.into_iter().zip([&a, &b]);
    let rows = rows.map(|(name, env)| Row::ours(name, env.clone(), &manifest, &folder.store));
    let mut session = lab::Session::prepare(SessionSpec {
        command: "ab".to_owned(),
        rows: rows.collect::<Result<_, _>>()?,
        env: a,
        manifest,
        cases,
        rounds: args.rounds,
        // Both rows must be quiet.
        spare: 2 * SPARE,
        seed: args.seed.unwrap_or_else(clock_seed),
        layout: Layout::Apart,
        probe: args.probe.spec(),
        folder,
        symbols: None,
    });
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    if !session.record(&cancel)? {
        return Ok(Exit::Interrupted);
    }
    let load = |side: &str| StoredSession::load(&session.folder().join(side)).map_err(compare::coded);
    let (a, b) = (load(SIDES[0])?, load(SIDES[1])?);
    // Two builds of a worker are what was asked for.
    let accepted = Accepted { blobs: args.b_workers.is_some(), cases: BTreeSet::new() };
    let comparison = session::compare(&a, &b, Design::Paired, &accepted);
    compare::show(&comparison, &a, &b, args.json)
}

/// The cases that are run: those asked for, all of which the manifest must have, or all of the manifest's.
fn cases(args: &AbArgs, manifest: &Manifest) -> anyhow::Result<Vec<u16>> {
    let path = manifest.path().display();
    if manifest.sweep().is_some() {
        return Err(anyhow!(
            "{path}: a sweep has its rounds in one boot, which is of one side; expected a manifest with cases of its own"
        ));
    }
    let asked: BTreeSet<u16> = args.cases.iter().copied().collect();
    match asked.iter().find(|case| !manifest.cases().contains(case)) {
        Some(case) => Err(anyhow!("--cases: {path} has no case {case}")),
        None if asked.is_empty() => Ok(manifest.cases().to_vec()),
        None => Ok(asked.into_iter().collect()),
    }
}

/// Whether kernel, worker and QEMU are the same.
fn same(a: &GuestEnv, b: &GuestEnv) -> bool {
    let qemu = |lab: &GuestEnv| (lab.qemu.path.clone(), lab.qemu.banner.clone());
    a.kernel == b.kernel && a.blob.sha256() == b.blob.sha256() && qemu(a) == qemu(b)
}
