//! The rows on a system that only counts.

use abi::object::Status;
use abi::plan::Plan;
use abi::series::Tier;
use abi::series::place::is_on_linux;
use abi::task::{Counter, HEADER_WORDS, Header, Orders};
use abi::wire::Record;
use abi::worker::COMPLETE;
use alloc::string::String;
use alloc::vec;

use super::*;
use crate::clock::{Choice, Clock};
use crate::sampler::{Book, Figure};
use crate::sink::tests::Kept;
use crate::user::Fault;
use crate::user::elf::ElfImage;
use crate::user::elf::tests::worker_elf;

/// A profile that has a handle for every row.
const PROFILE: &str = "\
object name=door kind=endpoint bytes=0
object name=bell kind=notification bytes=0
object name=echo kind=notification bytes=0
object name=mark kind=notification bytes=0
object name=pages kind=memory bytes=2097152
object name=child kind=image bytes=0
object name=stump kind=image bytes=100
grant task=client object=door rights=call,copy,revoke badge=7
grant task=client object=door rights=none badge=0
grant task=client object=bell rights=signal badge=0
grant task=client object=echo rights=wait badge=0
grant task=client object=mark rights=signal,wait badge=0
grant task=client object=pages rights=map,write badge=0
grant task=client object=child rights=spawn badge=0
grant task=client object=stump rights=spawn badge=0
grant task=server object=door rights=serve badge=0
grant task=server object=bell rights=wait badge=0
grant task=server object=echo rights=signal badge=0
grant task=server object=pages rights=map,write badge=0
grant task=remote object=door rights=serve badge=0
grant task=remote object=pages rights=map,write badge=0
";

/// What the played client leaves beside its samples: some warm-ups.
const OUTSIDE: u64 = 5;
/// The samples.
const COUNT: u64 = 10;

/// The tasks of a scene, each with its CPU.
type Tasks = Vec<(TaskName, CpuId)>;

/// A kernel that prints what the test gives it.
struct Counting {
    kept: Kept,
    cpus: u16,
    /// By how much its own count is short.
    lacks: u64,
    /// By how much the partner's count is.
    partner_lacks: u64,
    /// How the client ends.
    exit: Exit,
    /// The scenes that were played.
    scenes: Vec<(SeriesRow, u64, Tasks)>,
}

impl Default for Counting {
    fn default() -> Self {
        let exit = Exit::Returned;
        Self { kept: Kept::default(), cpus: 2, lacks: 0, partner_lacks: 0, exit, scenes: Vec::new() }
    }
}

impl Sink for Counting {
    fn record(&mut self, record: Record) {
        self.kept.record(record);
    }
}

impl System for Counting {
    fn cpus(&self) -> Vec<CpuId> {
        (0..self.cpus).map(CpuId).collect()
    }

    fn offers(&self, row: SeriesRow, _: u64) -> Result<(), Unavailable> {
        if row == SeriesRow::RingNop { Err(Unavailable::NotOffered) } else { Ok(()) }
    }

    fn right_answer(&self, _: Op) -> u64 {
        1
    }

    fn refusal(&self, _: Op, reason: Status) -> Option<u64> {
        Some(reason.value())
    }

    fn stub(&self, _: Op) -> &[u8] {
        &[0x0f, 0x05, 0xc3, 0xcc, 0xcc]
    }

    fn run(&mut self, scene: &Scene<'_>, results: &mut [u64]) -> Result<Played, Unavailable> {
        self.scenes.push((
            scene.row,
            scene.arg,
            scene.tasks.iter().map(|role| (role.name, role.cpu)).collect(),
        ));
        let orders = Orders::of(&scene.tasks[0].args);
        let n = if scene.row.class() == abi::series::SeriesClass::Batch { 4 } else { 1 };
        let due = abi::series::due(scene.row, scene.arg, n, COUNT).unwrap_or(0);
        let done = due - orders.short;
        let header = Header { n, cold: 9, count: COUNT, outside: OUTSIDE, done, ..Header::default() };
        results[..HEADER_WORDS].copy_from_slice(&header.words());
        results[HEADER_WORDS..][..10].copy_from_slice(&[100; 10]);
        let all = done + OUTSIDE;
        let mut counted = Counted::NOTHING;
        for &counter in Counter::ALL {
            counted = counted.with(counter, all - self.lacks);
        }
        for &status in Status::ALL {
            counted = counted.with_refused(status, all - self.lacks);
        }
        let result = |answer| WorkerResult { answer, complete: COMPLETE, ..WorkerResult::default() };
        let mut ended = vec![Ended { exit: self.exit, result: result(done) }];
        ended.extend(
            scene.tasks[1..]
                .iter()
                .map(|_| Ended { exit: Exit::Returned, result: result(all - self.partner_lacks) }),
        );
        Ok(Played { ended, counted })
    }
}

