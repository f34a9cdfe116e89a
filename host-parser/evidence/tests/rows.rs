//! Logs from elsewhere: each boot is put into the row that its own records name.

use abi::Digest;
use abi::grant::{Copies, FeatureSet, PageSize};
use abi::syscall::Authority;
use abi::wire::record::{Corpus, DmiField, Experiment, Grant, SystemName};
use abi::wire::{Hex64, Label, Record, Text};
use evidence::gate::{Gate, JudgedBoot, MOST_ROWS, ReasonCode, RunExpectation};
use evidence::transcript::Transcript;
use test_support::guest::{Guest, KHZ};
use test_support::script::Script;

/// The log of a good guest with another nonce, changed.
fn log(nonce: u64, cpus: u16, change: impl FnMut(&mut Record)) -> Vec<u8> {
    Script::of(&Guest { nonce, ..Guest::of(cpus) }.log()).edit(change).log()
}

/// Judges logs one after the other.
fn judged(logs: &[Vec<u8>]) -> (Gate, Vec<JudgedBoot>) {
    let mut gate = Gate::default();
    let reads = logs.iter().map(|log| Transcript::read(log));
    let boots: Vec<_> = reads.flat_map(|read| read.boots).collect();
    let judged = boots.iter().map(|boot| gate.judge_boot(boot, &RunExpectation::default())).collect();
    (gate, judged)
}

/// The row of each boot, after the reason if it did not pass.
fn rows(judged: &[JudgedBoot]) -> Vec<Result<usize, ReasonCode>> {
    let each = judged.iter().map(|boot| match boot.verdict.outcome.refusal() {
        Some((reason, _)) => Err(reason),
        None => Ok(boot.row.expect("a row")),
    });
    each.collect()
}

fn same(_: &mut Record) {}

#[test]
fn machines_that_show_the_same_cpu_are_of_two_rows_if_their_makers_differ() {
    let from = |nonce, product: &'static str| {
        let change = move |record: &mut Record| match record {
            Record::Dmi(dmi) if dmi.field == DmiField::SystemProduct => dmi.text = Text::new(product),
            _ => {}
        };
        let guest = Guest { nonce, ..Guest::sweeping(4, 2) };
        Script::of(&guest.log()).edit(change).log()
    };
    let (gate, judged) =
        judged(&[from(1, "Standard PC"), from(2, "cloud-hypervisor"), from(3, "Standard PC")]);
    assert_eq!(rows(&judged), [Ok(0), Ok(1), Ok(0)]);
    let [one, other] = gate.rows() else { panic!("{} rows", gate.rows().len()) };
    let found = one.differences(other);
    assert_eq!(found.iter().map(|difference| difference.subject).collect::<Vec<_>>(), ["machine"]);
    assert!(found[0].theirs.ends_with(" cloud-hypervisor"), "{found:?}");
}

#[test]
fn boots_of_different_cases_are_of_one_row() {
    let (gate, judged) = judged(&[log(1, 1, same), log(2, 2, same), log(3, 1, same), log(4, 4, same)]);
    assert_eq!(rows(&judged), [Ok(0); 4]);
    assert_eq!(gate.rows().len(), 1);
}

#[test]
fn boots_of_different_cases_are_of_two_rows_if_their_grants_differ() {
    let granted = |nonce, cpus, pages| {
        let grant = Grant {
            prepare: false,
            verify: false,
            memory_mib: 4,
            stack_kib: 64,
            pages,
            requires: FeatureSet::NONE,
            shared_kib: 0,
            chunks: 0,
        };
        let script = Script::of(&Guest { nonce, ..Guest::of(cpus) }.log());
        script.insert_before(grant, |record| matches!(record, Record::Blob(_))).log()
    };
    let (small, large) = (PageSize::Small, PageSize::Large);
    let logs = [granted(1, 1, small), granted(2, 2, large), granted(3, 2, small), log(4, 2, same)];
    let (gate, judged) = judged(&logs);
    assert_eq!(rows(&judged), [Ok(0), Ok(1), Ok(0), Ok(2)]);
    let found = gate.rows()[0].differences(&gate.rows()[1]);
    assert_eq!(found.iter().map(|difference| difference.subject).collect::<Vec<_>>(), ["grant"]);
    assert!(found[0].ours.contains("pages of 4k") && found[0].theirs.contains("pages of 2m"), "{found:?}");
}

#[test]
fn boots_of_different_cases_are_of_two_rows_if_their_corpora_differ() {
    let reading = |nonce, cpus, copies| {
        let name = Label::new("words").expect("a label");
        let corpus = Corpus { name, bytes: 4_096, sha256: Digest::of(b"words"), copies };
        let script = Script::of(&Guest { nonce, ..Guest::of(cpus) }.log());
        script.insert_before(corpus, |record| matches!(record, Record::Blob(_))).log()
    };
    let logs = [reading(1, 1, Copies::One), reading(2, 2, Copies::Each), reading(3, 2, Copies::One)];
    let (gate, judged) = judged(&logs);
    assert_eq!(rows(&judged), [Ok(0), Ok(1), Ok(0)]);
    let found = gate.rows()[0].differences(&gate.rows()[1]);
    assert_eq!(found.iter().map(|difference| difference.subject).collect::<Vec<_>>(), ["corpus"]);
}

