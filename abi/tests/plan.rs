//! Plans: what is written is read, and what could not be run is refused, with its line.

mod support;

use abi::grant::{Feature, FeatureSet, PageSize};
use abi::object::{Handle, HandleRight, Kind};
use abi::plan::{
    MAX_CUT_POINTS, MAX_WARM_UP_MS, MAX_WORKERS, Needs, Plan, PlanError, PlanErrorKind, PlanLine, WARM_UP_MS,
    write_line,
};
use abi::series::{SeriesRow, Shortened};
use abi::task::TaskName;
use abi::wire::{FieldError, Label};
use proptest::prelude::*;

const HASH: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

fn head() -> String {
    let workload = format!("workload name=primes sha256={HASH} authority=exit");
    format!(
        "ASSAY-PLAN2\nplan experiment=x linger_ms=0 challenge=00000000000000c5\n{workload}\ncontrol kind=none target=0\n"
    )
}

fn case(workers: u16) -> String {
    format!("case workers={workers} iterations=2 timeout_ms=1000\n")
}

fn split(worker: u16) -> String {
    format!("split worker={worker} p0=2 p1=3 p2=0 p3=0 answer=1 work=0 digest=00000000000000ff\n")
}

/// A case with its splits.
fn whole_case(workers: u16) -> String {
    case(workers) + &(0..workers).map(split).collect::<String>()
}

fn refused(text: &str) -> (u32, PlanErrorKind) {
    let PlanError { line, kind } = Plan::parse(text.as_bytes()).expect_err(text);
    (line, kind)
}

#[test]
fn reads_every_case_with_its_own_splits() {
    let text = head() + &whole_case(2) + &whole_case(1) + &whole_case(3);
    let plan = Plan::parse(text.as_bytes()).unwrap();
    assert_eq!(plan.workload.name, Label::new("primes").unwrap());
    let read: Vec<_> = plan
        .cases()
        .map(|(case, splits)| (case.workers, splits.map(|split| split.worker).collect::<Vec<_>>()))
        .collect();
    assert_eq!(read, [(2, vec![0, 1]), (1, vec![0]), (3, vec![0, 1, 2])]);
}

const SWEEP: &str = "sweep iterations=7 timeout_ms=1000 seed=00000000000000aa p2=3 p3=0 answer=9 work=8 digest=00000000000000ff\n";

fn knots(knots: impl IntoIterator<Item = u64>) -> String {
    knots.into_iter().map(|at| format!("knot at={at}\n")).collect()
}

#[test]
fn reads_a_sweep_with_its_cut_points() {
    let text = head() + SWEEP + &knots([2, 9, 9, 12]);
    let plan = Plan::parse(text.as_bytes()).unwrap();
    let (sweep, knots) = plan.sweep().unwrap();
    assert_eq!((sweep.iterations, sweep.seed.0, sweep.p2, sweep.answer, sweep.work), (7, 0xaa, 3, 9, 8));
    assert!(knots.eq([2, 9, 9, 12]));
    assert_eq!(plan.cases().count(), 0);
    let listed = head() + &whole_case(1);
    assert!(Plan::parse(listed.as_bytes()).unwrap().sweep().is_none());
}

#[test]
fn refuses_a_sweep_that_cannot_be_run() {
    assert_eq!(refused(&(head() + SWEEP)), (6, PlanErrorKind::BadSweep));
    assert_eq!(refused(&(head() + SWEEP + &knots([2]))), (7, PlanErrorKind::BadSweep));
    assert_eq!(refused(&(head() + SWEEP + &knots([2, 9, 8]))), (8, PlanErrorKind::BadSweep));
    let endless = SWEEP.replace("timeout_ms=1000", "timeout_ms=0");
    assert_eq!(refused(&(head() + &endless + &knots([2, 9]))), (5, PlanErrorKind::BadSweep));
    let none = SWEEP.replace("iterations=7", "iterations=0");
    assert_eq!(refused(&(head() + &none + &knots([2, 9]))), (5, PlanErrorKind::BadSweep));
    assert_eq!(refused(&(head() + SWEEP + &knots([2, 9]) + &whole_case(1))), (8, PlanErrorKind::OutOfPlace));
    assert_eq!(refused(&(head() + SWEEP + SWEEP)), (6, PlanErrorKind::OutOfPlace));
    assert_eq!(refused(&(head() + &whole_case(1) + SWEEP)), (7, PlanErrorKind::OutOfPlace));
    assert_eq!(refused(&(head() + &knots([2, 9]))), (5, PlanErrorKind::OutOfPlace));
    let most = 2..2 + MAX_CUT_POINTS as u64;
    assert!(Plan::parse((head() + SWEEP + &knots(most.clone())).as_bytes()).is_ok());
    let many = head() + SWEEP + &knots(most) + "knot at=99999\n";
    assert_eq!(refused(&many).1, PlanErrorKind::BadSweep);
}

