//! That `abi`, which the kernel reads with, finds what was written here.

use std::path::Path;

use abi::grant::{Copies, PageSize};
use abi::plan::{self, Needs, Plan, Split};
use abi::ramdisk::{self as reader, CORPORA, PLAN, WORKERS};
use abi::wire::Label;
use workloads::Expectation;

use super::*;
use crate::manifest::Manifest;

const SHIPPED: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests/smp-process-scale.toml"));

fn manifest() -> Manifest {
    Manifest::parse(Path::new("x.toml"), SHIPPED.as_bytes()).unwrap()
}

fn blob(name: &str) -> WorkerBlob {
    WorkerBlob::new(Label::new(name).unwrap(), b"\x7fELF and so on".repeat(100))
}

/// A plan over the candidates below 1000, which is soon worked out.
fn small_plan(cases: &[u16], options: PlanOptions) -> Result<PlanBytes, PlanError> {
    let Expectation { answer, work, .. } = manifest().workload().expectation([2, 1000, 0, 0], 0);
    let source = SHIPPED.replace("3_000_000", "1000");
    let source = source.replace("216_816", &answer.to_string()).replace("161_131_521", &work.to_string());
    let small = Manifest::parse(Path::new("x.toml"), source.as_bytes()).unwrap();
    PlanBytes::new(&small, &blob("primes"), cases, options)
}

#[test]
fn the_kernel_reads_back_what_the_manifest_says() {
    let (manifest, blob) = (manifest(), blob("primes"));
    let options = PlanOptions { iterations: 3, linger_ms: 5, challenge: 0xc5, cases_only: false };
    let written = PlanBytes::new(&manifest, &blob, &[1, 2, 4], options).unwrap();
    let read = Plan::parse(written.text().as_bytes()).unwrap();
    assert_eq!((read.head.experiment, read.head.linger_ms), (manifest.name(), 5));
    assert_eq!(read.head.challenge.0, 0xc5);
    assert_eq!(read.workload.name, blob.name());
    assert_eq!(read.workload.sha256, abi::Digest::of(blob.bytes()));
    assert_eq!(read.workload.authority, manifest.authority());
    let cases: Vec<_> =
        read.cases().map(|(case, _)| (case.workers, case.iterations, case.timeout_ms)).collect();
    assert_eq!(read.warm_up_ms, manifest.warm_up_ms());
    assert_eq!(cases, [(1, 3, 60_000), (2, 3, 60_000), (4, 3, 60_000)]);
}

#[test]
fn splits_are_parts_of_the_whole_whose_answers_are_the_oracles() {
    let manifest = manifest();
    let written = PlanBytes::new(&manifest, &blob("primes"), &[1, 2, 4], PlanOptions::default()).unwrap();
    for (case, splits) in Plan::parse(written.text().as_bytes()).unwrap().cases() {
        let splits: Vec<Split> = splits.collect();
        let parts: Vec<_> = splits.iter().map(|s| [s.p0, s.p1, s.p2, s.p3]).collect();
        assert_eq!(splits.len(), usize::from(case.workers));
        assert_eq!(manifest.workload().join(&parts), Some(manifest.params()));
        assert_eq!(splits.iter().map(|split| split.answer).sum::<u64>(), manifest.oracle().answer);
        assert_eq!(splits.iter().map(|split| split.work).sum::<u64>(), manifest.oracle().work);
        for (split, params) in splits.iter().zip(parts) {
            let Expectation { answer, work, digest } = manifest.workload().expectation(params, 0);
            assert_eq!((split.answer, split.work, split.digest.0), (answer, work, digest));
        }
    }
}

/// The shipped sweep's plan.
fn shipped_sweep() -> (Manifest, PlanBytes) {
    let source = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests/smp-process-sweep.toml"));
    let manifest = Manifest::parse(Path::new("x.toml"), source.as_bytes()).unwrap();
    let options = PlanOptions { iterations: manifest.rounds(), ..PlanOptions::default() };
    let plan = PlanBytes::new(&manifest, &blob("primes"), &[], options).unwrap();
    (manifest, plan)
}