/// The log of another boot, whose TSC has this frequency.
fn boot(khz: u64) -> Vec<u8> {
    Guest { nonce: 2, khz, ..Guest::of(2) }.log()
}

type Change = fn(&mut Record);

/// Everything that must be one but the clock, and the subject by which the difference is named.
const CHANGES: [(&str, Change); 8] = [
    ("system", |record| {
        if let Record::System(system) = record {
            system.name = SystemName::Native;
        }
    }),
    ("kernel", |record| {
        if let Record::Start(start) = record {
            start.build = Hex64(7);
        }
    }),
    ("CPU", |record| {
        if let Record::Brand(brand) = record {
            brand.name = Text::new("Another CPU @ 1.00GHz");
        }
    }),
    ("hypervisor", |record| {
        if let Record::Machine(machine) = record {
            machine.hypervisor = Text::new("KVMKVMKVM");
        }
    }),
    ("features", |record| {
        if let Record::Features(features) = record {
            features.smap = false;
        }
    }),
    ("experiment", |record| {
        if let Record::Experiment(Experiment { name, .. }) = record {
            *name = Label::new("another").expect("a label");
        }
    }),
    ("authority", |record| {
        if let Record::Experiment(experiment) = record {
            experiment.authority = Authority::NONE;
        }
    }),
    ("program", |record| {
        if let Record::Blob(blob) = record {
            blob.sha256 = Digest([0; 32]);
        }
    }),
];

#[test]
fn whatever_must_be_one_begins_a_row_and_is_named() {
    let changed = CHANGES.map(|(subject, change)| (subject, Script::of(&boot(KHZ)).edit(change).log()));
    for (subject, other) in changed.into_iter().chain([("TSC", boot(KHZ * 11 / 10))]) {
        let (gate, judged) = judged(&[log(1, 1, same), other, log(3, 1, same)]);
        assert_eq!(rows(&judged), [Ok(0), Ok(1), Ok(0)], "{subject}");
        let differences = gate.rows()[0].differences(&gate.rows()[1]);
        assert_eq!(differences.len(), 1, "{differences:?}");
        assert_eq!(differences[0].subject, subject);
    }
}

#[test]
fn another_whole_begins_a_row() {
    let smaller = Guest { nonce: 9, whole: [2, 200_000, 0, 0], ..Guest::of(2) }.log();
    let (gate, judged) = judged(&[log(1, 1, same), smaller]);
    assert_eq!(rows(&judged), [Ok(0), Ok(1)]);
    let differences = gate.rows()[0].differences(&gate.rows()[1]);
    let values = differences.iter().map(|it| (it.subject, it.ours.as_str(), it.theirs.as_str()));
    assert_eq!(values.collect::<Vec<_>>(), [("whole", "2 300000 0 0", "2 200000 0 0")]);
}

#[test]
fn a_boot_of_the_same_cases_with_another_plan_or_machine_is_refused() {
    let plan: Change = |record| {
        if let Record::Challenge(challenge) = record {
            challenge.work = Digest::of(b"another plan");
        }
    };
    let logs = [log(1, 2, same), log(2, 2, plan), log(3, 2, same)];
    let (_, boots) = judged(&logs);
    assert_eq!(rows(&boots), [Ok(0), Err(ReasonCode::RowMismatch), Ok(0)]);
    let (_, detail) = boots[1].verdict.outcome.refusal().expect("a refusal");
    assert!(detail.contains("the plan's work is"), "{detail}");
    let work = boots[0].verdict.outcome.measurement().expect("it passed").identity().work;
    let more_cpus = Script::of(&Guest { nonce: 5, cpus: 4, cases: vec![2], ..Guest::of(4) }.log())
        .edit(|record| {
            if let Record::Challenge(challenge) = record {
                challenge.work = work;
            }
        })
        .log();
    let (_, boots) = judged(&[log(1, 2, same), more_cpus]);
    assert_eq!(rows(&boots), [Ok(0), Err(ReasonCode::RowMismatch)]);
    let (_, detail) = boots[1].verdict.outcome.refusal().expect("a refusal");
    assert!(detail.contains("4 CPUs are online"), "{detail}");
}

#[test]
fn rows_are_bounded() {
    let logs = (0..).take(MOST_ROWS + 2).map(|n| {
        log(n, 1, |record| {
            if let Record::Start(start) = record {
                start.build = Hex64(n);
            }
        })
    });
    let (gate, judged) = judged(&logs.collect::<Vec<_>>());
    assert_eq!(gate.rows().len(), MOST_ROWS);
    assert_eq!(rows(&judged)[MOST_ROWS..], [Err(ReasonCode::RowMismatch); 2]);
}