#[test]
fn reads_how_long_to_warm_up() {
    let warm_up = |lines: &str| {
        let text = head() + lines + &whole_case(1);
        Plan::parse(text.as_bytes()).map(|plan| (plan.warm_up_ms, plan.cases().count()))
    };
    assert_eq!(warm_up(""), Ok((WARM_UP_MS, 1)));
    assert_eq!(warm_up("warm-up ms=0\n"), Ok((0, 1)));
    assert_eq!(warm_up("warm-up ms=10000\n"), Ok((MAX_WARM_UP_MS, 1)));
    let bad = |line, kind| Err(PlanError { line, kind });
    assert_eq!(warm_up("warm-up ms=10001\n"), bad(5, PlanErrorKind::BadWarmUp));
    assert_eq!(warm_up("warm-up ms=1\nwarm-up ms=1\n"), bad(6, PlanErrorKind::OutOfPlace));
    let sweep = head() + "warm-up ms=3\n" + SWEEP + &knots([2, 9]);
    let plan = Plan::parse(sweep.as_bytes()).unwrap();
    assert!(plan.warm_up_ms == 3 && plan.sweep().is_some());
    assert_eq!(refused(&(head() + "warm-up ms=3\n" + SWEEP + &knots([2, 1]))), (8, PlanErrorKind::BadSweep));
}

#[test]
fn bounds_the_samples_of_the_rows_of_the_platform() {
    let samples = |lines: &str| {
        let text = head() + lines + &whole_case(1);
        Plan::parse(text.as_bytes()).map(|plan| plan.samples)
    };
    let bad = |line, kind| Err(PlanError { line, kind });
    let rows = "platform noise_ms=5 short=none samples=0\n";
    assert_eq!(samples(""), Ok(10_000));
    assert_eq!(samples(rows), Ok(10_000));
    assert_eq!(samples(&format!("{rows}sampling samples=8\n")), Ok(8));
    for wrong in [7, 10_001] {
        let text = format!("{rows}sampling samples={wrong}\n");
        assert_eq!(samples(&text), bad(6, PlanErrorKind::BadPlatform));
    }
    // Without the rows, and twice.
    assert_eq!(samples("sampling samples=8\n"), bad(5, PlanErrorKind::OutOfPlace));
    let twice = format!("{rows}sampling samples=8\nsampling samples=8\n");
    assert_eq!(samples(&twice), bad(7, PlanErrorKind::OutOfPlace));
}

#[test]
fn asks_for_the_rows_of_the_platform() {
    let platform = |lines: &str| {
        let text = head() + lines + &whole_case(1);
        Plan::parse(text.as_bytes()).map(|plan| plan.platform.map(|asked| (asked.noise_ms, asked.short)))
    };
    let line = |noise_ms, short| format!("platform noise_ms={noise_ms} short={short} samples=0\n");
    assert_eq!(platform(""), Ok(None));
    assert_eq!(platform(&line(5, "none")), Ok(Some((5, Shortened::None))));
    let row = Shortened::One(SeriesRow::CoreToCore);
    assert_eq!(platform(&("warm-up ms=1\n".to_owned() + &line(600_000, "c2c"))), Ok(Some((600_000, row))));
    let bad = |line, kind| Err(PlanError { line, kind });
    assert_eq!(platform(&line(600_001, "none")), bad(5, PlanErrorKind::BadPlatform));
    assert_eq!(platform(&(line(1, "all") + &line(1, "all"))), bad(6, PlanErrorKind::OutOfPlace));
    assert_eq!(platform(&(line(1, "all") + "warm-up ms=1\n")), bad(6, PlanErrorKind::OutOfPlace));
    assert_eq!(refused(&(head() + &line(1, "half") + &whole_case(1))).0, 5);
}