#[test]
fn a_sweeps_plan_has_knots_instead_of_cases() {
    let (manifest, plan) = shipped_sweep();
    let read = Plan::parse(plan.text().as_bytes()).unwrap();
    let (sweep, knots) = read.sweep().unwrap();
    let knots: Vec<u64> = knots.collect();
    assert_eq!((sweep.iterations, sweep.timeout_ms, read.cases().count()), (7, 120_000, 0));
    assert_eq!((sweep.answer, sweep.work), (manifest.oracle().answer, manifest.oracle().work));
    assert_eq!(knots.len(), 1 + usize::from(abi::sweep::PARTS));
    assert_eq!([knots[0], knots[knots.len() - 1]], [2, 10_000_000]);
    assert_eq!(plan.text(), shipped_sweep().1.text(), "the same manifest, the same plan");
}

/// What docs/CONCEPTS.md promises.
#[test]
fn shares_of_the_shipped_sweep_cost_about_the_same() {
    let (manifest, plan) = shipped_sweep();
    let read = Plan::parse(plan.text().as_bytes()).unwrap();
    let knots: Vec<u64> = read.sweep().unwrap().1.collect();
    for (workers, per_mille) in [(2, 1), (6, 1), (96, 10), (255, 20), (256, 2)] {
        let ideal = manifest.oracle().work / u64::from(workers);
        for worker in 0..workers {
            let (from, to) = abi::sweep::bounds(&knots, workers, worker).unwrap();
            let Expectation { work, .. } = manifest.workload().expectation([from, to, 0, 0], 0);
            let off = work.abs_diff(ideal) * 1000 / ideal;
            assert!(off <= per_mille, "worker {worker} of {workers}: {off} per mille off");
        }
    }
}

#[test]
fn a_plans_digest_is_that_of_its_bytes_and_changes_with_them() {
    let one = small_plan(&[1], PlanOptions::default()).unwrap();
    assert_eq!(one.digest(), abi::Digest::of(one.text().as_bytes()));
    assert_eq!(one.text(), small_plan(&[1], PlanOptions::default()).unwrap().text());
    assert_ne!(one.digest(), small_plan(&[2], PlanOptions::default()).unwrap().digest());
}

#[test]
fn a_challenge_changes_every_digest_and_neither_the_work_nor_the_length() {
    for plan in [small_plan(&[1, 2], PlanOptions::default()).unwrap(), shipped_sweep().1] {
        let other = plan.with_challenge(0x0123_4567_89ab_cdef);
        assert_ne!(other.digest(), plan.digest());
        assert_eq!((other.work_digest(), other.text().len()), (plan.work_digest(), plan.text().len()));
        for (line, changed) in plan.text().lines().zip(other.text().lines()) {
            let answers = ["plan ", "split ", "sweep "].iter().any(|name| line.starts_with(name));
            assert_eq!(line != changed, answers, "{line}");
        }
        assert_eq!(other.with_challenge(0).text(), plan.text());
    }
    let options = PlanOptions { challenge: 7, ..PlanOptions::default() };
    let made = small_plan(&[1], options).unwrap();
    assert_eq!(made.text(), small_plan(&[1], PlanOptions::default()).unwrap().with_challenge(7).text());
}

#[test]
fn the_digest_of_a_split_is_the_references_for_the_challenge() {
    let options = PlanOptions { challenge: 99, ..PlanOptions::default() };
    let written = PlanBytes::new(&manifest(), &blob("primes"), &[2], options).unwrap();
    for (_, splits) in Plan::parse(written.text().as_bytes()).unwrap().cases() {
        for split in splits {
            let params = [split.p0, split.p1, split.p2, split.p3];
            assert_eq!(split.digest.0, manifest().workload().expectation(params, 99).digest);
        }
    }
}

