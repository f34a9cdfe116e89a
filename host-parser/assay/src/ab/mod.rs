//! `assay ab`: whether B is slower than A, by rounds in which both ran. A drift of the host, or a slow round, affects both
//! alike. Two sessions, one after the other, do not have this advantage.

mod args;

use std::collections::BTreeSet;

use anyhow::anyhow;
use experiment::manifest::Manifest;
use judging::Opened;
use lab::{
    Coded, Exit, GuestEnv, Layout, MeasuringLock, OrExit, Places, Row, SPARE, SessionFolder, SessionSpec,
    clock_seed, console,
};
use qemu::VmmKind;
use results::session::{self, Accepted, Whole};
use stats::Design;

pub use args::AbArgs;

use crate::compare;
use crate::ending::Ending;
use crate::keep;
use crate::patience;
use crate::tool::tool;

/// The rows' names, and their sessions' folders.
const ROWS: [&str; 2] = ["a", "b"];

/// Runs A and B in the same rounds, compares them and prints the comparison.
///
/// # Errors
/// Something is missing, a guest did not pass, or the host disturbed too many rounds.
pub fn run(args: &AbArgs) -> Result<Ending, Coded> {
    let manifest = Manifest::load(&Places::here().manifest(&args.manifest)).or_exit(Exit::BadInput)?;
    let cases = cases(args, &manifest).or_exit(Exit::Usage)?;
    if args.b_qemu.is_some() && args.guest.vmm != VmmKind::Qemu {
        let error =
            anyhow!("--b-qemu: the guests run under {}; leave out one of the two", args.guest.vmm.title());
        return Err(error).or_exit(Exit::Usage);
    }
    let a = args.guest.env(&manifest)?;
    let b = GuestEnv::find(&args.guest_of_b().sources()?, a.host_cpus.clone(), &manifest)?;
    if same(&a, &b) {
        console::note("assay: A and B are the same: any difference between them is a false alarm");
    }
    let folder = SessionFolder::new(&args.out.join("ab"), args.label.clone())?;
    let rows = ROWS.into_iter().zip([&a, &b]);
    let rows = rows.map(|(name, env)| Row::ours(name, env.clone(), &manifest, &folder.store));
    let mut session = lab::Session::prepare(SessionSpec {
        command: "ab".to_owned(),
        rows: rows.collect::<Result<_, _>>()?,
        env: a,
        manifest,
        cases,
        rounds: args.rounds,
        // A round counts only if neither row was disturbed.
        spare: 4 * SPARE,
        patience: args.patience,
        seed: args.seed.unwrap_or_else(clock_seed),
        layout: Layout::Apart,
        probe: args.probe.spec(),
        folder,
        symbols: None,
        tool: tool(),
        sign: None,
    });
    let _lock = MeasuringLock::take(&args.out, &format!("assay ab {}", args.manifest.display()))?;
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    if !session.record(&cancel)? {
        return Ok(Exit::Interrupted.into());
    }
    keep::add(&args.out, session.folder());
    let opened = Opened::open(session.folder())?;
    opened.verified()?;
    let rows = opened.stored(&ROWS, Whole::Must)?;
    let [a, b] = &rows[..] else { unreachable!("as many rows as were named") };
    // With --b-workers, two builds of a worker are intended.
    let accepted = Accepted { blobs: args.b_workers.is_some(), cases: BTreeSet::new() };
    let comparison = session::compare(a, b, Design::Paired, &accepted, args.thresholds.thresholds());
    console::data("folder", &session.folder())?;
    Ok(patience::ending(&opened.session.results(0), compare::show(&comparison, a, b)?))
}

/// The cases to run: the `--cases`, each of which the manifest must have, or else all of the manifest's cases.
fn cases(args: &AbArgs, manifest: &Manifest) -> anyhow::Result<Vec<u16>> {
    let path = manifest.path().display();
    if manifest.sweep().is_some() {
        return Err(anyhow!(
            "{path}: a sweep has all of its cases in one boot, which cannot alternate A and B; expected a manifest with `cases.workers`"
        ));
    }
    let asked: BTreeSet<u16> = args.cases.iter().copied().collect();
    match asked.iter().find(|case| !manifest.cases().contains(case)) {
        Some(case) => Err(anyhow!("--cases: {path} has no case {case}")),
        None if asked.is_empty() => Ok(manifest.cases().to_vec()),
        None => Ok(asked.into_iter().collect()),
    }
}

/// Whether kernel, worker and VMM are the same.
fn same(a: &GuestEnv, b: &GuestEnv) -> bool {
    a.kernel == b.kernel && a.blob.sha256() == b.blob.sha256() && a.vmm == b.vmm
}