#[test]
fn takes_the_most_workers_and_no_more() {
    assert!(Plan::parse((head() + &whole_case(MAX_WORKERS)).as_bytes()).is_ok());
    assert_eq!(refused(&(head() + &whole_case(MAX_WORKERS + 1))), (5, PlanErrorKind::BadCase));
    assert_eq!(refused(&(head() + &case(u16::MAX))), (5, PlanErrorKind::BadCase));
}

#[test]
fn refuses_text_that_is_no_plan() {
    let unended = head() + whole_case(1).trim_end();
    let other_version = (head() + &whole_case(1)).replace("PLAN2", "PLAN1");
    for text in ["", "\n", "ASSAY-PLAN2", "ASSAY-PLAN20\n", &unended, &other_version] {
        assert_eq!(refused(text), (1, PlanErrorKind::NotAPlan), "{text}");
    }
    let kind = Plan::parse(b"ASSAY-PLAN2\n\xff\n").map(|_| ()).map_err(|error| error.kind);
    assert_eq!(kind, Err(PlanErrorKind::NotAPlan));
}

#[test]
fn refuses_a_plan_that_ends_too_soon() {
    assert_eq!(refused("ASSAY-PLAN2\n"), (2, PlanErrorKind::OutOfPlace));
    assert_eq!(
        refused("ASSAY-PLAN2\nplan experiment=x linger_ms=0 challenge=00000000000000c5\n"),
        (3, PlanErrorKind::OutOfPlace)
    );
    assert_eq!(refused(&head()), (5, PlanErrorKind::NoCase));
    assert_eq!(refused(&(head() + &case(2) + &split(0))), (7, PlanErrorKind::BadSplit));
}

#[test]
fn refuses_lines_that_are_out_of_place() {
    let [_, plan, workload, control] =
        head().lines().map(|line| format!("{line}\n")).collect::<Vec<_>>().try_into().unwrap();
    assert_eq!(
        refused(&format!("ASSAY-PLAN2\n{workload}{plan}{}", whole_case(1))),
        (2, PlanErrorKind::OutOfPlace)
    );
    assert_eq!(
        refused(&format!("ASSAY-PLAN2\n{plan}{plan}{}", whole_case(1))),
        (3, PlanErrorKind::OutOfPlace)
    );
    assert_eq!(refused(&(head() + &whole_case(1) + &plan)), (7, PlanErrorKind::OutOfPlace));
    assert_eq!(refused(&(head() + &split(0))), (5, PlanErrorKind::BadSplit));
    assert_eq!(
        refused(&format!("ASSAY-PLAN2\n{plan}{workload}{}", whole_case(1))),
        (4, PlanErrorKind::OutOfPlace)
    );
    assert_eq!(refused(&(head() + &control + &whole_case(1))), (5, PlanErrorKind::OutOfPlace));
}

#[test]
fn refuses_splits_that_do_not_fit_their_case() {
    assert_eq!(refused(&(head() + &case(2) + &split(0) + &whole_case(1))), (7, PlanErrorKind::BadSplit));
    assert_eq!(refused(&(head() + &whole_case(1) + &split(1))), (7, PlanErrorKind::BadSplit));
    assert_eq!(refused(&(head() + &case(2) + &split(1) + &split(0))), (6, PlanErrorKind::BadSplit));
    assert_eq!(refused(&(head() + &case(2) + &split(0) + &split(0))), (7, PlanErrorKind::BadSplit));
}

#[test]
fn refuses_cases_that_cannot_be_run_or_are_alike() {
    for bad in ["workers=0 iterations=1 timeout_ms=1", "workers=1 iterations=0 timeout_ms=1"] {
        assert_eq!(refused(&(head() + "case " + bad + "\n")), (5, PlanErrorKind::BadCase));
    }
    let no_time = "case workers=1 iterations=1 timeout_ms=0\n";
    assert_eq!(refused(&(head() + no_time + &split(0))), (5, PlanErrorKind::BadCase));
    // Records name a case by how many workers it has.
    assert_eq!(refused(&(head() + &whole_case(1) + &whole_case(1))), (7, PlanErrorKind::BadCase));
}