#[test]
fn a_plan_of_cases_only_has_no_rows() {
    let rows = "[platform]\nnoise-ms = 10\n\n[cases]";
    let manifest = Manifest::parse(Path::new("x.toml"), SHIPPED.replace("[cases]", rows).as_bytes()).unwrap();
    let plan = |cases_only| {
        let options = PlanOptions { cases_only, ..PlanOptions::default() };
        PlanBytes::new(&manifest, &blob("primes"), &[2], options).unwrap()
    };
    let has_rows = |plan: &PlanBytes| Plan::parse(plan.text().as_bytes()).unwrap().platform.is_some();
    assert!(has_rows(&plan(false)) && !has_rows(&plan(true)));
    assert_eq!(plan(false).text().lines().count(), plan(true).text().lines().count() + 1);
}

#[test]
fn refuses_what_the_kernel_would_refuse() {
    let refused = |cases: &[u16], iterations| {
        let options = PlanOptions { iterations, ..PlanOptions::default() };
        match small_plan(cases, options) {
            Err(PlanError::Refused(error)) => Some(error.kind),
            _ => None,
        }
    };
    assert_eq!(refused(&[], 1), Some(plan::PlanErrorKind::NoCase));
    assert_eq!(refused(&[0], 1), Some(plan::PlanErrorKind::BadCase));
    assert_eq!(refused(&[1], 0), Some(plan::PlanErrorKind::BadCase));
    assert_eq!(refused(&[plan::MAX_WORKERS + 1], 1), Some(plan::PlanErrorKind::BadCase));
    assert_eq!(refused(&[plan::MAX_WORKERS], 1), None);
}

#[test]
fn what_is_granted_is_in_the_plan_and_the_corpus_in_the_ramdisk() {
    let small = SHIPPED.replace("3_000_000", "1000").replace("216_816", "168").replace("161_131_521", "3347");
    let parse = |source: &str| Manifest::parse(Path::new("x.toml"), source.as_bytes()).unwrap();
    let plan = |manifest: &Manifest| {
        PlanBytes::new(manifest, &blob("primes"), &[1], PlanOptions::default()).unwrap()
    };
    let (none, bare) = (parse(&small), plan(&parse(&small)));
    assert_eq!((none.needs(), none.corpus()), (Needs::NONE, None));
    assert!(!bare.text().contains("needs ") && bare.corpus().is_none());

    let more = "authority = [\"exit\", \"shared-memory\"]\nmemory-mib = 3\nstack-kib = 256\npages = \"2m\"\n\
                shared-kib = 8\ncorpus-mib = 1\ncorpus-copies = \"each\"";
    let granted = parse(&small.replace("authority = [\"exit\"]", more));
    let written = plan(&granted);
    let read = Plan::parse(written.text().as_bytes()).unwrap();
    let expected =
        Needs { memory_mib: 3, stack_kib: 256, pages: PageSize::Large, shared_kib: 8, ..Needs::NONE };
    assert_eq!((granted.needs(), read.needs), (expected, expected));
    let corpus = read.corpus.unwrap();
    assert_eq!(corpus.copies, Copies::Each);
    let archive = ramdisk(&written, &[&blob("primes")]);
    let file = reader::find(&archive, CORPORA, corpus.name.as_str()).unwrap().unwrap();
    assert_eq!((file.len(), abi::Digest::of(file)), (1 << 20, corpus.sha256));
    assert_ne!(written.work_digest(), bare.work_digest());
}

#[test]
fn a_workload_that_needs_memory_is_granted_as_much() {
    let source = SHIPPED.replace("program = \"primes\"", "program = \"gups\"");
    let (head, rest) = source.split_once("first-candidate").unwrap();
    let (_, rest) = rest.split_once("[cases]").unwrap();
    let source = format!("{head}first-update = 0\nend-update = 64\ntable-kib = 4096\n[cases]{rest}");
    let said = Manifest::parse(Path::new("x.toml"), source.as_bytes()).unwrap_err().to_string();
    assert!(said.contains("workload.memory-mib: expected at least 5, which the parameters need"), "{said}");
}