/// Runs the rows that `asked` names under `profile`.
fn play(system: &mut Counting, profile: &str, asked: &str) -> Vec<Figure> {
    let text = String::from("ASSAY-PLAN2\nplan experiment=x linger_ms=0 challenge=00000000000000c5\n")
        + &alloc::format!("workload name=primes sha256={:064} authority=exit\n", 0)
        + "control kind=none target=0\n"
        + &alloc::format!(
            "mechanisms program=p sha256={:064} memory_mib=1 shared_kib=4 {asked} samples=0\n",
            0
        )
        + "sampling samples=20\n"
        + profile
        + "case workers=1 iterations=1 timeout_ms=1\n"
        + "split worker=0 p0=0 p1=0 p2=0 p3=0 answer=0 work=0 digest=0000000000000000\n";
    let plan = Plan::parse(text.as_bytes()).unwrap_or_else(|error| panic!("{error}"));
    let elf = worker_elf();
    let image = ElfImage::parse(&elf, 1 << 20).unwrap();
    let program = Program { image, needs: abi::plan::Needs::NONE, corpus: None };
    let source = abi::wire::record::TscSource::Hpet;
    let clock = Clock::of(&Choice { source, khz: 1_000_000, sources: 1, spread_ppm: 0 });
    let asked = plan.mechanisms.unwrap();
    let errand = Errand {
        asked: &asked,
        profile: &plan.profile,
        program: &program,
        elf: &elf,
        samples: plan.samples,
        challenge: 0xc5,
        clock: &clock,
    };
    let mut book = Book::after(Vec::new(), false);
    run(&errand, &mut book, system);
    book.into_figures()
}

/// The rows without a series, and why.
fn none(system: &Counting) -> Vec<(SeriesRow, u64, Unavailable)> {
    let none = system.kept.0.iter().filter_map(|record| match record {
        Record::SeriesNone(none) => Some((none.row, none.arg, none.reason)),
        _ => None,
    });
    none.collect()
}

#[test]
fn every_row_that_the_system_has_holds_if_all_counts_agree() {
    let mut system = Counting::default();
    let figures = play(&mut system, PROFILE, "rows=all short=none");
    assert_eq!(none(&system), [(SeriesRow::RingNop, 0, Unavailable::NotOffered)]);
    assert!(figures.iter().all(|figure| figure.holds && figure.count == COUNT));
    for row in SeriesRow::of_tier(Tier::Mechanism).filter(|&row| row != SeriesRow::RingNop) {
        assert!(figures.iter().any(|figure| figure.place.row == row), "{row}");
    }
    let counts = system.kept.names().iter().filter(|&&name| name == "mechanism-counts").count();
    assert_eq!(counts, figures.len());
    assert_eq!(system.kept.names().last(), Some(&"mechanism-note"));
}

#[test]
fn a_row_that_leaves_an_operation_out_does_not_hold() {
    let figures = play(&mut Counting::default(), PROFILE, "rows=all short=all");
    assert!(figures.len() > 20 && figures.iter().all(|figure| !figure.holds));
}

#[test]
fn a_kernel_or_a_partner_that_counts_otherwise_is_noticed() {
    let mut system = Counting { lacks: 1, ..Counting::default() };
    let figures = play(&mut system, PROFILE, "rows=null_enter short=none");
    assert_eq!(figures.iter().map(|figure| figure.holds).collect::<Vec<_>>(), [false]);
    let mut system = Counting { partner_lacks: 1, ..Counting::default() };
    let figures = play(&mut system, PROFILE, "rows=switch short=none");
    assert_eq!(figures.iter().map(|figure| figure.holds).collect::<Vec<_>>(), [false, false, false]);
}

#[test]
fn one_row_can_be_asked_for() {
    let mut system = Counting::default();
    let _figures = play(&mut system, PROFILE, "rows=call_cross short=none");
    let (client, remote) = ((TaskName::Client, CpuId(0)), (TaskName::Remote, CpuId(1)));
    let scene = |arg| (SeriesRow::CallCross, arg, vec![client, remote]);
    assert_eq!(system.scenes, [scene(1), scene(2)]);
}

#[test]
fn a_row_without_its_handles_or_its_cpu_says_so() {
    let without_serve = PROFILE.replace("grant task=server object=door rights=serve badge=0\n", "");
    let mut system = Counting { cpus: 1, ..Counting::default() };
    let _figures = play(&mut system, &without_serve, "rows=all short=none");
    let none = none(&system);
    assert!(none.contains(&(SeriesRow::CallSame, 0, Unavailable::NotGranted)), "{none:?}");
    assert!(none.contains(&(SeriesRow::CallCross, 0, Unavailable::OneCpu)), "{none:?}");
}

#[test]
fn a_task_that_faults_takes_its_row_away_and_is_an_error() {
    let fault = Fault { vector: 14, error: 4, rip: 0x1000_0000, address: 0 };
    let mut system = Counting { exit: Exit::Fault(fault), ..Counting::default() };
    let figures = play(&mut system, PROFILE, "rows=cap_ok short=none");
    assert!(figures.is_empty());
    assert_eq!(none(&system), [(SeriesRow::CapOk, 0, Unavailable::TaskLost)]);
    assert!(system.kept.names().contains(&"error"));
}

#[test]
fn a_handle_that_does_not_fit_is_one_of_each_kind() {
    let mut system = Counting::default();
    let _figures = play(&mut system, PROFILE, "rows=cap_refused short=none");
    assert_eq!(system.scenes.len(), 5);
    assert!(is_on_linux(SeriesRow::CapRefused, 1) && !is_on_linux(SeriesRow::CapRefused, 2));
}