#[test]
fn refuses_lines_that_are_no_message() {
    let unknown = PlanErrorKind::Line(FieldError::UnknownMessage);
    assert_eq!(refused(&(head() + "\n" + &whole_case(1))), (5, unknown));
    assert_eq!(refused(&(head() + &whole_case(1) + "# more\n")), (7, unknown));
    let trailing = head() + &whole_case(1).replace("1000", "1000 again=1");
    assert_eq!(refused(&trailing), (5, PlanErrorKind::Line(FieldError::Trailing)));
    let carriage_returns = head() + &whole_case(1).replace('\n', "\r\n");
    assert_eq!(refused(&carriage_returns), (5, PlanErrorKind::Line(FieldError::BadValue("timeout_ms"))));
}

proptest! {
    #[test]
    fn a_line_comes_back_as_it_was((name, fields) in support::message(PlanLine::SPECS)) {
        let line = PlanLine::parse_fields(name.as_bytes(), fields.as_bytes()).unwrap();
        let mut text = String::new();
        write_line(&mut text, &line).unwrap();
        prop_assert_eq!(text, format!("{name}{fields}\n"));
    }

    #[test]
    fn any_bytes_are_a_plan_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Plan::parse(&bytes);
    }

    #[test]
    fn what_is_accepted_has_every_split_of_every_case(
        workers in prop::collection::vec(1_u16..5, 0..5),
        drop in any::<prop::sample::Index>(),
        swap in any::<prop::sample::Index>(),
    ) {
        // A good plan, or nearly: one line is missing, another doubled, cases may repeat.
        let text = head() + &workers.iter().map(|&workers| whole_case(workers)).collect::<String>();
        let mut lines: Vec<_> = text.lines().collect();
        lines.remove(drop.index(lines.len()));
        let doubled = lines[swap.index(lines.len())];
        lines.push(doubled);
        for text in [text.clone(), lines.join("\n") + "\n"] {
            if let Ok(plan) = Plan::parse(text.as_bytes()) {
                let cases: Vec<_> = plan.cases().collect();
                prop_assert_eq!(cases.len(), text.matches("\ncase ").count());
                for (case, splits) in cases {
                    prop_assert!(splits.map(|split| split.worker).eq(0..case.workers));
                }
            }
        }
    }
}

/// The digest of a plan's work; a plan with these lines for `head`.
fn work_digest(text: &str) -> abi::Digest {
    Plan::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}")).work_digest()
}