#[test]
fn refuses_a_program_that_is_not_the_manifests() {
    let other = PlanBytes::new(&manifest(), &blob("control-syscall"), &[1], PlanOptions::default());
    assert_eq!(other.unwrap_err().to_string(), "the manifest's program is primes, not control-syscall");
}

#[test]
fn the_kernel_finds_the_plan_and_the_programs_in_the_ramdisk() {
    let plan = small_plan(&[1, 2], PlanOptions::default()).unwrap();
    // The longest name, the names that path checks stumble over, and contents around the size of a block.
    let names = ["primes", &"x".repeat(32), "..", "."];
    let sizes = [0, 1, 511, 512, 513];
    let blobs: Vec<_> = names
        .iter()
        .zip(sizes)
        .map(|(name, size)| WorkerBlob::new(Label::new(name).unwrap(), vec![7; size]))
        .collect();
    let bytes = ramdisk(&plan, &blobs.iter().collect::<Vec<_>>());
    assert_eq!(reader::find(&bytes, "", PLAN), Ok(Some(plan.text().as_bytes())));
    for blob in &blobs {
        assert_eq!(reader::find(&bytes, WORKERS, blob.name().as_str()), Ok(Some(blob.bytes())));
    }
    assert_eq!(reader::files(&bytes).count(), 2 + blobs.len());
    assert!(reader::files(&bytes).all(|file| file.is_ok()));
    let first = reader::files(&bytes).next().unwrap().unwrap();
    assert_eq!((first.name, first.data.len()), (reader::CONFIG, abi::config::FILE_BYTES));
}

#[test]
fn the_ramdisk_says_nothing_of_when_and_by_whom_it_was_made() {
    let plan = small_plan(&[1], PlanOptions::default()).unwrap();
    let bytes = ramdisk(&plan, &[&blob("primes")]);
    assert_eq!(bytes, ramdisk(&plan, &[&blob("primes")]));
    for entry in tar::Archive::new(&bytes[..]).entries().unwrap() {
        let header = entry.unwrap().header().clone();
        assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0, 0, 0));
        assert_eq!((header.username().unwrap(), header.groupname().unwrap()), (Some(""), Some("")));
        assert_eq!(header.mode().unwrap(), 0o444);
    }
}

#[test]
fn in_weak_scaling_each_worker_does_the_whole() {
    let source =
        SHIPPED.replace("3_000_000", "1000").replace("216_816", "168").replace("161_131_521", "3347");
    let gate = source.find("[gate]").unwrap()..source.find("[oracle]").unwrap();
    let source = source.replace(&source[gate], "");
    let parse = |source: &str| Manifest::parse(Path::new("x.toml"), source.as_bytes()).unwrap();
    let splits = |manifest: &Manifest| {
        let plan = PlanBytes::new(manifest, &blob("primes"), &[2], PlanOptions::default()).unwrap();
        let parsed = Plan::parse(plan.text().as_bytes()).unwrap();
        let of_case: Vec<_> = parsed.cases().flat_map(|(_, splits)| splits.collect::<Vec<_>>()).collect();
        of_case.iter().map(|split| (split.p0, split.p1, split.answer)).collect::<Vec<_>>()
    };
    let strong = parse(&source.replace("[1, 2, 4]", "[1, 2, 4]\nscaling = \"strong\""));
    let weak = parse(&source.replace("[1, 2, 4]", "[1, 2, 4]\nscaling = \"weak\""));
    assert_eq!(splits(&weak), [(2, 1000, 168); 2]);
    assert_eq!(splits(&strong), splits(&parse(&source)));
    assert_eq!(splits(&strong).iter().map(|split| split.2).sum::<u64>(), 168);
}
