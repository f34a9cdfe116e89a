//! The rows, one scene after the other, and their records.

use abi::CpuId;
use abi::plan::{HandleGrant, KernelObject, Mechanisms, Profile};
use abi::series::place::Places;
use abi::series::{BATCH_US, BATCHES, FEWEST, SeriesClass, SeriesRow, Tier, Unavailable, due};
use abi::stub::Op;
use abi::task::{HEADER_WORDS, Header, Orders, TaskName};
use abi::wire::Text;
use abi::wire::record::{
    MechanismCounts, MechanismGrant, MechanismNote, MechanismObject, MechanismRows, MechanismStub,
};
use abi::worker::COMPLETE;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write;

use super::cast::Cast;
use super::{Played, Role, Scene, System};
use crate::clock::Clock;
use crate::platform::buffer;
use crate::sampler::{BUDGET_US, Book, Measured, Place, Tally};
use crate::sink::Sink;
use crate::user::{Exit, Program};
use crate::x86::tsc;

/// How long the tasks of a scene may take, in microseconds: their budget many times over.
const TIMEOUT_US: u64 = 10 * BUDGET_US;

/// What a plan asks for of the mechanisms.
#[derive(Clone, Copy, Debug)]
pub struct Errand<'a> {
    /// The plan's line.
    pub asked: &'a Mechanisms,
    /// The objects, and the handles of each task.
    pub profile: &'a Profile<'a>,
    /// What all tasks run.
    pub program: &'a Program<'a>,
    /// Its ELF, whole.
    pub elf: &'a [u8],
    /// The most samples of a row.
    pub samples: u32,
    /// The plan's challenge.
    pub challenge: u64,
    /// The clock.
    pub clock: &'a Clock,
}

impl Errand<'_> {
    /// The rows that it asks for, in their order.
    fn rows(&self) -> impl Iterator<Item = SeriesRow> + use<> {
        let asked = self.asked.rows;
        SeriesRow::of_tier(Tier::Mechanism).filter(move |&row| asked.has(row))
    }

    /// Emits what precedes the rows.
    fn announce<S: Sink + ?Sized>(&self, sink: &mut S) {
        let Mechanisms { program, rows, short, .. } = *self.asked;
        sink.record(MechanismRows { program, rows, short }.into());
        for KernelObject { name, kind, bytes } in self.profile.objects() {
            sink.record(MechanismObject { name, kind, bytes }.into());
        }
        for &task in TaskName::ALL {
            for (slot, (_, _, HandleGrant { object, rights, badge, .. })) in
                (0..).zip(self.profile.handles_of(task))
            {
                sink.record(MechanismGrant { task, slot, object, rights, badge }.into());
            }
        }
    }
}

/// Measures every row that the plan asks for, and emits their records.
pub fn run(errand: &Errand<'_>, book: &mut Book, system: &mut impl System) {
    let begin = tsc::read();
    errand.announce(system);
    for &op in Op::ALL {
        let code = system.stub(op).to_vec();
        emit_stub(op, &code, system);
    }
    let cpus = system.cpus();
    let Some(&here) = cpus.first() else { return };
    let mut stage = Stage { errand, here, other: cpus.get(1).copied(), scenes: 0, results: Vec::new() };
    stage.results = buffer(HEADER_WORDS + usize::try_from(errand.samples).unwrap_or(0));
    for row in errand.rows() {
        stage.row(row, book, system);
    }
    let took_us = errand.clock.micros(tsc::read().saturating_sub(begin));
    system.record(MechanismNote { scenes: stage.scenes, took_ms: took_us / 1000 }.into());
}

/// Emits that the rows are not there: this system has none of the operations.
pub fn without<S: Sink + ?Sized>(errand: &Errand<'_>, book: &mut Book, here: CpuId, sink: &mut S) {
    errand.announce(sink);
    for row in errand.rows() {
        book.none(sink, Place::of(row, here), Unavailable::NotOffered);
    }
    sink.record(MechanismNote { scenes: 0, took_ms: 0 }.into());
}

/// Emits the code of a stub, without what fills up its slot.
fn emit_stub<S: Sink + ?Sized>(op: Op, code: &[u8], sink: &mut S) {
    const FILLER: u8 = 0xcc;
    let end = code.iter().rposition(|&byte| byte != FILLER).map_or(0, |last| last + 1);
    for (part, bytes) in (0..).zip(code[..end].chunks(64)) {
        let mut digits = String::new();
        for byte in bytes {
            // A string takes all that is written.
            let _written = write!(digits, "{byte:02x}");
        }
        sink.record(MechanismStub { op, part, code: Text::new(&digits) }.into());
    }
}

/// Where scenes are played.
struct Stage<'a> {
    errand: &'a Errand<'a>,
    here: CpuId,
    other: Option<CpuId>,
    scenes: u32,
    results: Vec<u64>,
}

