//! The manifest that is shipped, and every way in which one can be wrong.

mod controls;
mod lifecycle;

use proptest::prelude::*;

use super::*;

const SHIPPED: &str =
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../manifests/smp-process-scale.toml"));

fn parse(source: &str) -> Result<Manifest, ManifestError> {
    Manifest::parse(Path::new("x.toml"), source.as_bytes())
}

/// The shipped manifest with one piece of text replaced.
fn changed(from: &str, to: &str) -> String {
    assert_eq!(SHIPPED.matches(from).count(), 1, "{from}");
    SHIPPED.replace(from, to)
}

/// What is said about that, one problem a line.
fn complaint(from: &str, to: &str) -> String {
    parse(&changed(from, to)).expect_err("a bad manifest").to_string()
}

/// The line, from 1, of the shipped manifest that begins with `text`.
fn line_of(text: &str) -> usize {
    SHIPPED.lines().position(|line| line.starts_with(text)).expect("in the manifest") + 1
}

#[test]
fn the_shipped_manifest_can_make_its_claim() {
    let manifest = parse(SHIPPED).unwrap();
    assert_eq!(manifest.name().as_str(), "smp-process-scale");
    assert_eq!((manifest.cases(), manifest.rounds(), manifest.can_claim()), (&[1, 2, 4][..], 7, true));
    assert_eq!(manifest.gate(), Some(Gate { from_workers: 1, to_workers: 2, min_speedup: 1.6 }));
    assert_eq!(manifest.params(), [2, 3_000_000, 0, 0]);
    assert_eq!(manifest.oracle(), Oracle { answer: 216_816, work: 161_131_521 });
    assert_eq!(manifest.workload().name(), "primes");
    assert_eq!(manifest.sha256(), Digest::of(SHIPPED.as_bytes()));
    assert_eq!(manifest.source(), SHIPPED);
}

#[test]
fn every_key_is_required_but_the_gate() {
    let mut table = "";
    for line in SHIPPED.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let Some((key, _)) = line.split_once(" =") else {
            table = line;
            continue;
        };
        let said = complaint(&format!("{line}\n"), "");
        assert!(said.contains(key), "{table} {key}: {said}");
    }
    let gate = SHIPPED.find("[gate]").unwrap()..SHIPPED.find("[oracle]").unwrap();
    let without = parse(&SHIPPED.replace(&SHIPPED[gate], "")).unwrap();
    assert_eq!((without.gate(), without.can_claim()), (None, false));
}

#[test]
fn a_sweep_stands_in_place_of_cases() {
    let source = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/manifests/sweep.toml"));
    let manifest = parse(source).unwrap();
    assert_eq!((manifest.sweep(), manifest.cases()), (Some(Sweep::PowersOfTwo), &[][..]));
    assert!(manifest.can_claim() && parse(SHIPPED).unwrap().sweep().is_none());
    let complaint = |from: &str, to: &str| parse(&source.replace(from, to)).expect_err("bad").to_string();
    let said = complaint("sweep = \"powers-of-two\"", "sweep = \"powers-of-two\"\nworkers = [1]");
    assert!(said.contains("cases.sweep: expected either this or cases.workers"), "{said}");
    let said = complaint("sweep = \"powers-of-two\"", "");
    assert!(said.contains("cases: expected a list workers, or sweep"), "{said}");
    assert!(complaint("powers-of-two", "fibonacci").contains("cases.sweep: unknown variant `fibonacci`"));
    let said = complaint("to-workers = 2", "to-workers = 3");
    assert!(said.contains("gate.to-workers: expected a case of the sweep, found 3"), "{said}");
}

