//! Runs cases in L1 guests, one for each piece.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use lab::nested;
use qemu::nested::{L1, L1End, L1Spec};

use crate::cases::{Case, PIECES};
use crate::report::Report;
use crate::verdict::Verdict;

/// Runs these cases, which are those with `word` in their names. A piece whose L1 breaks is run once more.
///
/// # Errors
/// An L1 guest cannot be made, or was cancelled.
pub fn run(cases: &[&'static Case], word: Option<&str>, report: &mut Report) -> Result<()> {
    let root = std::env::current_dir()?;
    let own = std::env::current_exe()?;
    let mut tree = nested::products(&root)?;
    tree.add_program(&own)?;
    let l1 = nested::l1(&root, None, tree)?;
    let cancel = host::cancel_on_signals()?;
    for piece in PIECES {
        let of_piece: Vec<&Case> = cases.iter().copied().filter(|case| case.piece == piece).collect();
        if of_piece.is_empty() {
            continue;
        }
        println!("--- L1 with {} cases: {piece}", of_piece.len());
        let job = Job { l1: &l1, root: &root, own: &own, piece, word, cases: &of_piece };
        match job.run(&cancel, report)? {
            L1End::Ended(0) => {}
            L1End::Cancelled => anyhow::bail!("interrupted"),
            // A case without a verdict has failed; this says why there is none.
            end => println!("--- L1 did not finish {piece}: {end:?}"),
        }
    }
    Ok(())
}

/// What one L1 guest does.
struct Job<'a> {
    l1: &'a L1,
    root: &'a Path,
    own: &'a Path,
    piece: &'a str,
    word: Option<&'a str>,
    cases: &'a [&'static Case],
}

impl Job<'_> {
    fn run(&self, cancel: &host::CancelToken, report: &mut Report) -> Result<L1End> {
        let own = self.own.to_str().context("the path of this program is not UTF-8")?.to_owned();
        let piece = ["--piece".to_owned(), self.piece.to_owned()];
        let program = [own].into_iter().chain(self.word.map(str::to_owned)).chain(piece).collect();
        let spec = L1Spec {
            program,
            folder: self.root,
            variables: Vec::new(),
            // Each case has a deadline of its own, which fails it alone: this one is for what none of them catches.
            deadline: Duration::from_secs(self.cases.iter().map(|case| case.seconds).sum::<u64>() + 60),
            initramfs: &self.root.join(format!("target/l1-{}.cpio", std::process::id())),
        };
        let known = |name: &str| self.cases.iter().find(|case| case.name == name);
        let mut on_line = |line: &str| match Verdict::of_line(line) {
            Some(verdict) => {
                if let Some(case) = known(&verdict.case) {
                    report.add(case.name, verdict);
                }
            }
            None => println!("  {line}"),
        };
        let mut on_break = |why: &str| println!("--- L1 broke: {why}; its cases run once more in another");
        Ok(self.l1.run_with_retry(&spec, cancel, &mut on_line, &mut on_break)?)
    }
}