impl Stage<'_> {
    /// Measures a row with each of its arguments.
    fn row(&mut self, row: SeriesRow, book: &mut Book, system: &mut impl System) {
        let arguments = match Places::of(row) {
            Places::Arguments(arguments) => arguments,
            _ => &[0],
        };
        let casts: Vec<_> = arguments.iter().map(|&arg| (arg, self.cast(row, arg, system))).collect();
        // A row that is not there at all has one reason.
        if let Some((_, Err(reason))) = casts.first()
            && casts.iter().all(|(_, cast)| cast.as_ref().err() == Some(reason))
        {
            return book.none(system, Place::of(row, self.here), *reason);
        }
        for (arg, cast) in casts {
            let place = self.place(row, arg);
            let played = cast.and_then(|cast| Ok((cast, self.play(place, &cast, system)?)));
            match played {
                Ok((cast, played)) => self.emit(place, &cast, &played, book, system),
                Err(reason) => book.none(system, place, reason),
            }
        }
    }

    fn place(&self, row: SeriesRow, arg: u64) -> Place {
        let place = Place::of(row, self.here).arg(arg);
        match self.other.filter(|_| Places::has_peer(row)) {
            Some(other) => place.with(other),
            None => place,
        }
    }

    fn cast(&self, row: SeriesRow, arg: u64, system: &impl System) -> Result<Cast, Unavailable> {
        system.offers(row, arg)?;
        if Places::has_peer(row) && self.other.is_none() {
            return Err(Unavailable::OneCpu);
        }
        Cast::of(row, arg, self.errand.profile, system)
    }

    /// Runs the tasks of a row.
    fn play(&mut self, place: Place, cast: &Cast, system: &mut impl System) -> Result<Played, Unavailable> {
        let Errand { asked, profile, program, samples, challenge, clock, .. } = *self.errand;
        let Place { row, arg, .. } = place;
        let most = match row.class() {
            SeriesClass::Batch => samples.min(BATCHES),
            _ => samples,
        };
        let orders = Orders {
            row: row as u64,
            arg,
            right: cast.right,
            samples: most.into(),
            batch_cycles: clock.cycles(BATCH_US),
            budget_cycles: clock.cycles(BUDGET_US),
            short: u64::from(asked.short.has(row)),
            ahead_cycles: if row == SeriesRow::TimerWake { clock.cycles(arg) } else { 0 },
            ..Orders::default()
        };
        let role = |name, cpu, [handle, other]: [u64; 2]| Role {
            name,
            cpu,
            args: Orders { handle, other, ..orders }.args(name, challenge),
        };
        let mut tasks = Vec::with_capacity(2);
        tasks.push(role(TaskName::Client, self.here, cast.client));
        if let Some(name) = cast.partner {
            let cpu = self.other.filter(|_| name == TaskName::Remote).unwrap_or(self.here);
            tasks.push(role(name, cpu, cast.opposite));
        }
        self.results.fill(0);
        self.scenes += 1;
        let scene = Scene { row, arg, program, profile, tasks: &tasks, timeout_us: TIMEOUT_US };
        let played = system.run(&scene, &mut self.results)?;
        match lost(&tasks, &played) {
            None => Ok(played),
            Some(what) => {
                system.problem("mechanism-task", format_args!("{row} {arg}: {what}"));
                Err(Unavailable::TaskLost)
            }
        }
    }

    /// Emits a series from what its client left and what all counted.
    fn emit(
        &mut self,
        place: Place,
        cast: &Cast,
        played: &Played,
        book: &mut Book,
        system: &mut impl System,
    ) {
        let (words, samples) = self.results.split_at_mut(HEADER_WORDS);
        let header = Header::from_words(words.try_into().unwrap_or_default());
        let Header { n, cold, count, outside, done: client, wrong, first_wrong } = header;
        let taken = usize::try_from(count).ok().and_then(|count| samples.get_mut(..count));
        let Some(taken) = taken.filter(|taken| taken.len() >= usize::try_from(FEWEST).unwrap_or(0)) else {
            return book.none(system, place, Unavailable::TooSlow);
        };
        let partner = cast.partner.and_then(|_| played.ended.get(1)).map(|ended| ended.result);
        let kernel = cast.kernel.and_then(|account| account.of(&played.counted));
        let counts = [Some(client.wrapping_add(outside)), partner.map(|result| result.answer), kernel];
        let mut tally = tally_of(counts.into_iter().flatten(), outside);
        tally.wrong = tally.wrong.saturating_add(wrong);
        tally.wrong = tally.wrong.saturating_add(partner.map_or(0, |result| result.work));
        if wrong > 0 {
            let Place { row, arg, .. } = place;
            let right = cast.right;
            system.progress(format_args!(
                "assay: {row} {arg}: {wrong} answers are wrong, the first {first_wrong:#x}, not {right:#x}\n"
            ));
        }
        let due = due(place.row, place.arg, n, count).unwrap_or(0);
        let id = book.next();
        book.emit(system, place, Measured { n, cold, due, tally }, taken);
        let partner = partner.map(|result| result.answer);
        system.record(MechanismCounts { id, outside, client, partner, kernel }.into());
    }
}

/// What the samples' operations come to, by the last of those who counted. All must agree: each that differs from the client
/// is wrong.
fn tally_of(counts: impl Iterator<Item = u64>, outside: u64) -> Tally {
    let mut tally = Tally::default();
    let mut first = None;
    for count in counts {
        tally.wrong += u64::from(*first.get_or_insert(count) != count);
        tally.done = count.wrapping_sub(outside);
    }
    tally
}

/// How a task did not come to its end, if one did not.
fn lost(tasks: &[Role], played: &Played) -> Option<String> {
    if played.ended.len() != tasks.len() {
        return Some(alloc::format!("{} of {} tasks reported", played.ended.len(), tasks.len()));
    }
    tasks.iter().zip(&played.ended).find_map(|(task, ended)| {
        let what = match ended.exit {
            Exit::Returned if ended.result.complete == COMPLETE => return None,
            Exit::Returned => "left no result".to_string(),
            Exit::Timeout => "did not end".to_string(),
            Exit::Fault(fault) => {
                alloc::format!("fault {} at {:#x}, {:#x}", fault.vector, fault.rip, fault.address)
            }
        };
        Some(alloc::format!("{} {what}", task.name))
    })
}
