//! Inputs that are made out of what the project has: golden transcripts, manifests and their plans. They are kept in
//! `corpus/` as `seed-*`; `ASSAY_BLESS=1 cargo test -p assay-fuzz seeds` makes them anew.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use abi::plan::{Plan, PlanLine};
use abi::wire::{Label, Record, decode};
use host_parser::manifest::Manifest;
use host_parser::plan::{PlanBytes, PlanOptions, WorkerBlob};

use crate::targets::gate::base::BASES;
use crate::targets::record::sealed;

/// Records that no golden transcript has.
const RARE: [&str; 2] = [
    "ASSAY1 seq=6 ts=- ev=config serial=com1+com2 after=linger:60 display=1 ignored=1",
    "ASSAY1 seq=5 ts=- ev=config-ignored from=file line=2 word=seriel",
];

/// A seed: its target, its name, its bytes.
type Seed = (&'static str, String, Vec<u8>);

fn host_parser() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn seeds() -> Vec<Seed> {
    let mut seeds = records();
    // Its beginning, in which every kind is; whole sweeps are the gate's.
    let sweep = BASES[3].lines[..60].join(&b'\n');
    seeds.push(("transcript", "sweep".to_owned(), [b"\x01", &sweep[..]].concat()));
    let good = fs::read(host_parser().join("evidence/tests/transcripts/good-2.log")).expect("a transcript");
    seeds.push(("transcript", "good".to_owned(), good));
    for (name, plan) in [("smp-process-scale", "cases"), ("smp-process-sweep", "sweep")] {
        let path = host_parser().join(format!("../manifests/{name}.toml"));
        let manifest = Manifest::load(&path).expect("a manifest");
        seeds.push(("plan", plan.to_owned(), few_knots(&plan_of(&manifest))));
        seeds.push(("manifest", name.to_owned(), manifest.source().into()));
    }
    // Each log as it is, by either way; and with all that can be known beside it, none of which speaks against it.
    for which in 0..2 * u8::try_from(BASES.len()).expect("a few") {
        seeds.push(("gate", format!("log-{which}"), vec![which]));
        let known = [which, 0x2f, 0x1f, 0, 1, 0, 0, 1, 0, 8, 8, 2, 0, 255, 255, 0, 0];
        seeds.push(("gate", format!("log-{which}-known"), known.to_vec()));
    }
    seeds
}

/// One line of each kind, and which change of it to try.
fn records() -> Vec<Seed> {
    let folder = fs::read_dir(host_parser().join("evidence/tests/transcripts")).expect("transcripts");
    let mut logs: Vec<_> = folder.map(|entry| entry.expect("a file").path()).collect();
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    logs.sort();
    let logs: Vec<_> = logs.iter().map(|log| fs::read(log).expect("a log")).collect();
    let lines = logs.iter().flat_map(|log| log.split(|&byte| byte == b'\n')).map(<[u8]>::trim_ascii_end);
    let mut kinds = BTreeSet::new();
    let mut seeds = Vec::new();
    let mut keep = |line: &[u8]| {
        let envelope = decode(&sealed(line)).expect("a record");
        if kinds.insert(envelope.record.name()) {
            let name = envelope.record.name().to_owned();
            seeds.push(("record", name, [line, &[40, 1]].concat()));
        }
    };
    RARE.iter().for_each(|line| keep(line.as_bytes()));
    lines
        .filter(|line| decode(line).is_ok())
        .for_each(|line| keep(&line[..line.len() - " crc=00000000".len()]));
    seeds
}

fn plan_of(manifest: &Manifest) -> String {
    let name = Label::new(manifest.program()).expect("a program's name");
    let blob = WorkerBlob::new(name, b"\x7fELF".to_vec());
    let plan = PlanBytes::new(manifest, &blob, manifest.cases(), PlanOptions::default());
    plan.expect("a manifest makes a plan").text().to_owned()
}

/// The plan with no more knots than a fuzzer should have to read again and again.
fn few_knots(plan: &str) -> Vec<u8> {
    let (knots, lines): (Vec<_>, Vec<_>) = plan.lines().partition(|line| line.starts_with("knot "));
    let lines = lines.into_iter().chain(knots.into_iter().step_by(128));
    lines.flat_map(|line| [line, "\n"]).collect::<String>().into()
}

fn corpus(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target)
}

#[test]
fn seeds_are_what_the_project_has() {
    let seeds = seeds();
    for (target, name, bytes) in &seeds {
        let path = corpus(target).join(format!("seed-{name}"));
        if std::env::var_os("ASSAY_BLESS").is_some() {
            fs::write(&path, bytes).expect("a seed can be written");
        }
        let kept = fs::read(&path).unwrap_or_default();
        assert!(kept == *bytes, "corpus/{target}/seed-{name} is not what it would be now: ASSAY_BLESS=1");
    }
}

fn kept(target: &str) -> Vec<Vec<u8>> {
    let files = fs::read_dir(corpus(target)).expect("the folder is there");
    files.map(|entry| fs::read(entry.expect("an entry").path()).expect("a file")).collect()
}

#[test]
fn every_kind_of_record_and_of_a_plans_lines_is_in_the_corpus() {
    let record = |data: &Vec<u8>| {
        let line = &data[..data.len().saturating_sub(2)];
        decode(&sealed(line)).ok().map(|envelope| envelope.record.name())
    };
    let records: BTreeSet<_> = kept("record").iter().filter_map(record).collect();
    assert_eq!(records, Record::SPECS.iter().map(|spec| spec.name).collect());
    let plans = kept("plan");
    let accepted = plans.iter().filter(|plan| Plan::parse(plan).is_ok());
    let lines = accepted.flat_map(|plan| plan.split(|&byte| byte == b'\n').skip(1));
    let word = |line: &[u8]| {
        line.split(|&byte| byte == b' ').next().map(|it| String::from_utf8_lossy(it).into_owned())
    };
    let lines: BTreeSet<String> = lines.filter_map(word).filter(|word: &String| !word.is_empty()).collect();
    assert_eq!(lines, PlanLine::SPECS.iter().map(|spec| spec.name.to_owned()).collect());
}
