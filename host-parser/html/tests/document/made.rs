//! Documents of made-up sessions.

use std::path::Path;

use abi::CpuId;
use abi::series::{Counts, Packer, SeriesRow, Shortened, bucket, due};
use abi::wire::record::{Series, SeriesCounts, SeriesOracle, SeriesRange};
use abi::wire::{Record, Text};
use evidence::gate::{Ended, Exclusion, Gate, HostEvidence, ReasonCode, RunExpectation, Scope};
use evidence::transcript::Transcript;
use foreign::{Figures, Tool};
use html::{Origin, Subject, document};
use results::{Completion, Environment, Experiment, Results, RunRecord, System};
use test_support::guest::Guest;
use test_support::platform::{log_with, records};

use super::rounds::{QUIET, RULE, environment, experiment, runs, whole};
use super::systems::{compared, rounds as of_systems, side};

/// The origin of a session that verifies.
pub fn sealed() -> Origin {
    Origin::Sealed { head: "ab".repeat(32), problems: Vec::new(), folder: Some("runs".to_owned()) }
}

/// The document of one session.
pub fn page(results: &Results) -> String {
    document(&[Subject {
        name: "target/smp-process-scale/test",
        results,
        origin: &sealed(),
        price: None,
        foreign: &[],
    }])
}

/// Seven rounds, of which run 4 (round 2, 2 workers) is excluded.
pub fn with_excluded() -> Results {
    let mut made = runs(7, &[(1, QUIET), (2, QUIET), (4, QUIET)], 2);
    made[4].excluded = Some(Box::new(Exclusion {
        reason: ReasonCode::VcpuPreempted,
        scope: Scope::Run { run: 4 },
        detail: "made up".to_owned(),
    }));
    Results::new(experiment(Some(RULE)), environment(), made, Completion::Complete)
}

/// Three systems that may be compared.
pub fn several() -> Results {
    compared(of_systems(6, &[1, 2, 4], &[System::Assay, System::Linux, System::Native].map(side)))
}

/// Five boots that measured the platform.
pub fn platform() -> Results {
    let mut gate = Gate::default();
    let boots = (0..5_u32).map(|boot| {
        let nonce = 30_000 + u64::from(boot);
        let guest =
            Guest { nonce, whole: [2, 3_000, 0, 0], work_cycles: 50_000_000 + 91 * nonce, ..Guest::of(2) };
        let log = log_with(&guest, &rows());
        let evidence = HostEvidence { ended: Ended::Unknown, ..HostEvidence::default() };
        let verdict = gate.judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
        RunRecord { case: Some(2), ..RunRecord::new(boot, boot, verdict) }
    });
    let experiment = Experiment { name: "platform".to_owned(), cases: vec![2], ..experiment(None) };
    Results::new(experiment, Environment::default(), boots.collect(), Completion::Complete)
}

/// The rows of a guest with two CPUs: also two readings of the clock in a row, and a line between the CPUs.
fn rows() -> Vec<Record> {
    let measured = [SeriesRow::OverheadEvent, SeriesRow::CoreToCore];
    let mut rows = records(Shortened::None);
    rows.retain(|record| !matches!(record, Record::SeriesNone(of) if measured.contains(&of.row)));
    let note = rows.pop().expect("the note is the last record");
    for (row, peer) in [(measured[0], None), (measured[1], Some(1))] {
        // Series are numbered from 0.
        let id = rows.iter().filter(|record| matches!(record, Record::Series(_))).count();
        rows.extend(series(row, u16::try_from(id).expect("few"), peer));
    }
    rows.push(note);
    rows
}

/// 100 samples of 1,000 to 1,924 cycles.
fn series(row: SeriesRow, id: u16, peer: Option<u32>) -> Vec<Record> {
    let samples: Vec<u64> = (0..100).map(|at| 1000 + at / 7 * 66).collect();
    let (mut counts, mut packer) = (Counts::default(), Packer::<128>::default());
    for same in samples.chunk_by(|a, b| bucket(*a) == bucket(*b)) {
        assert!(packer.push(&counts.pair(bucket(same[0]), same.len() as u64)));
    }
    let due = due(row, 0, 1, 100).unwrap_or(100);
    let class = row.spec().class;
    vec![
        Series { id, row, cpu: CpuId(0), peer, arg: 0, class, n: 1, count: 100 }.into(),
        SeriesOracle { id, due, done: due, wrong: 0 }.into(),
        SeriesRange { id, cold: 77, min: 1000, max: 1924, sum: samples.iter().sum() }.into(),
        SeriesCounts { id, part: 0, counts: Text::new(packer.as_str()) }.into(),
    ]
}

/// The document of a session with figures of two other tools beside it, one of which is about rows of ours too.
pub fn with_foreign() -> String {
    let read = |tool, file: &str, text| Figures::parse(tool, Path::new(file), text).expect("figures");
    let vmexit = "cpuid 1224\nvmcall (skipped)\nipi 9000\n";
    let bench = "BENCH getpid 10000 610999 61\nBENCH a_program_with_a_name_that_no_line_holds 3 10 3\n";
    let foreign =
        [read(Tool::KvmUnitTests, "vmexit.log", vmexit), read(Tool::Kevlar, "<console>.log", bench)];
    let (results, origin) = (platform(), sealed());
    document(&[Subject { name: "x", results: &results, origin: &origin, price: None, foreign: &foreign }])
}

/// Nothing at all.
pub fn nothing() -> Results {
    Results::new(experiment(None), Environment::default(), Vec::new(), Completion::Complete)
}

/// Each kind of session, by its name.
pub fn all() -> Vec<(&'static str, Results)> {
    vec![
        ("whole", whole()),
        ("excluded", with_excluded()),
        ("several", several()),
        ("platform", platform()),
        ("nothing", nothing()),
    ]
}

/// The text of a figure, from its name to its end.
pub fn figure(page: &str, name: &str) -> String {
    let (_, from) =
        page.split_once(&format!("<h4>{name}</h4>")).unwrap_or_else(|| panic!("no figure {name}: {page}"));
    from.split_once("</figure>").expect("an end").0.to_owned()
}

/// The data of the path of this class in a piece of a page; empty if there is none.
pub fn path(of: &str, class: &str) -> String {
    let start = format!("<path class=\"{class}\" d=\"");
    of.split_once(&start).map_or(String::new(), |(_, from)| from.split('"').next().unwrap_or("").to_owned())
}