#[test]
fn plans_that_differ_in_the_challenge_alone_have_the_same_work() {
    let text = head() + &whole_case(1);
    let other = text.replace("challenge=00000000000000c5", "challenge=00000000000000c6");
    let other = other.replace("digest=00000000000000ff", "digest=00000000000000fe");
    assert_ne!(text, other);
    assert_eq!(work_digest(&text), work_digest(&other));
    assert_ne!(work_digest(&text), abi::Digest::of(text.as_bytes()));
    for (from, to) in [
        ("p1=3", "p1=4"),
        ("iterations=2", "iterations=3"),
        ("answer=1", "answer=2"),
        ("linger_ms=0", "linger_ms=1"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        assert_ne!(work_digest(&changed), work_digest(&text), "{from}");
    }
}

#[test]
fn the_digest_of_the_work_is_that_of_the_text_without_a_challenge() {
    let text = (head() + &whole_case(1)).replace("00000000000000c5", &"0".repeat(16));
    let text = text.replace("00000000000000ff", &"0".repeat(16));
    assert_eq!(work_digest(&text), abi::Digest::of(text.as_bytes()));
}

const NEEDS: &str =
    "needs prepare=1 verify=0 memory_mib=64 stack_kib=256 pages=2m requires=avx2 shared_kib=0 chunks=16\n";

#[test]
fn reads_what_a_worker_is_granted_and_its_corpus() {
    let corpus = format!("corpus name=c sha256={HASH} copies=each\n");
    for warm_up in ["", "warm-up ms=3\n"] {
        for (needs, corpus) in [(NEEDS, ""), ("", &corpus[..]), (NEEDS, &corpus[..])] {
            let text = head() + warm_up + needs + corpus + &whole_case(1);
            let plan = Plan::parse(text.as_bytes()).unwrap();
            let expected = Needs {
                prepare: true,
                memory_mib: 64,
                stack_kib: 256,
                pages: PageSize::Large,
                requires: FeatureSet::NONE.with(Feature::Avx2),
                chunks: 16,
                ..Needs::NONE
            };
            assert_eq!(plan.needs, if needs.is_empty() { Needs::NONE } else { expected });
            assert_eq!(plan.corpus.is_some(), !corpus.is_empty());
            assert_eq!((plan.needs.calls(), plan.cases().count()), (if needs.is_empty() { 2 } else { 3 }, 1));
        }
    }
}

#[test]
fn refuses_more_than_a_worker_can_be_granted() {
    let shared = head().replace("authority=exit", "authority=exit,shared-memory");
    let some = NEEDS.replace("shared_kib=0", "shared_kib=4");
    assert!(Plan::parse((shared.clone() + &some + &whole_case(1)).as_bytes()).is_ok());
    for text in [
        head() + &some,
        shared.clone() + NEEDS,
        shared.clone(),
        shared + &NEEDS.replace("shared_kib=0", "shared_kib=6"),
        head() + &NEEDS.replace("memory_mib=64", "memory_mib=65537"),
        head() + &NEEDS.replace("stack_kib=256", "stack_kib=0"),
        head() + &NEEDS.replace("stack_kib=256", "stack_kib=255"),
        head() + &NEEDS.replace("stack_kib=256", "stack_kib=16388"),
        head() + &NEEDS.replace("chunks=16", "chunks=4097"),
    ] {
        assert_eq!(refused(&(text.clone() + &whole_case(1))).1, PlanErrorKind::BadNeeds, "{text}");
    }
    let corpus = format!("corpus name=c sha256={HASH} copies=one\n");
    for (lines, line) in
        [(corpus.clone() + NEEDS, 6), (NEEDS.repeat(2), 6), (NEEDS.to_owned() + &corpus.repeat(2), 7)]
    {
        let at = refused(&(head() + &lines + &whole_case(1)));
        assert_eq!(at, (line, PlanErrorKind::OutOfPlace), "{lines}");
    }
}

/// The lines of the mechanisms of a plan.
const MECHANISMS: &str = "\
mechanisms program=primitives sha256=c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5 memory_mib=1 \
shared_kib=4 rows=all short=none samples=0
object name=door kind=endpoint bytes=0
object name=pages kind=memory bytes=8192
grant task=client object=door rights=call badge=7
grant task=server object=door rights=serve badge=0
grant task=client object=pages rights=map,write badge=0
";

#[test]
fn gives_each_task_the_handles_that_the_plan_grants() {
    let text = head() + MECHANISMS + &whole_case(1);
    let plan = Plan::parse(text.as_bytes()).unwrap();
    let handles = |task| plan.profile.handles_of(task).map(|(handle, object, _)| (handle, object.kind));
    let client: Vec<_> = handles(TaskName::Client).collect();
    assert_eq!(client, [(Handle::new(0, 1), Kind::Endpoint), (Handle::new(1, 1), Kind::Memory)]);
    let ends =
        plan.profile.between((TaskName::Client, HandleRight::Call), (TaskName::Server, HandleRight::Serve));
    assert_eq!(ends, Some((Handle::new(0, 1), Handle::new(0, 1))));
    let none =
        plan.profile.between((TaskName::Client, HandleRight::Call), (TaskName::Remote, HandleRight::Serve));
    assert_eq!(none, None);
    assert_eq!(plan.cases().count(), 1);
}

#[test]
fn refuses_a_profile_that_cannot_be_made() {
    let kind = |from: &str, to: &str| {
        assert!(MECHANISMS.contains(from), "{from}");
        refused(&(head() + &MECHANISMS.replacen(from, to, 1) + &whole_case(1)))
    };
    for (from, to, line) in [
        ("name=pages", "name=door", 7),
        ("bytes=8192", "bytes=8191", 7),
        ("bytes=8192", "bytes=0", 7),
        ("kind=endpoint bytes=0", "kind=endpoint bytes=1", 6),
        ("kind=endpoint", "kind=task", 6),
        ("object=door rights=serve", "object=wall rights=serve", 9),
    ] {
        assert_eq!(kind(from, to), (line, PlanErrorKind::BadProfile), "{to}");
    }
    assert_eq!(kind("rows=all", "rows=none"), (5, PlanErrorKind::BadMechanisms));
    assert_eq!(kind("memory_mib=1", "memory_mib=0"), (5, PlanErrorKind::BadMechanisms));
    // Objects and handles without a line that asks for rows.
    let (_, profile) = MECHANISMS.split_once('\n').unwrap();
    assert_eq!(refused(&(head() + profile + &whole_case(1))), (5, PlanErrorKind::OutOfPlace));
}