#[test]
fn workers_are_warmed_up_for_20_ms_unless_the_manifest_says_otherwise() {
    let with = |line: &str| SHIPPED.replace("workers = [1, 2, 4]", &format!("workers = [1, 2, 4]\n{line}"));
    assert_eq!(parse(SHIPPED).unwrap().warm_up_ms(), 20);
    for (line, ms) in [("warm-up-ms = 0", 0), ("warm-up-ms = 10_000", 10_000)] {
        assert_eq!(parse(&with(line)).unwrap().warm_up_ms(), ms);
    }
    for bad in ["warm-up-ms = -1", "warm-up-ms = 10_001"] {
        let said = parse(&with(bad)).expect_err(bad).to_string();
        assert!(said.contains("cases.warm-up-ms: expected a whole number of at least 0"), "{said}");
    }
}

#[test]
fn a_boot_runs_its_case_once_unless_iterations_say_more() {
    let with = |iterations: &str| {
        SHIPPED.replace("workers = [1, 2, 4]", &format!("workers = [1, 2, 4]\n{iterations}"))
    };
    assert_eq!(parse(SHIPPED).unwrap().iterations(), 1);
    assert_eq!(parse(&with("iterations = 100")).unwrap().iterations(), 100);
    for bad in ["iterations = 0", "iterations = 101"] {
        let said = parse(&with(bad)).expect_err("bad").to_string();
        assert!(
            said.contains("cases.iterations: expected a whole number of at least 1 and at most 100"),
            "{said}"
        );
    }
    let sweep = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/manifests/sweep.toml"));
    let said = sweep.replace("[cases]", "[cases]\niterations = 3");
    let said = parse(&said).expect_err("bad").to_string();
    assert!(said.contains("cases.iterations: expected none beside a sweep"), "{said}");
    let control = include_str!("../../../../manifests/controls/worker-page-fault.toml");
    let said = parse(&control.replace("[cases]", "[cases]\niterations = 3")).expect_err("bad").to_string();
    assert!(said.contains("cases.iterations: expected none in the tier"), "{said}");
}

#[test]
fn names_file_line_column_and_key() {
    let line = line_of("rounds");
    assert_eq!(
        complaint("rounds = 7", "rounds = 0"),
        format!("x.toml:{line}:10: rounds: expected a whole number of at least 1 and at most 1000, found 0")
    );
    let line = line_of("memory-mib");
    assert_eq!(
        complaint("memory-mib = 128", "memory-mib = \"128\""),
        format!(
            "x.toml:{line}:14: machine.memory-mib: invalid type: string \"128\", expected a whole number"
        )
    );
    let line = line_of("from-workers");
    let said = complaint("from-workers = 1", "from-worker = 1");
    assert!(
        said.starts_with(&format!("x.toml:{line}:1: gate.from-worker: unknown field `from-worker`")),
        "{said}"
    );
}

#[test]
fn refuses_values_that_cannot_be() {
    let cases = [
        ("schema = 1", "schema = 2", "schema: expected 1, found 2"),
        ("\"smp-process-scale\"", "\"a/b\"", "name: expected a name"),
        ("\"smp-process-scale\"", "\"..\"", "name: expected a name"),
        ("\"smp-process-scale\"", "\"\"", "name: expected a name"),
        (
            "\"scaling\"",
            "\"fast\"",
            "tier: unknown variant `fast`, expected one of `scaling`, `platform`, `mechanism`, `lifecycle`, `control`",
        ),
        ("rounds = 7", "rounds = -1", "rounds: expected a whole number of at least 1"),
        ("rounds = 7", "rounds = 7.5", "rounds: invalid type: floating point `7.5`, expected a whole number"),
        ("\"primes\"", "\"prime\"", "workload.program: expected a worker program of this tier: primes, "),
        (
            "\"primes\"",
            "\"control-syscall\"",
            "workload.program: expected a worker program of this tier: primes",
        ),
        ("[\"exit\"]", "[]", "workload.authority: expected a list with \"exit\""),
        ("[\"exit\"]", "[\"exit\", \"exit\"]", "workload.authority: expected each right once"),
        (
            "[\"exit\"]",
            "[\"exit\", \"fork\"]",
            "workload.authority: expected names out of: exit, shared-memory, found \"fork\"",
        ),
        ("[\"exit\"]", "\"exit\"", "workload.authority: invalid type: string \"exit\", expected a list"),
        (
            "\"exit\"]",
            "\"exit\"]\nshared-kib = 4",
            "workload.shared-kib: expected none without \"shared-memory\"",
        ),
        (
            "[\"exit\"]",
            "[\"exit\", \"shared-memory\"]",
            "workload.authority: expected no \"shared-memory\" without workload.shared-kib",
        ),
        (
            "\"exit\"]",
            "\"exit\"]\nstack-kib = 60",
            "workload.stack-kib: expected a whole number of at least 64 and at most 16384",
        ),
        ("\"exit\"]", "\"exit\"]\nstack-kib = 66", "workload.stack-kib: expected a multiple of 4"),
        ("\"exit\"]", "\"exit\"]\nmemory-mib = 65_537", "workload.memory-mib: expected a whole number"),
        ("\"exit\"]", "\"exit\"]\npages = \"1g\"", "workload.pages: expected one of: 4k, 2m, found \"1g\""),
        (
            "\"exit\"]",
            "\"exit\"]\nrequires = [\"mmx\"]",
            "workload.requires: expected names out of: avx2, avx512, sha-ni",
        ),
        (
            "\"exit\"]",
            "\"exit\"]\nrequires = [\"avx2\"]",
            "workload.requires: expected a build of the program: it has none but the one for every x86-64",
        ),
        (
            "\"exit\"]",
            "\"exit\"]\ncorpus-copies = \"each\"",
            "workload.corpus-copies: expected none without workload.corpus-mib",
        ),
        (
            "\"exit\"]",
            "\"exit\"]\ncorpus-mib = 0",
            "workload.corpus-mib: expected a whole number of at least 1",
        ),
        (
            "= 2\nend",
            "= 1\nend",
            "workload.parameters.first-candidate: expected a whole number of at least 2",
        ),
        ("= 2\nend", "= -2\nend", "workload.parameters.first-candidate: expected a whole number"),
        ("3_000_000", "2", "workload.parameters.end-candidate: expected a whole number above the first"),
        ("3_000_000", "4_294_967_296", "workload.parameters.end-candidate: expected a whole number above"),
        ("end-candidate", "end", "workload.parameters.end: expected a parameter of this program: first-"),
        ("[1, 2, 4]", "[]", "cases.workers: expected at least one number of workers"),
        ("[1, 2, 4]", "[1, 2, 2]", "cases.workers: expected each number of workers once, found 2"),
        ("[1, 2, 4]", "[1, 2, 0]", "cases.workers: expected a whole number of at least 1 and at most 255"),
        ("[1, 2, 4]", "[1, 2, 256]", "cases.workers: expected a whole number of at least 1 and at most 255"),
        ("to-workers = 2", "to-workers = 3", "gate.to-workers: expected one of the numbers in cases.workers"),
        ("to-workers = 2", "to-workers = 1", "gate.to-workers: expected more workers than"),
        ("= 1.6", "= 2.5", "gate.min-speedup: expected a number above 0 and at most 2, the ideal, found 2.5"),
        ("= 1.6", "= nan", "gate.min-speedup: expected a number above 0"),
        ("= 1.6", "= 0", "gate.min-speedup: expected a number above 0"),
        ("216_816", "216_815", "oracle.answer: expected 216816, which the reference gives"),
        ("161_131_521", "0", "oracle.work: expected 161131521"),
        ("boot-seconds = 60", "boot-seconds = 0", "timeouts.boot-seconds: expected a whole number"),
        (
            "worker-seconds = 60",
            "worker-seconds = 86_401",
            "timeouts.worker-seconds: expected a whole number",
        ),
        ("run-seconds = 150", "run-seconds = 119", "timeouts.run-seconds: expected at least timeouts.boot-"),
        ("\"q35\"", "\"pdp11\"", "machine.type: unknown variant `pdp11`, expected `q35` or `microvm`"),
        (
            "\"direct\"",
            "\"efi\"",
            "machine.boot: unknown variant `efi`, expected one of `direct`, `bios`, `uefi`",
        ),
        ("= 128", "= 1", "machine.memory-mib: expected a whole number of at least 16"),
        ("schema = 1", "schema = 1\nschema = 1", "schema: duplicate key"),
        ("[oracle]", "[oracle", "unclosed table, expected `]`"),
    ];
    for (from, to, expected) in cases {
        let said = complaint(from, to);
        let key_line = from.lines().next().and_then(|key| SHIPPED.find(key)).expect("checked by `changed`");
        let line = SHIPPED[..key_line].matches('\n').count() + 1;
        let about = said.lines().find(|said| said.contains(expected));
        let named = about.and_then(|said| said.split(':').nth(1)?.parse::<usize>().ok());
        assert!(named.is_some_and(|named| named.abs_diff(line) <= 1), "{to}, line {line}: {said}");
    }
}

#[test]
fn says_all_that_is_wrong_at_once_and_in_order() {
    let source = changed("rounds = 7", "rounds = 0").replace("= 1.6", "= 9.9").replace("= 128", "= 0");
    let said = parse(&source).unwrap_err().to_string();
    let keys: Vec<_> = said.lines().filter_map(|line| line.split(": ").nth(1)).collect();
    assert_eq!(keys, ["rounds", "gate.min-speedup", "machine.memory-mib"]);
}

#[test]
fn few_rounds_run_but_make_no_claim() {
    for (rounds, claims) in [(1, false), (4, false), (5, true), (1000, true)] {
        let manifest = parse(&changed("rounds = 7", &format!("rounds = {rounds}"))).unwrap();
        assert_eq!((manifest.rounds(), manifest.can_claim()), (rounds, claims));
    }
}

#[test]
fn weak_scaling_has_no_claim_no_sweep_and_no_shared_memory() {
    let weak = |to: &str| complaint("workers = [1, 2, 4]", &format!("{to}\nscaling = \"weak\""));
    assert!(weak("workers = [1, 2]").contains("gate.min-speedup: expected no claim in weak scaling"));
    assert!(weak("sweep = \"powers-of-two\"").contains("cases.sweep: expected a list cases.workers in weak"));
    let shared = SHIPPED.replace("workers = [1, 2, 4]", "workers = [1, 2]\nscaling = \"weak\"");
    let shared = shared.replace("[\"exit\"]", "[\"exit\", \"shared-memory\"]\nshared-kib = 4");
    let said = parse(&shared).expect_err("a bad manifest").to_string();
    assert!(said.contains("workload.shared-kib: expected none in weak scaling"), "{said}");
    assert!(complaint("workers = [1, 2, 4]", "workers = [1]\nscaling = \"wide\"").contains("scaling"));
}

#[test]
fn refuses_files_that_are_not_text_or_not_there() {
    let said = Manifest::parse(Path::new("x.toml"), b"schema = 1\n\xff").unwrap_err().to_string();
    assert_eq!(said, "x.toml:2:1: expected UTF-8 text");
    let said = parse("").unwrap_err().to_string();
    assert!(said.starts_with("x.toml:1:1: ") && said.contains("schema"), "{said}");
    let said = Manifest::load(Path::new("no/such.toml")).unwrap_err().to_string();
    assert!(said.starts_with("no/such.toml: "), "{said}");
}

proptest! {
    #[test]
    fn a_damaged_manifest_is_refused_with_a_place_or_is_another(
        at in any::<prop::sample::Index>(),
        cut in 0..40_usize,
        put in "[ -~\n]{0,3}",
    ) {
        let at = at.index(SHIPPED.len());
        let mut source = SHIPPED.to_owned();
        source.replace_range(at..(at + cut).min(SHIPPED.len()), &put);
        match parse(&source) {
            Ok(manifest) => prop_assert_eq!(manifest.source(), source),
            Err(ManifestError::Invalid { problems, .. }) => {
                let lines = source.lines().count() + 1;
                prop_assert!(!problems.is_empty());
                prop_assert!(problems.iter().all(|problem| (1..=lines).contains(&problem.line)));
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
    }
}
